"""Which meters are meant: what is typed, and which rows fit."""

from dataclasses import dataclass

import pytest

from engine.domain.errors import BadSelection
from engine.domain.selection import Selection, parse, select, serials_of, stands_in
from models.enums import MeterState


@dataclass
class Row:
    serial: str = "202611230001"
    state: MeterState = MeterState.NORMAL
    line: str = "L01"
    gateway: str = "W1"
    building: str = "A"
    floor: str = "1F"
    tenant: str | None = "茶馆"
    tenant_number: str | None = "T001"

    def matches(self, text: str) -> bool:
        return stands_in(text, (self.serial, self.tenant or ""))


ROWS = [
    Row(),
    Row("202611230002", MeterState.ALARM1, "L02", floor="2F", tenant="书店", tenant_number="T002"),
    Row("202611230003", MeterState.ALARM1, "L01", "W2", "B", "2F", None, None),
]


def why(*texts, rows=ROWS):
    with pytest.raises(BadSelection) as refused:
        chosen(*texts, rows=rows)
    return refused.value.params["why"]


def chosen(*texts, rows=ROWS):
    wanted = Selection()
    for text in texts:
        wanted &= parse(text)
    return [row.serial[-1] for row in select(wanted, rows)]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["all"], "123"),
        (["ALL"], "123"),
        (["state=alarm1"], "23"),
        (["line=L01"], "13"),
        (["gateway=W2"], "3"),
        (["building=A"], "12"),
        (["floor=2F"], "23"),
        (["tenant=T002"], "2"),
        (["tenant=茶馆"], "1"),
        (["text=书"], "2"),
        (["serials=202611230003,202611230001"], "13"),
        (["serials=202611230001，202611230002、202611230001"], "12"),
        (["state＝alarm1"], "23"),
        (["state=alarm1", "line=L01"], "3"),
        (["all", "floor=1F"], "1"),
    ],
)
def test_what_is_typed_selects(texts, found):
    assert chosen(*texts) == list(found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("@", "empty"),
        ("everything", "unknown"),
        ("=cmd()", "unknown"),
        ("\x1b[2J", "unknown"),
        ("state=", "no_value"),
        ("state=happy", "no_such_state"),
        ("line=L99", "no_such_line"),
        ("gateway=L01", "no_such_gateway"),
        ("building=" + "楼" * 100, "no_such_building"),
        ("floor=9F", "no_such_floor"),
        ("tenant=T999", "no_such_tenant"),
        ("serials=202611239999", "unknown_serials"),
        ("state=arrears", "nothing"),
        ("text=nobody", "nothing"),
    ],
)
def test_what_selects_nothing_says_why(text, reason):
    assert why(text) == reason


def test_one_thing_said_twice_is_no_selection():
    assert why("line=L01", "line=L02") == "twice"


def test_nothing_is_asked_of_no_meters_at_all():
    with pytest.raises(BadSelection):
        select(Selection(), ROWS)


def test_every_unknown_number_is_named_with_its_line():
    wanted = Selection(serials=("202611230001", "777", "888"), file="表.csv", lines=(2, 3, 5))

    with pytest.raises(BadSelection) as refused:
        select(wanted, ROWS)

    assert refused.value.params == {
        "why": "unknown_in_file", "number": 2, "serials": "777 (3), 888 (5)", "file": "表.csv",
    }  # fmt: skip


def test_numbers_get_their_zeros_back_and_count_once():
    assert serials_of("1, 1；000000000001") == ("000000000001",)


def test_what_is_kept_of_a_selection_is_the_selection():
    wanted = Selection(serials=("1", "2"), state=MeterState.LOST, floor="1F", lines=(4, 5))

    assert Selection.from_json(wanted.as_json()) == wanted
    assert wanted.summary() == "state=lost floor=1F serials=1,2"
