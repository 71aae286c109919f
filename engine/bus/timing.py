"""How long things take on an RS485 line: frames, gaps, time-outs."""

from dataclasses import dataclass
from typing import Self

SLOW_TURNAROUND_S = 0.05  # a meter may take this long to begin its reply
LONGEST_REPLY = 101  # bytes: the main block
TIMEOUT_MIN_S, TIMEOUT_MAX_S = 0.3, 2.0
WRITE_TIMEOUT_S = 3.0  # the makers' own tool waits so long
FAST_BAUD, FAST_GAP_S = 19_200, 0.00175  # Modbus over serial line V1.02, 2.5.1.1


@dataclass(frozen=True, slots=True)
class LineTiming:
    """Seconds. A byte is start, 8 data bits, parity if any, and stop bits."""

    byte_s: float
    gap_s: float
    fixed_timeout_s: float | None  # a line's own setting; None: from the frame's length
    write_timeout_s: float = WRITE_TIMEOUT_S

    @classmethod
    def of(
        cls,
        *,
        baud: int,
        parity: str = "N",
        stop_bits: int = 1,
        timeout_ms: int | None = None,
        gap_ms: int | None = None,
    ) -> Self:
        """From a line's settings; what is None follows from the baud rate."""
        byte_s = (9 + (parity != "N") + stop_bits) / baud
        gap_s = FAST_GAP_S if baud > FAST_BAUD else 3.5 * byte_s
        return cls(
            byte_s=byte_s,
            gap_s=gap_s if gap_ms is None else gap_ms / 1000,
            fixed_timeout_s=None if timeout_ms is None else timeout_ms / 1000,
        )

    def wire_s(self, bytes_out: int, bytes_in: int) -> float:
        """What a transaction costs the line apart from the meter's turnaround."""
        return (bytes_out + bytes_in) * self.byte_s + 2 * self.gap_s

    def timeout_s(self, bytes_out: int, bytes_in: int, *, slowest_s: float = 0.0) -> float:
        """How long to wait for a reply of `bytes_in`, from the first byte sent.

        1.5 times the longest usual transaction with a slow turnaround, plus 100 ms, at least
        300 ms: 350 ms at 9600 baud. `slowest_s` is what this line was seen to need (p99):
        twice that where it is more, at most 2 s.
        """
        if self.fixed_timeout_s is not None:
            return self.fixed_timeout_s
        longest_in = max(bytes_in, LONGEST_REPLY)
        usual_s = 1.5 * (self.wire_s(bytes_out, longest_in) + SLOW_TURNAROUND_S) + 0.1
        return max(TIMEOUT_MIN_S, usual_s, min(TIMEOUT_MAX_S, 2 * slowest_s))
