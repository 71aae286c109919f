"""Room for millions of worlds."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def without_cycle_collection() -> Iterator[None]:
    """Millions of tuples and no cycle: the collector would only walk them again and again."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()
