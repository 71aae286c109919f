"""The cashier's process: `python -m … SITE SERIAL LOG FATAL` sells 100 yuan, or dies of it."""

import sys
from pathlib import Path

from engine.config import MoneySection
from engine.services import selling
from models import store
from models.enums import PayKind
from models.people import Operator
from tests.torture.events import Fuse, arm


def main(site: str, serial: str, log: str, fatal: str) -> None:
    arm(Fuse(Path(log), fatal))
    with store.opened(Path(site)):
        by = Operator.get(Operator.name == "李娜")
        selling.sell(serial, 10_000, PayKind.CASH, by, "r1", money=MoneySection())


if __name__ == "__main__":
    main(*sys.argv[1:])
