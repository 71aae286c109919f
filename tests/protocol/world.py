"""The model's world: one meter, the way to it, what is on disk, and what may go wrong."""

from decimal import Decimal
from typing import NamedTuple

from engine.domain.counted import PurchaseState

PRICE = Decimal("1.2")  # yuan/kWh: what the meter deducts by and what was read back from it
ENERGY_STEP_WH = 10  # one count of the energy register
START = PurchaseState(count=5, balance_fen=3_000, energy_wh=0)


class Scenario(NamedTuple):
    """What does not change in a run."""

    checked: bool = True  # refuses a count that is not stored + 1; a blind one adds what arrives
    refuses_aloud: bool = True  # by an exception; else by silence
    load_wh: int = 0  # used at every read and during every wait
    amounts: tuple[int, ...] = (1_000,)  # one sale after the other
    foreign_fen: tuple[int, ...] = (1_000, 700)  # another seller's amounts: ours, and another
    writes_max: int = 2


class Frame(NamedTuple):
    kind: str  # fence, read, write
    sale: int = -1
    count: int = 0
    amount_fen: int = 0


class Reply(NamedTuple):
    kind: str  # as the request's: by unit, function and length a client can tell no more
    refused: bool = False
    seen: PurchaseState | None = None


class Meter(NamedTuple):
    count: int
    ours: tuple[int, ...]  # what it holds of each of our sales
    foreign_fen: int
    energy_wh: int  # what was used; its register shows whole steps
    slow: tuple[Frame, ...] = ()  # taken in, shown only when it has settled

    def state(self) -> PurchaseState:
        cost_fen = int(self.energy_wh * PRICE / 10)
        return PurchaseState(
            count=self.count,
            balance_fen=START.balance_fen + sum(self.ours) + self.foreign_fen - cost_fen,
            energy_wh=self.energy_wh // ENERGY_STEP_WH * ENERGY_STEP_WH,
        )

    def bought(self, frame: Frame) -> "Meter":
        ours = list(self.ours)
        ours[frame.sale] += frame.amount_fen
        return self._replace(count=frame.count, ours=tuple(ours))

    def settled(self) -> "Meter":
        meter = self._replace(slow=())
        for frame in self.slow:
            meter = meter.bought(frame)
        return meter


class Process(NamedTuple):
    """One engine process: where it stands, and what it will forget when it dies."""

    at: str = "quiet"
    sale: int = 0
    suspect: bool = True  # a reply was missed: nothing it hears now is believed before a fence
    sent: bool = False  # it believes that a frame of this sale may have left
    base: PurchaseState | None = None
    writes: int = 0
    refused: bool = False
    unchanged: bool = False  # the first of two looks showed nothing
    buried: bool = False  # the waiting was done when the frame's sender was already dead
    seen: PurchaseState | None = None
    pipe: tuple[Frame, ...] = ()  # requests that lie in the gateway
    late: tuple[Reply, ...] = ()  # replies that will come after the next request


class Disk(NamedTuple):
    """The command's row; `sender` is told from the live engine's side."""

    state: str = "queued"
    sender: str = "none"  # none, me, old (another process, alive), dead
    base: PurchaseState | None = None
    writes: int = 0
    outcomes: tuple[str, ...] = ()


class World(NamedTuple):
    meter: Meter
    disk: Disk
    live: Process  # holds the lease
    faults: int  # how many may still happen
    old: Process | None = None  # lost the lease while it was paused
    old_runs: bool = False
    orphans: tuple[Frame, ...] = ()  # in the gateway, of connections nobody waits on
    foreign: bool = False  # another hand was at this meter
    repeated: bool = False  # a gateway sent one of our writes twice


def beginning(scenario: Scenario, faults: int) -> World:
    ours = (0,) * len(scenario.amounts)
    return World(Meter(START.count, ours, 0, START.energy_wh), Disk(), Process(), faults)


def execute(meter: Meter, frame: Frame, scenario: Scenario) -> tuple[Meter, Reply | None]:
    """A whole frame has reached the meter."""
    match frame.kind:
        case "fence":
            return meter, Reply("fence")
        case "read":
            meter = meter._replace(energy_wh=meter.energy_wh + scenario.load_wh)
            return meter, Reply("read", seen=meter.state())
    if scenario.checked and frame.count != meter.count + 1:
        return meter, Reply("write", refused=True) if scenario.refuses_aloud else None
    return meter.bought(frame), Reply("write")


def flush(
    meter: Meter, frames: tuple[Frame, ...], scenario: Scenario
) -> tuple[Meter, tuple[Reply, ...]]:
    """Frames that lay in the gateway reach the meter, in their order."""
    replies = []
    for frame in frames:
        meter, reply = execute(meter, frame, scenario)
        if reply:
            replies.append(reply)
    return meter, tuple(replies)


def waited(world: World, scenario: Scenario) -> World:
    """`frame_life_s` went by: whatever lay in a gateway has arrived, whatever was slow shows."""
    old = world.old
    frames = world.orphans + (old.pipe if old else ()) + world.live.pipe
    meter, _ = flush(world.meter.settled(), frames, scenario)
    return world._replace(
        meter=meter._replace(energy_wh=meter.energy_wh + scenario.load_wh),
        orphans=(),
        old=old._replace(pipe=()) if old else None,
        live=world.live._replace(pipe=()),
    )


class Exchange(NamedTuple):
    """One way an exchange can end: the world after it, and the reply or None for a time-out."""

    label: str
    world: World
    reply: Reply | None


def exchanges(world: World, who: str, frame: Frame, scenario: Scenario) -> list[Exchange]:
    """Every way in which `who` ("live" or "old") may fare with one request."""
    process: Process = getattr(world, who)
    ended: list[Exchange] = []

    def end(label: str, meter: Meter, reply: Reply | None, **changes: object) -> None:
        fault = 0 if label == "ok" else 1
        after = process._replace(**changes)  # type: ignore[arg-type]  # names of fields
        repeated = world.repeated or label.startswith("repeated")
        ended.append(
            Exchange(
                label,
                world._replace(
                    meter=meter, faults=world.faults - fault, repeated=repeated, **{who: after}
                ),
                reply,
            )
        )

    meter, stale = flush(world.meter, process.pipe, scenario)
    meter, own = execute(meter, frame, scenario)
    stream = process.late + stale
    clear = {"pipe": (), "late": ()}
    end("ok", meter, matching((*stream, own), frame), **clear)
    if not world.faults:
        return ended
    end("lost request", world.meter, matching(process.late, frame), late=())
    end("lost reply", meter, matching(stream, frame), **clear)
    end("late request", world.meter, None, pipe=(*process.pipe, frame))
    if own:
        end("late reply", meter, matching(stream, frame), pipe=(), late=(own,))
    if frame.kind == "write":
        twice, second = execute(meter, frame, scenario)
        end("repeated", twice, matching((*stream, second), frame), **clear)
        before, _ = flush(world.meter, process.pipe, scenario)
        if not scenario.checked or frame.count == before.count + 1:
            slow = before._replace(slow=(*before.slow, frame))
            end("slow meter", slow, Reply("write"), **clear)
            if scenario.checked and scenario.refuses_aloud:
                end("repeated to a slow meter", slow, Reply("write", refused=True), **clear)
    return ended


def matching(stream: tuple[Reply | None, ...], frame: Frame) -> Reply | None:
    """The first reply of the request's form; whatever came before it is dropped as foreign."""
    return next((reply for reply in stream if reply and reply.kind == frame.kind), None)
