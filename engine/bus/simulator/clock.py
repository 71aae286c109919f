"""The pretend site's own time: starts with the wall clock, may run faster, can be moved on."""

from time import monotonic

from engine import clock


class SiteClock:
    """Milliseconds since 1970 as the meters live through them."""

    def __init__(self, *, speed: float = 1.0, start_ms: int | None = None) -> None:
        assert speed >= 0, speed  # 0: stands still but for `move_on`
        wall_ms = int(clock.now().timestamp() * 1000)
        self.speed = speed
        self._start_ms = wall_ms if start_ms is None else start_ms
        self._started = monotonic()

    def now_ms(self) -> int:
        return self._start_ms + int((monotonic() - self._started) * 1000 * self.speed)

    def not_before(self, at_ms: int) -> None:
        """Time never runs back, not even over a restart of a faster site."""
        self._start_ms += max(0, at_ms - self.now_ms())

    def move_on(self, seconds: float) -> None:
        self._start_ms += int(seconds * 1000)
