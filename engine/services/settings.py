"""What meters are to hold besides prices: set, given to meters, or let be as it is.

Setting changes what is desired and sends nothing; `push` does, and the batch verb settings.
"""

import json
from collections.abc import Collection, Mapping, Sequence

from engine import clock
from engine.config import Config
from engine.domain import setting_rules as rules
from engine.domain.errors import BadSetting, NoSuchScope, NotOpened, NotPrepaid
from engine.domain.resolving import Defaults, Value, Values
from engine.domain.wanted import same
from engine.services import audit, desired, downloads, meters, operators, sparing
from engine.services.approving import checked_reason
from models.base import next_rev, tuples, write_transaction
from models.commands import Command
from models.enums import BatchVerb, DefaultScope, MeterKind, Right
from models.metering import Latest
from models.people import Operator
from models.settings import AcceptedSetting, SettingDefault
from models.site import Building, Meter

Given = Mapping[str, str | int | None]
Changed = dict[str, tuple[Value | None, Value | None]]  # by name: before, after


def set_meter(
    serial: str,
    values: Given,
    by: Operator,
    *,
    config: Config,
    ratings: Mapping[str, int] | None = None,
    sure: bool = False,
) -> Meter:
    """Have `serial` be desired to hold `values`, whatever defaults say; None: what they say.

    Values as typed or as they are stored. `ratings`: what a model carries, in W.
    Raises Forbidden, NoSuchMeter, MeterRetired, NotPrepaid, BadSetting, AbsurdSetting.
    """
    wanted = _parsed(values)
    with write_transaction():
        operators.require(by, Right.SETTINGS)
        meter = meters.living(serial)
        if meter.kind is not MeterKind.PREPAID:
            raise NotPrepaid(serial=serial)
        changed = _changes({name: getattr(meter, name) for name in wanted}, wanted)
        if not changed:
            return meter
        for name, (_, after) in changed.items():
            setattr(meter, name, after)
        _check(changed, [meter], desired.defaults(config), ratings, sure=sure)
        values_now = {name: value for name, (_, value) in changed.items()}
        Meter.update({"rev": next_rev(Meter), **values_now}).where(Meter.id == meter.id).execute()
        audit.write(by.name, "settings_set", serial, _detail(changed))
        return Meter.get_by_id(meter.id)


def set_default(
    scope: DefaultScope,
    key: str,
    values: Given,
    by: Operator,
    *,
    config: Config,
    ratings: Mapping[str, int] | None = None,
    sure: bool = False,
) -> int:
    """The same for all meters of a building or a model; how many now have something else.

    The site's own defaults stand in config.toml. Raises Forbidden, NoSuchScope, BadSetting,
    AbsurdSetting.
    """
    wanted = _parsed(values)
    with write_transaction():
        operators.require(by, Right.SETTINGS)
        require_scope(scope, key, ratings or {})
        before = desired.defaults(config)
        stored = before.scoped.get((scope, key), {})
        changed = _changes({name: stored.get(name) for name in wanted}, wanted)
        if not changed:
            return 0
        _store(scope, key, changed, by)
        after = desired.defaults(config)
        moved = _moved(scope, key, before, after)
        _check(changed, moved, after, ratings, sure=sure)
        ids = [meter.id for meter in moved]
        Meter.update(rev=next_rev(Meter)).where(Meter.id.in_(ids)).execute()
        subject = f"{scope.value}={key}"
        audit.write(by.name, "settings_default", subject, _detail(changed))
        return len(moved)


def require_not_site(values: Given) -> None:
    """Raises BadSetting that names the key of config.toml: a site's default is no row."""
    for name in values:
        plain = rules.plain_name(name)
        key = rules.IN_CONFIG.get(plain)
        raise BadSetting(name=name, why="in_config" if key else "only_in_config", key=key)
    raise BadSetting(name="", why="nothing")


def require_scope(scope: DefaultScope, key: str, ratings: Mapping[str, int]) -> None:
    """Raises NoSuchScope; a model is known where it has a map or a meter."""
    if scope is DefaultScope.BUILDING:
        known = {row[0] for row in tuples(Building.select(Building.code))}
    else:
        known = {row[0] for row in tuples(Meter.select(Meter.model).distinct())} | set(ratings)
    if key not in known:
        raise NoSuchScope(
            scope=scope.value, key=key, why=scope.value, known=", ".join(sorted(known))
        )


def push(
    serial: str,
    names: Collection[str],
    by: Operator,
    request_id: str,
    *,
    config: Config,
) -> Command:
    """Have `serial` hold what is desired of these names; none named: of all its settings.

    Raises Forbidden, NoSuchMeter, MeterRetired, NotPrepaid, NotOpened, BadSetting,
    MeterProtected (it would go dark), RequestIdReused.
    """
    meter = meters.living(serial)
    if meter.kind is not MeterKind.PREPAID:
        raise NotPrepaid(serial=serial)
    if meters.installation_of(meter) is None:
        raise NotOpened(serial=serial)
    wanted = desired.of(meter, config)
    for name in names:
        if name not in wanted:
            raise BadSetting(name=name, why="not_desired", serial=serial)
    chosen = names or [name for name in wanted if name == "money_control" or name in rules.NAMES]
    aim = {name: wanted[name] for name in chosen}
    sparing.require_spared(meter, BatchVerb.SETTINGS, aim)
    return downloads.request(serial, by, request_id, config=config, names=set(chosen))


def accept(
    serial: str, names: Collection[str], why: str, by: Operator, *, config: Config
) -> list[AcceptedSetting]:
    """Let `serial` hold what it does; this ends when it holds something else.

    Raises Forbidden, NoReason, NoSuchMeter, MeterRetired, and BadSetting where nothing differs.
    """
    why = checked_reason(why)
    with write_transaction():
        operators.require(by, Right.SETTINGS)
        meter = meters.living(serial)
        if not names:
            raise BadSetting(name="", why="nothing")
        wanted, held = desired.of(meter, config), _held(meter)
        for name in names:
            if name not in wanted or name not in held or same(name, wanted[name], held):
                raise BadSetting(name=name, why="same", serial=serial)
        found = [_accept(meter, name, held[name], why, by) for name in dict.fromkeys(names)]
        Meter.update(rev=next_rev(Meter)).where(Meter.id == meter.id).execute()
        detail = {name: [wanted[name], held[name]] for name in names}
        audit.write(by.name, "settings_accept", serial, {**detail, "why": why})
        return found


def _accept(meter: Meter, name: str, value: Value, why: str, by: Operator) -> AcceptedSetting:
    fields = {"value": str(value), "why": why, "accepted_by": by, "accepted_at": clock.now()}
    AcceptedSetting.delete().where(
        AcceptedSetting.meter == meter, AcceptedSetting.name == name
    ).execute()
    return AcceptedSetting.create(meter=meter, name=name, **fields)


def _held(meter: Meter) -> Values:
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    found: Values = json.loads(latest.held) if latest and latest.held else {}
    return found


def _parsed(values: Given) -> dict[str, Value | None]:
    if not values:
        raise BadSetting(name="", why="nothing")
    return {rules.plain_name(name): rules.parse(name, value) for name, value in values.items()}


def _changes(before: Mapping[str, Value | None], wanted: Mapping[str, Value | None]) -> Changed:
    return {name: (before[name], value) for name, value in wanted.items() if value != before[name]}


def _detail(changed: Changed) -> dict[str, list[Value | None]]:
    return {name: list(values) for name, values in changed.items()}


def _check(
    changed: Changed,
    of: Sequence[Meter],
    defaults: Defaults,
    ratings: Mapping[str, int] | None,
    *,
    sure: bool,
) -> None:
    wanted = desired.resolved(of, defaults)
    asked = [
        rules.Asked(meter.serial, wanted[meter.id], _limit_w(meter, ratings or {})) for meter in of
    ]
    rules.check({name: after for name, (_, after) in changed.items()}, asked, sure=sure)


def _limit_w(meter: Meter, ratings: Mapping[str, int]) -> int | None:
    rated_w = ratings.get(meter.model)
    return None if rated_w is None else rated_w * meter.ct_ratio


def _store(scope: DefaultScope, key: str, changed: Changed, by: Operator) -> None:
    for name, (_, value) in changed.items():
        SettingDefault.delete().where(
            SettingDefault.scope == scope, SettingDefault.key == key, SettingDefault.name == name
        ).execute()
        if value is not None:
            SettingDefault.create(
                scope=scope, key=key, name=name, value=str(value), set_by=by, set_at=clock.now()
            )


def _moved(scope: DefaultScope, key: str, before: Defaults, after: Defaults) -> list[Meter]:
    """Living meters of the scope whose own wish is another one now."""
    query = Meter.select().where(Meter.retired_at.is_null(), Meter.kind == MeterKind.PREPAID)
    if scope is DefaultScope.BUILDING:
        query = query.join(Building).where(Building.code == key)
    else:
        query = query.where(Meter.model == key)
    found = list(query)
    was, now = desired.resolved(found, before), desired.resolved(found, after)
    return [meter for meter in found if was[meter.id] != now[meter.id]]
