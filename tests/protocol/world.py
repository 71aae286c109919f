"""The model's world: the meters, the way to them, what is on disk, and what may go wrong."""

from decimal import Decimal
from typing import NamedTuple

from engine.domain.counted import PurchaseState

PRICE = Decimal("1.2")  # yuan/kWh: what a meter deducts by and what was read back from it
ENERGY_STEP_WH = 10  # one count of the energy register
START_COUNT = 5


class Order(NamedTuple):
    """One counted command, or one leg of a transfer."""

    kind: str = "sell"
    # sell, credit (of what order `after` took out): a purchase, a delta with the new count;
    # refund, reverse (order `after`, a sale), whole (all there is): an absolute balance
    amount_fen: int = 1_000
    meter: int = 0
    after: int | None = None  # only where that order was applied

    @property
    def lowers(self) -> bool:
        return self.kind in ("refund", "reverse", "whole")


class Scenario(NamedTuple):
    """What does not change in a run."""

    checked: bool = True  # refuses a count that is not stored + 1; a blind one adds what arrives
    refuses_aloud: bool = True  # by an exception; else by silence
    load_wh: int = 0  # used at every read and during every wait
    orders: tuple[Order, ...] = (Order(),)  # one after the other
    start_fen: int = 3_000  # in each meter
    foreign_fen: tuple[int, ...] = (1_000, 700)  # another seller's amounts: ours, and another
    writes_max: int = 2
    known: bool = False  # the books know which count they will find
    one_line: bool = False  # all meters hang on one gateway's line; else each on its own

    @property
    def meters(self) -> int:
        return 1 + max(order.meter for order in self.orders)


class Frame(NamedTuple):
    kind: str  # fence, read, write (a purchase), set (a balance)
    order: int = -1
    count: int = 0
    fen: int = 0  # what to add, or the balance to be
    meter: int = 0


ANSWER = {"fence": "fence", "read": "read", "write": "write", "set": "write"}  # one function code


class Reply(NamedTuple):
    kind: str  # by unit, function and length a client can tell no more
    refused: bool = False
    seen: PurchaseState | None = None
    meter: int = 0


class Meter(NamedTuple):
    start_fen: int
    count: int
    moved: tuple[int, ...]  # what the frames of each order have put in, or (below 0) taken out
    foreign_fen: int = 0
    energy_wh: int = 0  # what was used; its register shows whole steps
    slow: tuple[Frame, ...] = ()  # taken in, shown only when it has settled

    @property
    def balance_fen(self) -> int:
        cost_fen = int(self.energy_wh * PRICE / 10)
        return self.start_fen + sum(self.moved) + self.foreign_fen - cost_fen

    def state(self) -> PurchaseState:
        return PurchaseState(
            count=self.count,
            balance_fen=self.balance_fen,
            energy_wh=self.energy_wh // ENERGY_STEP_WH * ENERGY_STEP_WH,
        )

    def obeyed(self, frame: Frame) -> "Meter":
        moved = list(self.moved)
        if frame.kind == "set":
            moved[frame.order] += frame.fen - self.balance_fen
            return self._replace(moved=tuple(moved))
        moved[frame.order] += frame.fen
        return self._replace(count=frame.count, moved=tuple(moved))

    def settled(self) -> "Meter":
        meter = self._replace(slow=())
        for frame in self.slow:
            meter = meter.obeyed(frame)
        return meter


Meters = tuple[Meter, ...]


class Process(NamedTuple):
    """One engine process: where it stands, and what it will forget when it dies."""

    at: str = "quiet"
    order: int = 0
    suspect: bool = True  # a reply was missed: nothing it hears now is believed before a fence
    sent: bool = False  # it believes that a frame of this order may have left
    base: PurchaseState | None = None
    writes: int = 0
    refused: bool = False
    unchanged: bool = False  # the first of two looks showed nothing
    buried: bool = False  # the waiting was done when the frame's sender was already dead
    seen: PurchaseState | None = None
    pipe: tuple[Frame, ...] = ()  # requests that lie in the gateway
    late: tuple[Reply, ...] = ()  # replies that will come after the next request


class Done(NamedTuple):
    """How an order ended, and what the ledger holds of it."""

    outcome: str  # applied, refused, suspense
    amount_fen: int = 0
    count: int = 0


class Disk(NamedTuple):
    """The command's row; `sender` is told from the live engine's side."""

    state: str = "queued"
    sender: str = "none"  # none, me, old (another process, alive), dead
    base: PurchaseState | None = None
    writes: int = 0
    done: tuple[Done, ...] = ()


class World(NamedTuple):
    meters: Meters
    disk: Disk
    live: Process  # holds the lease
    faults: int  # how many may still happen
    old: Process | None = None  # lost the lease while it was paused
    old_runs: bool = False
    orphans: tuple[Frame, ...] = ()  # in the gateway, of connections nobody waits on
    foreign: bool = False  # another hand was at a meter
    repeated: bool = False  # a gateway sent one of our writes twice


def beginning(scenario: Scenario, faults: int) -> World:
    moved = (0,) * len(scenario.orders)
    meter = Meter(scenario.start_fen, START_COUNT, moved)
    return World((meter,) * scenario.meters, Disk(), Process(), faults)


def altered(meters: Meters, number: int, meter: Meter) -> Meters:
    return (*meters[:number], meter, *meters[number + 1 :])


def execute(meters: Meters, frame: Frame, scenario: Scenario) -> tuple[Meters, Reply | None]:
    """A whole frame has reached its meter."""
    number, meter = frame.meter, meters[frame.meter]
    match frame.kind:
        case "fence":
            return meters, Reply("fence", meter=number)
        case "read":
            meter = meter._replace(energy_wh=meter.energy_wh + scenario.load_wh)
            return altered(meters, number, meter), Reply("read", seen=meter.state(), meter=number)
        case "write" if scenario.checked and frame.count != meter.count + 1:
            refusal = Reply("write", refused=True, meter=number)
            return meters, refusal if scenario.refuses_aloud else None
    return altered(meters, number, meter.obeyed(frame)), Reply("write", meter=number)


def flush(
    meters: Meters, frames: tuple[Frame, ...], scenario: Scenario
) -> tuple[Meters, tuple[Reply, ...]]:
    """Frames that lay in the gateway reach their meters, in their order."""
    replies = []
    for frame in frames:
        meters, reply = execute(meters, frame, scenario)
        if reply:
            replies.append(reply)
    return meters, tuple(replies)


def waited(world: World, scenario: Scenario) -> World:
    """`frame_life_s` went by: whatever lay in a gateway has arrived, whatever was slow shows."""
    old = world.old
    frames = world.orphans + (old.pipe if old else ()) + world.live.pipe
    meters, _ = flush(time_passes(world.meters, 0), frames, scenario)
    return world._replace(
        meters=time_passes(meters, scenario.load_wh),
        orphans=(),
        old=old._replace(pipe=()) if old else None,
        live=world.live._replace(pipe=()),
    )


def time_passes(meters: Meters, load_wh: int) -> Meters:
    """What was slow shows; something is used."""
    settled = (meter.settled() for meter in meters)
    return tuple(meter._replace(energy_wh=meter.energy_wh + load_wh) for meter in settled)


class Exchange(NamedTuple):
    """One way an exchange can end: the world after it, and the reply or None for a time-out."""

    label: str
    world: World
    reply: Reply | None


def exchanges(world: World, who: str, frame: Frame, scenario: Scenario) -> list[Exchange]:
    """Every way in which `who` ("live" or "old") may fare with one request."""
    process: Process = getattr(world, who)
    ended: list[Exchange] = []

    def end(label: str, meters: Meters, reply: Reply | None, **changes: object) -> None:
        fault = 0 if label == "ok" else 1
        after = process._replace(**changes)  # type: ignore[arg-type]  # names of fields
        repeated = world.repeated or label.startswith("repeated")
        ended.append(
            Exchange(
                label,
                world._replace(
                    meters=meters, faults=world.faults - fault, repeated=repeated, **{who: after}
                ),
                reply,
            )
        )

    pipe, rest = process.pipe, ()
    late, later = process.late, ()
    if scenario.meters > 1 and not scenario.one_line:  # what lies in another line stays there
        pipe, rest = parted(process.pipe, frame.meter)
        late, later = parted(process.late, frame.meter)
    before, stale = flush(world.meters, pipe, scenario)
    meters, own = execute(before, frame, scenario)
    stream = late + stale
    clear = {"pipe": rest, "late": later}
    end("ok", meters, matching((*stream, own), frame), **clear)
    if not world.faults:
        return ended
    end("lost request", world.meters, matching(late, frame), late=later)
    end("lost reply", meters, matching(stream, frame), **clear)
    end("late request", world.meters, None, pipe=(*process.pipe, frame))
    if own:
        end("late reply", meters, matching(stream, frame), pipe=rest, late=(*later, own))
    if frame.kind == "write":
        twice, second = execute(meters, frame, scenario)
        end("repeated", twice, matching((*stream, second), frame), **clear)
        if not scenario.checked or frame.count == before[frame.meter].count + 1:
            slow = slowed(before, frame)
            end("slow meter", slow, Reply("write", meter=frame.meter), **clear)
            if scenario.checked and scenario.refuses_aloud:
                refusal = Reply("write", refused=True, meter=frame.meter)
                end("repeated to a slow meter", slow, refusal, **clear)
    if frame.kind == "set":
        refusal = Reply("write", refused=True, meter=frame.meter)
        slow = slowed(before, frame)
        end("refused", before, matching((*stream, refusal), frame), **clear)
        end("repeated and refused", meters, matching((*stream, refusal), frame), **clear)
        end("slow meter", slow, Reply("write", meter=frame.meter), **clear)
        end("repeated to a slow meter", slow, refusal, **clear)
    return ended


def slowed(meters: Meters, frame: Frame) -> Meters:
    meter = meters[frame.meter]
    return altered(meters, frame.meter, meter._replace(slow=(*meter.slow, frame)))


def parted(things: tuple, meter: int) -> tuple[tuple, tuple]:
    """(those of `meter`, the others)."""
    here = tuple(thing for thing in things if thing.meter == meter)
    return here, tuple(thing for thing in things if thing.meter != meter)


def matching(stream: tuple[Reply | None, ...], frame: Frame) -> Reply | None:
    """The first reply of the request's form; whatever came before it is dropped as foreign."""
    return next(
        (
            reply
            for reply in stream
            if reply and (reply.kind, reply.meter) == (ANSWER[frame.kind], frame.meter)
        ),
        None,
    )
