"""One engine process in the model: the protocol of docs/money.md, step by step.

What decides is `judge` and `next_step` of the product. What stands around them (waiting, fencing,
two looks …) can be left out rule by rule: were the model blind, leaving one out would not show.
"""

from typing import NamedTuple

from engine.domain.counted import (
    Evidence,
    Step,
    Verdict,
    judge,
    next_step,
    tolerance_fen,
)
from tests.protocol.world import (
    ENERGY_STEP_WH,
    PRICE,
    Disk,
    Frame,
    Process,
    Scenario,
    World,
    exchanges,
    waited,
)

SETTLED = {"CONFIRM": "applied", "REFUSE": "refused", "SUSPEND": "suspense"}
Move = tuple[str, World]


class Rules(NamedTuple):
    fence: bool = True  # a suspect meter is fenced before it is used again
    quiet: bool = True  # frame_life_s goes by after a start, and after a lost fence
    two_looks: bool = True  # that nothing has risen is believed when seen twice
    sole_sender: bool = True  # no second frame while another process may still send the first
    burial: bool = True  # frame_life_s goes by after another sender's death
    balance: bool = True  # the balance must fit, not only the count


def advance(world: World, who: str, scenario: Scenario, rules: Rules) -> list[Move]:
    """Every way the next step of process `who` ("live", or "old" without the lease) can go."""
    process: Process = getattr(world, who)
    match process.at:
        case "quiet":
            return [("waits", _quiet(world, who, scenario, rules))]
        case "fence":
            return _fence(world, who, scenario)
        case "base" | "look":
            return _read(world, who, scenario, rules)
        case "lease":
            if who == "old":
                return [("stands down", gone(world))]
            return [("holds the lease", world._replace(live=process._replace(at="write")))]
        case "idle":
            return [("looks again", use(world, who, ready(process, "look", rules)))]
        case "write":
            return _write(world, who, scenario, rules)
        case "LOOK_AGAIN":
            meter = world.meter.settled()
            meter = meter._replace(energy_wh=meter.energy_wh + scenario.load_wh)
            process = process._replace(unchanged=True)
            return [
                ("waits 3 s", use(world._replace(meter=meter), who, ready(process, "look", rules)))
            ]
    if who == "old":  # every transaction looks at the lease's epoch
        return [("stands down", gone(world))]
    return [(f"commits {process.at}", _commit(world, process, scenario, rules))]


def use(world: World, who: str, process: Process) -> World:
    return world._replace(live=process) if who == "live" else world._replace(old=process)


def ready(process: Process, at: str, rules: Rules) -> Process:
    """To a step that uses the line, by way of a fence where the meter is suspect."""
    return process._replace(at="fence" if process.suspect and rules.fence else at)


def gone(world: World) -> World:
    """The old process has ended; what it sent may still lie in a gateway."""
    assert world.old is not None
    sender = "dead" if world.disk.sender == "old" else world.disk.sender
    return world._replace(
        old=None,
        old_runs=False,
        orphans=world.orphans + world.old.pipe,
        disk=world.disk._replace(sender=sender),
    )


def started(disk: Disk, scenario: Scenario, rules: Rules) -> Process:
    """A new process: what was sent goes to its read-back, never to a write."""
    if len(disk.outcomes) == len(scenario.amounts):
        return Process(at="done")
    process = Process(
        at="quiet",
        sale=len(disk.outcomes),
        sent=disk.state != "queued",
        base=disk.base,
        writes=disk.writes,
    )
    return process if rules.quiet else ready(process, _goal(process), rules)


def _goal(process: Process) -> str:
    return "look" if process.sent else "base"


def _quiet(world: World, who: str, scenario: Scenario, rules: Rules) -> World:
    world = waited(world, scenario)
    process: Process = getattr(world, who)
    buried = world.disk.sender in ("dead", "none")
    process = process._replace(late=(), suspect=True, buried=process.buried or buried)
    return use(world, who, ready(process, _goal(process), rules))


def _fence(world: World, who: str, scenario: Scenario) -> list[Move]:
    moves = []
    for label, after, reply in exchanges(world, who, Frame("fence"), scenario):
        process: Process = getattr(after, who)
        process = process._replace(at="quiet" if reply is None else _goal(process))
        moves.append((f"fence: {label}", use(after, who, process._replace(suspect=reply is None))))
    return moves


def _read(world: World, who: str, scenario: Scenario, rules: Rules) -> list[Move]:
    moves = []
    for label, after, reply in exchanges(world, who, Frame("read"), scenario):
        process: Process = getattr(after, who)
        step = process.at
        process = process._replace(
            seen=reply.seen if reply else None, suspect=process.suspect or reply is None
        )
        if step == "look":
            process = decided(after, who, process, scenario, rules)
        elif reply is None:
            process = ready(process, "base", rules)
        else:
            process = process._replace(base=process.seen, at="MARK")
        moves.append((f"{step}: {label}", use(after, who, process)))
    return moves


def _write(world: World, who: str, scenario: Scenario, rules: Rules) -> list[Move]:
    process: Process = getattr(world, who)
    assert process.base is not None
    amount_fen = scenario.amounts[process.sale]
    frame = Frame("write", process.sale, process.base.count + 1, amount_fen)
    moves = []
    for label, after, reply in exchanges(world, who, frame, scenario):
        process = getattr(after, who)
        process = process._replace(
            suspect=process.suspect or reply is None,
            unchanged=False,
            refused=bool(reply and reply.refused),
        )
        moves.append((f"write: {label}", use(after, who, ready(process, "look", rules))))
    return moves


def decided(world: World, who: str, process: Process, scenario: Scenario, rules: Rules) -> Process:
    """Where a read-back (`process.seen`, None: no answer) sends the process."""
    verdict = _verdict(process, scenario, rules)
    mine = "me" if who == "live" else "old"
    sender = world.disk.sender
    if rules.burial and verdict is Verdict.NOT_APPLIED and sender == "dead" and not process.buried:
        return process._replace(at="quiet", unchanged=False, buried=True)
    step = next_step(
        Evidence(
            verdict=verdict,
            seen_unchanged_twice=process.unchanged or not rules.two_looks,
            refused_by_meter=process.refused,
            writes=process.writes,
            writes_max=scenario.writes_max,
            sole_sender=sender in (mine, "dead") or not rules.sole_sender,
        )
    )
    return process._replace(at=step.name)


def _verdict(process: Process, scenario: Scenario, rules: Rules) -> Verdict | None:
    base, seen = process.base, process.seen
    if seen is None:
        return None
    assert base is not None
    if not rules.balance:
        return Verdict.NOT_APPLIED if seen.count == base.count else Verdict.APPLIED
    tolerance = tolerance_fen(base, seen, price_max=PRICE, energy_step_wh=ENERGY_STEP_WH)
    return judge(base, seen, amount_fen=scenario.amounts[process.sale], tolerance=tolerance)


def _commit(world: World, process: Process, scenario: Scenario, rules: Rules) -> World:
    disk = world.disk
    match process.at:
        case "MARK":
            disk = disk._replace(state="sent", sender="me", base=process.base, writes=1)
            process = process._replace(at="lease", sent=True, writes=1)
        case Step.REWRITE.name:
            disk = disk._replace(sender="me", writes=process.writes + 1)
            process = process._replace(
                at="lease", writes=disk.writes, unchanged=False, refused=False
            )
        case Step.KEEP.name:
            disk = disk._replace(state="unknown")
            again = ready(process, "look", rules)
            process = again if process.seen is None else process._replace(at="idle")
        case settled:
            disk = Disk(outcomes=(*disk.outcomes, SETTLED[settled]))
            process = _after(process, disk, scenario, rules)
    return world._replace(disk=disk, live=process)


def _after(process: Process, disk: Disk, scenario: Scenario, rules: Rules) -> Process:
    """On to the next sale, if there is one and the meter is not frozen."""
    if disk.outcomes[-1] == "suspense" or len(disk.outcomes) == len(scenario.amounts):
        return Process(at="done", pipe=process.pipe)
    following = Process(
        sale=len(disk.outcomes), suspect=process.suspect, pipe=process.pipe, late=process.late
    )
    return ready(following, "base", rules)
