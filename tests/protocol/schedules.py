"""Walk every schedule of a scenario, and count those that break the promise.

A schedule is one order of the processes' steps with its faults. Worlds that two schedules share
are walked once; schedules are counted, not sampled.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.protocol.rules import Move, Rules, advance, gone, started
from tests.protocol.world import Scenario, World, flush

Advance = Callable[[World, str, Scenario, Rules], list[Move]]


class Count(NamedTuple):
    schedules: int = 0
    broken: int = 0
    twins: int = 0  # another's purchase of our number and our amount: no read-back can tell


class Walk:
    """All schedules of one scenario from one world on."""

    def __init__(self, scenario: Scenario, rules: Rules, step: Advance = advance) -> None:
        self.scenario = scenario
        self.rules = rules
        self.step = step
        self.known: dict[World, Count] = {}

    def count(self, world: World) -> Count:
        if (known := self.known.get(world)) is not None:
            return known
        moves = list(self.moves(world))
        if moves:
            schedules = broken = twins = 0
            for _, after in moves:
                part = self.count(after)
                schedules += part.schedules
                broken += part.broken
                twins += part.twins
            total = Count(schedules, broken, twins)
        else:
            wrong = fault_of(world, self.scenario)
            total = Count(1, wrong not in ("", "twin"), wrong == "twin")
        self.known[world] = total
        return total

    def counterexample(self, world: World) -> tuple[str, ...]:
        """The moves of one broken schedule, or nothing."""
        if not self.count(world).broken:
            return ()
        for label, after in self.moves(world):
            if self.count(after).broken:
                return (label, *self.counterexample(after))
        return (fault_of(world, self.scenario),)

    def moves(self, world: World) -> Iterator[Move]:
        """Everything that can happen next. None: the schedule is over."""
        if world.orphans:
            meter, _ = flush(world.meter, world.orphans, self.scenario)
            yield "a late request arrives", world._replace(meter=meter, orphans=())
        if world.old and world.old_runs:
            yield from self._labelled("old ", self.step(world, "old", self.scenario, self.rules))
        elif world.old:
            yield "old process wakes", world._replace(old_runs=True)
        if self._can_go_on(world):
            yield from self.step(world, "live", self.scenario, self.rules)
        if world.live.at != "done" and world.faults:
            yield from self._faults(world._replace(faults=world.faults - 1))
        if world.old and world.faults:
            yield "old process is killed", gone(world._replace(faults=world.faults - 1))

    @staticmethod
    def _labelled(prefix: str, moves: list[Move]) -> Iterator[Move]:
        return ((prefix + label, after) for label, after in moves)

    @staticmethod
    def _can_go_on(world: World) -> bool:
        """An idle process looks again when something may have changed."""
        if world.live.at == "idle":
            return world.old is None or world.meter.state() != world.live.seen
        return world.live.at != "done"

    def _faults(self, world: World) -> Iterator[Move]:
        """What may happen beside the line, before any step of the live process."""
        disk = world.disk
        fallen = world.orphans + world.live.pipe
        dead = disk._replace(sender="dead" if disk.sender == "me" else disk.sender)
        restarted = started(dead, self.scenario, self.rules)
        yield "crash", world._replace(disk=dead, live=restarted, orphans=fallen)
        if world.old is None:
            left = disk._replace(sender="old" if disk.sender == "me" else disk.sender)
            taken = started(left, self.scenario, self.rules)
            paused = world.live._replace(pipe=())
            yield (
                "pause, another takes over",
                world._replace(disk=left, live=taken, old=paused, orphans=fallen),
            )
        meter = world.meter
        for amount_fen in self.scenario.foreign_fen:
            bought = meter._replace(
                count=meter.count + 1, foreign_fen=meter.foreign_fen + amount_fen
            )
            yield f"foreign purchase of {amount_fen}", world._replace(meter=bought, foreign=True)
        yield "counter reset", world._replace(meter=meter._replace(count=0), foreign=True)


def fault_of(world: World, scenario: Scenario) -> str:
    """What is wrong at the end of a schedule, "" if nothing."""
    meter, _ = flush(world.meter.settled(), world.orphans + world.live.pipe, scenario)
    if world.live.at != "done":
        return "open for ever"
    for sale, outcome in enumerate(world.disk.outcomes):
        credit, amount = meter.ours[sale], scenario.amounts[sale]
        match outcome:
            case "applied" if credit != amount:
                return _twin_or_wrong(world, credit, amount)
            case "refused" if credit:
                return "money back, credit in the meter"
            case "suspense" if not (world.foreign or world.repeated):
                return "suspense without a reason"
            case "suspense" if credit > amount and not world.repeated:
                return "credited twice"
    return ""


def _twin_or_wrong(world: World, credit: int, amount: int) -> str:
    """Another's purchase took our number with our amount before our own arrived (or did not)."""
    twin = world.foreign and world.meter.foreign_fen >= amount
    return "twin" if twin and (credit == 0 or world.repeated) else "not once"
