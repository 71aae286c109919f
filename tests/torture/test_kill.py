"""The real engine is killed with signal 9 at its commits and frames; ledger and meter stay one."""

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.enums import CommandState
from tests.torture.harness import Meters, Trial, simulated

WRITE = 0x20
FAULTS: dict[str, dict[str, object] | None] = {
    "no fault": None,
    "lost reply": {"name": "no_reply", "function": WRITE},
    "lost request": {"name": "lost_request", "function": WRITE},
    "late reply": {"name": "late_reply", "function": WRITE, "delay_s": 0.8},
    "refusal": {"name": "refuse", "function": WRITE},
}
LATER = ("refund", "reverse", "transfer", "clear")


@pytest.fixture(scope="module")
def meters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meters]:
    with simulated(tmp_path_factory.mktemp("meters")) as running:
        yield running


class Trials:
    """New trials of a verb on one kind of meter with one fault, as many as are asked for."""

    def __init__(
        self,
        folder: Path,
        meters: Meters,
        kind: str,
        fault: str = "no fault",
        *,
        verb: str = "sell",
    ) -> None:
        self._folder, self._meters, self._kind, self._verb = folder, meters, kind, verb
        self._fault = fault
        self._numbers = itertools.count()

    def new(self) -> Trial:
        """Of a transfer each leg meets the fault; a refusal only the second, which has money."""
        self._meters.clear()
        folder = self._folder / f"trial{next(self._numbers)}"
        trial = Trial(folder, self._meters, self._kind, self._verb)
        fault = FAULTS[self._fault]
        for kind in trial.kinds:
            second = len(trial.kinds) == 1 or kind != self._kind
            if fault and (second or self._fault != "refusal"):
                self._meters.fault(kind, **fault)
        return trial

    def events(self) -> list[str]:
        """What happens when nothing dies."""
        trial = self.new()
        trial.ask()
        trial.run()
        trial.prove()
        return trial.events()

    def die_at(self, number: int) -> CommandState:
        """The engine is killed at its event `number` (from 1) and started again; all is proved."""
        trial = self.new()
        trial.ask()
        trial.run(fatal=number)
        last = trial.events()[-1:]
        trial.run()
        try:
            return trial.prove()
        except AssertionError as error:
            error.add_note(f"killed at event {number}: {last}")
            raise


@pytest.fixture(params=["checked", "blind"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("event", ["before", "after"])
def test_a_cashier_who_dies_at_the_commit_has_sold_once_when_asked_again(
    tmp_path: Path, meters: Meters, event: str
) -> None:
    trial = Trials(tmp_path, meters, "blind").new()

    trial.die_asking(1 if event == "before" else 2)
    assert (
        trial.events()
        == ["before commit of core.db", "after commit of core.db"][: len(trial.events())]
    )
    trial.ask()
    trial.run()

    assert trial.prove() is CommandState.APPLIED


@pytest.mark.parametrize(("fault", "every"), [("no fault", 10), ("lost reply", 20)])
def test_a_sale_survives_the_engine_s_death_at_a_sample_of_its_events(
    tmp_path: Path, meters: Meters, kind: str, fault: str, every: int
) -> None:
    trials = Trials(tmp_path, meters, kind, fault)
    events = trials.events()

    ends = {trials.die_at(number) for number in range(every // 2, len(events) + 1, every)}

    assert ends == {CommandState.APPLIED}


@pytest.mark.parametrize("verb", LATER)
def test_every_other_verb_survives_it_too(tmp_path: Path, meters: Meters, verb: str) -> None:
    trials = Trials(tmp_path, meters, "blind", "lost reply", verb=verb)
    events = trials.events()

    ends = {trials.die_at(number) for number in range(len(events) // 2, len(events) + 1, 40)}

    assert ends == {CommandState.APPLIED}


@pytest.mark.torture
@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("verb", LATER)
def test_every_other_verb_survives_it_at_each_event(
    tmp_path: Path, meters: Meters, kind: str, verb: str, fault: str
) -> None:
    trials = Trials(tmp_path, meters, kind, fault, verb=verb)
    events = trials.events()

    ends = [trials.die_at(number) for number in range(1, len(events) + 1)]

    print(f"{verb}, {kind}, {fault}: {len(events)} kills, {Counter(ends)}")
    assert fault == "refusal" or set(ends) == {CommandState.APPLIED}


@pytest.mark.torture
@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_sale_survives_the_engine_s_death_at_each_of_its_events(
    tmp_path: Path, meters: Meters, kind: str, fault: str
) -> None:
    trials = Trials(tmp_path, meters, kind, fault)
    events = trials.events()

    ends = [trials.die_at(number) for number in range(1, len(events) + 1)]

    print(f"{kind}, {fault}: {len(events)} kills, {Counter(ends)}")
    assert fault == "refusal" or set(ends) == {CommandState.APPLIED}


@pytest.mark.parametrize("event", ["before lease check", "after lease check", "after frame 200100"])
def test_an_engine_that_sleeps_through_its_lease_sells_once(
    tmp_path: Path, meters: Meters, event: str
) -> None:
    trial = Trials(tmp_path, meters, "blind").new()
    trial.ask()

    trial.pause(event)

    assert event in trial.events()
    assert trial.prove() is CommandState.APPLIED


@pytest.mark.parametrize("verb", ["refund", "transfer"])
def test_nor_does_it_lower_a_balance_twice(tmp_path: Path, meters: Meters, verb: str) -> None:
    trial = Trials(tmp_path, meters, "checked", verb=verb).new()
    trial.ask()

    trial.pause("after lease check")

    assert trial.prove() is CommandState.APPLIED


@pytest.mark.torture
@pytest.mark.parametrize("verb", LATER)
@pytest.mark.parametrize("fault", ["no fault", "lost request"])
def test_nor_does_it_at_any_of_its_events(
    tmp_path: Path, meters: Meters, verb: str, fault: str
) -> None:
    trials = Trials(tmp_path, meters, "checked", fault, verb=verb)
    ends = []
    for event in range(1, len(trials.events()) + 1):
        trial = trials.new()
        trial.ask()
        trial.pause(event)
        ends.append(trial.prove())

    print(f"{verb}, {fault}: {len(ends)} pauses, {Counter(ends)}")
    assert set(ends) == {CommandState.APPLIED}


@pytest.mark.torture
@pytest.mark.parametrize("fault", ["no fault", "lost request"])
def test_an_engine_that_sleeps_at_any_of_its_events_sells_once(
    tmp_path: Path, meters: Meters, kind: str, fault: str
) -> None:
    trials = Trials(tmp_path, meters, kind, fault)
    ends = []
    for event in range(1, len(trials.events()) + 1):
        trial = trials.new()
        trial.ask()
        trial.pause(event)
        ends.append(trial.prove())

    print(f"{kind}, {fault}: {len(ends)} pauses, {Counter(ends)}")
    assert set(ends) == {CommandState.APPLIED}
