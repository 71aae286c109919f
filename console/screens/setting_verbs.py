"""Push and accept, for one meter or many, from any screen that lists differences."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from console import setting_words
from console.screens.ask import AskScreen
from console.screens.place import Place
from console.screens.reason import Given, ReasonScreen
from console.work import ask, error_text
from engine.config import Config
from engine.domain.errors import DomainError
from engine.i18n import t
from engine.services import settings
from models.people import Operator

Names = Mapping[str, Sequence[str]]  # by the meter's number


def push(screen: Place, wanted: Names, then: Callable[[], Any]) -> None:
    """Asks once, then has each meter told what is desired of it of these names."""
    if not wanted:
        return

    def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
        if sure:
            _send(screen, wanted, then)

    number, (serial, names) = len(wanted), next(iter(wanted.items()))
    key = "settings.push.one" if number == 1 else "settings.push.many"
    said = ", ".join(map(setting_words.name, names))
    screen.app.push_screen(AskScreen(key, serial=serial, names=said, number=number), answered)


def _send(screen: Place, wanted: Names, then: Callable[[], Any]) -> None:
    ids = {serial: uuid4().hex for serial in wanted}
    config, by = screen.app.config, _operator(screen)

    def one(serial: str, names: Sequence[str]) -> None:
        settings.push(serial, names, by, ids[serial], config=config)

    def done(failed: Sequence[DomainError]) -> None:
        screen.app.wake_engine()
        _tell(screen, "settings.push.done", len(wanted), failed)
        then()

    ask(screen, partial(_each, one, wanted), done)


def accept(screen: Place, wanted: Names, then: Callable[[], Any]) -> None:
    """Asks for the reason, then lets each meter hold what it does of these names."""
    if not wanted:
        return
    config, by = screen.app.config, _operator(screen)
    number = sum(map(len, wanted.values()))

    def given(reason: Given | None) -> None:
        if reason is not None:
            one = partial(_accept, reason.why, by, config)
            ask(screen, partial(_each, one, wanted), done)

    def done(failed: Sequence[DomainError]) -> None:
        _tell(screen, "settings.accept.done", len(wanted), failed)
        then()

    title = partial(t, "settings.accept.title", number=number, meters=len(wanted))
    screen.app.push_screen(ReasonScreen(title, lambda _: t("settings.accept.explained")), given)


def _accept(why: str, by: Operator, config: Config, serial: str, names: Sequence[str]) -> None:
    settings.accept(serial, names, why, by, config=config)


def _each(one: Callable[[str, Sequence[str]], None], wanted: Names) -> list[DomainError]:
    """One meter after the other: what is refused of one stops no other."""
    failed = []
    for serial, names in wanted.items():
        try:
            one(serial, names)
        except DomainError as error:
            failed.append(error)
    return failed


def _tell(screen: Place, key: str, number: int, failed: Sequence[DomainError]) -> None:
    if failed:
        left = t("settings.not_done", number=len(failed), why=error_text(failed[0]))
        screen.app.tell(left, bad=True)
    if number > len(failed):
        screen.app.tell(t(key, number=number - len(failed)))


def _operator(screen: Place) -> Operator:
    operator = screen.app.operator
    assert operator is not None, "nobody gets here without signing in"
    return operator
