"""Meters as a site in operation would hold them: derived from its tables and a seed, repeatably."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from engine.bus.registers import MeterMap
from engine.bus.simulator import tou
from engine.bus.simulator.errors import BadSite
from engine.bus.simulator.load_control import Overload, PhaseLoad
from engine.bus.simulator.meter import MS_A_MINUTE, WMS_A_WH, Nameplate, SimMeter
from engine.bus.simulator.trades import VACANT, Load, trade_of
from engine.domain.measurement import RATES
from engine.tables import Row, Table

DEFAULT_PRICES = (12_000, 10_000, 7_000, 4_000)  # 0.0001 yuan/kWh: sharp, peak, flat, valley
DEFAULT_ALARM1_FEN, DEFAULT_ALARM2_FEN = 2_000, 500
RATED_SECONDARY_W = 3_300  # of three phases behind current transformers: 5 A at 220 V
CIPHER_BIT, DDSY_BIT, MULTI_RATE_BIT = 0x20, 0x40, 0x01
BLIND_PCT = 30  # of meters that add whatever purchase comes
CIPHER_PCT = 8
CREDIT_FEN_MAX = 300_000  # a shop seldom pays more ahead; behind transformers twice that
ARREARS_PCT, ALARM2_PCT, ALARM1_PCT = 2, 3, 5


@dataclass(frozen=True, slots=True)
class Tariff:
    prices: tuple[int, ...] = DEFAULT_PRICES


def tariffs_of(table: Table | None) -> dict[str, Tariff]:
    """Prices by tariff name; of several versions the last row holds."""
    if table is None:
        return {}
    return {
        row.cells["tariff"]: Tariff(
            tuple(_price(table, row, f"price_{rate}", number) for number, rate in enumerate(RATES))
        )
        for row in table.rows
    }


def _price(table: Table, row: Row, column: str, number: int) -> int:
    text = row.cells.get(column, "")
    try:
        return int(Decimal(text) * 10_000) if text else DEFAULT_PRICES[number]
    except InvalidOperation:
        raise bad_cell(table, row, column) from None


def bad_cell(table: Table, row: Row, column: str) -> BadSite:
    """What is in this cell cannot be used."""
    return BadSite(
        "bad_cell", file=table.file, row=row.number, column=column, found=row.cells.get(column, "")
    )


def whole(table: Table, row: Row, column: str, default: int) -> int:
    """A whole number of a row. Raises BadSite."""
    text = row.cells.get(column, "")
    try:
        return int(text) if text else default
    except ValueError:
        raise bad_cell(table, row, column) from None


def fen_of(table: Table, row: Row, column: str, default: int) -> int:
    text = row.cells.get(column, "")
    try:
        return int(Decimal(text) * 100) if text else default
    except InvalidOperation:
        raise bad_cell(table, row, column) from None


def tenants_by_meter(table: Table | None) -> dict[str, str]:
    """Tenant name by the serials it holds."""
    if table is None:
        return {}
    return {
        serial.strip().zfill(12): row.cells.get("name", "")
        for row in table.rows
        for serial in row.cells.get("meters", "").split(";")
        if serial.strip()
    }


def make_meter(
    table: Table,
    row: Row,
    meter_map: MeterMap,
    *,
    tenant: str,
    tariffs: Mapping[str, Tariff],
    seed: int,
    now_ms: int,
) -> SimMeter:
    """The meter of one row, in the middle of its life where a tenant holds it."""
    serial = row.cells["serial"].zfill(12)
    dice = random.Random(f"{seed}:{serial}")  # noqa: S311 (a pretend site, not a secret)
    ct_ratio = max(1, whole(table, row, "ct_ratio", 1))
    plate = Nameplate(
        serial=serial,
        address=whole(table, row, "address", 0),
        model=meter_map.model,
        model_code=min(meter_map.model_codes, default=0),
        phases=meter_map.phases,
        load=_load(tenant, phases=meter_map.phases, ct_ratio=ct_ratio, dice=dice),
        seed=dice.getrandbits(63),
    )
    tariff = tariffs.get(row.cells.get("tariff", ""), Tariff())
    limit_w = whole(table, row, "overload_w", 0)
    meter = SimMeter(
        plate,
        at_ms=now_ms,
        number=serial,
        checked=dice.randrange(100) >= BLIND_PCT,
        prices=list(tariff.prices),
        alarm1_fen=fen_of(table, row, "alarm1_yuan", DEFAULT_ALARM1_FEN),
        alarm2_fen=fen_of(table, row, "alarm2_yuan", DEFAULT_ALARM2_FEN),
        run_state=_run_state(meter_map.phases, ciphered=dice.randrange(100) < CIPHER_PCT),
        ct_ratio=ct_ratio,
        overload=Overload(
            [PhaseLoad(limit_w > 0, limit_w // ct_ratio // meter_map.phases)]  # each a share
        ),
    )
    _live_some_years(meter, dice)
    if tenant and row.cells.get("kind", "prepaid") == "prepaid":
        _open(meter, dice)
    return meter


def _run_state(phases: int, *, ciphered: bool) -> int:
    return MULTI_RATE_BIT | CIPHER_BIT * ciphered | DDSY_BIT * (phases == 1)


def _load(tenant: str, *, phases: int, ct_ratio: int, dice: random.Random) -> Load:
    """A shop's size by its trade; behind current transformers by what they are made for."""
    trade = trade_of(tenant)
    if trade is VACANT:
        peak_w = VACANT.peak_w
    elif ct_ratio > 1:
        peak_w = RATED_SECONDARY_W * ct_ratio * dice.randint(45, 75) // 100
    else:
        size_pct = dice.randint(60, 150) if phases == 1 else dice.randint(110, 260)
        peak_w = min(trade.peak_w * size_pct // 100, 18_000 if phases == 3 else 7_000)
    return Load(trade, peak_w, dice.getrandbits(63))


def _live_some_years(meter: SimMeter, dice: random.Random) -> None:
    """Energy of 8 to 60 months at the load of one week."""
    weeks = dice.randint(35, 260)
    rates = tou.by_minute(meter.schedule_today)
    for hour in range(7 * 24):
        minute = meter.local_minute - hour * 60
        used = meter.plate.load.power_w(minute) * 60 * MS_A_MINUTE * weeks
        used += dice.randrange(WMS_A_WH)
        meter.rate_wms[rates[minute % 1440]] += used
    meter.energy_wms = sum(meter.rate_wms)
    meter.demand_w = meter.plate.load.peak_w * dice.randint(100, 115) // 100
    meter.demand_minute = meter.local_minute - dice.randrange(200 * 1440)


def _open(meter: SimMeter, dice: random.Random) -> None:
    """Opened (开户): some purchases made, and so many days of credit left."""
    meter.money_control = True
    meter.count = dice.randint(3, 60)
    chance = dice.randrange(100)
    if chance < ARREARS_PCT:
        meter.balance_fen = -dice.randrange(3)
    elif chance < ARREARS_PCT + ALARM2_PCT:
        meter.balance_fen = dice.randint(1 + meter.alarm2_fen // 2, max(2, meter.alarm2_fen))
    elif chance < ARREARS_PCT + ALARM2_PCT + ALARM1_PCT:
        meter.balance_fen = dice.randint(meter.alarm2_fen + 1, max(meter.alarm1_fen, 1))
    else:
        day_fen = max(200, meter.plate.load.peak_w * 24 * 35 // 100 * 80 // 1000)
        left_fen = day_fen * dice.randint(2, 25) + dice.randrange(100)
        meter.balance_fen = meter.alarm1_fen + min(
            left_fen, CREDIT_FEN_MAX * (1 + (meter.ct_ratio > 1))
        )
    meter.decide()
    meter.close_at_ms = None
