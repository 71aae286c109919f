"""The cashier, who may be a process that dies of it: `python -m … SITE VERB SERIAL LOG FATAL`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.config import MoneySection
from engine.services import clearing, refunding, selling, transferring
from models import store
from models.commands import Command
from models.enums import PayKind
from models.people import Operator
from tests.torture.events import Fuse, arm

CASHIER = "李娜"
PAID_FEN, TAKEN_FEN = 10_000, 3_000
MONEY = MoneySection()
WHY = "搬走"


@dataclass(frozen=True)
class Verb:
    """What is asked once, of a meter that holds `held_fen`; and what is in it when it is done."""

    ask: Callable[[str, Operator], object]
    held_fen: int
    left_fen: int
    payable_fen: int = 0
    carried_fen: int = 0  # in the other meter


def _sell(serial: str, by: Operator) -> object:
    return selling.sell(serial, PAID_FEN, PayKind.CASH, by, "r1", money=MONEY)


def _refund(serial: str, by: Operator) -> object:
    return refunding.refund(serial, TAKEN_FEN, PayKind.CASH, WHY, by, "r1", money=MONEY)


def _reverse(serial: str, by: Operator) -> object:
    sale = Command.get(Command.serial == serial, Command.request_id == "r0")
    return refunding.reverse(sale.id, WHY, by, "r1", money=MONEY)


def _transfer(serial: str, by: Operator) -> object:
    (other,) = (each for each in SERIALS.values() if each != serial)
    return transferring.begin(serial, other, TAKEN_FEN, WHY, by, "r1", money=MONEY)


def _clear(serial: str, by: Operator) -> object:
    return clearing.clear(serial, WHY, by, "r1", money=MONEY)


SERIALS = {"checked": "202611230001", "blind": "202611230002"}
VERBS = {
    "sell": Verb(_sell, held_fen=0, left_fen=PAID_FEN),
    "refund": Verb(_refund, held_fen=5_000, left_fen=2_000, payable_fen=TAKEN_FEN),
    "reverse": Verb(_reverse, held_fen=12_500, left_fen=2_500, payable_fen=PAID_FEN),
    "transfer": Verb(_transfer, held_fen=5_000, left_fen=2_000, carried_fen=TAKEN_FEN),
    "clear": Verb(_clear, held_fen=77, left_fen=0),
}


def ask(verb: str, serial: str) -> None:
    """The one wish of a trial; the store is open."""
    VERBS[verb].ask(serial, Operator.get(Operator.name == CASHIER))


def main(site: str, verb: str, serial: str, log: str, fatal: str) -> None:
    arm(Fuse(Path(log), fatal))
    with store.opened(Path(site)):
        ask(verb, serial)


if __name__ == "__main__":
    main(*sys.argv[1:])
