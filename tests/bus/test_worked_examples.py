"""Every computed frame of the meter reference: our encoders give it byte for byte, and read it."""

import pytest
from pymodbus.pdu import ModbusPDU

from engine.bus.driver import order_pdu, read_pdu
from engine.bus.frames import expected, find_reply, rtu
from engine.bus.private import Decoder, IdentifyRequest, WriteRequest
from engine.bus.registers import Block, decode, encode
from engine.domain.measurement import reading_of
from tests.bus.scripted import MAPS

DDSY, DTSY = MAPS["DDSY1352-NK"], MAPS["DTSY1352-NK"]

MAIN = bytes.fromhex(
    "01 03 60 00 07 09 01 00 00 00 00 02 0B 00 00 00 00 04 9C 00 00 00 00 04 9C 00 78 00 00 00 00"
    "00 78 03 E3 00 00 00 00 03 E3 00 01 00 01 00 01 E2 40 00 00 2B 67 00 00 56 CE 00 00 C3 CB 00"
    "00 9C 40 00 00 22 3D 00 06 00 00 00 0A 20 40 00 09 00 00 00 00 1A 07 0F 03 0A 0F 1E 04 E2 2D"
    "09 0E 07 00 00 00 DF D7"
)
MONEY = bytes.fromhex(
    "01 03 32 00 01 00 06 00 00 2E E0 00 00 27 10 00 00 1B 58 00 00 0F A0 00 00 07 D0 00 00 01 F4"
    "00 00 00 00 00 00 00 00 00 01 E2 40 00 00 22 3D 00 00 00 00 00 00 B6 81"
)


def registers_of(reply: bytes, block: Block) -> list[int]:
    """Through our own search and pymodbus's decoder, as the client reads them."""
    found = find_reply(reply, expected(1, read_pdu(block)))
    assert found is not None
    decoded = Decoder(is_server=False).decode(found.frame[1:-2])
    assert decoded is not None
    return list(decoded.registers)


def test_the_main_block_example_decodes_to_the_stated_values() -> None:
    block = DDSY.blocks["main"]
    values = decode(block, registers_of(MAIN, block))
    whole = {name: value for name, value in values.items() if isinstance(value, int)}
    reading = reading_of(whole, raw="", energy_step_wh=10)

    assert reading.model_code == 7
    assert reading.voltage_mv == (230_500,)
    assert reading.current_ma == (5_230,)
    assert (reading.power_w, values["reactive_power_var"]) == (1_180, 120)
    assert reading.power_factor_pm == (995,)
    assert (reading.pt_ratio, reading.ct_ratio) == (1, 1)
    assert reading.energy_wh == 1_234_560
    assert reading.energy_by_rate_wh == (111_110, 222_220, 501_230, 400_000)
    assert (reading.balance_fen, reading.purchase_count) == (8_765, 6)
    assert (reading.overload_trips, reading.overload_trips_max) == (0, 10)
    assert (reading.status1, reading.status2) == (0x2040, 0x0009)
    set_bits = {name for name in DDSY.status_bits if values[name]}
    assert set_bits == {"relay_a", "alarm1", "money_active", "money_output_a"}
    assert reading.clock == "2026-07-15T10:15:30"
    assert (reading.demand_w, reading.demand_at) == (1_250, "07-14 09:45")


def test_the_main_block_example_is_what_a_pretend_meter_with_these_values_sends() -> None:
    block = DDSY.blocks["main"]
    registers = registers_of(MAIN, block)

    assert encode(block, decode(block, registers)) == registers


def test_a_three_phase_meter_has_its_own_places_for_phases_b_and_c() -> None:
    block = DTSY.blocks["main"]
    registers = [0] * 48
    registers[0x00] = 5
    registers[0x01:0x04] = [2301, 2302, 2303]
    registers[0x04:0x07] = [101, 102, 103]
    registers[0x07:0x0B] = [0xFFFF, 200, 300, 499]
    registers[0x13:0x15] = [1, 20]
    registers[0x15:0x17] = [1, 2]
    registers[0x1F:0x21] = [0xFFFF, 0xFF38]
    registers[0x24] = 0b1100_0000_0000_0000

    values = decode(block, registers)

    assert [values[f"voltage_{phase}_mv"] for phase in "abc"] == [230_100, 230_200, 230_300]
    assert [values[f"current_{phase}_ma"] for phase in "abc"] == [20_200, 20_400, 20_600]
    assert [values[f"power_{phase}_w"] for phase in "abc"] == [-20, 4_000, 6_000]
    assert values["power_w"] == 9_980
    assert values["energy_wh"] == 0x10002 * 10 * 20
    assert values["balance_fen"] == -200
    assert [values[f"relay_{phase}"] for phase in "abc"] == [0, 1, 1]


def test_the_money_block_example_decodes() -> None:
    block = DDSY.blocks["money"]
    values = decode(block, registers_of(MONEY, block))

    assert (values["money_control"], values["purchase_count"]) == (1, 6)
    prices = [str(values[f"price_{rate}"]) for rate in ("sharp", "peak", "flat", "valley")]
    assert prices == ["1.2000", "1.0000", "0.7000", "0.4000"]
    assert (values["alarm1_fen"], values["alarm2_fen"], values["overdraft_fen"]) == (2000, 500, 0)
    assert (values["counter_wh"], values["balance_fen"]) == (1_234_560, 8_765)
    assert encode(block, values) == registers_of(MONEY, block)


READS = [
    ("DDSY1352-NK", "main", "01 03 02 00 00 30 44 66"),
    ("DTSY1352-NK", "main", "01 03 02 00 00 30 44 66"),
    ("DDSY1352-NK", "money", "01 03 04 00 00 19 85 30"),
    ("DDSY1352-NK", "load", "01 03 04 80 00 07 04 D0"),
    ("DTSY1352-NK", "load", "01 03 04 80 00 13 04 DF"),
    ("DDSY1352-NK", "time", "01 03 04 20 00 1B 05 3B"),
    ("DTSY1352-NK", "time", "01 03 04 20 00 4F 04 C4"),
    ("DDSY1352-NK", "prepay", "01 03 00 46 00 1C A5 D6"),
    ("DDSY1352-NK", "energies", "01 03 00 00 00 0A C5 CD"),
    ("DDSY1352-NK", "run_state", "01 03 00 22 00 01 24 00"),
    ("DDSY1352-NK", "ratios", "01 03 00 37 00 02 75 C5"),
    ("DDSY1352-NK", "number", "01 03 00 43 00 03 F4 1F"),
    ("DDSY1352-NK", "force", "01 03 00 57 00 02 75 DB"),
    ("DDSY1352-NK", "relay_output", "01 03 00 63 00 01 74 14"),
    ("DDSY1352-NK", "port", "01 03 03 60 00 05 85 93"),
    ("DDSY1352-NK", "number_again", "01 03 03 62 00 03 A4 51"),
    ("DDSY1352-NK", "pulse", "01 03 03 99 00 02 14 60"),
    ("DDSY1352-NK", "serial", "01 03 03 A0 00 07 04 6E"),
    ("DDSY1352-NK", "schedule1", "01 03 20 06 00 15 6F C4"),
    ("DDSY1352-NK", "schedule2", "01 03 20 1B 00 15 FF C2"),
    ("DDSY1352-NK", "zones", "01 03 20 00 00 06 CE 08"),
    ("DTSY1352-NK", "schedule1", "01 03 20 00 00 15 8F C5"),
    ("DTSY1352-NK", "schedule2", "01 03 20 15 00 15 9E 01"),
    ("DTSY1352-NK", "zones", "01 03 00 28 00 06 45 C0"),
]


@pytest.mark.parametrize(("model", "block", "frame"), READS)
def test_each_block_is_asked_for_by_the_frame_of_the_reference(
    model: str, block: str, frame: str
) -> None:
    assert rtu(1, read_pdu(MAPS[model].blocks[block])) == bytes.fromhex(frame)


PRICES = {
    "price_sharp": "1.2000",
    "price_peak": "1.0000",
    "price_flat": "0.7000",
    "price_valley": "0.4000",
}
OPENING = {
    "money_control": 1,
    "balance_fen": 0,
    "purchase_count": 0,
    "alarm1_fen": 2000,
    "alarm2_fen": 500,
    "overdraft_fen": 0,
    **PRICES,
}
SCHEDULE = (
    "rate=4 minute=0 hour=0; rate=3 minute=0 hour=7; rate=2 minute=0 hour=10; "
    "rate=3 minute=0 hour=15; rate=2 minute=0 hour=18; rate=1 minute=0 hour=19; "
    "rate=2 minute=0 hour=21; rate=4 minute=0 hour=23"
)
SCHEDULE_BYTES = (
    "15 2A 04 00 00 03 00 07 02 00 0A 03 00 0F 02 00 12 01 00 13 02 00 15 04 00 17" + " 00" * 18
)
ZONES = "schedule=1 day=1 month=1; schedule=2 day=1 month=7; schedule=1 day=1 month=10"
NIGHT_OFF = "state=1 minute=0 hour=0; state=0 minute=0 hour=6; state=1 minute=0 hour=23"
CLOCK = {
    "clock_second": 30,
    "clock_minute": 15,
    "clock_hour": 10,
    "clock_weekday": 3,
    "clock_day": 15,
    "clock_month": 7,
    "clock_year": 26,
}
LOAD = {
    "apply_to": 1,
    "enabled": 1,
    "limit_w": 8000,
    "malignant_step": 0,
    "malignant_factor": 0,
}
TIME = {
    "apply_to": 1,
    "enabled": 1,
    "weekday_mask": 0,
    "unnamed_bytes": "0000",
    "free_day_slots": "",
    "work_day_slots": NIGHT_OFF,
}
PREPAY = {
    "alarm1_fen": 2000,
    "alarm2_fen": 500,
    "credit_allowed_fen": 0,
    "purchase_count": 6,
    "balance_fen": 8765,
    "money_control": 1,
    "power_max_w": 8000,
    **PRICES,
}

ORDERS = [
    pytest.param(
        "purchase",
        {"amount_fen": 10_000, "purchase_count": 6},
        "01 20 01 00 00 04 08 00 00 27 10 00 06 00 00 A3 DE",
        id="purchase",
    ),
    pytest.param(
        "money_control",
        {"money_control": 1},
        "01 20 02 00 00 1E 3C 01 01" + " 00" * 58 + " 65 85",
        id="money control on",
    ),
    pytest.param(
        "money_control",
        {"balance_fen": 8765},
        "01 20 02 00 00 1E 3C 00 00 01 00 00 22 3D" + " 00" * 53 + " C2 41",
        id="absolute balance",
    ),
    pytest.param(
        "money_control",
        {"alarm1_fen": 2000, "alarm2_fen": 500},
        "01 20 02 00 00 1E 3C" + " 00" * 20 + " 01 00 00 07 D0 00 00 01 F4" + " 00" * 31 + " CF B2",
        id="alarms",
    ),
    pytest.param(
        "money_control",
        PRICES,
        "01 20 02 00 00 1E 3C"
        + " 00" * 29
        + " 01 00 00 2E E0 00 00 27 10 00 00 1B 58 00 00 0F A0"
        + " 00" * 14
        + " 6C A2",
        id="prices",
    ),
    pytest.param(
        "money_control",
        OPENING,
        "01 20 02 00 00 1E 3C 01 01 01 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00"
        "01 00 00 07 D0 00 00 01 F4 01 00 00 2E E0 00 00 27 10 00 00 1B 58 00 00 0F A0"
        "01 00 00 00 00 00 00 00 00 00 00 00 00 00 5D E1",
        id="opening in one frame",
    ),
    pytest.param(
        "force_switch",
        {"force_on": 1, "force_open": 1},
        "01 10 00 57 00 02 04 00 01 00 01 27 75",
        id="trip",
    ),
    pytest.param(
        "force_switch",
        {"force_on": 1, "force_open": 0},
        "01 10 00 57 00 02 04 00 01 00 00 E6 B5",
        id="hold supply",
    ),
    pytest.param(
        "force_switch",
        {"force_on": 0, "force_open": 0},
        "01 10 00 57 00 02 04 00 00 00 00 B7 75",
        id="resume prepayment",
    ),
    pytest.param(
        "load_control",
        LOAD,
        "01 20 04 00 00 0D 1A 01 01 01 1F 40" + " 00" * 21 + " F3 E4",
        id="load limit",
    ),
    pytest.param(
        "reset_trips",
        {"trips": 0},
        "01 20 04 10 00 04 08 00 00 00 00 00 00 01 00 48 A1",
        id="reset",
    ),
    pytest.param(
        "time_control",
        TIME,
        "01 20 03 00 00 1C 38 01 01 01 00 00 00 00 01"
        + " 00" * 24
        + " 01 00 00 00 00 06 01 00 17"
        + " 00" * 15
        + " FB B0",
        id="time control",
    ),
    pytest.param(
        "clock", CLOCK, "01 20 03 54 00 05 0A 1E 0F 0A 03 0F 07 1A 00 00 00 23 B1", id="clock"
    ),
    pytest.param(
        "prepay_parameters",
        PREPAY,
        "01 AA 00 46 00 1C 38 00 00 07 D0 00 00 01 F4 00 00 00 00 00 00 00 00 00 06 00 00 22 3D"
        "00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00 2E E0 00 00 27 10 00 00 1B 58"
        "00 00 0F A0 1F 40 4A D4",
        id="prepay parameters",
    ),
    pytest.param(
        "number",
        {"number": "202106250001"},
        "01 10 00 43 00 03 06 20 21 06 25 00 01 7F BF",
        id="number",
    ),
    pytest.param(
        "port",
        {
            "address": 7,
            "baud_index": 3,
            "parity_index": 0,
            "stop_index": 0,
            "number": "202106250001",
        },
        "01 10 03 60 00 05 0A 07 03 00 00 20 21 06 25 00 01 EC 57",
        id="port",
    ),
    pytest.param(
        "ratios",
        {"pt_ratio": 1, "ct_ratio": 20},
        "01 10 00 37 00 02 04 00 01 00 14 E0 92",
        id="ratios",
    ),
    pytest.param(
        "relay_output", {"relay_pulse": 1}, "01 10 00 63 00 01 02 00 01 6E 03", id="relay output"
    ),
    pytest.param("run_state", {"run_state": 0x61}, "01 10 00 22 00 01 02 00 61 61 3A", id="run"),
    pytest.param(
        "cipher_key",
        {"key": "123456789ABCDEF0"},
        "01 AB 66 01 00 04 08 12 34 56 78 9A BC DE F0 97 96",
        id="cipher key",
    ),
    pytest.param(
        "schedule1",
        {"schedule1": SCHEDULE},
        f"01 10 20 06 00 {SCHEDULE_BYTES} BF 0B",
        id="schedule 1",
    ),
    pytest.param(
        "zones",
        {"zones": ZONES},
        "01 10 20 00 00 06 0C 01 01 01 02 01 07 01 01 0A 00 00 00 2A 42",
        id="zones",
    ),
]


@pytest.mark.parametrize(("order", "values", "frame"), ORDERS)
def test_each_order_is_the_frame_of_the_reference(
    order: str, values: dict[str, int | str], frame: str
) -> None:
    assert rtu(1, order_pdu(DDSY.orders[order], values)).hex(" ") == bytes.fromhex(frame).hex(" ")


@pytest.mark.parametrize(("order", "values", "frame"), ORDERS)
def test_a_meter_takes_each_order_apart_as_we_put_it_together(
    order: str, values: dict[str, int | str], frame: str
) -> None:
    request = bytes.fromhex(frame)
    pdu = Decoder(is_server=True).decode(request[1:-2])

    assert pdu is not None
    assert pdu.function_code == request[1]
    assert pdu.address == DDSY.orders[order].block.address
    assert bytes((1,)) + bytes((pdu.function_code,)) + pdu.encode() == request[:-2]


@pytest.mark.parametrize(
    ("order", "values", "frame"),
    [
        (
            "schedule1",
            {"schedule1": SCHEDULE},
            f"01 10 20 00 00 {SCHEDULE_BYTES} DC 20",
        ),
        (
            "zones",
            {"zones": ZONES},
            "01 10 00 28 00 06 0C 01 01 01 02 01 07 01 01 0A 00 00 00 2D 96",
        ),
    ],
)
def test_the_other_family_keeps_its_time_tables_elsewhere(
    order: str, values: dict[str, int | str], frame: str
) -> None:
    assert rtu(1, order_pdu(DTSY.orders[order], values)) == bytes.fromhex(frame)


def test_identify_carries_its_unlock_constant() -> None:
    frame = bytes.fromhex("01 11 FE DC BA 98 76 54 32 10 06 E5")

    assert rtu(1, IdentifyRequest()) == frame


@pytest.mark.parametrize(
    ("order", "reply"),
    [
        ("purchase", "01 20 01 00 00 04 80 32"),
        ("money_control", "01 20 02 00 00 1E 01 BD"),
        ("force_switch", "01 10 00 57 00 02 F0 18"),
        ("cipher_key", "01 AB 66 01 00 04 6A 99"),
        ("schedule1", "01 10 20 06 00 15 EA 07"),
    ],
)
def test_the_assumed_reply_to_each_order_is_accepted(order: str, reply: str) -> None:
    block = DDSY.orders[order].block
    pdu: ModbusPDU = WriteRequest(address=block.address, data=bytes(2 * block.count))
    pdu.function_code = block.function

    found = find_reply(bytes.fromhex(reply), expected(1, pdu))

    assert found is not None
    assert not found.is_exception


@pytest.mark.parametrize(
    ("function", "reply", "code"), [(0x03, "01 83 02 C0 F1", 2), (0x20, "01 A0 02 D9 C1", 2)]
)
def test_the_exceptions_of_the_reference_are_exceptions(
    function: int, reply: str, code: int
) -> None:
    block = DDSY.blocks["main"] if function == 3 else DDSY.orders["purchase"].block
    pdu = read_pdu(block)
    pdu.function_code = function

    found = find_reply(bytes.fromhex(reply), expected(1, pdu))

    assert found is not None
    assert (found.is_exception, found.frame[2]) == (True, code)
