"""What a cashier may type as a count."""

import pytest

from engine.domain.counting import parse_counted
from engine.domain.errors import BadAmount
from models.enums import PayKind


@pytest.mark.parametrize(
    ("text", "pay", "fen"),
    [
        pytest.param("0", PayKind.CASH, 0, id="nothing there"),
        pytest.param("0.00", PayKind.CASH, 0, id="nothing, with decimals"),
        pytest.param("123.5", PayKind.CASH, 12_350, id="yuan"),
        pytest.param("１２３", PayKind.CASH, 12_300, id="full-width digits"),
        pytest.param("-5", PayKind.TRANSFER, -500, id="more went out than came in"),
        pytest.param("－5", PayKind.CARD, -500, id="full-width minus"),
    ],
)
def test_a_count_is_yuan_and_may_be_zero(text, pay, fen):
    assert parse_counted(text, pay) == fen


@pytest.mark.parametrize(
    ("text", "pay", "why"),
    [
        pytest.param("", PayKind.CASH, "empty", id="nothing typed"),
        pytest.param("-1", PayKind.CASH, "negative_count", id="cash below zero"),
        pytest.param("--1", PayKind.CARD, "not_a_number", id="two signs"),
        pytest.param("=cmd()", PayKind.CASH, "not_a_number", id="a formula"),
        pytest.param("1.005", PayKind.CASH, "too_many_decimals", id="three decimals"),
        pytest.param("100。50", PayKind.CASH, "not_a_number", id="a Chinese full stop"),
        pytest.param("9" * 16, PayKind.CASH, "too_large", id="absurd"),
    ],
)
def test_anything_else_is_refused_with_its_reason(text, pay, why):
    with pytest.raises(BadAmount) as refused:
        parse_counted(text, pay)

    assert refused.value.params["why"] == why
