"""Which units may still send an old reply, and what proves that they no longer do.

A Modbus-RTU reply carries no number of its request: the late reply to one read is the perfect
reply to the next. A unit whose last request was not answered is therefore *suspect*. Before it is
used again the *fence* is read: one register, a length that no reading has. A bus is
first-in-first-out, so after the fence's answer nothing older can come, provided that the answer
is the fence's own. It may not be:

- after a lost fence, or another lost read of the fence's length, a value may be the old one's;
- after any lost read, an exception may be the old one's (gateways send 0B for a silent meter).

Then only time proves: `frame_life_s`, the longest a frame may lie in a gateway, after the lost
request was sent. A unit's doubts outlive a connection.

A new connection is doubtful as a whole: serial servers hand to it what the last one left behind,
perhaps another program's. Whichever unit is used first is fenced; what lay in the gateway comes
before that answer, and the other units need no fence of their own.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fence:
    """The register read as a fence, and how many: of a map's `fence` block, or 0022 × 1."""

    address: int = 0x0022
    count: int = 1


RUN_STATE = Fence()


@dataclass(slots=True)
class _Unit:
    suspect: bool = False  # its last request was not answered
    value_until: float = 0.0  # until then a fence's value may answer an older request
    exception_until: float = 0.0


class Doubts:
    """What is doubtful of each unit of one line. Times are the loop's."""

    def __init__(self, frame_life_s: float) -> None:
        self.frame_life_s = frame_life_s
        self._units: dict[int, _Unit] = {}
        self._proved = False  # something asked on this connection has been answered

    def _of(self, unit: int) -> _Unit:
        return self._units.setdefault(unit, _Unit())

    def unproved(self) -> None:
        """A new connection: whatever the last one left behind may come out of this one."""
        self._proved = False

    def suspect(self, unit: int) -> bool:
        """Must the unit be fenced before it is used?"""
        return not self._proved or self._of(unit).suspect

    def distrust(self, unit: int) -> None:
        """Have the unit fenced before its next request, whatever is known of it."""
        self._of(unit).suspect = True

    def answered(self, unit: int) -> None:
        """Its own reply came: nothing older is under way."""
        self._units[unit] = _Unit()
        self._proved = True

    def lost(self, unit: int, *, sent_at: float, reads: bool, fence_length: bool) -> None:
        """A request was not answered. `reads`: with the fence's function; else nothing it can
        still send looks like a fence's reply. `fence_length`: and as many registers.
        """
        doubt = self._of(unit)
        doubt.suspect = True
        until = sent_at + self.frame_life_s
        if reads:
            doubt.exception_until = max(doubt.exception_until, until)
        if reads and fence_length:
            doubt.value_until = max(doubt.value_until, until)

    def wait_s(self, unit: int, now: float) -> float:
        """How long until a fence can prove anything; 0: now."""
        return max(0.0, self._of(unit).value_until - now)

    def exception_proves(self, unit: int, sent_at: float) -> bool:
        """Is an exception to a fence sent then the fence's own?"""
        return sent_at >= self._of(unit).exception_until
