"""What one good read of a meter says, in stored units. The vocabulary every register map uses."""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

PHASES = ("a", "b", "c")
RATES = ("sharp", "peak", "flat", "valley")


@dataclass(frozen=True, slots=True)
class MeterReading:
    """The main block of a meter (reference section 3), primary values: CT and PT are applied.

    Energy Wh, money fen (negative: overdraft), power W, voltage mV, current mA, power factor
    in thousandths. Phases are tuples of one or three. A value the model does not have is None.
    """

    energy_wh: int
    energy_by_rate_wh: tuple[int, ...] = ()
    model_code: int | None = None
    voltage_mv: tuple[int, ...] = ()
    current_ma: tuple[int, ...] = ()
    phase_power_w: tuple[int, ...] = ()
    power_factor_pm: tuple[int, ...] = ()
    power_w: int | None = None
    pt_ratio: int = 1
    ct_ratio: int = 1
    energy_step_wh: int = 10  # what one count of the energy register is worth, ratios applied
    balance_fen: int | None = None
    purchase_count: int | None = None
    overload_trips: int | None = None
    overload_trips_max: int | None = None
    status1: int | None = None
    status2: int | None = None
    base_energy_wh: int | None = None
    clock: str | None = None  # the meter's own local time, ISO without offset
    demand_w: int | None = None
    demand_at: str | None = None  # "MM-DD hh:mm", the meter does not keep the year
    raw: str = ""  # hex of the registers it was decoded from: evidence

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        fields: dict[str, Any] = json.loads(text)
        for name, value in fields.items():
            if isinstance(value, list):
                fields[name] = tuple(value)
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """The money-control block (reference section 4.1) as read back. Prices yuan/kWh, exact."""

    money_control: bool
    prices: tuple[Decimal, ...]  # sharp, peak, flat, valley
    alarm1_fen: int
    alarm2_fen: int
    overdraft_fen: int
    purchase_count: int
    balance_fen: int

    @property
    def price_max(self) -> Decimal:
        return max(self.prices)

    def to_json(self) -> str:
        fields = dataclasses.asdict(self)
        fields["prices"] = [str(price) for price in self.prices]
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        fields = json.loads(text)
        fields["prices"] = tuple(Decimal(price) for price in fields["prices"])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers at an address: number (表号, 12 digits) and type code (register 0200)."""

    number: str
    model_code: int | None


def reading_of(values: Mapping[str, int | str], *, raw: str, energy_step_wh: int) -> MeterReading:
    """A MeterReading from decoded points, by the names docs/meters.md lists.

    Per-phase points end in `_a _b _c`; energies by rate are `energy_sharp_wh` and so on. A
    point the map does not have stays at its default. Raises KeyError without `energy_wh`: a
    map must have it.
    """

    def number(name: str) -> int | None:
        value = values.get(name)
        return value if isinstance(value, int) else None

    def each(pattern: str, keys: tuple[str, ...]) -> tuple[int, ...]:
        found = (number(pattern.format(key)) for key in keys)
        return tuple(value for value in found if value is not None)

    energy_wh = values["energy_wh"]
    assert isinstance(energy_wh, int)
    return MeterReading(
        energy_wh=energy_wh,
        energy_by_rate_wh=each("energy_{}_wh", RATES),
        model_code=number("model_code"),
        voltage_mv=each("voltage_{}_mv", PHASES),
        current_ma=each("current_{}_ma", PHASES),
        phase_power_w=each("power_{}_w", PHASES),
        power_factor_pm=each("power_factor_{}_pm", PHASES),
        power_w=number("power_w"),
        pt_ratio=number("pt_ratio") or 1,
        ct_ratio=number("ct_ratio") or 1,
        energy_step_wh=energy_step_wh,
        balance_fen=number("balance_fen"),
        purchase_count=number("purchase_count"),
        overload_trips=number("overload_trips"),
        overload_trips_max=number("overload_trips_max"),
        status1=number("status1"),
        status2=number("status2"),
        base_energy_wh=number("base_energy_wh"),
        clock=_clock(values),
        demand_w=number("demand_w"),
        demand_at=_demand_at(values),
        raw=raw,
    )


def _clock(values: Mapping[str, int | str]) -> str | None:
    names = ("year", "month", "day", "hour", "minute", "second")
    parts = [values.get(f"clock_{name}") for name in names]
    if not all(isinstance(part, int) for part in parts):
        return None
    year, month, day, hour, minute, second = (int(part) for part in parts if part is not None)
    try:  # the meter's own wall time: it knows no zone
        return dt.datetime(2000 + year, month, day, hour, minute, second).isoformat()  # noqa: DTZ001
    except ValueError:
        return None  # a clock that was never set shows no time; the reading itself is good


def _demand_at(values: Mapping[str, int | str]) -> str | None:
    parts = [values.get(f"demand_{name}") for name in ("month", "day", "hour", "minute")]
    if not all(isinstance(part, int) for part in parts) or not parts[0]:
        return None
    month, day, hour, minute = parts
    return f"{month:02d}-{day:02d} {hour:02d}:{minute:02d}"
