"""Load control (负控) of a pretend meter: limits and allowed trips by phase, one trip for all."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from engine.bus.simulator.trades import noise


@dataclass(slots=True)
class PhaseLoad:
    """What one phase's registers hold (0480); what has no meaning here is kept as it was sent."""

    enabled: bool = False
    limit_w: int = 0  # secondary: load control knows nothing of ratios (inferred)
    malignant_step: int = 0
    malignant_factor: int = 0
    unnamed_word: int = 0
    trips_max: int = 10  # 0: any number
    recovery_min: int = 5
    unnamed_byte: int = 0


@dataclass(slots=True)
class Overload:
    """Settings by phase; tripping, and the count of trips, of the whole meter."""

    phases: list[PhaseLoad] = field(default_factory=lambda: [PhaseLoad()])
    trips: int = 0
    recover_at_ms: int | None = None  # tripped until then; with no trips left, until reset

    @property
    def enabled(self) -> bool:
        return any(phase.enabled for phase in self.phases)

    @enabled.setter
    def enabled(self, on: bool) -> None:
        for phase in self.phases:
            phase.enabled = on

    @property
    def limit_w(self) -> int:
        """Of all phases together."""
        return sum(phase.limit_w for phase in self.phases)

    @limit_w.setter
    def limit_w(self, limit_w: int) -> None:
        for phase in self.phases:
            phase.limit_w = limit_w // len(self.phases)

    @property
    def trips_max(self) -> int:
        """The smallest of the phases', as every trip is of all of them; 0: any number."""
        looked_at = [phase for phase in self.phases if phase.enabled] or self.phases
        return min((phase.trips_max for phase in looked_at if phase.trips_max), default=0)

    @trips_max.setter
    def trips_max(self, trips_max: int) -> None:
        for phase in self.phases:
            phase.trips_max = trips_max

    @property
    def recovery_min(self) -> int:
        return max(phase.recovery_min for phase in self.phases)

    @recovery_min.setter
    def recovery_min(self, recovery_min: int) -> None:
        for phase in self.phases:
            phase.recovery_min = recovery_min

    @property
    def locked_out(self) -> bool:
        return self.trips >= self.trips_max > 0

    def over(self, power_w: int, ratio: int, seed: int) -> PhaseLoad | None:
        """The first phase whose share of `power_w` (primary) is above its limit."""
        for phase, share_pm in zip(self.phases, shares_pm(seed, len(self.phases)), strict=True):
            if phase.enabled and power_w * share_pm > phase.limit_w * ratio * 1000:
                return phase
        return None

    def reset(self, trips: int) -> None:
        """A new count of trips; a meter that has some left comes back at once."""
        self.trips = trips
        if not self.locked_out:
            self.recover_at_ms = None


def remembered(kept: dict[str, Any], phase_count: int) -> Overload:
    """From a meter's memory, also one from before limits were kept by phase."""
    if "phases" in kept:
        phases = [PhaseLoad(**each) for each in kept["phases"]]
        return Overload(phases, trips=kept["trips"], recover_at_ms=kept["recover_at_ms"])
    made = Overload([PhaseLoad() for _ in range(phase_count)])
    for name, value in kept.items():
        setattr(made, name, value)
    return made


@cache
def shares_pm(seed: int, phase_count: int) -> tuple[int, ...]:
    """How a meter's power lies on its phases, in thousandths: about a third each, never quite."""
    first = [1000 // phase_count - 40 + noise(seed, place) % 81 for place in range(phase_count - 1)]
    return (*first, 1000 - sum(first))
