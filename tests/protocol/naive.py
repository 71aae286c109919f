"""The control: how a sale is usually sent. Read the count, write, and on silence write again.

It believes the reply to its write, reads nothing back, and after a restart goes on where it was.
"""

from tests.protocol.rules import Move, Rules, use
from tests.protocol.world import Disk, Frame, Process, Scenario, World, exchanges

TRIES = 3


def advance_naively(world: World, who: str, scenario: Scenario, _: Rules) -> list[Move]:
    process: Process = getattr(world, who)
    match process.at:
        case "quiet":
            at = "write" if process.sent else "base"
            return [("starts", use(world, who, process._replace(at=at)))]
        case "base":
            return _base(world, who, scenario)
        case "write":
            return _write(world, who, scenario)
        case outcome:
            return [(f"commits {outcome}", _commit(world, who, process, outcome))]


def _base(world: World, who: str, scenario: Scenario) -> list[Move]:
    moves = []
    for label, after, reply in exchanges(world, who, Frame("read"), scenario):
        process: Process = getattr(after, who)
        if reply:
            process = process._replace(base=reply.seen, at="sent")
        moves.append((f"base: {label}", use(after, who, process)))
    return moves


def _write(world: World, who: str, scenario: Scenario) -> list[Move]:
    process: Process = getattr(world, who)
    assert process.base is not None
    frame = Frame("write", 0, process.base.count + 1, scenario.amounts[0])
    moves = []
    for label, after, reply in exchanges(world, who, frame, scenario):
        process = getattr(after, who)
        if reply:
            process = process._replace(at="refused" if reply.refused else "applied")
        else:
            failed = process.writes == TRIES
            process = process._replace(
                at="refused" if failed else "write", writes=process.writes + 1
            )
        moves.append((f"write: {label}", use(after, who, process)))
    return moves


def _commit(world: World, who: str, process: Process, outcome: str) -> World:
    if outcome == "sent":
        disk = world.disk._replace(state="sent", base=process.base, writes=1)
        return use(
            world._replace(disk=disk), who, process._replace(at="write", sent=True, writes=1)
        )
    if not world.disk.outcomes:
        world = world._replace(disk=Disk(outcomes=(outcome,)))
    if who == "old":
        return world._replace(old=None, old_runs=False, orphans=world.orphans + process.pipe)
    return world._replace(live=Process(at="done", pipe=process.pipe))
