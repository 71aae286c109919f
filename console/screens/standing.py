"""How far the meters are that leave their tenant, and how it was agreed to be done."""

from dataclasses import dataclass

from engine.services import closing, commands, refunding
from engine.services.closing_steps import MeterPlan, Step
from models.enums import CommandKind, PayKind

STEP_OF = {  # which step a command under way belongs to
    CommandKind.READ: Step.READ,
    CommandKind.SELL: Step.PAY_ARREARS,
    CommandKind.CLEAR: Step.CLEAR,
    CommandKind.TRIP: Step.TRIP,
}
TOO_LITTLE = "too_little"


@dataclass(frozen=True)
class Way:
    """How it is done, as the operator said once for all meters."""

    why: str = ""
    pay: PayKind = PayKind.CASH
    transfer_to: str | None = None
    keep: bool = False
    write_off: bool = False
    return_deposit: bool = False


@dataclass(frozen=True)
class Standing:
    """How far it is; `waits` says for which step a meter waits."""

    meters: tuple[MeterPlan, ...]
    waits: dict[str, Step]
    deposit_fen: int
    payable: tuple[tuple[int, int], ...]  # command and fen: out of the meter, not paid out yet
    done: bool

    @property
    def left_fen(self) -> int | None:
        """What all meters hold together; None where one was never read."""
        known = [meter.balance_fen for meter in self.meters]
        return None if None in known else sum(fen for fen in known if fen is not None)

    @property
    def payable_fen(self) -> int:
        return sum(fen for _, fen in self.payable)

    @property
    def owes(self) -> bool:
        return any(meter.step is Step.PAY_ARREARS for meter in self.meters)

    @property
    def stopped(self) -> bool:
        return any(map(failed, self.meters))

    def may_go_on(self, way: Way) -> bool:
        """Is there a step that needs neither a person nor an answer that is still awaited?"""
        waiting = (Step.WAIT,) if way.write_off else (Step.WAIT, Step.PAY_ARREARS)
        waits = bool(self.meters) and all(meter.step in waiting for meter in self.meters)
        return not (self.done or self.stopped or waits)


def standing(number: str, *, only: str | None = None, keep: bool = False) -> Standing:
    """Of all meters of a tenant; or of one, which is done when it is the tenant's no more."""
    plan = closing.plan(number, keep=keep)
    meters = tuple(meter for meter in plan.meters if only in (None, meter.serial))
    waits = {}
    for meter in meters:
        if meter.step is Step.WAIT:
            kind = None if meter.command is None else commands.get(meter.command).kind
            waits[meter.serial] = STEP_OF.get(kind, Step.TAKE_OUT) if kind else Step.TAKE_OUT
    payable = tuple((command.id, refunding.payable_fen(command)) for command in plan.payable)
    done = plan.closed if only is None else not meters
    return Standing(meters, waits, plan.deposit_fen, payable, done)


def failed(meter: MeterPlan) -> bool:
    """Does a person have to look? Too little for a refund is not that: it is cleared instead."""
    return meter.reason not in (None, TOO_LITTLE)
