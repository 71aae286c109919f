"""What of accounts may wait for a second person: a deposit, a hand reading."""

from collections.abc import Mapping
from typing import Any

from engine.services import accounts, deposits, exchanges
from engine.services.wishes import Subject, Verb, Wish
from models.enums import PayKind


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
    "hand_reading": Verb(_hand_reading, _of_exchange),
    "return_deposit": Verb(_return_deposit, _of_deposit),
}
