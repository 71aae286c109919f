"""What is known of a line's health: counters, and how slow its replies are."""

import datetime as dt
from collections import deque
from dataclasses import dataclass

from models.enums import LineState

REPLIES_KEPT = 200


@dataclass(slots=True)
class LineCounters:
    """A line since its link was made."""

    state: LineState = LineState.UNKNOWN
    why: str = ""  # it is down: a catalog code under `line.`
    detail: str = ""  # and its particulars: a gateway's text, an error of the system
    requests: int = 0
    timeouts: int = 0
    crc_errors: int = 0  # times that bytes came which are no good frame
    foreign_frames: int = 0  # good frames nobody waited for
    polls_dropped: int = 0  # because the queue was full
    connections: int = 0
    last_good_at: dt.datetime | None = None
    wire_s: float = 0.0  # time the line was busy with our frames, turnaround included

    @property
    def message(self) -> str:
        """What a gateway said, else the code of why the line is down, else nothing."""
        return self.detail if self.why == "gateway_says" else self.why


class ReplyTimes:
    """How long the newest replies took, those that came too late included."""

    def __init__(self) -> None:
        self._took_s: deque[float] = deque(maxlen=REPLIES_KEPT)

    def add(self, took_s: float) -> None:
        self._took_s.append(took_s)

    @property
    def slowest_s(self) -> float:
        """What 99 of 100 stayed under (p99); 0 before the first."""
        if not self._took_s:
            return 0.0
        left_out = len(self._took_s) // 100
        return sorted(self._took_s)[-1 - left_out]
