"""Database work for a screen: in a thread, on its own connection, never on the screen's loop."""

from collections.abc import Callable
from typing import Any, TypeVar

import peewee as pw
from textual.timer import Timer

from console.screens.place import Speaks
from engine import i18n
from engine.domain.errors import DomainError
from engine.services import commands
from models import base
from models.commands import Command

T = TypeVar("T")
FOLLOW_S = 0.3


class StoreFailed(DomainError):
    """The database did not answer; nothing was changed, the same can be asked again."""

    code = "store_failed"


def error_text(error: DomainError) -> str:
    return i18n.error_text(error.code, error.params)


def ask(
    owner: Speaks[Any],
    query: Callable[[], T],
    then: Callable[[T], object],
    *,
    refused: Callable[[DomainError], None] | None = None,
) -> None:
    """Run `query` in a thread; its answer goes to `then` on the screen, if it is still there.

    A rule's refusal, or that the store failed, goes to `refused`, or is shown.
    """
    app = owner.app

    def answer(result: T) -> None:
        if owner.stands:
            then(result)
        elif owner.is_attached and not owner.is_mounted:  # it is still being made
            owner.call_after_refresh(answer, result)

    def refuse(error: DomainError) -> None:
        if refused is not None and owner.stands:
            refused(error)
        else:
            app.tell(error_text(error), bad=True)

    def body() -> None:
        try:
            with base.connection():
                result = query()
        except DomainError as error:
            app.call_from_thread(refuse, error)
        except pw.DatabaseError as error:
            app.call_from_thread(refuse, StoreFailed(why=str(error)))
        else:
            app.call_from_thread(answer, result)

    app.run_worker(body, thread=True, group="ask")


def follow(owner: Speaks[Any], command_id: int, seen: Callable[[Command], bool]) -> Timer:
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
