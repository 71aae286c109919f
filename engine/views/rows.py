"""A line of the meter table, and how it is put together from what is stored."""

import datetime as dt
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from engine.domain.measurement import RATES, MeterReading, MeterSettings
from engine.domain.outlook import DaysLeft, Profile, days_left
from engine.domain.selection import stands_in
from engine.domain.states import StatusBits, meter_state, status_flags
from models.enums import Flag, MeterKind, MeterState, Relay


class Phase(NamedTuple):
    voltage_mv: int | None
    current_ma: int | None
    power_w: int | None
    power_factor_pm: int | None

    def as_json(self) -> dict[str, float | int | None]:
        return {
            "v": _thousandth(self.voltage_mv),
            "a": _thousandth(self.current_ma),
            "w": self.power_w,
            "pf": _thousandth(self.power_factor_pm),
        }


class Place(NamedTuple):
    """What the books say of a meter, before anything was read."""

    meter_id: int
    serial: str
    model: str
    kind: MeterKind
    line: str
    gateway: str
    address: int
    building: str
    floor: str
    location: str
    shop: str
    tenant: str | None
    tenant_number: str | None
    tenant_initials: str
    tariff: str | None
    interval_s: int | None
    protected: bool
    frozen: bool


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter as the table shows it. None: never read, which is not 0."""

    meter_id: int
    serial: str
    model: str
    line: str
    gateway: str
    address: int
    building: str
    floor: str
    location: str
    shop: str
    tenant: str | None
    tenant_number: str | None
    tenant_initials: str
    state: MeterState
    flags: frozenset[Flag]
    relay: Relay
    read_at: dt.datetime | None
    interval_s: int | None  # None: the site's
    frozen: bool
    balance_fen: int | None = None
    remaining_wh: int | None = None  # an estimate, see `remaining_wh`
    purchase_count: int | None = None
    energy_wh: int | None = None
    energy_by_rate_wh: tuple[int, ...] = ()
    power_w: int | None = None
    today_wh: int | None = None
    days_left: DaysLeft | None = None  # an estimate, see engine.domain.outlook
    drift_fen: int | None = None  # what purchases, use and prices do not explain
    asserted_at: dt.datetime | None = None  # when balance and count were last held to the books
    reading: MeterReading | None = None  # all of it, for whoever shows one meter in depth

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Put together when asked for: ten thousand rows of a table do not show them."""
        return phases_of(self.reading) if self.reading else ()

    def age_s(self, now: dt.datetime) -> int | None:
        return None if self.read_at is None else max(0, int((now - self.read_at).total_seconds()))

    def matches(self, text: str) -> bool:
        """Does every word of `text` stand in serial, shop, tenant, initials or place?"""
        parts = (self.serial, self.shop, self.tenant or "", self.tenant_initials, self.location)
        return stands_in(text, parts)

    def as_json(self, now: dt.datetime) -> dict[str, object]:
        """One element of `voltill meters --json`; `now` gives the age and the time's offset."""
        names = ("serial", "model", "line", "address", "building", "floor", "location", "shop")
        rates = dict(zip(RATES, self.energy_by_rate_wh, strict=False))
        return {
            **{name: getattr(self, name) for name in (*names, "tenant")},
            "state": self.state,
            "flags": [flag for flag in Flag if flag in self.flags],
            "relay": self.relay,
            "balance_fen": self.balance_fen,
            "remaining_wh": self.remaining_wh,
            "days_left": self.days_left and list(self.days_left),
            "drift_fen": self.drift_fen,
            "asserted_at": self.asserted_at and self.asserted_at.astimezone(now.tzinfo).isoformat(),
            "purchase_count": self.purchase_count,
            "energy_wh": self.energy_wh,
            "energy_by_rate_wh": {rate: rates.get(rate) for rate in RATES},
            "power_w": self.power_w,
            "phases": [phase.as_json() for phase in self.phases],
            "read_at": self.read_at and self.read_at.astimezone(now.tzinfo).isoformat(),
            "age_s": self.age_s(now),
        }


class Known(NamedTuple):
    """The newest that was read of a meter, as `Latest` keeps it."""

    failed_attempts: int
    read_at: dt.datetime | None
    reading: str | None
    settings: str | None
    day: str | None
    day_first_wh: int | None
    quarantined: bool
    drift_fen: int | None
    drift_alarmed: bool
    settings_differ: bool
    asserted_at: dt.datetime | None


NOTHING_KNOWN = Known(
    0, None, None, None, None, None, quarantined=False, drift_fen=None, drift_alarmed=False,
    settings_differ=False, asserted_at=None,
)  # fmt: skip


def make_row(
    place: Place,
    known: Known,
    *,
    unknown_command: bool,
    said: AbstractSet[Flag],
    wanted: tuple[Decimal, ...],
    use: Profile | None,
    now: dt.datetime,
) -> MeterRow:
    """`wanted` are the prices the meter is to have (empty: not said), `now` is local time.

    `said` are flags that stand in the books, whatever the meter says.
    """
    reading = MeterReading.from_json(known.reading) if known.reading else None
    status = _status(reading)
    opened = place.tenant is not None
    return MeterRow(
        **dict(zip(PLACE_FIELDS, _place_values(place), strict=True)),
        state=meter_state(opened=opened, failed_attempts=known.failed_attempts, status=status),
        flags=_flags(place, known, reading, status, unknown_command=unknown_command) | said,
        relay=_relay(reading, status),
        read_at=known.read_at,
        **(_measured(reading, known, wanted, use, now) if reading else {}),
    )


def _measured(
    reading: MeterReading,
    known: Known,
    wanted: tuple[Decimal, ...],
    use: Profile | None,
    now: dt.datetime,
) -> dict[str, Any]:
    prices = MeterSettings.from_json(known.settings).prices if known.settings else wanted
    started_today = known.day == now.date().isoformat() and known.day_first_wh is not None
    energy_left_wh = remaining_wh(reading, prices)
    return {
        "balance_fen": reading.balance_fen,
        "remaining_wh": energy_left_wh,
        "days_left": days_left(energy_left_wh, use, now),
        "drift_fen": known.drift_fen,
        "asserted_at": known.asserted_at,
        "purchase_count": reading.purchase_count,
        "energy_wh": reading.energy_wh,
        "energy_by_rate_wh": reading.energy_by_rate_wh,
        "power_w": reading.power_w,
        "today_wh": reading.energy_wh - (known.day_first_wh or 0) if started_today else None,
        "reading": reading,
    }


PLACE_FIELDS = tuple(name for name in Place._fields if name in MeterRow.__dataclass_fields__)
_place_values = attrgetter(*PLACE_FIELDS)


def remaining_wh(reading: MeterReading, prices: tuple[Decimal, ...]) -> int | None:
    """What the balance still buys, if the rates are used as they were since the meter began.

    An estimate. None where nothing is known to divide by; 0 for a balance that is used up.
    """
    if reading.balance_fen is None or not any(prices):
        return None
    used = reading.energy_by_rate_wh
    if len(used) != len(prices) or not sum(used):
        used = (1,) * len(prices)
    cost = sum(price * wh for price, wh in zip(prices, used, strict=True))
    if not cost:
        return None
    return max(0, int(reading.balance_fen * 10 * sum(used) / cost))


def phases_of(reading: MeterReading) -> tuple[Phase, ...]:
    """Per phase what was read; the one phase of a single-phase meter has the total's power."""
    count = len(reading.voltage_mv)
    power_w = reading.phase_power_w
    if not power_w and count == 1 and reading.power_w is not None:
        power_w = (reading.power_w,)

    def each(values: tuple[int, ...]) -> tuple[int | None, ...]:
        return values if len(values) == count else (None,) * count

    columns = (reading.voltage_mv, reading.current_ma, power_w, reading.power_factor_pm)
    return tuple(Phase(*values) for values in zip(*map(each, columns), strict=True))


def _status(reading: MeterReading | None) -> StatusBits | None:
    """The meter's own words; a model that has none is simply normal once it answers."""
    if reading is None:
        return None
    phases = len(reading.voltage_mv) or 3
    return StatusBits(reading.status1 or 0, reading.status2 or 0, phases)


def _relay(reading: MeterReading | None, status: StatusBits | None) -> Relay:
    if reading is None or status is None or reading.status1 is None:
        return Relay.UNKNOWN
    return status.relay


def _flags(
    place: Place,
    known: Known,
    reading: MeterReading | None,
    status: StatusBits | None,
    *,
    unknown_command: bool,
) -> frozenset[Flag]:
    flags: set[Flag] = set()
    if reading is not None and status is not None and reading.status1 is not None:
        flags |= status_flags(
            status,
            overload_trips=reading.overload_trips,
            overload_trips_max=reading.overload_trips_max,
        )
    if place.kind is MeterKind.ORDINARY:
        flags.discard(Flag.PREPAY_OFF)
    if unknown_command:
        flags.add(Flag.UNKNOWN_COMMAND)
    if place.frozen or known.drift_alarmed:
        flags.add(Flag.DRIFT)  # meter and books disagree; frozen: until a person has looked
    if known.settings_differ:
        flags.add(Flag.SETTINGS_DRIFT)
    if known.quarantined:
        flags.add(Flag.QUARANTINED)
    if place.protected:
        flags.add(Flag.PROTECTED)
    return frozenset(flags)


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000
