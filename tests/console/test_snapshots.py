"""Whole screens, letter by letter, under a clock that stands still.

After a wanted change draw them anew with VOLTILL_DRAW_SNAPSHOTS=1, then read the difference.
"""

import os
from pathlib import Path

import pytest

from tests.screens import on_table, screen_lines, until

SNAPSHOTS = Path(__file__).parent / "snapshots"
SCREENS = [
    pytest.param("live", (), "A-100", id="live table"),
    pytest.param("meter", ("enter",), "46.80", id="one meter"),
    pytest.param("sell", ("s", *"100"), "46", id="selling"),
    pytest.param("confirm", ("s", *"100", "enter", "enter", *"100"), "y", id="the question"),
    pytest.param("topology", ("t",), "L01", id="topology"),
    pytest.param("help", ("question_mark",), "Esc", id="help"),
    pytest.param("tenants", ("3",), "T0002", id="tenants"),
    pytest.param("tenant", ("3", "enter"), "0.00", id="one tenant"),
    pytest.param("register", ("3", "n"), "2026-12-31", id="a new tenant"),
    pytest.param("open", ("3", "plus", "enter", *"109", "enter"), "202600000009", id="opening"),
    pytest.param("orders", ("W",), "W ", id="locks and orders"),
    pytest.param("guard", ("N",), "11-24 09:00", id="the guard"),
    pytest.param("hold", ("H",), "17:00", id="emergency supply"),
    pytest.param("close", ("3", "C"), "[>]", id="closing"),
]


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("name", "keys", "awaited"), SCREENS)
async def test_the_screen_is_as_it_was_agreed(
    make_app, operator, meters, set_prices, language, name, keys, awaited
):
    set_prices(meters[0])
    app = make_app(language)
    async with on_table(app, operator) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.2)
        await until(pilot, lambda: any(awaited in line for line in screen_lines(app)))
        await pilot.pause(0.3)
        drawn = "\n".join(line.rstrip() for line in screen_lines(app)) + "\n"

    agreed = SNAPSHOTS / f"{name}-{language}.txt"
    if "VOLTILL_DRAW_SNAPSHOTS" in os.environ:
        agreed.parent.mkdir(exist_ok=True)
        agreed.write_text(drawn, encoding="utf-8")
    assert drawn == agreed.read_text(encoding="utf-8")
