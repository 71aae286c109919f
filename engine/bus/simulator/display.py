"""What a meter shows: its memory as the points its register map asks for."""

import datetime as dt
from decimal import Decimal

from engine.bus.registers import Block, encode
from engine.bus.simulator import tou
from engine.bus.simulator.meter import SimMeter
from engine.bus.simulator.trades import noise
from engine.domain.measurement import PHASES, RATES

Value = int | str | Decimal

POWER_REGISTER_MAX = 32_767
PLACES = ("", "_a", "_b", "_c")  # of load control: the whole meter, or a phase
PRICE_COUNT = Decimal("0.0001")
ZONES = bytes((1, 1, 1)).ljust(12, b"\0")  # schedule 1 from the 1st of January on
BAUD_INDEX_9600 = 3
UNIX_EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()


def read_block(meter: SimMeter, block: Block) -> bytes:
    """The data of a good reply: the block's registers."""
    match block.name:
        case "schedule1":
            return tou.to_slots(meter.schedule)
        case "schedule2":
            return tou.to_slots(tou.DEFAULT)
        case "zones":
            return ZONES
        case "main":
            values = _electrical(meter) | _counted(meter) | _status(meter)
        case _:
            values = _counted(meter) | _settings(meter)
    return b"".join(word.to_bytes(2) for word in encode(block, values))


def _electrical(meter: SimMeter) -> dict[str, Value]:
    """What a look at the terminals shows: voltage always, current only through a closed relay."""
    phases = PHASES[: meter.plate.phases]
    ratio = meter.pt_ratio * meter.ct_ratio
    look = noise(meter.plate.seed, meter.at_ms // 1000)
    factor_pm = 930 + look % 60
    power_w = min(meter.power_w, POWER_REGISTER_MAX * ratio) // ratio * ratio
    values: dict[str, Value] = {"power_w": power_w, "power_factor_pm": factor_pm}
    reactive_w = power_w * (1000 - factor_pm) // 300
    values["reactive_power_var"] = reactive_w
    left_w = power_w
    for place, phase in enumerate(phases):
        last = place == len(phases) - 1
        share = 1000 // len(phases) - 40 + noise(meter.plate.seed, place) % 81
        part_w = left_w if last else min(left_w, power_w * share // 1000) // ratio * ratio
        left_w -= part_w
        voltage_mv = 223_000 + noise(look, place) % 9_000
        values[f"voltage_{phase}_mv"] = voltage_mv * meter.pt_ratio
        values[f"power_{phase}_w"] = part_w
        values[f"reactive_power_{phase}_var"] = reactive_w // len(phases)
        values[f"power_factor_{phase}_pm"] = factor_pm
        values[f"current_{phase}_ma"] = part_w * 10**9 // (voltage_mv * meter.pt_ratio * factor_pm)
    return values


def _counted(meter: SimMeter) -> dict[str, Value]:
    days, minute = divmod(meter.local_minute, 1440)
    year, month, day = _date(days)
    demand_days, demand_minute = divmod(meter.demand_minute, 1440)
    demand_date = _date(demand_days) if meter.demand_w else (0, 0, 0)
    return {
        "model_code": meter.plate.model_code,
        "pt_ratio": meter.pt_ratio,
        "ct_ratio": meter.ct_ratio,
        "energy_wh": meter.energy_wh,
        **{f"energy_{rate}_wh": wh for rate, wh in zip(RATES, meter.rate_wh, strict=True)},
        "balance_fen": meter.balance_fen,
        "purchase_count": meter.count,
        "overload_trips": meter.overload.trips,
        "overload_trips_max": meter.overload.trips_max,
        "base_energy_wh": meter.base_energy_wh,
        "clock_year": year - 2000,
        "clock_month": month,
        "clock_day": day,
        "clock_weekday": (days + 4) % 7,  # 1970-01-01 was a Thursday; 0 = Sunday
        "clock_hour": minute // 60,
        "clock_minute": minute % 60,
        "clock_second": (meter.at_ms + meter.clock_offset_ms) // 1000 % 60,
        "demand_w": meter.demand_w,
        "demand_month": demand_date[1],
        "demand_day": demand_date[2],
        "demand_hour": demand_minute // 60,
        "demand_minute": demand_minute % 60,
    }


def _settings(meter: SimMeter) -> dict[str, Value]:
    """What stands outside the main block; counters without the ratios."""
    ratio = meter.pt_ratio * meter.ct_ratio
    prices = (price * PRICE_COUNT for price in meter.prices)
    load = {
        "power_limit{}_w": meter.overload.limit_w,
        "overload_trips_max{}": meter.overload.trips_max,
        "recovery{}_min": meter.overload.recovery_min,
    }
    return {
        "money_control": int(meter.money_control),
        **{f"price_{rate}": price for rate, price in zip(RATES, prices, strict=True)},
        "alarm1_fen": meter.alarm1_fen,
        "alarm2_fen": meter.alarm2_fen,
        "overdraft_fen": meter.overdraft_fen,
        "credit_allowed_fen": meter.overdraft_fen,
        "counter_wh": meter.energy_wh // ratio,
        **{f"counter_{r}_wh": wh // ratio for r, wh in zip(RATES, meter.rate_wh, strict=True)},
        "base_counter_wh": meter.base_energy_wh // ratio,
        "force_on": int(meter.force_active),
        "force_open": int(meter.force_trip),
        "run_state": meter.run_state,
        "number": meter.number,
        "serial_number": f"SN{meter.plate.serial}",
        "address": meter.plate.address,
        "baud_index": BAUD_INDEX_9600,
        "pulse_ms": 500,
        "pulse_interval_s": 30,
        "load_enabled": _load_enabled(meter),
        **{name.format(phase): value for name, value in load.items() for phase in PLACES},
    }


def _load_enabled(meter: SimMeter) -> int:
    """One phase: on is not 0. Three: the makers' tool takes a set bit for off (reference Q9)."""
    if meter.plate.phases == 1:
        return int(meter.overload.enabled)
    return 0 if meter.overload.enabled else 0x0F


def _status(meter: SimMeter) -> dict[str, Value]:
    """The bits of the status words."""
    bits = {
        "force_active": meter.force_active,
        "over_limit": meter.tripped,
        "arrears": meter.arrears,
        "alarm1": meter.alarm1,
        "alarm2": meter.alarm2,
        "money_active": meter.money_control,
        "load_active": meter.overload.enabled,
    }
    for phase in PHASES[: meter.plate.phases]:
        bits[f"force_output_{phase}"] = meter.force_active and not meter.force_trip
        bits[f"relay_{phase}"] = meter.relay_closed
        bits[f"money_output_{phase}"] = meter.money_control and not meter.arrears
        bits[f"load_output_{phase}"] = meter.overload.enabled and not meter.tripped
    return {name: int(bit) for name, bit in bits.items()}


def _date(days: int) -> tuple[int, int, int]:
    """Year, month, day of a count of days since 1970."""
    date = dt.date.fromordinal(UNIX_EPOCH_ORDINAL + days)
    return date.year, date.month, date.day
