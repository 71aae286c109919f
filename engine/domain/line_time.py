"""How long a verb takes on a line, before it is begun: an estimate from its frames."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.enums import BatchVerb

TURNAROUND_S = 0.03  # until a meter begins its reply, as these usually do
GAP_CHARACTERS = 3.5

Frame = tuple[int, int]  # bytes out, bytes in
FENCE: Frame = (8, 7)
IDENTITY: Frame = (8, 25)
MAIN: Frame = (8, 101)
MONEY: Frame = (8, 61)
SCHEDULES: Frame = (8, 101)
FORCE: Frame = (8, 9)
CLOCK: Frame = (8, 17)
RECOGNISED = (FENCE, IDENTITY)

FRAMES: Mapping[BatchVerb, tuple[Frame, ...]] = {  # one meter that has to be changed
    BatchVerb.PRICE: (*RECOGNISED, MONEY, SCHEDULES, (69, 8), MONEY, SCHEDULES),
    BatchVerb.SETTINGS: (*RECOGNISED, MONEY, FORCE, (69, 8), MONEY, FORCE),
    BatchVerb.CLOCK: (*RECOGNISED, CLOCK, (21, 8), CLOCK),
    BatchVerb.READ: (MAIN,),
    BatchVerb.EXPORT: (MAIN,),
    **dict.fromkeys(
        (BatchVerb.HOLD, BatchVerb.RESUME, BatchVerb.TRIP, BatchVerb.RECONNECT),
        (*RECOGNISED, FORCE, MAIN, (13, 8), FORCE, MAIN),
    ),
}


@dataclass(frozen=True, slots=True)
class Wire:
    """How a line is set."""

    baud: int = 9600
    parity: str = "N"
    stop_bits: int = 1
    gap_ms: int | None = None  # None: 3.5 characters


def meter_s(verb: BatchVerb, wire: Wire) -> float:
    """Seconds that `verb` keeps the line busy with one meter."""
    byte_s = (9 + (wire.parity != "N") + wire.stop_bits) / wire.baud
    gap_s = GAP_CHARACTERS * byte_s if wire.gap_ms is None else wire.gap_ms / 1000
    frames = FRAMES[verb]
    size = sum(out + back for out, back in frames)
    return size * byte_s + len(frames) * (2 * gap_s + TURNAROUND_S)
