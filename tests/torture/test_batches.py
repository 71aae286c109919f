"""The engine is killed with signal 9 in the middle of a batch: each item ends once."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.enums import BatchVerb, ItemState
from tests.torture.batches import BatchTrial
from tests.torture.harness import Meters, simulated

EVERY = 35  # events between two kills of the sample


@pytest.fixture(scope="module")
def meters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meters]:
    with simulated(tmp_path_factory.mktemp("meters")) as running:
        yield running


@pytest.fixture
def new(tmp_path: Path, meters: Meters) -> Callable[..., BatchTrial]:
    numbers = itertools.count()
    return lambda verb=None: BatchTrial(tmp_path / f"trial{next(numbers)}", meters, verb)


def events_of(trial: BatchTrial) -> int:
    """How many there are when nothing dies."""
    trial.ask()
    trial.run()
    assert set(trial.prove_batch()) == {ItemState.APPLIED}
    return len(trial.events())


def die_at(trial: BatchTrial, number: int) -> tuple[ItemState, ...]:
    trial.ask()
    trial.run(fatal=number)
    last = trial.events()[-1:]
    trial.run()
    if trial.go_on():
        trial.run()
    try:
        return tuple(trial.prove_batch())
    except AssertionError as error:
        error.add_note(f"killed at event {number}: {last}")
        raise


def test_switches_end_once_whenever_the_engine_dies_and_wait_for_a_person(
    new: Callable[..., BatchTrial],
) -> None:
    events = events_of(new())

    ends = Counter(die_at(new(), number) for number in range(EVERY // 2, events + 1, EVERY))

    assert {ItemState.APPLIED, ItemState.REFUSED} >= {state for each in ends for state in each}


def test_reads_end_once_and_go_on_by_themselves(new: Callable[..., BatchTrial]) -> None:
    events = events_of(new(BatchVerb.READ))

    ends = {die_at(new(BatchVerb.READ), number) for number in range(10, events + 1, EVERY)}

    assert ends == {(ItemState.APPLIED, ItemState.APPLIED)}


@pytest.mark.torture
@pytest.mark.parametrize("verb", [None, BatchVerb.READ, BatchVerb.PRICE])
def test_a_batch_survives_the_engine_s_death_at_each_of_its_events(
    new: Callable[..., BatchTrial], verb: BatchVerb | None
) -> None:
    events = events_of(new(verb))

    ends = Counter(die_at(new(verb), number) for number in range(1, events + 1))

    print(f"{verb or 'hold, resume'}: {events} kills, {dict(ends)}")
    assert ItemState.UNKNOWN not in {state for each in ends for state in each}
