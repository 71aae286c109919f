"""What of accounts may wait for a second person: a closing, a deposit, a hand reading."""

from collections.abc import Mapping
from typing import Any

from engine.services import accounts, closing, deposits, exchanges, meters
from engine.services.wishes import Subject, Verb, Wish
from models.enums import PayKind


def _close(wish: Wish) -> None:
    """The steps that can be done now; whoever closes goes on with those that need nobody else."""
    given = wish.given
    closing.advance(
        given["number"],
        wish.by,
        money=wish.config.money,
        zone=wish.config.site.zone,
        pay=PayKind(given["pay"]),
        why=given["why"],
        transfer_to=given.get("transfer_to"),
        write_off=bool(given.get("write_off")),
        return_deposit=bool(given.get("return_deposit")),
        approver=wish.approver,
    )


def _of_tenant(given: Mapping[str, Any]) -> Subject:
    """All that the tenant's meters hold, with the deposit where that goes back too."""
    found = [each.meter for each in accounts.installations_of(accounts.get(given["number"]))]
    amount_fen = sum(abs(meters.known_balance_fen(meter) or 0) for meter in found)
    if given.get("return_deposit"):
        amount_fen += deposits.held_fen(given["number"])
    return Subject(found[0].serial if found else "", amount_fen)


def _return_deposit(wish: Wish) -> None:
    given = wish.given
    deposits.return_deposit(
        given["number"],
        given["amount_fen"],
        PayKind(given["pay"]),
        given["why"],
        wish.by,
        wish.request_id,
        money=wish.config.money,
        approver=wish.approver,
    )


def _of_deposit(given: Mapping[str, Any]) -> Subject:
    found = accounts.installations_of(accounts.get(given["number"]))
    return Subject(found[0].meter.serial if found else "", given["amount_fen"])


def _hand_reading(wish: Wish) -> None:
    """The last values of an old meter that does not answer; `why` names the sheet or photo."""
    given = wish.given
    found = exchanges.get(given["exchange_id"])
    told = (found.by_hand, found.final_energy_wh, found.final_balance_fen, found.approver)
    if told == (True, given["energy_wh"], given["balance_fen"], wish.approver):
        return  # done before a crash, and not written down with the request
    exchanges.by_hand(
        given["exchange_id"],
        given["energy_wh"],
        given["balance_fen"],
        given["why"],
        wish.by,
        zone=wish.config.site.zone,
        approver=wish.approver,
    )


def _of_exchange(given: Mapping[str, Any]) -> Subject:
    return Subject(exchanges.get(given["exchange_id"]).old.serial, abs(given["balance_fen"]))


ACCOUNT_VERBS: dict[str, Verb] = {
    "close": Verb(_close, _of_tenant),
    "hand_reading": Verb(_hand_reading, _of_exchange),
    "return_deposit": Verb(_return_deposit, _of_deposit),
}
