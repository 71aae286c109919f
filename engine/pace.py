"""How often the engine looks and how long it waits; a test turns the same engine faster."""

from dataclasses import dataclass

from engine.domain.counted import SETTLE_S


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `settle_s` is a rule of money and only a test may shorten it."""

    tick_s: float = 10.0  # between two looks at who is due; at most 20
    notice_s: float = 0.25  # until a command of another process is noticed
    agenda_s: float = 0.5  # between two looks at what falls due by the clock
    print_s: float = 0.5  # between two looks at the outbox of receipts
    health_s: float = 1.0  # between two rows of a line's health
    settle_s: float = SETTLE_S  # a meter that shows nothing is asked again after this
    lease_s: float = 8.0  # an engine that is silent for so long has lost the site
    renew_s: float = 2.0
    stand_by_s: float = 0.2  # between two tries for a lease that another holds
    rebuild_s: float = 1.0  # before a line whose task failed is built anew
    stuck_s: float = 60.0  # a line with work that asks nothing for so long is built anew
