"""The three notations of a tariff: what is taken, how it is written, what is refused and why."""

from decimal import Decimal

import pytest

from engine.domain.errors import BadTariff
from engine.domain.tariff_presets import PRESETS
from engine.domain.tariffs import Plan, parse_plan, questions
from engine.i18n import catalog

WHYS = (
    "bad_part", "bad_switch", "bad_time", "unknown_rate", "unknown_kind", "first_not_midnight",
    "not_ascending", "too_many_switches", "overlap", "missing", "not_a_day", "bad_step",
    "bad_step_price", "step_negative", "step_too_many_decimals", "step_too_large",
    "steps_not_from_zero", "steps_not_ascending", "steps_gap", "steps_overlap", "steps_not_open",
    "bad_cycle", "bad_cycle_day", "no_cycle", "no_steps", "not_a_price", "negative",
    "too_many_decimals", "too_large", "no_schedule",
)  # fmt: skip
PRICES = [Decimal(price) for price in ("1.2", "1.0", "0.7", "0.4")]


def plan(schedule: str = "", steps: str = "", cycle: str = "") -> Plan:
    return parse_plan(PRICES, schedule, steps, cycle)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        pytest.param("00:00 valley,07:00 flat", "00:00 valley, 07:00 flat", id="plain"),
        pytest.param("0:00 Valley, 7:00 FLAT", "00:00 valley, 07:00 flat", id="loose"),
        pytest.param("００：００谷，０７：００ 平", "00:00 valley, 07:00 flat", id="Chinese"),
        pytest.param("00:00 低谷、07:00 高峰", "00:00 valley, 07:00 peak", id="long Chinese"),
        pytest.param(
            "00:00 valley; 07:00 flat; 10:00 peak",
            "00:00 valley, 07:00 flat, 10:00 peak",
            id="semicolons within a day",
        ),
        pytest.param(
            "00:00 flat, 07:00 flat, 10:00 peak", "00:00 flat, 10:00 peak", id="equal neighbours"
        ),
        pytest.param(
            "节假日 00:00 谷；7-1～8-31 00:00 尖；00:00 平",
            "00:00 flat; 07-01..08-31 00:00 sharp; holidays 00:00 valley",
            id="parts in another order",
        ),
        pytest.param(
            "00:00 flat\n11-01至02-29 工作日 00:00 峰",
            "00:00 flat; 11-01..02-29 workdays 00:00 peak",
            id="lines, over New Year",
        ),
        pytest.param("  ;\n ", "", id="nothing"),
    ],
)
def test_a_schedule_is_written_in_one_way(typed: str, canonical: str) -> None:
    assert plan(typed).schedule == canonical
    assert plan(canonical) == plan(typed)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        pytest.param(
            "0-240: +0; 240-400: +0.05; 400-: +0.30",
            "0-240: +0; 240-400: +0.05; 400-: +0.3",
            id="added",
        ),
        pytest.param("０－240：＋0；240－∞：＋0.05元", "0-240: +0; 240-: +0.05", id="full-width"),
        pytest.param(
            "0-200: 1.2/1.0/0.7/0.4\n200-: 1.50/1.3/0.9/0.5",
            "0-200: 1.2/1/0.7/0.4; 200-: 1.5/1.3/0.9/0.5",
            id="prices of its own",
        ),
        pytest.param("0-0.5: +0; 0.5-: -0.1", "0-0.5: +0; 0.5-: -0.1", id="half a kWh, cheaper"),
    ],
)
def test_steps_are_written_in_one_way(typed: str, canonical: str) -> None:
    assert plan("", typed, "monthly").steps_text == canonical
    assert plan("", canonical, "monthly") == plan("", typed, "monthly")


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("monthly", "monthly"),
        ("monthly 1", "monthly"),
        ("Monthly 15", "monthly 15"),
        ("每月15日", "monthly 15"),
        ("yearly", "yearly"),
        ("yearly 01-01", "yearly"),
        ("按年 7-1", "yearly 07-01"),
    ],
)
def test_a_cycle_is_written_in_one_way(typed: str, canonical: str) -> None:
    assert plan("", "0-: +0", typed).cycle_text == canonical


@pytest.mark.parametrize(
    ("schedule", "why", "number", "found"),
    [
        pytest.param("00:00 flat, 25:00 peak", "bad_time", 1, "25:00", id="25:00"),
        pytest.param("00:00 flat, 10:60 peak", "bad_time", 1, "10:60", id="10:60"),
        pytest.param("00:00 flat, 24:00 peak", "bad_time", 1, "24:00", id="24:00"),
        pytest.param("07:00 flat", "first_not_midnight", 1, "07:00 flat", id="hours missing"),
        pytest.param(
            "00:00 flat; 07-01..08-31 07:00 peak", "first_not_midnight", 2, "07:00 peak",
            id="hours missing in the second part",
        ),
        pytest.param(
            "00:00 flat, 10:00 peak, 09:00 flat", "not_ascending", 1, "09:00 flat", id="back"
        ),
        pytest.param("00:00 flat, 00:00 peak", "not_ascending", 1, "00:00 peak", id="twice"),
        pytest.param("00:00 deep", "unknown_rate", 1, "deep", id="no such rate"),
        pytest.param("00:00", "bad_switch", 1, "00:00", id="no rate"),
        pytest.param("00:00 flat,, 07:00 peak", "bad_switch", 1, "", id="nothing between commas"),
        pytest.param("00:00 flat peak", "bad_switch", 1, "00:00 flat peak", id="two rates"),
        pytest.param("mondays 00:00 flat", "unknown_kind", 1, "mondays", id="no such kind"),
        pytest.param("02-30..03-31 00:00 flat", "not_a_day", 1, "02-30", id="02-30"),
        pytest.param("00:00 flat; 04-01..04-31 00:00 flat", "not_a_day", 2, "04-31", id="04-31"),
        pytest.param("07-01..08-31", "bad_part", 1, "07-01..08-31", id="no times"),
        pytest.param("=cmd()", "bad_part", 1, "=cmd()", id="a formula"),
        pytest.param("\x07", "bad_part", 1, "?", id="a control character"),
        pytest.param("00:00 flat; 00:00 peak", "overlap", 2, "00:00", id="two for all days"),
        pytest.param(
            "00:00 flat; 07-01..08-31 00:00 peak; 08-31..09-30 00:00 sharp",
            "overlap", 3, "08-31..09-30", id="seasons meet",
        ),
        pytest.param(
            "00:00 flat; 11-01..01-31 00:00 peak; 01-31..02-15 00:00 sharp",
            "overlap", 3, "01-31..02-15", id="seasons meet after New Year",
        ),
        pytest.param(
            "00:00 flat; holidays 00:00 peak; holidays 00:00 sharp",
            "overlap", 3, "holiday", id="two for holidays",
        ),
        pytest.param("01-01..12-30 00:00 flat", "missing", 1, "12-31", id="a day without a part"),
        pytest.param(
            "12-01..02-28 00:00 flat; 03-01..11-30 00:00 peak", "missing", 2, "02-29",
            id="a leap day without a part",
        ),
        pytest.param(
            "workdays 00:00 flat; weekends 00:00 peak", "missing", 2, "01-01 holidays",
            id="holidays without a part",
        ),
        pytest.param(
            ", ".join(f"{hour:02d}:00 {'flat' if hour % 2 else 'peak'}" for hour in range(15)),
            "too_many_switches", 1, "15", id="fifteen switches",
        ),
    ],
)  # fmt: skip
def test_a_bad_schedule_is_refused_with_its_place(
    schedule: str, why: str, number: int, found: str
) -> None:
    with pytest.raises(BadTariff) as caught:
        plan(schedule)

    said = caught.value.params
    assert (said["where"], said["why"]) == ("schedule", why)
    assert (said["number"], said["found"]) == (number, found)


@pytest.mark.parametrize(
    ("steps", "cycle", "where", "why", "number"),
    [
        pytest.param("0-240: +0; 250-: +1", "monthly", "steps", "steps_gap", 2, id="gap"),
        pytest.param("0-240: +0; 230-: +1", "monthly", "steps", "steps_overlap", 2, id="overlap"),
        pytest.param("10-: +0", "monthly", "steps", "steps_not_from_zero", 1, id="not from 0"),
        pytest.param(
            "0-240: +0; 240-200: +0; 200-: +1", "monthly", "steps", "steps_not_ascending", 2,
            id="descending",
        ),
        pytest.param(
            "0-0: +0; 0-: +1", "monthly", "steps", "steps_not_ascending", 1, id="empty step"
        ),
        pytest.param("0-240: +0", "monthly", "steps", "steps_not_open", 1, id="not open"),
        pytest.param(
            "0-: +0; 240-: +1", "monthly", "steps", "steps_not_open", 1, id="open too soon"
        ),
        pytest.param("0-240 +0", "monthly", "steps", "bad_step", 1, id="no colon"),
        pytest.param("a-b: +0", "monthly", "steps", "bad_step", 1, id="letters"),
        pytest.param("0-: 1/2/3", "monthly", "steps", "bad_step_price", 1, id="three prices"),
        pytest.param("0-: 1", "monthly", "steps", "bad_step_price", 1, id="one price"),
        pytest.param("0-: 1/2/x/4", "monthly", "steps", "bad_step_price", 1, id="no number"),
        pytest.param("0-: 1/2/-3/4", "monthly", "steps", "step_negative", 1, id="negative"),
        pytest.param("0-: -0.5", "monthly", "steps", "step_negative", 1, id="lowered below 0"),
        pytest.param(
            "0-: +0.00005", "monthly", "steps", "step_too_many_decimals", 1, id="too fine"
        ),
        pytest.param("0-: +0", "", "cycle", "no_cycle", 1, id="no cycle"),
        pytest.param("", "monthly", "steps", "no_steps", 1, id="no steps"),
        pytest.param("0-: +0", "weekly", "cycle", "bad_cycle", 1, id="weekly"),
        pytest.param("0-: +0", "monthly 0", "cycle", "bad_cycle_day", 1, id="day 0"),
        pytest.param("0-: +0", "monthly 29", "cycle", "bad_cycle_day", 1, id="day 29"),
        pytest.param("0-: +0", "yearly 02-30", "cycle", "not_a_day", 1, id="02-30"),
        pytest.param("0-: +0", "yearly 02-29", "cycle", "not_a_day", 1, id="leap days only"),
    ],
)  # fmt: skip
def test_bad_steps_are_refused_with_their_place(
    steps: str, cycle: str, where: str, why: str, number: int
) -> None:
    with pytest.raises(BadTariff) as caught:
        plan("", steps, cycle)

    said = caught.value.params
    assert (said["where"], said["why"], said["number"]) == (where, why, number)


@pytest.mark.parametrize(
    ("price", "why"),
    [
        ("-0.1", "negative"),
        ("0.70001", "too_many_decimals"),
        ("429496.7296", "too_large"),
        ("NaN", "not_a_price"),
    ],
)
def test_a_bad_price_is_refused_with_its_column(price: str, why: str) -> None:
    with pytest.raises(BadTariff) as caught:
        parse_plan([*PRICES[:3], Decimal(price)], "")

    assert (caught.value.params["where"], caught.value.params["why"]) == ("price_valley", why)


def test_a_coarser_register_takes_fewer_decimals() -> None:
    fine = [Decimal("1.255")] * 4

    assert parse_plan(fine, "").prices == tuple(fine)
    with pytest.raises(BadTariff, match="too_many_decimals"):
        parse_plan(fine, "", price_scale=Decimal("0.01"))


def test_a_meter_with_fewer_slots_takes_fewer_switches() -> None:
    with pytest.raises(BadTariff, match="too_many_switches"):
        parse_plan(PRICES, "00:00 flat, 07:00 peak, 21:00 flat", switches_max=2)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_refusal_has_its_words(language: str) -> None:
    texts = catalog(language)

    assert [why for why in WHYS if f"error.bad_tariff_{why}" not in texts] == []


def test_an_ordinary_tariff_raises_no_question() -> None:
    assert questions(plan("00:00 flat")) == []


@pytest.mark.parametrize(
    ("prices", "steps", "asked"),
    [
        (("12", "1", "0.7", "0.4"), "", [("high", "sharp", 1, "12")]),
        (("1.2", "1", "0.7", "0"), "", [("free", "valley", 1, "0")]),
        (("1.2", "0.6", "0.7", "0.4"), "", [("order", "peak", 1, "0.6")]),
        (
            ("1", "1", "1", "1"), "0-10: +0; 10-: +5",
            [("high", rate, 2, "6") for rate in ("sharp", "peak", "flat", "valley")],
        ),
    ],
)  # fmt: skip
def test_what_is_unlikely_is_asked(
    prices: tuple[str, ...], steps: str, asked: list[tuple[str, str, int, str]]
) -> None:
    odd = parse_plan([Decimal(each) for each in prices], "", steps, "monthly" if steps else "")

    found = [(each.code, str(each.rate), each.step, each.found) for each in questions(odd)]
    assert found == asked
    assert {f"tariff_rule.question_{each[0]}" for each in asked} <= catalog("en").keys()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.code)
def test_an_example_is_a_tariff_without_questions(preset) -> None:
    prices = preset.prices(Decimal("0.7123"))

    known = parse_plan(prices, preset.schedule, preset.steps, preset.cycle)

    assert questions(known) == []
    assert f"tariff_rule.preset_{preset.code}" in catalog("zh_CN")
