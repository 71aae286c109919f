"""What a meter shows: its memory as the points its register map asks for."""

from decimal import Decimal

from engine.bus.registers import Block, encode
from engine.bus.simulator import tou
from engine.bus.simulator.load_control import shares_pm
from engine.bus.simulator.meter import SimMeter
from engine.bus.simulator.trades import noise
from engine.domain.measurement import PHASES, RATES

Value = int | str | Decimal

POWER_REGISTER_MAX = 32_767
PRICE_COUNT = Decimal("0.0001")
BAUD_INDEX_9600 = 3
SERIAL_SIZE = 14
OFF = {"a": 0b0100, "b": 0b0010, "c": 0b0001}  # enable words of three phases, 1 = off
ALL_OFF = 0b1000


def read_block(meter: SimMeter, block: Block) -> bytes:
    """The data of a good reply: the block's registers."""
    match block.name:
        case "main":
            values = _electrical(meter) | _counted(meter) | _status(meter)
        case "load":
            values = _load(meter)
        case "time":
            values = _times(meter)
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
    shares = shares_pm(meter.plate.seed, len(phases))
    for place, (phase, share_pm) in enumerate(zip(phases, shares, strict=True)):
        last = place == len(phases) - 1
        part_w = left_w if last else min(left_w, power_w * share_pm // 1000) // ratio * ratio
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
    _, demand_month, demand_day = _date(demand_days) if meter.demand_w else (0, 0, 0)
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
        "clock_second": meter.clock.local_ms(meter.at_ms) // 1000 % 60,
        "demand_w": meter.demand_w,
        "demand_month": demand_month,
        "demand_day": demand_day,
        "demand_hour": demand_minute // 60,
        "demand_minute": demand_minute % 60,
    }


def _settings(meter: SimMeter) -> dict[str, Value]:
    """What stands outside the main block; counters without the ratios."""
    ratio = meter.pt_ratio * meter.ct_ratio
    prices = (price * PRICE_COUNT for price in meter.prices)
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
        "serial": f"SN{meter.plate.serial}"[-SERIAL_SIZE:],
        "address": meter.plate.address,
        "baud_index": BAUD_INDEX_9600,
        "pulse_ms": 500,
        "interval_s": 30,
        "power_max_w": meter.overload.phases[0].limit_w,
        "unnamed_0418": meter.unnamed_0418,
        "schedule1": tou.schedule_rows(meter.schedule),
        "schedule2": tou.schedule_rows(meter.schedule2),
        "zones": tou.zones_rows(meter.zones),
    }


def _load(meter: SimMeter) -> dict[str, Value]:
    """Load control as each phase holds it. On one phase any word but 0 is on."""
    phases = dict(zip(PHASES, meter.overload.phases, strict=False))
    on = [name for name, phase in phases.items() if phase.enabled]
    values: dict[str, Value] = {"enable_raw": len(on) if meter.plate.phases == 1 else _off_bits(on)}
    for name, phase in phases.items():
        values[f"limit_{name}_w"] = phase.limit_w
        values[f"malignant_step_{name}"] = phase.malignant_step
        values[f"malignant_factor_{name}"] = phase.malignant_factor
        values[f"unnamed_word_{name}"] = phase.unnamed_word
        values[f"trips_max_{name}"] = phase.trips_max
        values[f"recovery_min_{name}"] = phase.recovery_min
        values[f"unnamed_byte_{name}"] = phase.unnamed_byte
    return values


def _times(meter: SimMeter) -> dict[str, Value]:
    """Time control as each phase holds it."""
    phases = dict(zip(PHASES, meter.times, strict=False))
    on = [name for name, phase in phases.items() if phase.enabled]
    single = 0 if on else ALL_OFF
    values: dict[str, Value] = {"enable_raw": single if meter.plate.phases == 1 else _off_bits(on)}
    for name, phase in phases.items():
        values[f"weekday_mask_{name}"] = phase.free_days
        values[f"unnamed_bytes_{name}"] = phase.unnamed
        values[f"free_day_slots_{name}"] = _time_rows(phase.free_slots)
        values[f"work_day_slots_{name}"] = _time_rows(phase.work_slots)
    return values


def _time_rows(slots: str) -> str:
    data = bytes.fromhex(slots)
    rows = (data[at : at + 3] for at in range(0, len(data), 3))
    return "; ".join(f"state={state} minute={minute} hour={hour}" for state, minute, hour in rows)


def _off_bits(on: list[str]) -> int:
    """The makers' tool takes a set bit for off (reference Q9)."""
    bits = sum(bit for name, bit in OFF.items() if name not in on)
    return bits if on else bits | ALL_OFF


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
        "time_active": any(each.enabled for each in meter.times),
    }
    for place, phase in enumerate(PHASES[: meter.plate.phases]):
        load, times = meter.overload.phases[place], meter.times[place]
        bits[f"force_output_{phase}"] = meter.force_active and not meter.force_trip
        bits[f"relay_{phase}"] = meter.relay_closed
        bits[f"money_output_{phase}"] = meter.money_control and not meter.arrears
        bits[f"load_output_{phase}"] = load.enabled and not meter.tripped
        bits[f"time_output_{phase}"] = times.enabled and times.lets(meter.local_minute)
    return {name: int(bit) for name, bit in bits.items()}


def _date(days: int) -> tuple[int, int, int]:
    """Year, month, day of a count of days since 1970."""
    date = tou.date_of(days)
    return date.year, date.month, date.day
