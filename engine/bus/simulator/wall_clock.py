"""A pretend meter's own clock: wrong by so much, and gaining or losing so much a day."""

from dataclasses import dataclass

TRUE_OFFSET_MS = 8 * 3_600_000  # local time less Unix time
DAY_S = 86_400


@dataclass(slots=True)
class WallClock:
    """Its wall clock in milliseconds since 1970, as if local time were UTC."""

    offset_ms: int = TRUE_OFFSET_MS  # less Unix time, when it was set
    gain_s: int = 0  # seconds it gains in a day; negative: loses
    set_ms: int = 0  # Unix time

    def local_ms(self, at_ms: int) -> int:
        if not self.gain_s:
            return at_ms + self.offset_ms
        return at_ms + self.offset_ms + (at_ms - self.set_ms) * self.gain_s // DAY_S

    def when(self, local_ms: int) -> int:
        """The first Unix millisecond at which it shows `local_ms` or more."""
        if not self.gain_s:
            return local_ms - self.offset_ms
        since_ms = local_ms - self.offset_ms - self.set_ms
        return self.set_ms - (-since_ms * DAY_S // (DAY_S + self.gain_s))

    def set(self, local_ms: int, at_ms: int) -> None:
        """Set to `local_ms`; it goes on gaining as before."""
        self.offset_ms, self.set_ms = local_ms - at_ms, at_ms

    def set_wrong(self, off_s: int, at_ms: int) -> None:
        """Set to so many seconds before (below 0: behind) the true time."""
        self.offset_ms, self.set_ms = TRUE_OFFSET_MS + off_s * 1000, at_ms

    def set_gain(self, gain_s: int, at_ms: int) -> None:
        """Gain so much a day from now on; what it shows now stays."""
        self.offset_ms = self.local_ms(at_ms) - at_ms
        self.set_ms, self.gain_s = at_ms, gain_s
