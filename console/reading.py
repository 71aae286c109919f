"""A fresh read of one meter, asked for by a key, and what became of it."""

from typing import Any
from uuid import uuid4

from textual.screen import Screen

from console.work import ask, follow
from engine.i18n import t
from engine.services import commands
from engine.views.meters import MeterRow
from models.commands import Command
from models.enums import CommandState

READ_EXPIRES_S = 60  # an answer later than this is no longer "now"


def read_now(screen: Screen[Any], row: MeterRow) -> None:
    """Ask for a fresh read and say when it has come, or why it has not."""
    app = screen.app
    operator = app.operator  # type: ignore[attr-defined]  # a ConsoleApp

    def asked(command: Command) -> None:
        app.wake_engine()  # type: ignore[attr-defined]  # a ConsoleApp
        follow(screen, command.id, ended)

    def ended(command: Command) -> bool:
        if command.state.open:
            return True
        if command.state is CommandState.APPLIED:
            app.notify(t("screen.read.done", shop=row.shop, serial=row.serial), timeout=3)
        else:
            why = t(f"error.reason.{command.reason}") if command.reason else ""
            text = t("screen.read.failed", shop=row.shop, serial=row.serial, why=why)
            app.notify(text, severity="warning", timeout=6)
        return False

    ask(
        screen,
        lambda: commands.request_read(
            row.serial, uuid4().hex, by=operator, expires_s=READ_EXPIRES_S
        ),
        asked,
    )
