"""What a second person is asked for, where the next step of a closing needs one."""

import json
from dataclasses import dataclass, replace

from engine.services import accounts, closing_steps, deposits
from engine.services.closing import REASON
from engine.services.closing_steps import Step, Terms
from models.accounts import Installation
from models.cases import Approval
from models.enums import ApprovalState

Given = dict[str, str | int | None]


@dataclass(frozen=True)
class Asked:
    """As `approvals.attempt` takes it. The id makes the command one of the closing's own."""

    verb: str
    given: Given
    request_id: str


def of(number: str, terms: Terms, *, only: str | None = None) -> Asked | None:
    """For the first meter (or the `only` one) that stands before money; None: none does.

    Where no meter is left on the account, for the deposit that is to go back with it.
    """
    terms = replace(terms, why=terms.why or REASON)
    installations = accounts.installations_of(accounts.get(number))
    for installation in installations:
        if only in (None, installation.meter.serial):
            step = closing_steps.look(installation, terms).step
            if (wish := _wish(installation, step, terms)) is not None:
                verb, given = wish
                begun = closing_steps.next_id(installation, step)
                return Asked(verb, given, _request_id(begun, verb, given))
    held_fen = deposits.held_fen(number)
    if not installations and terms.return_deposit and held_fen:
        back: Given = {"number": number, "amount_fen": held_fen, "pay": terms.pay.value}
        return Asked("return_deposit", {**back, "why": terms.why}, f"close-{number}-deposit")
    return None


def _wish(installation: Installation, step: Step, terms: Terms) -> tuple[str, Given] | None:
    serial = installation.meter.serial
    if step is Step.TAKE_OUT and terms.transfer_to:
        moved: Given = {"source": serial, "target": terms.transfer_to, "amount_fen": None}
        return "transfer", {**moved, "why": terms.why}
    if step is Step.TAKE_OUT:
        paid: Given = {"serial": serial, "amount_fen": None, "pay": terms.pay.value}
        return "refund", {**paid, "why": terms.why}
    if step is Step.CLEAR or (step is Step.PAY_ARREARS and terms.write_off):
        return "clear", {"serial": serial, "why": terms.why}
    return None


def _request_id(begun: str, verb: str, given: Given) -> str:
    """The step's own; behind it a number where that was asked with other words, or declined."""
    text = json.dumps(given, sort_keys=True, ensure_ascii=False)
    used = 0
    for each in Approval.select().where(Approval.request_id.startswith(begun)):
        same = (each.verb, each.arguments) == (verb, text)
        if same and each.state in (ApprovalState.WAITING, ApprovalState.APPROVED):
            return str(each.request_id)
        used += 1
    return f"{begun}-{used}" if used else begun
