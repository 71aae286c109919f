"""Installation, failed attempts and status bits -> the state, flags and relay an operator sees."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.enums import Flag, MeterState, Relay

FLAG_RANK = (  # which is told where there is room for one: danger, the relay, money, the rest
    Flag.LOCKED_OUT,
    Flag.FAULT,
    Flag.OVERLOAD_LOCKED,
    Flag.OVERLOAD,
    Flag.FORCED_OFF,
    Flag.UNKNOWN_COMMAND,
    Flag.DRIFT,
    Flag.QUARANTINED,
    Flag.PREPAY_OFF,
    Flag.FORCED_ON,
    Flag.TEMPORARY,
    Flag.SETTINGS_DRIFT,
    Flag.PROTECTED,
)
LOST_AFTER = 3  # failed attempts in a row; the 2nd and 3rd come 30 s and 60 s after the first


@dataclass(frozen=True, slots=True)
class StatusBits:
    """Status words 0224 and 0225 (reference section 3), with the phases that have a relay."""

    word1: int
    word2: int
    phases: int  # 1 (DDSY: only L1) or 3

    @property
    def _mask(self) -> int:
        return (1 << self.phases) - 1

    def _bit(self, word: int, bit: int) -> bool:
        return bool(word >> bit & 1)

    @property
    def force_active(self) -> bool:
        return self._bit(self.word1, 3)

    @property
    def force_outputs(self) -> int:
        return self.word1 & self._mask

    @property
    def over_limit(self) -> bool:
        return self._bit(self.word1, 4)

    @property
    def arrears(self) -> bool:
        return self._bit(self.word1, 5)

    @property
    def alarm1(self) -> bool:
        return self._bit(self.word1, 6)

    @property
    def alarm2(self) -> bool:
        return self._bit(self.word1, 7)

    @property
    def fault(self) -> bool:
        return self._bit(self.word1, 8)

    @property
    def relays(self) -> int:
        return self.word1 >> 13 & self._mask

    @property
    def money_control(self) -> bool:
        return self._bit(self.word2, 3)

    @property
    def load_active(self) -> bool:
        return self._bit(self.word2, 11)

    @property
    def time_active(self) -> bool:
        return self._bit(self.word2, 7)

    @property
    def time_tripped(self) -> bool:
        return self.time_active and not self.word2 >> 4 & self._mask

    @property
    def load_tripped(self) -> bool:
        return self._bit(self.word2, 11) and not self.word2 >> 8 & self._mask

    @property
    def relay(self) -> Relay:
        """Closed only where every phase is: a half-open meter is shown as open."""
        return Relay.CLOSED if self.relays == self._mask else Relay.OPEN


def meter_state(*, opened: bool, failed_attempts: int, status: StatusBits | None) -> MeterState:
    """The one state an operator sees. The ledger decides *opened*; the meter's own bits the rest.

    `status` is from the last good read, None where there was none. Source: meter reference,
    section 7 (register 0224, bits 5 to 7).
    """
    if not opened:
        return MeterState.NOT_OPENED
    if failed_attempts >= LOST_AFTER or status is None:
        return MeterState.LOST
    if status.arrears:
        return MeterState.ARREARS
    if status.alarm2:
        return MeterState.ALARM2
    return MeterState.ALARM1 if status.alarm1 else MeterState.NORMAL


def foremost(flags: Iterable[Flag]) -> Flag | None:
    """The one that matters most; None where there is none."""
    return min(flags, key=FLAG_RANK.index, default=None)


def by_rank(flags: Iterable[Flag]) -> list[Flag]:
    return sorted(flags, key=FLAG_RANK.index)


def status_flags(
    status: StatusBits, *, overload_trips: int | None, overload_trips_max: int | None
) -> frozenset[Flag]:
    """Flags the meter's own words give (reference section 7)."""
    flags = set()
    if status.over_limit or status.load_tripped:
        flags.add(Flag.OVERLOAD)
    if status.force_active:
        flags.add(Flag.FORCED_ON if status.force_outputs else Flag.FORCED_OFF)
    if status.fault:
        flags.add(Flag.FAULT)
    if not status.money_control:
        flags.add(Flag.PREPAY_OFF)
    if overload_trips and overload_trips_max and overload_trips >= overload_trips_max:
        flags.add(Flag.OVERLOAD_LOCKED)
    return frozenset(flags)
