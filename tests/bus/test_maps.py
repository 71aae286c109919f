"""Maps as data: the built-in ones hold together, mistakes are named, values survive both ways."""

import dataclasses
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import i18n
from engine.bus.errors import BadReading, MapError
from engine.bus.mapfile import ORDER, POINT
from engine.bus.registers import (
    TOP,
    USES,
    Block,
    compose,
    decode,
    encode,
    load_map,
    load_maps,
    step,
)
from engine.domain.measurement import MeterReading
from tests.bus.scripted import MAPS

MANUAL = Path(__file__).parents[2] / "docs" / "meters.md"

DDSY, DTSY = MAPS["DDSY1352-NK"], MAPS["DTSY1352-NK"]
BLOCKS = [
    pytest.param(block, id=f"{made.model} {block.name}")
    for made in MAPS.values()
    for block in made.blocks.values()
]

SMALL = """
model = "TEST-1"
kind = "ordinary"
phases = 1
power_w_max = 22000

[uses]
reading = ["all"]

[blocks.all]
address = 0x0000
count = 4

[blocks.all.points]
energy_wh = { off = 0, type = "u32", scale = 10 }
power_w = { off = 4, type = "i16" }
"""


def written(folder: Path, text: str, name: str = "map.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def numbers(block: Block) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 0xFFFF), min_size=block.count, max_size=block.count)


@pytest.mark.parametrize("block", BLOCKS)
def test_what_a_block_decodes_to_encodes_to_the_same_values(block: Block) -> None:
    @given(numbers(block))
    def holds(registers: list[int]) -> None:
        try:
            values = decode(block, registers)
        except BadReading:
            return
        assert decode(block, encode(block, values)) == values

    holds()


def test_every_model_can_be_told_apart_sold_to_and_fenced() -> None:
    for made in MAPS.values():
        assert made.model_codes
        assert made.orders["purchase"].proof == "count_and_balance"
        assert made.fence is not None
        assert made.fence.count == 1


def test_no_map_has_an_order_that_is_never_sent() -> None:
    for made in MAPS.values():
        spans = {each.block.function: each.block for each in made.orders.values()}
        assert set(spans) <= {0x10, 0x20, 0xAA, 0xAB}
        money = made.orders["money_control"].block
        assert not any(10 <= point.offset < 15 for point in money.points.values())


def test_every_assumption_of_the_reference_is_said_in_the_map() -> None:
    text = Path(DDSY.source).read_text(encoding="utf-8")

    for question in ("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q10", "Q11", "Q12", "Q14"):
        assert any(
            f"ASSUMPTION {question}" in line or f"({question})" in line or f"{question}:" in line
            for line in text.splitlines()
        ), question


def test_a_word_may_be_given_by_its_bits() -> None:
    block = DDSY.blocks["main"]
    base = {"model_code": 7, "pt_ratio": 1, "ct_ratio": 1}

    by_bits = encode(block, {**base, "relay_a": 1, "alarm1": 1, "money_active": 1})
    by_word = encode(block, {**base, "status1": 0x2040, "status2": 0x0008})

    assert by_bits == by_word


def test_what_a_meter_counts_more_finely_than_it_shows_is_cut() -> None:
    block = DDSY.blocks["main"]
    values = {"pt_ratio": 1, "ct_ratio": 20, "energy_wh": 1_234_999}

    shown = decode(block, encode(block, values))

    assert shown["energy_wh"] == 1_234_800  # a count is 10 Wh × 20


def test_a_step_of_the_energy_register_counts_the_ratios() -> None:
    assert step(DDSY.energy, {"pt_ratio": 1, "ct_ratio": 20}) == 200


@pytest.mark.parametrize(("name", "register"), [("pt_ratio", 0x13), ("ct_ratio", 0x14)])
def test_a_ratio_of_0_spoils_the_whole_reading(name: str, register: int) -> None:
    registers = encode(DDSY.blocks["main"], {"pt_ratio": 1, "ct_ratio": 1})
    registers[register] = 0

    with pytest.raises(BadReading) as bad:
        decode(DDSY.blocks["main"], registers)
    assert bad.value.params["point"] == name


def test_a_number_that_is_no_bcd_is_a_bad_reading() -> None:
    with pytest.raises(BadReading):
        decode(DDSY.blocks["number"], [0x2026, 0x11A3, 0x0001])


def test_too_few_registers_are_a_bad_reading() -> None:
    with pytest.raises(BadReading):
        decode(DDSY.blocks["main"], [0] * 47)


# -- orders


def test_an_item_that_is_left_out_keeps_its_apply_flag_clear() -> None:
    registers = compose(DDSY.orders["money_control"], {"overdraft_fen": 0})
    data = b"".join(register.to_bytes(2) for register in registers)

    assert data == bytes(46) + b"\x01" + bytes(13)


@pytest.mark.parametrize(
    ("order", "values"),
    [
        pytest.param("purchase", {"amount_fen": 0, "purchase_count": 1}, id="nothing bought"),
        pytest.param("purchase", {"amount_fen": -1, "purchase_count": 1}, id="negative"),
        pytest.param("purchase", {"amount_fen": 1 << 32, "purchase_count": 1}, id="too large"),
        pytest.param("purchase", {"amount_fen": 100, "purchase_count": 0}, id="count 0"),
        pytest.param("purchase", {"amount_fen": 100, "purchase_count": 65_001}, id="count over"),
        pytest.param("purchase", {"amount_fen": 100}, id="count missing"),
        pytest.param(
            "purchase", {"amount_fen": 100, "purchase_count": 1, "fee": 1}, id="unknown value"
        ),
        pytest.param("money_control", {"alarm1_fen": 1}, id="half of a pair"),
        pytest.param("money_control", {"price_sharp": "1.2"}, id="one of four prices"),
        pytest.param("money_control", {"energy_wh": 1}, id="the energy register"),
        pytest.param("money_control", {"number": "12345"}, id="short number"),
        pytest.param("money_control", {"overdraft_fen": -1}, id="negative overdraft"),
        pytest.param(
            "money_control",
            dict.fromkeys(
                ("price_sharp", "price_peak", "price_flat", "price_valley"), Decimal("1.20005")
            ),
            id="finer than a count",
        ),
        pytest.param("force_switch", {"force_on": 2, "force_open": 0}, id="neither on nor off"),
    ],
)
def test_a_doubtful_order_is_not_composed(order: str, values: dict[str, int | str]) -> None:
    with pytest.raises(ValueError):
        compose(DDSY.orders[order], values)


# -- choices


def test_a_choice_is_changed_by_one_line(tmp_path: Path) -> None:
    text = 'model = "DDSY1352-NK"\nlike = "DDSY1352-NK"\n[choices]\nratios = "primary"\n'
    text += 'money_scale = 10\nprice_scale = "0.001"\nslot_order = ["hour", "minute", "rate"]\n'
    written(tmp_path, text)

    made = load_maps(tmp_path)["DDSY1352-NK"]
    main = [0] * 48
    main[0x13:0x17] = [1, 20, 0, 100]
    main[0x20] = 7
    values = decode(made.blocks["main"], main)

    assert (values["energy_wh"], values["balance_fen"]) == (1000, 70)
    price = decode(made.blocks["money"], [0, 0, 0, 700] + [0] * 21)["price_sharp"]
    assert str(price) == "0.700"
    slots = decode(made.blocks["schedule1"], [0x0700, 0x0300] + [0] * 19)["schedule1"]
    assert slots == "hour=7 minute=0 rate=3"
    assert made.source == str(tmp_path / "map.toml")


def test_the_low_word_may_come_first(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL.replace("phases", 'word_order = "little"\nphases'))
    block = load_map(path).blocks["all"]

    assert decode(block, [2, 1, 0xFFFF, 0]) == {"energy_wh": 0x10002 * 10, "power_w": -1}
    assert encode(block, {"energy_wh": 0x10002 * 10, "power_w": -1}) == [2, 1, 0xFFFF, 0]


def test_what_is_not_on_a_model_can_be_left_out() -> None:
    assert "instant" in DDSY.blocks
    assert "instant" not in DTSY.blocks


def test_a_family_has_the_others_blocks_where_it_says_nothing_itself() -> None:
    assert DTSY.blocks["money"] == DDSY.blocks["money"]
    assert DTSY.blocks["zones"].address == 0x0028
    assert DDSY.blocks["zones"].address == 0x2000


# -- mistakes


MISTAKES = [
    pytest.param('kind = "ordinary"', "", "missing", "kind", id="missing key"),
    pytest.param("phases = 1", "phases = 4", "out_of_range", "phases", id="4 phases"),
    pytest.param("phases = 1", 'phases = "1"', "wrong_type", "phases", id="text for a number"),
    pytest.param("phases = 1", "phases = true", "wrong_type", "phases", id="yes for a number"),
    pytest.param("phases", "fazes = 1\nphases", "unknown_key", "fazes", id="unknown key"),
    pytest.param('"ordinary"', '"odd"', "unknown_name", "kind", id="unknown kind"),
    pytest.param("phases", 'like = "X"\nphases', "unknown_name", "like", id="like nothing"),
    pytest.param('["all"]', '["al"]', "unknown_name", "uses.reading", id="no such block"),
    pytest.param('["all"]', "[1]", "wrong_type", "uses.reading", id="not a name"),
    pytest.param("count = 4", "count = 126", "out_of_range", "blocks.all.count", id="too many"),
    pytest.param("count = 4", "count = 2", "outside", "blocks.all.points.power_w", id="outside"),
    pytest.param("off = 4", "off = 3", "overlap", "blocks.all.points.power_w", id="overlap"),
    pytest.param('"i16"', '"i17"', "unknown_name", "blocks.all.points.power_w.type", id="type"),
    pytest.param(
        "energy_wh", "energy_kwh", "missing_point", "uses.reading", id="no energy in a reading"
    ),
    pytest.param(
        "scale = 10", 'scale = "x"', "unknown_name", "blocks.all.points.energy_wh.scale", id="scale"
    ),
    pytest.param(
        "scale = 10", "scale = 0.1", "wrong_type", "blocks.all.points.energy_wh.scale", id="float"
    ),
    pytest.param(
        "scale = 10", "scale = 0", "wrong_type", "blocks.all.points.energy_wh.scale", id="scale 0"
    ),
    pytest.param(
        "scale = 10", 'scale = "0.5"', "wrong_type", "energy_wh.scale", id="energy in fractions"
    ),
    pytest.param(
        "scale = 10",
        'times = ["ct"]',
        "unknown_name",
        "blocks.all.points.energy_wh.times",
        id="no such ratio",
    ),
    pytest.param(
        '"i16"',
        '"i16", bits = { x = 16 }',
        "out_of_range",
        "blocks.all.points.power_w.bits.x",
        id="bit outside its word",
    ),
    pytest.param(
        '"i16"',
        '"i16", limits = [1]',
        "wrong_type",
        "blocks.all.points.power_w.limits",
        id="half a limit",
    ),
    pytest.param(
        "count = 4",
        "count = 4\nfunction = 6",
        "unknown_name",
        "blocks.all.function",
        id="function",
    ),
    pytest.param(
        '"i16"',
        '"rows", size = 2',
        "unknown_name",
        "blocks.all.points.power_w.columns",
        id="rows without columns",
    ),
    pytest.param(
        "[uses]",
        '[choices]\nratios = "both"\n[uses]',
        "unknown_name",
        "choices.ratios",
        id="a rule it does not know",
    ),
    pytest.param('model = "TEST-1"', "model", "not_toml", None, id="not TOML"),
]


@pytest.mark.parametrize(("old", "new", "code", "place"), MISTAKES)
def test_a_mistake_in_a_map_is_named_with_file_and_place(
    tmp_path: Path, old: str, new: str, code: str, place: str | None
) -> None:
    path = written(tmp_path, SMALL.replace(old, new))

    with pytest.raises(MapError) as mistake:
        load_map(path)

    assert mistake.value.code == code
    assert mistake.value.params["file"] == str(path)
    assert mistake.value.params.get("place") == place
    assert i18n.t(f"map.{code}", **mistake.value.params)


def test_a_map_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(MapError) as mistake:
        load_map(path)
    assert mistake.value.code == "unreadable"


def test_the_maps_of_the_manual_load(tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)

    made = [load_map(written(tmp_path, example)) for example in examples]

    assert [each.model for each in made] == ["EXAMPLE-1", "DDSY1352-NK"]


def test_the_manual_names_every_key_and_point() -> None:
    text = MANUAL.read_text(encoding="utf-8")

    known = {field.name for field in dataclasses.fields(MeterReading)}
    points = known & DDSY.blocks["main"].points.keys()
    for name in TOP | ORDER | POINT | USES | points:
        assert re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", text), name


def test_a_small_map_is_enough(tmp_path: Path) -> None:
    made = load_map(written(tmp_path, SMALL))

    assert (made.settings, made.number, made.fence, dict(made.orders)) == (None, None, None, {})
    assert decode(made.blocks["all"], [0, 1, 0xFFFE, 0]) == {"energy_wh": 10, "power_w": -2}
