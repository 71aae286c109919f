"""Quick configuration: tables of buildings, lines, meters, tenants and tariffs, all or nothing.

Nothing is deleted and nothing is sent to a meter by an import: what it says is what is known
and desired of the site from now on. A meter named with a tenant is *opened* (开户).
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from engine import clock
from engine.services import accounts, audit, import_stored, import_tariffs, opening, tariffs
from engine.services.import_checks import check
from engine.services.import_plan import Plan, Record, make_plan
from engine.services.initials import initials
from engine.tables import Problem, Tables
from models.accounts import Account, Installation, PlannedMeter
from models.base import CoreModel, next_rev, tuples, write_transaction
from models.site import Building, Gateway, Line, Meter


@dataclass
class Report:
    """Rows of the tables by what they did to the site; with errors they did nothing."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


class _DryRun(Exception):
    """Leaves the transaction: what was done in it never happened."""


def import_tables(
    tables: Tables,
    *,
    models: Collection[str],
    dry_run: bool = False,
    source: str = "",
    today: dt.date | None = None,
) -> Report:
    """Bring the site to what `tables` say; `models` are the meter models that have a map.

    `today` is the local day (None: in UTC). One transaction: with any error, or for a dry run,
    nothing has changed.
    """
    plan = make_plan(tables)
    try:
        with write_transaction():
            check(plan, import_stored.load(), models)
            import_tariffs.check(plan, today or clock.now().date())
            report = Report(errors=_in_order(plan.errors), warnings=_in_order(plan.warnings))
            if plan.errors:
                return report
            _Applied(plan, report).apply()
            if dry_run:
                _undo()
            if report.added or report.changed:
                _announce()
                counts: dict[str, object] = {"added": report.added, "changed": report.changed}
                audit.write(audit.SYSTEM, "import", source, counts)
    except _DryRun:
        pass
    return report


def _undo() -> NoReturn:
    raise _DryRun


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda each: (each.file, each.row or 0))


def _announce() -> None:
    """A new revision for every meter: a line, a building or a tenant shows in many rows."""
    Meter.update(rev=next_rev(Meter)).execute()


class _Applied:
    """One run: the records against what is stored, names resolved to rows as they come to be."""

    def __init__(self, plan: Plan, report: Report) -> None:
        self.plan = plan
        self.report = report
        self.now = clock.now()
        self.buildings = {row.code: row for row in Building.select()}
        self.gateways = {row.name: row for row in Gateway.select()}
        self.lines = {row.name: row for row in Line.select()}
        self.meters = {row.serial: row for row in Meter.select()}
        self.accounts = {row.number: row for row in Account.select()}
        still_open = Installation.select(Meter.serial, Account.number).join(Meter)
        still_open = still_open.join_from(Installation, Account)
        self.opened = dict(tuples(still_open.where(Installation.closed_at.is_null())))

    def apply(self) -> None:
        for record in self.plan.records["buildings"]:
            self._store(Building, self.buildings, record, record["code"])
        for record in self.plan.records["lines"]:
            self._store_line(record)
        self._place_gateways()
        for record in self.plan.records["tariffs"]:
            self._publish(record)
        self._lift_moving_meters()
        for record in self.plan.records["meters"]:
            line, building = self.lines[record["line"]], self.buildings[record["building"]]
            places = {"line": line, "building": building, "retired_at": None}
            self._note_tariff(record)
            self._store(Meter, self.meters, record, record["serial"], **places)
        changed = [self._store_tenant(record) for record in self.plan.records["tenants"]]
        for record, (account, added, different) in zip(
            self.plan.records["tenants"], changed, strict=True
        ):  # when all are opened: who has a meter now is no obstacle
            planned = self._plan(record, account)
            if different or planned:
                _update(account, {"rev": next_rev(Account)})
            self._count(added=added, changed=different or planned)

    def _count(self, *, added: bool, changed: bool) -> None:
        if added:
            self.report.added += 1
        elif changed:
            self.report.changed += 1
        else:
            self.report.unchanged += 1

    def _store(
        self,
        table: type[CoreModel],
        rows: dict[str, Any],
        record: Record,
        key: str,
        **more: object,
    ) -> None:
        values = {**record.values, **more}
        if key not in rows:
            rows[key] = table.create(**values)
            self._count(added=True, changed=False)
            return
        self._count(added=False, changed=_update(rows[key], values))

    def _store_line(self, record: Record) -> None:
        values = dict(record.values)
        building = self.buildings[values.pop("building")]
        name = values.pop("gateway")
        moved = False
        if name not in self.gateways:
            self.gateways[name] = Gateway.create(name=name, building=building)
        else:
            moved = _update(self.gateways[name], {"building": building})
        values["gateway"] = self.gateways[name]
        if record["name"] not in self.lines:
            self.lines[record["name"]] = Line.create(**values)
            self._count(added=True, changed=False)
            return
        changed = _update(self.lines[record["name"]], values)
        self._count(added=False, changed=changed or moved)

    def _place_gateways(self) -> None:
        """A gateway stands where the first of its lines begins."""
        for gateway in self.gateways.values():
            first = Line.select().where(Line.gateway == gateway).order_by(Line.name).first()
            if first is not None:
                _update(gateway, {"location": first.location})

    def _publish(self, record: Record) -> None:
        """A version that is published is the same, or the checks have refused the row."""
        day = dt.date.fromisoformat(record["valid_from"])
        known = tariffs.of_day(record["tariff"], day)
        if known is None:
            tariffs.publish_within(record["tariff"], day, import_tariffs.plan_of(record), "", None)
        self._count(added=known is None, changed=False)

    def _note_tariff(self, record: Record) -> None:
        """Since when a meter has another tariff: what that said before is none of its changes."""
        meter = self.meters.get(record["serial"])
        if meter is not None and record.values.get("tariff", meter.tariff) != meter.tariff:
            _update(meter, {"tariff_at": self.now})

    def _lift_moving_meters(self) -> None:
        """Meters that change place leave theirs first: two may swap addresses."""
        for record in self.plan.records["meters"]:
            meter = self.meters.get(record["serial"])
            place = (self.lines[record["line"]].id, record["address"])
            if meter is not None and (meter.__data__["line"], meter.address) != place:
                _update(meter, {"retired_at": self.now})

    def _store_tenant(self, record: Record) -> tuple[Account, bool, bool]:
        """The account; was it added; was it changed?"""
        number, name = record["number"], record["name"]
        values = {
            key: value
            for key, value in record.values.items()
            if key not in ("number", "meters", "planned")
        }
        account = self.accounts.get(number)
        if account is None or account.name != name:
            values["initials"] = initials(name)
        changed = account is not None and _update(account, values)
        added = account is None
        if account is None:
            account = Account.create(
                number=number, opened_at=self.now, rev=next_rev(Account), **values
            )
            self.accounts[number] = account
        opened = [self._open(serial, account) for serial in record["meters"]]
        return account, added, changed or any(opened)

    def _open(self, serial: str, account: Account) -> bool:
        """开户: the meter is this tenant's from now on; True if it was nobody's before."""
        if serial in self.opened:
            return False
        opening.install(self.meters[serial], account)
        self.opened[serial] = account.number
        return True

    def _plan(self, record: Record, account: Account) -> bool:
        """预开户: keep the meters named; one that is opened already needs no keeping."""
        if "planned" not in record.values:
            return False
        mine = account.number
        wanted = [serial for serial in record["planned"] if self.opened.get(serial) != mine]
        if wanted == accounts.planned_of(account):
            return False
        PlannedMeter.delete().where(PlannedMeter.account == account).execute()
        for serial in wanted:
            PlannedMeter.delete().where(PlannedMeter.meter == self.meters[serial]).execute()
            PlannedMeter.create(account=account, meter=self.meters[serial], planned_at=self.now)
        return True


def _update(row: CoreModel, values: Mapping[str, object]) -> bool:
    """Bring `row` to `values`; True if anything was different."""
    different = {
        name: value
        for name, value in values.items()
        if row.__data__.get(name) != (value.id if isinstance(value, CoreModel) else value)
    }
    if different:
        for name, value in different.items():
            setattr(row, name, value)
        row.save(only=list(different))
    return bool(different)
