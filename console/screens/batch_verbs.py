"""A verb over many meters begins here: which meters are meant, which verb, with what options."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from console import batch_words
from console.keys import bindings
from console.screens.ask import AskScreen
from console.screens.place import Dialog, Place
from console.widgets.columns import Cell, Column, width
from console.widgets.key_line import KeyLine
from console.widgets.line_table import LineTable
from console.widgets.said import Said
from console.work import ask
from engine import clock
from engine.domain.selection import Selection
from engine.i18n import t
from engine.services import batch_store, batches
from engine.services.batch_plan import Options
from engine.services.batch_rows import Plan
from engine.views.meters import MeterRow
from models.enums import BatchVerb

How = Literal["marked", "filter", "all", "one", "tenant", "file", "retry"]
NO_OPTIONS = (BatchVerb.CLOCK, BatchVerb.READ)
VERBS = tuple(BatchVerb)  # in the order of their digits


@dataclass(frozen=True)
class Chosen:
    """Which meters are meant, and how they were chosen: said in every title on the way."""

    how: How
    selection: Selection
    number: int
    of: int = 0  # as many there are
    name: str = ""  # of the tenant, shop or file; the number of a batch

    def said(self) -> str:
        return t(f"batch.chosen.{self.how}", number=self.number, of=self.of, name=self.name)


def of_rows(how: How, rows: Iterable[MeterRow], *, of: int = 0, name: str = "") -> Chosen:
    """What was seen is what is meant, whatever the filter would let through later."""
    serials = tuple(row.serial for row in rows)
    return Chosen(how, Selection(serials=serials), len(serials), of, name)


def everything(number: int) -> Chosen:
    return Chosen("all", Selection(everything=True), number, number)


def begin(screen: Place, chosen: Chosen) -> None:
    """The list of verbs; where no filter is set, the question first whether all are meant."""
    if not chosen.number:
        screen.app.tell(t("batch.nothing_chosen"), bad=True)
    elif chosen.how == "all":
        question = AskScreen("batch.ask_all", number=chosen.number)
        screen.app.push_screen(question, partial(_sure, screen, chosen))
    else:
        _list(screen, chosen)


def _sure(screen: Place, chosen: Chosen, sure: bool | None) -> None:  # noqa: FBT001 (Textual)
    if sure:
        _list(screen, chosen)


def _list(screen: Place, chosen: Chosen) -> None:
    def picked(name: str | None) -> None:
        if name == FILE:
            from console.screens.batch_file import (  # noqa: PLC0415 (loaded when first gone to)
                ask_file,
            )

            ask_file(screen, partial(_list, screen))
        elif name is not None:
            _allowed(screen, chosen, BatchVerb(name))

    screen.app.push_screen(VerbsScreen(chosen), picked)


def _allowed(screen: Place, chosen: Chosen, verb: BatchVerb) -> None:
    """Who may not is told now, not after a plan."""
    operator = screen.app.operator
    assert operator is not None, "nobody gets here without signing in"

    def go_on(_: object) -> None:
        if verb in NO_OPTIONS:
            plan(screen, chosen, verb, {}, "")
        else:
            from console.screens.batch_options import (  # noqa: PLC0415 (loaded when first gone to)
                ask_options,
            )

            ask_options(screen, chosen, verb, partial(plan, screen, chosen, verb))

    ask(screen, lambda: batch_store.require_right(operator, verb), go_on)


def plan(screen: Place, chosen: Chosen, verb: BatchVerb, options: Options, why: str) -> None:
    """What it would do, and then its screen. Nothing is written."""
    config, now = screen.app.config, clock.now()

    def show(made: Plan) -> None:
        from console.screens.batch_plan import (  # noqa: PLC0415 (loaded when first gone to)
            PlanScreen,
        )

        screen.app.push_screen(PlanScreen(made, chosen, why))

    ask(
        screen,
        lambda: batches.plan(verb, chosen.selection, options, config=config, now=now),
        show,
    )


FILE = "file"


class VerbsScreen(Dialog[str]):
    """Ends with a verb, or FILE: other meters, by a file of their numbers; or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("batch_verbs")
    AUTO_FOCUS = "LineTable"

    def __init__(self, chosen: Chosen) -> None:
        super().__init__()
        self.chosen = chosen

    def compose(self) -> ComposeResult:
        with Vertical(classes="box list"):
            yield Said(lambda: Content.styled(t("batch.verbs.title"), "bold"))
            yield Said(self.chosen.said)
            yield LineTable(_columns(), lambda name: name, fixed=2)
        yield KeyLine()

    def on_mount(self) -> None:
        names: Sequence[str] = [*(verb.value for verb in VERBS), FILE]
        self.query_one(LineTable).show(names)

    @on(LineTable.Chosen)
    def _chosen(self) -> None:
        self.dismiss(self.query_one(LineTable).current)

    def action_pick(self, name: str) -> None:
        self.dismiss(name)

    def action_back(self) -> None:
        self.dismiss(None)


def _columns() -> tuple[Column[str], ...]:
    return (
        Column("choice", width(2), lambda name: Cell(_digit(name), "strong")),
        Column("choice", batch_words.verb_width, lambda name: Cell(_word(name), "strong")),
        Column("choice", width(60), lambda name: Cell(t(f"batch.explained.{name}")), shrinks=True),
    )


def _digit(name: str) -> str:
    return "f" if name == FILE else str(VERBS.index(BatchVerb(name)) + 1)


def _word(name: str) -> str:
    return t("batch.verbs.file") if name == FILE else batch_words.verb(BatchVerb(name))
