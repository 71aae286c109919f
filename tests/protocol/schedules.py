"""Walk every schedule of a scenario, and count those that break the promise.

A schedule is one order of the processes' steps with its faults. Worlds that two schedules share
are walked once; schedules are counted, not sampled.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.domain.units import cost_fen_max
from tests.protocol.rules import Move, Rules, advance, gone, started
from tests.protocol.world import (
    ENERGY_STEP_WH,
    PRICE,
    Done,
    Meter,
    Scenario,
    World,
    altered,
    beginning,
    flush,
    time_passes,
)

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
            meters, _ = flush(world.meters, world.orphans, self.scenario)
            yield "a late request arrives", world._replace(meters=meters, orphans=())
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

    def _can_go_on(self, world: World) -> bool:
        """An idle process looks again when something may have changed."""
        if world.live.at == "idle":
            meter = world.meters[self.scenario.orders[world.live.order].meter]
            return world.old is None or meter.state() != world.live.seen
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
        for number, meter in enumerate(world.meters):
            for label, after in self._others(meter):
                meters = altered(world.meters, number, after)
                yield label, world._replace(meters=meters, foreign=True)

    def _others(self, meter: Meter) -> Iterator[tuple[str, Meter]]:
        """What another hand may do at a meter."""
        for amount_fen in self.scenario.foreign_fen:
            bought = meter._replace(
                count=meter.count + 1, foreign_fen=meter.foreign_fen + amount_fen
            )
            yield f"foreign purchase of {amount_fen}", bought
        yield "counter reset", meter._replace(count=0)


EVERY_RULE = Rules()


def walked(
    scenario: Scenario, faults: int, rules: Rules = EVERY_RULE, step: Advance = advance
) -> Count:
    """All schedules of a scenario; where the protocol is on trial, a broken one is spelled out."""
    walk = Walk(scenario, rules, step)
    start = beginning(scenario, faults)
    count = walk.count(start)
    print(f"{count.schedules:,} schedules, {len(walk.known):,} worlds: {count}")
    if step is advance and rules == EVERY_RULE:
        assert not count.broken, "\n".join(walk.counterexample(start))
    return count


def fault_of(world: World, scenario: Scenario) -> str:
    """What is wrong at the end of a schedule, "" if nothing."""
    meters, _ = flush(time_passes(world.meters, 0), world.orphans + world.live.pipe, scenario)
    if world.live.at != "done":
        return "open for ever"
    wrongs = [
        _wrong(world, meters[order.meter], number, scenario)
        for number, order in enumerate(scenario.orders)
    ]
    return next((wrong for wrong in wrongs if wrong not in ("", "twin")), max(wrongs))


def _wrong(world: World, meter: Meter, number: int, scenario: Scenario) -> str:
    """What the ledger says of an order, against what its frames did to the meter."""
    order, moved = scenario.orders[number], meter.moved[number]
    if number >= len(world.disk.done):
        return "moved, and never begun" if moved else ""
    done = world.disk.done[number]
    if order.lowers:
        wrong = _wrongly_lowered(world, meter, moved, done)
        return "twin" if wrong and _agrees_with_a_twin(world, order.meter, scenario) else wrong
    match done.outcome:
        case "applied" if moved != done.amount_fen:
            return _twin_or_wrong(world, meter, moved, done.amount_fen)
        case "refused" if moved:
            return "money back, credit in the meter"
        case "suspense" if not (world.foreign or world.repeated):
            return "suspense without a reason"
        case "suspense" if moved > done.amount_fen and not world.repeated:
            return "credited twice"
    return ""


def _wrongly_lowered(world: World, meter: Meter, moved: int, done: Done) -> str:
    """What was used between the read and the frame is not taken out: less, never more."""
    used_fen = _used_fen(meter)
    taken = -moved
    match done.outcome:
        case "applied" if not done.amount_fen - used_fen <= taken <= done.amount_fen:
            return "paid out, not taken once"
        case "applied" if meter.balance_fen < -used_fen and not world.foreign:
            return "more than there was"
        case "refused" if moved:
            return "nothing paid, credit gone"
        case "suspense" if not (world.foreign or world.repeated or used_fen >= done.amount_fen):
            return "suspense without a reason"
        case "suspense" if taken > done.amount_fen and not world.foreign:
            return "taken twice"
    return ""


def _twin_or_wrong(world: World, meter: Meter, credit: int, amount: int) -> str:
    """Another's purchase took our number with our amount before our own arrived (or did not)."""
    twin = world.foreign and meter.foreign_fen >= amount
    return "twin" if twin and (credit == 0 or world.repeated) else "not once"


def _agrees_with_a_twin(world: World, number: int, scenario: Scenario) -> bool:
    """Another's purchase was taken for our sale, which arrived while this order was under way
    and, on a blind meter, wrote the count that both know: it is the other's credit that is gone.
    """
    meter = world.meters[number]
    applied = [
        -done.amount_fen if order.lowers else done.amount_fen
        for order, done in zip(scenario.orders, world.disk.done, strict=False)
        if order.meter == number and done.outcome == "applied"
    ]
    difference = sum(applied) - sum(meter.moved)
    return any(
        0 < sale <= meter.foreign_fen and sale - _used_fen(meter) <= difference <= meter.foreign_fen
        for sale in applied
    )


def _used_fen(meter: Meter) -> int:
    """What the meter may have deducted in all, by its register."""
    return cost_fen_max(meter.energy_wh + ENERGY_STEP_WH, PRICE) + 1 if meter.energy_wh else 0
