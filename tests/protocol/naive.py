"""The control: how a command is usually sent. Read once, write, and on silence write again.

It believes the reply to its write, reads nothing back, and after a restart goes on where it was:
a purchase with the number it once read, an absolute balance from the balance it once read.
"""

from tests.protocol.rules import Move, Rules, amount_of, following, frame_of, use
from tests.protocol.world import Disk, Done, Frame, Process, Scenario, World, exchanges

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
            return [(f"commits {outcome}", _commit(world, who, outcome, scenario))]


def _base(world: World, who: str, scenario: Scenario) -> list[Move]:
    process: Process = getattr(world, who)
    frame = Frame("read", meter=scenario.orders[process.order].meter)
    moves = []
    for label, after, reply in exchanges(world, who, frame, scenario):
        process = getattr(after, who)
        if reply:
            process = process._replace(base=reply.seen, at="sent")
        moves.append((f"base: {label}", use(after, who, process)))
    return moves


def _write(world: World, who: str, scenario: Scenario) -> list[Move]:
    moves = []
    for label, after, reply in exchanges(world, who, frame_of(world, who, scenario), scenario):
        process: Process = getattr(after, who)
        if reply:
            process = process._replace(at="refused" if reply.refused else "applied")
        else:
            failed = process.writes == TRIES
            process = process._replace(
                at="refused" if failed else "write", writes=process.writes + 1
            )
        moves.append((f"write: {label}", use(after, who, process)))
    return moves


def _commit(world: World, who: str, outcome: str, scenario: Scenario) -> World:
    process: Process = getattr(world, who)
    if outcome == "sent":
        disk = world.disk._replace(state="sent", base=process.base, writes=1)
        return use(
            world._replace(disk=disk), who, process._replace(at="write", sent=True, writes=1)
        )
    if len(world.disk.done) == process.order:
        assert process.base is not None
        amount_fen = amount_of(scenario.orders[process.order], process.base, world.disk)
        done = Done(outcome, amount_fen, process.base.count + 1)
        world = world._replace(disk=Disk(done=(*world.disk.done, done)))
    if who == "old":
        return world._replace(old=None, old_runs=False, orphans=world.orphans + process.pipe)
    number = following(world.disk, scenario)
    live = Process(at="done") if number is None else Process(at="base", order=number)
    return world._replace(live=live._replace(pipe=process.pipe, late=process.late))
