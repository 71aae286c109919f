"""What a receipt's code carries, what typing it may do to it, and that nobody else can make one."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import receipt_code
from engine.domain.errors import NotGenuine
from engine.domain.receipt_code import CROCKFORD, Facts

KEY = b"k" * 32
FACTS = Facts(
    number="20261123-000001",
    kind="sell",
    serial="202611230001",
    meters=1,
    amount_fen=9_800,
    fee_fen=200,
    count_after=5,
    issued_at=dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC),
)
CODE = "468DXQK706RTNQ49G0HG3J2CS00GCX164S60EYK2GM"
OTHERS = {
    "number": ["20261123-000002", "20261124-000001", "20261122-000001"],
    "kind": ["refund", "reverse", "transfer_in", "payment"],
    "serial": ["202611230002", "002611230001", "2026112300010"],
    "meters": [2],
    "amount_fen": [98_000, 9_801, 0],
    "fee_fen": [0, 201],
    "count_after": [6, None],
    "issued_at": [FACTS.issued_at + dt.timedelta(seconds=1)],
}


def why(typed: str, key: bytes = KEY) -> str:
    with pytest.raises(NotGenuine) as caught:
        receipt_code.read(typed, key)
    return str(caught.value.params["why"])


def test_a_code_says_what_was_put_into_it():
    assert receipt_code.write(FACTS, KEY) == CODE
    assert receipt_code.read(CODE, KEY) == FACTS


def test_it_is_short_and_printed_in_groups_of_five():
    assert receipt_code.grouped(CODE) == "468DX-QK706-RTNQ4-9G0HG-3J2CS-00GCX-164S6-0EYK2-GM"


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(CODE.lower(), id="lower case"),
        pytest.param(receipt_code.grouped(CODE), id="dashes"),
        pytest.param(receipt_code.grouped(CODE).replace("-", "  \n\t"), id="blanks and lines"),
        pytest.param(CODE.replace("0", "O").replace("1", "I"), id="O and I"),
        pytest.param(CODE.replace("0", "o").replace("1", "l"), id="o and l"),
        pytest.param("".join(chr(ord(char) + 0xFEE0) for char in CODE), id="full width"),
        pytest.param("—".join((CODE[:20], CODE[20:])) + "\u200b", id="long dash, invisible sign"),
    ],
)
def test_it_survives_being_typed_by_hand(typed):
    assert receipt_code.read(typed, KEY) == FACTS


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " - ",
        "468",
        CODE + "U",
        "金额",
        CODE.replace("4", "*"),
        "0" * 5_000,
        "=cmd()",
        "\x1b[2J",
    ],
)
def test_what_cannot_be_a_code_is_said_to_be_unreadable(typed):
    assert why(typed) == "unreadable"


@pytest.mark.parametrize("at", range(len(CODE)))
def test_one_wrong_letter_anywhere_is_noticed(at):
    for letter in CROCKFORD:
        if letter != CODE[at]:
            assert why(CODE[:at] + letter + CODE[at + 1 :]) in {"forged", "version"}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field in OTHERS for value in OTHERS[field]]
)
def test_a_code_altered_in_one_field_but_with_the_old_tag_is_forged(field, value):
    other = dataclasses.replace(FACTS, **{field: value})
    payload, tag = (
        receipt_code._payload(other),
        receipt_code._tag(receipt_code._payload(FACTS), KEY),
    )
    forged = receipt_code.base64.b32encode(payload + tag).decode().rstrip("=")

    assert why(forged.translate(receipt_code.WRITTEN)) == "forged"
    assert receipt_code.read(receipt_code.write(other, KEY), KEY) == other


def test_another_sites_key_makes_no_code_of_ours():
    assert why(receipt_code.write(FACTS, b"x" * 32)) == "forged"


def test_a_code_cut_or_with_more_behind_it_is_not_genuine():
    for length in range(1, len(CODE)):
        assert why(CODE[:length]) in {"unreadable", "forged"}
    assert why(CODE + "0") in {"unreadable", "forged"}
    assert why(CODE + "00") in {"unreadable", "forged"}


def test_a_code_of_a_later_version_says_so():
    payload = bytes([receipt_code._payload(FACTS)[0] ^ 0x60]) + receipt_code._payload(FACTS)[1:]
    whole = payload + receipt_code._tag(payload, KEY)
    later = receipt_code.base64.b32encode(whole).decode().rstrip("=")

    assert why(later.translate(receipt_code.WRITTEN)) == "version"


@pytest.mark.parametrize(
    ("field", "value"),
    [("serial", "A-101"), ("serial", "１２"), ("number", "20261126-000001"), ("amount_fen", -1)],
)
def test_what_a_code_cannot_carry_is_refused_not_bent(field, value):
    with pytest.raises(ValueError):
        receipt_code.write(dataclasses.replace(FACTS, **{field: value}), KEY)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(-1, 1),
    st.integers(1, 9_999_999),
    st.sampled_from(receipt_code.KINDS),
    st.from_regex(r"[0-9]{1,16}", fullmatch=True),
    st.integers(1, 200),
    st.integers(0, 99_999_999_99),
    st.none() | st.integers(0, 65_535),
    st.integers(86_400, 2_000_000_000),
)
def test_every_receipt_comes_back_as_it_was(
    ahead, sequence, kind, serial, meters, amount_fen, count, seconds
):
    at = receipt_code.YEAR_2020 + dt.timedelta(seconds=seconds)
    day = at.date() + dt.timedelta(days=ahead)
    facts = Facts(f"{day:%Y%m%d}-{sequence:06d}", kind, serial, meters, amount_fen, 7, count, at)
    code = receipt_code.write(facts, KEY)

    assert receipt_code.read(code.lower(), KEY) == facts
    assert len(code) <= 61, "still a QR code of 29 modules, which fits a 58 mm roll"
