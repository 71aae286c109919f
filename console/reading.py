"""Fresh reads asked for by a key, and what became of them."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from console import words
from console.screens.place import Speaks
from console.work import ask, follow
from engine.i18n import t
from engine.services import commands
from engine.views.meters import MeterRow
from models.commands import Command
from models.enums import CommandState

READ_EXPIRES_S = 60  # an answer later than this is no longer "now"
AT_ONCE_MAX = 30


def read_now(screen: Speaks[Any], rows: Sequence[MeterRow]) -> None:
    """Ask for a fresh read of each meter and say when it has come, or why it has not."""
    if len(rows) > AT_ONCE_MAX:
        screen.app.tell(t("screen.read.too_many", number=len(rows), most=AT_ONCE_MAX))
        return
    for row in rows:
        _read_one(screen, row)


def _read_one(screen: Speaks[Any], row: MeterRow) -> None:
    app = screen.app

    def asked(command: Command) -> None:
        app.wake_engine()
        follow(screen, command.id, ended)

    def ended(command: Command) -> bool:
        if command.state.open:
            return True
        if command.state is CommandState.APPLIED:
            app.tell(t("screen.read.done", shop=row.shop, serial=row.serial))
        else:
            why = words.reason(command.reason)
            app.tell(t("screen.read.failed", shop=row.shop, serial=row.serial, why=why), bad=True)
        return False

    def request() -> Command:
        return commands.request_read(
            row.serial, uuid4().hex, by=app.operator, expires_s=READ_EXPIRES_S
        )

    ask(screen, request, asked)
