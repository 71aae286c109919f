"""The only reader of the wall clock and of the boot clock."""

import datetime as dt
import time
from pathlib import Path


def now() -> dt.datetime:
    """The present instant, aware, UTC."""
    return dt.datetime.now(tz=dt.UTC)


def boot_ms() -> int:
    """Milliseconds since this host booted, suspended time included: no clock step moves it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def boot_id() -> str:
    """Names this boot of this host."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
