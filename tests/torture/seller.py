"""The cashier, who may be a process that dies of it: `python -m … SITE SERIAL LOG FATAL`."""

import sys
from pathlib import Path

from engine.config import MoneySection
from engine.services import selling
from models import store
from models.enums import PayKind
from models.people import Operator
from tests.torture.events import Fuse, arm

CASHIER = "李娜"
PAID_FEN = 10_000


def sell(serial: str) -> None:
    """The one sale of a trial; the store is open."""
    by = Operator.get(Operator.name == CASHIER)
    selling.sell(serial, PAID_FEN, PayKind.CASH, by, "r1", money=MoneySection())


def main(site: str, serial: str, log: str, fatal: str) -> None:
    arm(Fuse(Path(log), fatal))
    with store.opened(Path(site)):
        sell(serial)


if __name__ == "__main__":
    main(*sys.argv[1:])
