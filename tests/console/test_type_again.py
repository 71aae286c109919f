"""Whatever is typed again counts in the order of its keys, however fast they come."""

import pytest
from textual import events

from console.screens.confirm import ConfirmScreen
from console.screens.meters import MetersScreen
from console.screens.type_again import TypeAgainScreen
from console.widgets.again import amount_again
from tests.screens import on_table, until


def burst(app, *keys: str) -> None:
    """As a terminal hands on what was typed ahead: all at once, none waits for the one before."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def asked(app, pilot, **again) -> list[bool | None]:
    """Put the question; the list is what it was answered with."""
    answers: list[bool | None] = []
    app.push_screen(ConfirmScreen("screen.confirm.title", lambda: "", **again), answers.append)
    await until(pilot, lambda: isinstance(app.screen, TypeAgainScreen) and app.screen.stands)
    await pilot.pause()
    return answers


@pytest.mark.parametrize(
    ("again", "keys"),
    [
        pytest.param({"amount_fen": 10_000}, (*"100", "y"), id="an amount"),
        pytest.param({"amount_fen": 10_000}, (*"100", "ｙ"), id="a full-width y"),
        pytest.param({"amount_fen": 10_000}, (*"109", "backspace", *"0", "y"), id="corrected"),
        pytest.param({"word": "YaYy1"}, (*"YaYy1", "y"), id="a word with y in it"),
        pytest.param({}, ("y",), id="y alone, where nothing is due"),
    ],
)
async def test_y_straight_behind_the_last_key_is_not_lost(make_app, operator, meters, again, keys):
    app = make_app()
    async with on_table(app, operator) as pilot:
        answers = await asked(app, pilot, **again)
        burst(app, *keys)

        await until(pilot, lambda: answers == [True])


@pytest.mark.parametrize(
    ("again", "keys"),
    [
        pytest.param({"amount_fen": 10_000}, ("0", "y"), id="a digit too many"),
        pytest.param({"amount_fen": 10_000}, ("backspace", "y"), id="one taken back"),
        pytest.param({"amount_fen": 10_000}, ("backspace", "y", "0"), id="complete only after y"),
        pytest.param({"amount_fen": 10_000}, ("enter", "enter"), id="enter"),
    ],
)
async def test_y_agrees_to_nothing_but_what_was_typed_before_it(
    make_app, operator, meters, again, keys
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        answers = await asked(app, pilot, **again)
        await pilot.press(*"100")
        burst(app, *keys)
        await pilot.pause(0.2)

        assert answers == []
        assert isinstance(app.screen, ConfirmScreen)


@pytest.mark.parametrize(
    ("again", "keys", "answer"),
    [
        pytest.param({"amount_fen": 10_000}, (*"100", *"yyyy"), True, id="y again and again"),
        pytest.param({"amount_fen": 10_000}, (*"100", "y", "escape"), True, id="y, then Escape"),
        pytest.param({"amount_fen": 10_000}, (*"100", "escape", "y"), False, id="Escape, then y"),
        pytest.param({"amount_fen": 10_000}, (*"100", "n", "y"), False, id="n, then y"),
        pytest.param({"word": "nq"}, (*"nq", "escape"), False, id="letters are no keys in a word"),
        pytest.param({}, ("q", "y"), False, id="q, where nothing is due"),
    ],
)
async def test_it_is_answered_once_by_the_first_key_that_answers(
    make_app, operator, meters, again, keys, answer
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        answers = await asked(app, pilot, **again)
        burst(app, *keys)
        await until(pilot, lambda: answers)
        await pilot.pause(0.2)

        assert answers == [answer]
        assert isinstance(app.screen, MetersScreen)


@pytest.mark.parametrize("typed", ["", "10", "1000", "-100", "100。00", "y", "=100"])
def test_another_amount_is_not_the_amount(typed):
    assert not amount_again("screen.confirm.question", 10_000).is_in(typed)


@pytest.mark.parametrize("typed", ["100", "100.00", " 100 ", "１００", "¥100"])
def test_the_amount_may_be_written_as_amounts_are(typed):
    assert amount_again("screen.confirm.question", 10_000).is_in(typed)
