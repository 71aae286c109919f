"""One engine process in the model: the protocol of docs/money.md, step by step.

What decides is `judge`, `judge_set`, `provable` and `next_step` of the product. What stands around
them (waiting, fencing, two looks …) can be left out rule by rule: were the model blind, leaving
one out would not show.
"""

from typing import NamedTuple

from engine.domain.counted import (
    Evidence,
    PurchaseState,
    Step,
    Verdict,
    judge,
    judge_set,
    next_step,
    provable,
    tolerance_fen,
)
from tests.protocol.world import (
    ENERGY_STEP_WH,
    PRICE,
    START_COUNT,
    Disk,
    Done,
    Frame,
    Order,
    Process,
    Scenario,
    World,
    exchanges,
    time_passes,
    waited,
)

SETTLED = {"CONFIRM": "applied", "REFUSE": "refused", "UNFIT": "refused", "SUSPEND": "suspense"}
Move = tuple[str, World]


class Rules(NamedTuple):
    fence: bool = True  # a suspect meter is fenced before it is used again
    quiet: bool = True  # frame_life_s goes by after a start, and after a lost fence
    two_looks: bool = True  # that nothing has risen is believed when seen twice
    sole_sender: bool = True  # no second frame while another process may still send the first
    burial: bool = True  # frame_life_s goes by after another sender's death
    balance: bool = True  # the balance must fit, not only the count
    count: bool = True  # of an absolute balance: the count must not have moved
    expected: bool = True  # and before, it is the one that the books expect
    covered: bool = True  # no more is taken out than the meter holds
    provable: bool = True  # nor so little that use alone could explain it


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
            world = world._replace(meters=time_passes(world.meters, scenario.load_wh))
            process = process._replace(unchanged=True)
            return [("waits 3 s", use(world, who, ready(process, "look", rules)))]
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
    order = following(disk, scenario)
    if order is None:
        return Process(at="done")
    process = Process(
        at="quiet",
        order=order,
        sent=disk.state != "queued",
        base=disk.base,
        writes=disk.writes,
    )
    return process if rules.quiet else ready(process, _goal(process), rules)


def following(disk: Disk, scenario: Scenario) -> int | None:
    """The next order to carry out, None where there is none: the meter is frozen, or what an
    order waits for was not applied.
    """
    number = len(disk.done)
    if number == len(scenario.orders) or (number and disk.done[-1].outcome == "suspense"):
        return None
    after = scenario.orders[number].after
    if after is not None and disk.done[after].outcome != "applied":
        return None
    return number


def amount_of(order: Order, base: PurchaseState, disk: Disk) -> int:
    """What the ledger moves for it."""
    if order.kind == "whole":
        return base.balance_fen
    if order.kind == "credit":
        assert order.after is not None
        return disk.done[order.after].amount_fen
    return order.amount_fen


def _goal(process: Process) -> str:
    return "look" if process.sent else "base"


def _quiet(world: World, who: str, scenario: Scenario, rules: Rules) -> World:
    world = waited(world, scenario)
    process: Process = getattr(world, who)
    buried = world.disk.sender in ("dead", "none")
    process = process._replace(late=(), suspect=True, buried=process.buried or buried)
    return use(world, who, ready(process, _goal(process), rules))


def _fence(world: World, who: str, scenario: Scenario) -> list[Move]:
    frame = Frame("fence", meter=_order(world, who, scenario).meter)
    moves = []
    for label, after, reply in exchanges(world, who, frame, scenario):
        process: Process = getattr(after, who)
        process = process._replace(at="quiet" if reply is None else _goal(process))
        moves.append((f"fence: {label}", use(after, who, process._replace(suspect=reply is None))))
    return moves


def _order(world: World, who: str, scenario: Scenario) -> Order:
    process: Process = getattr(world, who)
    return scenario.orders[process.order]


def _read(world: World, who: str, scenario: Scenario, rules: Rules) -> list[Move]:
    frame = Frame("read", meter=_order(world, who, scenario).meter)
    moves = []
    for label, after, reply in exchanges(world, who, frame, scenario):
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
            fit = _fit(after.disk, process, scenario, rules)
            process = process._replace(base=process.seen, at="MARK" if fit else "UNFIT")
        moves.append((f"{step}: {label}", use(after, who, process)))
    return moves


def _fit(disk: Disk, process: Process, scenario: Scenario, rules: Rules) -> bool:
    """May this order be carried out on what its meter says now?"""
    order, base = scenario.orders[process.order], process.seen
    assert base is not None
    if rules.expected and scenario.known and base.count != _expected_count(process, disk, scenario):
        return False
    if not order.lowers:
        return True
    amount_fen = amount_of(order, base, disk)
    tolerance = tolerance_fen(base, base, price_max=PRICE, energy_step_wh=ENERGY_STEP_WH)
    target_fen = base.balance_fen - amount_fen
    if rules.provable and not provable(base.balance_fen, target_fen, tolerance=tolerance):
        return False
    if order.kind == "reverse":
        assert order.after is not None
        if disk.done[order.after].count != base.count:
            return False
    return not rules.covered or order.kind == "whole" or target_fen >= 0


def _expected_count(process: Process, disk: Disk, scenario: Scenario) -> int:
    """What the books know: the meter's last purchase, or what was taken over."""
    counts = [
        done.count
        for order, done in zip(scenario.orders, disk.done, strict=False)
        if done.outcome == "applied" and order.meter == scenario.orders[process.order].meter
    ]
    return counts[-1] if counts else START_COUNT


def _write(world: World, who: str, scenario: Scenario, rules: Rules) -> list[Move]:
    frame = frame_of(world, who, scenario)
    moves = []
    for label, after, reply in exchanges(world, who, frame, scenario):
        process: Process = getattr(after, who)
        process = process._replace(
            suspect=process.suspect or reply is None,
            unchanged=False,
            refused=bool(reply and reply.refused),
        )
        moves.append((f"write: {label}", use(after, who, ready(process, "look", rules))))
    return moves


def frame_of(world: World, who: str, scenario: Scenario) -> Frame:
    """What carries out the order of process `who`."""
    process: Process = getattr(world, who)
    order, base = scenario.orders[process.order], process.base
    assert base is not None
    amount_fen = amount_of(order, base, world.disk)
    if order.lowers:
        return Frame("set", process.order, fen=base.balance_fen - amount_fen, meter=order.meter)
    return Frame("write", process.order, base.count + 1, amount_fen, order.meter)


def decided(world: World, who: str, process: Process, scenario: Scenario, rules: Rules) -> Process:
    """Where a read-back (`process.seen`, None: no answer) sends the process."""
    verdict = _verdict(world.disk, process, scenario, rules)
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


def _verdict(disk: Disk, process: Process, scenario: Scenario, rules: Rules) -> Verdict | None:
    order, base, seen = scenario.orders[process.order], process.base, process.seen
    if seen is None:
        return None
    assert base is not None
    amount_fen = amount_of(order, base, disk)
    tolerance = tolerance_fen(base, seen, price_max=PRICE, energy_step_wh=ENERGY_STEP_WH)
    if order.lowers:
        if not rules.balance:
            return Verdict.APPLIED if seen.count == base.count else Verdict.SUSPENSE
        if not rules.count:
            seen = PurchaseState(base.count, seen.balance_fen, seen.energy_wh)
        target_fen = base.balance_fen - amount_fen
        return judge_set(base, seen, target_fen=target_fen, tolerance=tolerance)
    if not rules.balance:
        return Verdict.NOT_APPLIED if seen.count == base.count else Verdict.APPLIED
    return judge(base, seen, amount_fen=amount_fen, tolerance=tolerance)


def _commit(world: World, process: Process, scenario: Scenario, rules: Rules) -> World:
    disk = world.disk
    match process.at:
        case "MARK":
            disk = disk._replace(state="sent", sender="me", base=process.base, writes=1)
            process = process._replace(at="lease", sent=True, writes=1)
        case Step.REWRITE.name:
            base = process.seen if _order(world, "live", scenario).lowers else process.base
            disk = disk._replace(sender="me", base=base, writes=process.writes + 1)
            process = process._replace(
                at="lease", base=base, writes=disk.writes, unchanged=False, refused=False
            )
        case Step.KEEP.name:
            disk = disk._replace(state="unknown")
            again = ready(process, "look", rules)
            process = again if process.seen is None else process._replace(at="idle")
        case settled:
            assert process.base is not None
            done = Done(
                SETTLED[settled],
                amount_of(_order(world, "live", scenario), process.base, disk),
                process.seen.count if process.seen else 0,
            )
            disk = Disk(done=(*disk.done, done))
            process = _after(process, disk, scenario, rules)
    return world._replace(disk=disk, live=process)


def _after(process: Process, disk: Disk, scenario: Scenario, rules: Rules) -> Process:
    """On to the next order, if there is one that can go on."""
    number = following(disk, scenario)
    if number is None:
        return Process(at="done", pipe=process.pipe)
    other = scenario.orders[number].meter != scenario.orders[process.order].meter
    after = Process(
        order=number, suspect=process.suspect or other, pipe=process.pipe, late=process.late
    )
    return ready(after, "base", rules)
