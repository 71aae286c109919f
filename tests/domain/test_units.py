"""Money and energy as whole numbers: what people type, what is rounded and which way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import BadAmount, BadEnergy
from engine.domain.units import (
    AMOUNT_FEN_MAX,
    cost_fen_max,
    fee_split,
    fen,
    kwh_text,
    parse_kwh,
    parse_signed_yuan,
    parse_yuan,
    yuan_text,
)

amounts_fen = st.integers(min_value=1, max_value=AMOUNT_FEN_MAX)


@pytest.mark.parametrize(
    ("text", "expected_fen"),
    [
        pytest.param("100", 10_000, id="whole yuan"),
        pytest.param("100.5", 10_050, id="one decimal"),
        pytest.param("0.01", 1, id="the smallest"),
        pytest.param(" １００．５０ ", 10_050, id="full width"),
        pytest.param("　￥１，０００", 100_000, id="full width with its signs"),
        pytest.param("¥1,234.50元", 123_450, id="as written on a bill"),
        pytest.param("99999999.99", 9_999_999_999, id="the largest"),
    ],
)
def test_an_amount_is_taken_for_what_it_means(text: str, expected_fen: int) -> None:
    assert parse_yuan(text) == expected_fen


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("元", "empty"),
        ("abc", "not_a_number"),
        ("1.2.3", "not_a_number"),
        ("1e3", "not_a_number"),
        ("1,00", "not_a_number"),
        ("1000,000", "not_a_number"),
        (".", "not_a_number"),
        ("+5", "not_a_number"),
        ("inf", "not_a_number"),
        ("٣", "not_a_number"),
        ("10²", "not_a_number"),
        ("①", "not_a_number"),
        ("-5", "not_positive"),
        ("0", "not_positive"),
        ("0.00", "not_positive"),
        ("1.005", "too_many_decimals"),
        ("100000000", "too_large"),
        ("9" * 40, "too_large"),
    ],
)
def test_anything_else_is_refused_and_says_why(text: str, why: str) -> None:
    with pytest.raises(BadAmount) as refused:
        parse_yuan(text)

    assert refused.value.params["why"] == why


@pytest.mark.parametrize(
    ("amount_fen", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-1205, "-12.05"), (10_000, "100.00")],
)
def test_an_amount_is_shown_exactly(amount_fen: int, text: str) -> None:
    assert yuan_text(amount_fen) == text


@pytest.mark.parametrize(
    ("energy_wh", "text"), [(0, "0.00"), (1_234_569, "1234.56"), (9, "0.00"), (-1_500, "-1.50")]
)
def test_energy_is_cut_to_what_was_counted(energy_wh: int, text: str) -> None:
    assert kwh_text(energy_wh) == text


def test_fen_are_rounded_half_up() -> None:
    assert [fen(Decimal(yuan)) for yuan in ("0.005", "0.0149", "-0.005")] == [1, 1, -1]


@pytest.mark.parametrize(
    ("paid_fen", "fee_pct", "split"),
    [
        (10_000, "0", (10_000, 0)),
        (10_000, "2", (9_800, 200)),
        (125, "2", (122, 3)),
        (124, "2", (122, 2)),
    ],
)
def test_credit_and_fee_make_up_the_payment(
    paid_fen: int, fee_pct: str, split: tuple[int, int]
) -> None:
    assert fee_split(paid_fen, Decimal(fee_pct)) == split


@pytest.mark.parametrize(("used_wh", "most_fen"), [(0, 0), (10, 2), (1_000, 120), (1_001, 121)])
def test_the_most_that_use_can_have_cost_is_rounded_up(used_wh: int, most_fen: int) -> None:
    assert cost_fen_max(used_wh, Decimal("1.2")) == most_fen


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount_fen = parse_yuan(text)
    except BadAmount:
        return
    assert 0 < amount_fen <= AMOUNT_FEN_MAX


@given(amounts_fen)
def test_an_amount_that_was_shown_is_read_back_exactly(amount_fen: int) -> None:
    assert parse_yuan(yuan_text(amount_fen)) == amount_fen


@given(amounts_fen, st.decimals(min_value=0, max_value=50, places=2))
def test_no_fen_is_lost_between_credit_and_fee(paid_fen: int, fee_pct: Decimal) -> None:
    credit_fen, fee_fen = fee_split(paid_fen, fee_pct)

    assert credit_fen + fee_fen == paid_fen
    assert min(credit_fen, fee_fen) >= 0


@pytest.mark.parametrize(
    ("text", "wh"),
    [("0", 0), ("1234", 1_234_000), ("1234.56", 1_234_560), ("１２．３４５ kWh", 12_345)],
)
def test_a_total_in_kwh_is_whole_wh(text, wh):
    assert parse_kwh(text) == wh


@pytest.mark.parametrize("text", ["", ".5", "-1", "1.2345", "1e3", "=1", "１²", "1" * 10, "一"])
def test_what_is_no_total_is_refused(text):
    with pytest.raises(BadEnergy):
        parse_kwh(text)


@pytest.mark.parametrize(
    ("text", "fen"), [("0", 0), ("-0.00", 0), ("-3.5", -350), ("－３．５", -350), ("12", 1_200)]
)
def test_a_balance_may_be_nothing_or_owed(text, fen):
    assert parse_signed_yuan(text) == fen


@pytest.mark.parametrize("text", ["", "-", ".", "--1", "-1.234", "0.0.0"])
def test_what_is_no_balance_is_refused(text):
    with pytest.raises(BadAmount):
        parse_signed_yuan(text)
