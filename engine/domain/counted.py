"""The counted command, without a wire or a database: what a read-back proves, and what may follow.

The executor does what `next_step` says; the exhaustive model of the protocol in
tests/protocol drives the very same functions. Rules: docs/money.md.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

from engine.domain.units import cost_fen_max

COUNT_MAX = 65_000  # the register is a u16; how it wraps is not known (reference Q14)
SETTLE_S = 3.0  # a meter that shows nothing is asked again after this: both must agree
CHECK_AFTER_S = (2, 5, 15, 60)  # read-backs of an unknown command, then each minute


@dataclass(frozen=True, slots=True)
class PurchaseState:
    """What decides: purchase count, balance and energy, from one read of the main block."""

    count: int
    balance_fen: int
    energy_wh: int


class Verdict(Enum):
    APPLIED = auto()
    NOT_APPLIED = auto()
    SUSPENSE = auto()


def tolerance_fen(
    base: PurchaseState, seen: PurchaseState, *, price_max: Decimal, energy_step_wh: int
) -> int:
    """What the meter may have deducted between two reads: use plus one counter step, plus 1 fen.

    `price_max` (yuan/kWh) is the highest price read back from this meter, `energy_step_wh`
    one count of its energy register times PT and CT.
    """
    used_wh = max(0, seen.energy_wh - base.energy_wh)
    return cost_fen_max(used_wh + energy_step_wh, price_max) + 1


def judge(base: PurchaseState, seen: PurchaseState, *, amount_fen: int, tolerance: int) -> Verdict:
    """What a read-back says of a purchase of `amount_fen` that was to make count `base.count` + 1.

    The amount must have arrived whole, less at most `tolerance` (fen) used meanwhile; with the
    count unmoved the balance must not have risen. Everything else is suspense: another's
    purchase, a corrupt write, a reset, another meter.
    """
    rise_fen = seen.balance_fen - base.balance_fen
    if seen.energy_wh < base.energy_wh:
        return Verdict.SUSPENSE
    if seen.count == base.count + 1 and amount_fen - tolerance <= rise_fen <= amount_fen:
        return Verdict.APPLIED
    if seen.count == base.count and -tolerance <= rise_fen <= 0:
        return Verdict.NOT_APPLIED
    return Verdict.SUSPENSE


def judge_set(
    base: PurchaseState, seen: PurchaseState, *, target_fen: int, tolerance: int
) -> Verdict:
    """What a read-back says of a balance that was to become `target_fen`, the count left alone.

    Less at most `tolerance` (fen) used meanwhile. Where use alone may explain what is seen as
    well as the write does, nothing is proved: suspense, as for everything else.
    """
    if seen.count != base.count or seen.energy_wh < base.energy_wh:
        return Verdict.SUSPENSE
    applied = target_fen - tolerance <= seen.balance_fen <= target_fen
    unchanged = base.balance_fen - tolerance <= seen.balance_fen <= base.balance_fen
    if applied == unchanged:
        return Verdict.SUSPENSE
    return Verdict.APPLIED if applied else Verdict.NOT_APPLIED


def provable(base_fen: int, target_fen: int, *, tolerance: int) -> bool:
    """Can a read-back tell the balance before from the one after?"""
    return abs(base_fen - target_fen) > tolerance


class Step(Enum):
    """What the executor does next with a command that has been sent."""

    CONFIRM = auto()  # post the credit, issue the receipt
    SUSPEND = auto()  # freeze the meter, keep for a person
    LOOK_AGAIN = auto()  # read back once more, SETTLE_S later
    REWRITE = auto()  # once more: the same seq and amount; lowering: a target from what was seen
    REFUSE = auto()  # provably not in the meter: give the money back
    KEEP = auto()  # stays unknown, read back on the schedule


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a sent command when a read-back has been judged (None: no answer)."""

    verdict: Verdict | None
    seen_unchanged_twice: bool  # NOT_APPLIED now and SETTLE_S or more ago, with no write between;
    # where another process wrote: both looks frame_life_s or more after it was found dead
    refused_by_meter: bool  # an exception reply to the last write, by this process
    writes: int  # frames of this seq that may have left
    writes_max: int
    sole_sender: bool  # every such frame was sent by this process, or its sender is provably dead


def next_step(evidence: Evidence) -> Step:
    """The one place that decides. An unanswered question is never answered by a guess.

    A refusal alone gives no money back: a gateway that repeats a frame by itself passes on the
    exception to the second, while the first was obeyed. The read-back must agree.
    """
    refused = evidence.refused_by_meter and evidence.writes == 1
    match evidence.verdict:
        case None:
            return Step.KEEP
        case Verdict.SUSPENSE:
            return Step.SUSPEND
        case Verdict.APPLIED:
            return Step.SUSPEND if refused else Step.CONFIRM
    if not evidence.seen_unchanged_twice:
        return Step.LOOK_AGAIN
    if refused:
        return Step.REFUSE
    if not evidence.sole_sender:
        return Step.KEEP
    return Step.REWRITE if evidence.writes < evidence.writes_max else Step.REFUSE


def check_delay_s(checks: int) -> int:
    """Seconds to the next read-back of an unknown command after `checks` without an answer."""
    return CHECK_AFTER_S[min(checks, len(CHECK_AFTER_S) - 1)]


def over_ceiling(balance_fen: int, amount_fen: int, *, ceiling_fen: int) -> bool:
    """Would the meter hold more than it may hoard (囤积)? Asked at the sale and at the write."""
    return balance_fen + amount_fen > ceiling_fen
