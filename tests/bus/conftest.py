"""A line of one's own for each test: our link and the scripted slave behind it."""

from collections.abc import AsyncIterator

import pytest

from tests.bus.scripted import Line, Slave, linked, listening


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections are tried again at once: how long the pauses really are has its own test."""
    monkeypatch.setattr("engine.bus.link.BACK_OFF_S", (0.005, 0.02))
    monkeypatch.setattr("engine.bus.link.GREETING_S", 0.01)


@pytest.fixture
async def slave() -> AsyncIterator[Slave]:
    async with listening(Slave()) as opened:
        yield opened


@pytest.fixture
async def line(slave: Slave) -> AsyncIterator[Line]:
    async with linked(slave) as made:
        yield made
