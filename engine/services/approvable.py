"""What may wait for a second person: each verb by its name, with how it is called.

A new verb is a row of VERBS; its arguments are the function's own, as JSON can hold them.
"""

from collections.abc import Mapping
from typing import Any

from engine.config import Config
from engine.services import (
    clearing,
    commands,
    deciding,
    evidence,
    meters,
    refunding,
    transferring,
)
from engine.services.approvable_accounts import ACCOUNT_VERBS
from engine.services.approvable_batches import BATCH_VERBS
from engine.services.approvable_control import CONTROL_VERBS
from engine.services.wishes import Subject, Verb, Wish
from models.cases import Decision
from models.commands import Command, Transfer
from models.control import Batch
from models.deposits import Deposit
from models.enums import PayKind, TransferPurpose, Verdict
from models.people import Operator


def call(
    verb: str,
    arguments: Mapping[str, Any],
    by: Operator,
    request_id: str,
    *,
    approver: Operator | None,
    config: Config,
) -> Command | None:
    """Raises what the verb raises."""
    return VERBS[verb].run(Wish(arguments, by, request_id, approver, config))


def subject_of(verb: str, arguments: Mapping[str, Any]) -> Subject:
    """Raises NoSuchCommand where it names none."""
    return VERBS[verb].subject(arguments)


def made_by(request_id: str) -> bool:
    """Has the verb of this request id been done?"""
    return any(
        table.select().where(table.request_id == request_id).exists()
        for table in (Command, Transfer, Decision, Deposit, Batch)
    )


def _refund(wish: Wish) -> Command:
    return refunding.refund(
        wish.given["serial"],
        wish.given["amount_fen"],
        PayKind(wish.given["pay"]),
        wish.given["why"],
        wish.by,
        wish.request_id,
        money=wish.config.money,
        approver=wish.approver,
    )


def _reverse(wish: Wish) -> Command:
    return refunding.reverse(
        wish.given["command_id"],
        wish.given["why"],
        wish.by,
        wish.request_id,
        money=wish.config.money,
        approver=wish.approver,
    )


def _transfer(wish: Wish) -> Command:
    """The command is the first leg; the second follows by itself."""
    transfer = transferring.begin(
        wish.given["source"],
        wish.given["target"],
        wish.given["amount_fen"],
        wish.given["why"],
        wish.by,
        wish.request_id,
        money=wish.config.money,
        purpose=TransferPurpose(wish.given.get("purpose") or TransferPurpose.MOVE),
        approver=wish.approver,
    )
    return transferring.legs_of(transfer)[0]


def _clear(wish: Wish) -> Command:
    return clearing.clear(
        wish.given["serial"],
        wish.given["why"],
        wish.by,
        wish.request_id,
        money=wish.config.money,
        approver=wish.approver,
    )


def _decide(wish: Wish) -> Command:
    return deciding.decide(
        wish.given["command_id"],
        Verdict(wish.given["verdict"]),
        wish.given["why"],
        wish.by,
        wish.request_id,
        zone=wish.config.site.zone,
        approver=wish.approver,
    )


def _free(wish: Wish) -> None:
    deciding.free(
        wish.given["serial"], wish.given["why"], wish.by, wish.request_id, approver=wish.approver
    )


def _of_command(given: Mapping[str, Any]) -> Subject:
    command = commands.get(given["command_id"])
    return Subject(command.serial, command.amount_fen + command.fee_fen)


def _of_meter(given: Mapping[str, Any]) -> Subject:
    """The amount given, or all that the meter holds; arrears count as what is written off."""
    serial = given.get("source") or given["serial"]
    amount_fen = given.get("amount_fen")
    if amount_fen is None:
        amount_fen = abs(meters.known_balance_fen(meters.living(serial)) or 0)
    return Subject(serial, amount_fen)


def _of_stopped(given: Mapping[str, Any]) -> Subject:
    """By how much the books will be adjusted."""
    serial = given["serial"]
    return Subject(serial, abs(evidence.difference_fen(meters.living(serial)) or 0))


VERBS: dict[str, Verb] = {
    "refund": Verb(_refund, _of_meter),
    "reverse": Verb(_reverse, _of_command),
    "transfer": Verb(_transfer, _of_meter),
    "clear": Verb(_clear, _of_meter),
    "decide": Verb(_decide, _of_command),
    "free": Verb(_free, _of_stopped),
    **ACCOUNT_VERBS,
    **BATCH_VERBS,
    **CONTROL_VERBS,
}
