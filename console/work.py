"""Database work for a screen: in a thread, on its own connection, never on the screen's loop."""

from collections.abc import Callable
from typing import Any, TypeVar

import peewee as pw
from textual.screen import Screen
from textual.timer import Timer

from engine import i18n
from engine.domain.errors import DomainError
from engine.i18n import t
from engine.services import commands
from models import base
from models.commands import Command

T = TypeVar("T")
FOLLOW_S = 0.3


def error_text(error: DomainError) -> str:
    return i18n.error_text(error.code, error.params)


def ask(
    owner: Screen[Any],
    query: Callable[[], T],
    then: Callable[[T], object],
    *,
    refused: Callable[[DomainError], None] | None = None,
) -> None:
    """Run `query` in a thread; its answer goes to `then` on the screen, if it is still there.

    A rule's refusal goes to `refused`, or is shown; a store that fails is shown.
    """
    app = owner.app

    def answer(result: T) -> None:
        if owner.is_attached:
            then(result)

    def refuse(error: DomainError) -> None:
        if refused is not None and owner.is_attached:
            refused(error)
        else:
            app.notify(error_text(error), severity="error", timeout=8)

    def body() -> None:
        try:
            with base.connection():
                result = query()
        except DomainError as error:
            app.call_from_thread(refuse, error)
        except pw.DatabaseError as error:
            text = t("screen.store_failed", why=str(error))
            app.call_from_thread(app.notify, text, severity="error", timeout=8)
        else:
            app.call_from_thread(answer, result)

    app.run_worker(body, thread=True, group="ask")


def follow(owner: Screen[Any], command_id: int, seen: Callable[[Command], bool]) -> Timer:
    """Look at a command again and again until `seen` says that it need not be looked at."""

    def look() -> None:
        timer.pause()  # one look at a time, however slow the store
        ask(owner, lambda: commands.get(command_id), looked)

    def looked(command: Command) -> None:
        if seen(command):
            timer.resume()
        else:
            timer.stop()

    timer = owner.set_interval(FOLLOW_S, look)
    look()
    return timer
