"""The table of states in docs/states.md is what the code does: order, marks, words, colours."""

import re
from pathlib import Path

import pytest

from console import words
from engine import i18n
from engine.domain.states import FLAG_RANK, StatusBits, by_rank, foremost, meter_state
from models.enums import Flag, MeterState

TEXT = (Path(__file__).parents[2] / "docs" / "states.md").read_text(encoding="utf-8")
CHINESE, ENGLISH = (i18n.catalog(language) for language in ("zh_CN", "en"))


def table(heading: str) -> list[list[str]]:
    """The cells of the table below `heading`, without its head."""
    part = TEXT[TEXT.index(f"## {heading}") :].split("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def test_the_states_stand_in_the_order_in_which_the_first_that_fits_wins():
    assert [row[1] for row in table("The six states")] == [state.value for state in MeterState]


@pytest.mark.parametrize("state", MeterState)
def test_every_state_has_its_mark_words_and_style_there(state):
    row = next(row for row in table("The six states") if row[1] == state.value)

    mark, chinese, english, style = row[3:7]
    assert mark == words.MARKS[state].strip()
    assert chinese == CHINESE[f"state.{state}"]
    assert english == ENGLISH[f"state.{state}"]
    assert style == words.STATE_STYLES[state]


def test_no_two_states_share_a_mark_so_that_they_part_without_a_colour():
    assert len(set(words.MARKS.values())) == len(MeterState)
    assert set(words.MARKS) == set(words.STATE_STYLES) == set(MeterState)


@pytest.mark.parametrize(
    ("bit", "state"),
    [
        pytest.param(int(bit), MeterState(state), id=state)
        for _, state, rule, *_ in table("The six states")
        for bit in re.findall(r"0224 bit (\d)", rule)
    ],
)
def test_the_bit_that_is_named_decides(bit, state):
    status = StatusBits(1 << bit, 0, 1)

    assert meter_state(opened=True, failed_attempts=0, status=status) is state


def test_every_flag_stands_there_in_the_order_of_its_rank_with_its_words():
    rows = table("Flags")

    assert [row[1] for row in rows] == [flag.value for flag in FLAG_RANK]
    for row in rows:
        flag = row[1]
        assert row[2] == f"{CHINESE[f'state.{flag}']} ({CHINESE[f'state.short.{flag}']})"
        assert row[3] == f"{ENGLISH[f'state.{flag}']} ({ENGLISH[f'state.short.{flag}']})"


def test_every_flag_has_one_rank_and_one_style_and_a_short_word_that_fits():
    assert sorted(FLAG_RANK) == sorted(Flag)
    assert set(words.FLAG_STYLES) == set(Flag)
    for catalog in (CHINESE, ENGLISH):
        short = [catalog[f"state.short.{flag}"] for flag in Flag]
        assert words.widest(short) <= 7
        assert len(set(short)) == len(Flag)


def test_a_lock_is_told_before_everything_else():
    assert foremost(set(Flag)) is Flag.LOCKED_OUT
    assert foremost({Flag.PROTECTED, Flag.FORCED_ON}) is Flag.FORCED_ON
    assert foremost(()) is None
    assert by_rank([Flag.DRIFT, Flag.FAULT]) == [Flag.FAULT, Flag.DRIFT]
