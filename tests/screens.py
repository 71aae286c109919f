"""Driving the console in a test: wait for what is to happen, read what a person would see."""

import contextlib
from collections.abc import AsyncIterator, Callable

from textual.pilot import Pilot

from console.app import ConsoleApp


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Let the app run until `holds()` and a new screen is painted; in vain, it says what for."""
    for _ in range(1000):
        if holds() and seen(pilot.app).strip():
            return
        await pilot.pause(0.01)
    text = "\n".join(screen_lines(pilot.app))
    raise AssertionError(f"never happened; the screen shows\n{text}")


def screen_lines(app: ConsoleApp) -> list[str]:
    """What a person sees, line by line."""
    return [
        "".join(segment.text for segment in line)
        for line in app.screen._compositor.render_strips(app.size)
    ]


def seen(app: ConsoleApp) -> str:
    return "\n".join(screen_lines(app))


@contextlib.asynccontextmanager
async def on_table(
    app: ConsoleApp, operator: object, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[None]]:
    """The app with somebody signed in and the meters loaded."""
    async with app.run_test(size=size, notifications=True) as pilot:
        app.signed_in(operator)
        await until(pilot, lambda: app.news.loaded and app.screen.id != "_default")
        app.pulse()
        await pilot.pause()
        yield pilot
