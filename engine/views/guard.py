"""不断电保护: who will run out before the office opens again, and how sure that is."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.domain.measurement import MeterSettings
from engine.domain.office import Hours, SpecialDays, closes_at, opens_next
from engine.domain.outlook import Profile, lasts_s, use_until
from engine.views import meters, orders, outlook
from engine.views.rows import MeterRow, remaining_wh
from models.base import tuples
from models.enums import Flag, MeterState, SpecialDayKind
from models.metering import Latest
from models.tariffs import SpecialDay

DAY_S = 86_400
NOT_ASKED = frozenset({Flag.FORCED_ON, Flag.FORCED_OFF, Flag.PREPAY_OFF})


@dataclass(frozen=True, slots=True)
class Risk:
    """A meter whose credit may not last; times and energies by the likely and the thirsty week."""

    row: MeterRow
    out_at: dt.datetime  # thirsty: the earlier of both
    likely_out_at: dt.datetime | None  # None: then it would last
    short_wh: int  # thirsty: used beyond the credit until the office opens
    protected: bool

    @property
    def sure(self) -> bool:
        """Also by the week that uses less."""
        return self.likely_out_at is not None

    def as_json(self, now: dt.datetime) -> dict[str, object]:
        likely = self.likely_out_at
        return {
            **_names(self.row),
            "balance_fen": self.row.balance_fen,
            "remaining_wh": self.row.remaining_wh,
            "age_s": self.row.age_s(now),
            "out_at": self.out_at.isoformat(),
            "likely_out_at": likely and likely.isoformat(),
            "short_wh": self.short_wh,
            "protected": self.protected,
        }


@dataclass(frozen=True, slots=True)
class Watch:
    """`opens_at` None: the office never closes, or never opens. All times are local."""

    now: dt.datetime
    closes_at: dt.datetime | None  # None: it is closed now
    opens_at: dt.datetime | None
    risks: tuple[Risk, ...]  # protected ones first, then by when they run out
    arrears: tuple[MeterRow, ...]  # dark already: holding one would switch it on
    held: int  # meters that will not be cut: held on by hand or for a time
    unknown: int  # meters of which too little is known to say

    def as_json(self) -> dict[str, object]:
        """`voltill guard --json`."""
        return {
            "closes_at": self.closes_at and self.closes_at.isoformat(),
            "opens_at": self.opens_at and self.opens_at.isoformat(),
            "at_risk": [risk.as_json(self.now) for risk in self.risks],
            "arrears": [
                {**_names(row), "balance_fen": row.balance_fen, "age_s": row.age_s(self.now)}
                for row in self.arrears
            ],
            "held": self.held,
            "unknown": self.unknown,
        }


def watch(now: dt.datetime, hours: Hours, *, default_prices: tuple[Decimal, ...] = ()) -> Watch:
    """`now` is aware and in the site's own zone."""
    zone = now.tzinfo
    assert zone is not None, "local time"
    special = special_days()
    opens = opens_next(now, hours, special, zone)
    closes = closes_at(now, hours, special, zone)
    rows = [row for row in meters.rows_of(None, now, default_prices) if row.tenant is not None]
    temporarily = orders.held()
    held = {
        row.meter_id for row in rows if row.meter_id in temporarily or Flag.FORCED_ON in row.flags
    }
    asked = [
        row
        for row in rows
        if row.meter_id not in held and not row.flags & NOT_ASKED and row.balance_fen is not None
    ]
    risks, unknown = _risks(asked, now, opens) if opens else ([], 0)
    arrears = [row for row in asked if row.state is MeterState.ARREARS]
    return Watch(
        now,
        closes and closes.astimezone(zone),
        opens and opens.astimezone(zone),
        tuple(sorted(risks, key=lambda risk: (not risk.protected, risk.out_at, risk.row.serial))),
        tuple(sorted(arrears, key=lambda row: (Flag.PROTECTED not in row.flags, row.balance_fen))),
        len(held),
        unknown,
    )


def special_days() -> SpecialDays:
    """Holidays and days worked instead, by local date."""
    rows = tuples(SpecialDay.select(SpecialDay.day, SpecialDay.kind))
    return {dt.date.fromisoformat(day): SpecialDayKind(kind) for day, kind in rows}


def _risks(rows: list[MeterRow], now: dt.datetime, opens: dt.datetime) -> tuple[list[Risk], int]:
    """(who may run out, of how many nothing can be said)."""
    live = [row for row in rows if row.state is not MeterState.ARREARS]
    close = [row for row in live if row.days_left and row.days_left[0] <= _days(row, now, opens)]
    ids = {row.meter_id for row in close}
    use, settings = outlook.profiles(now.date(), ids), _settings(ids)
    risks = [
        _risk(row, use[row.meter_id], settings.get(row.meter_id), now, opens)
        for row in close
        if row.meter_id in use
    ]
    unknown = sum(row.days_left is None for row in live)
    return [risk for risk in risks if risk is not None], unknown


def _days(row: MeterRow, now: dt.datetime, opens: dt.datetime) -> float:
    """Who has more days left than these is safe: until the opening, and since it was read."""
    until_s = opens.timestamp() - now.timestamp()
    return (until_s + (row.age_s(now) or 0)) // DAY_S + 1


def _risk(
    row: MeterRow,
    known: Profile,
    settings: MeterSettings | None,
    now: dt.datetime,
    opens: dt.datetime,
) -> Risk | None:
    """Counted from the reading on, which may be old; an overdraft of the meter's counts too."""
    assert row.read_at is not None, "it has a balance"
    assert row.reading is not None, "it has a balance"
    read_at, energy_wh = row.read_at.astimezone(now.tzinfo), row.remaining_wh
    if settings is not None and settings.overdraft_fen:
        balance_fen = (row.balance_fen or 0) + settings.overdraft_fen
        energy_wh = remaining_wh(replace(row.reading, balance_fen=balance_fen), settings.prices)
    if energy_wh is None:
        return None
    likely_wh, thirsty_wh = use_until(known, read_at, opens)
    if thirsty_wh <= energy_wh:
        return None
    first_s, later_s = lasts_s(energy_wh, known, read_at)
    return Risk(
        row,
        min(opens, read_at + dt.timedelta(seconds=first_s)).astimezone(now.tzinfo),
        min(opens, read_at + dt.timedelta(seconds=later_s)).astimezone(now.tzinfo)
        if likely_wh > energy_wh
        else None,
        thirsty_wh - energy_wh,
        Flag.PROTECTED in row.flags,
    )


def _settings(ids: Collection[int]) -> Mapping[int, MeterSettings]:
    query = Latest.select(Latest.meter_id, Latest.settings).where(
        Latest.meter_id.in_(list(ids)), Latest.settings.is_null(False)
    )
    return {meter_id: MeterSettings.from_json(text) for meter_id, text in tuples(query)}


def _names(row: MeterRow) -> dict[str, object]:
    return {
        "serial": row.serial,
        "shop": row.shop,
        "tenant": row.tenant,
        "tenant_number": row.tenant_number,
    }
