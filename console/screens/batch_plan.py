"""The plan of a batch: who changes from what to what, who is left alone and why; then approve."""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import batch_words, words
from console.batch_words import LOSES
from console.keys import bindings
from console.screens.batch_confirm import ConfirmBatchScreen
from console.screens.batch_verbs import Chosen
from console.screens.place import Place
from console.screens.waiting import attempt
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.said import PAINTS, Said, painted
from console.work import ask, error_text
from engine import clock, plan_books
from engine.domain.errors import DomainError, PlanStale
from engine.i18n import t
from engine.services import batches
from engine.services.batch_rows import Plan, PlanRow
from models.control import Batch
from models.enums import BatchVerb, Planned

ALL = ""
NAMES = tuple(each.value for each in Planned)
CLASSES = (ALL, Planned.CHANGE.value, LOSES, *NAMES[1:])
ORDER = {name: place for place, name in enumerate((LOSES, *NAMES))}


class PlanTable(LineTable[PlanRow]):
    """Enter is the plan's, not the row's: it goes on to the question."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose" and super().check_action(action, parameters)


class PlanScreen(Place):
    """Nothing is written before ConfirmBatchScreen was answered. The request id is the plan's."""

    NAME = "plan"
    BINDINGS: ClassVar[list[BindingType]] = bindings("batch_plan")
    AUTO_FOCUS = "PlanTable"

    def __init__(self, plan: Plan, chosen: Chosen, why: str, retries: int | None = None) -> None:
        super().__init__()
        self.chosen, self.why, self.retries = chosen, why, retries
        self.showing = ALL
        self.planning = False
        self._keep(plan)

    def _keep(self, plan: Plan) -> None:
        self.plan, self.request_id = plan, uuid4().hex
        self.sorted = sorted(plan.rows, key=lambda row: ORDER[batch_words.class_of(row)])
        counts = Counter(row.planned.value for row in plan.rows)
        self.counts = {ALL: len(plan.rows), LOSES: len(plan.loses_power), **counts}

    def body(self) -> Iterable[Widget]:
        yield Said(self._about, id="plan-about")
        yield Said(self._tabs, id="plan-classes")
        yield Said(self._cost, id="plan-cost")
        yield PlanTable(
            columns(self.plan.verb), lambda row: row.meter_id, fixed=1, empty="batch.plan.no_such"
        )
        yield Said(self._row, id="plan-row")

    @property
    def table(self) -> PlanTable:
        return self.query_one(PlanTable)

    def on_mount(self) -> None:
        super().on_mount()
        self._show()

    def _about(self) -> Content:
        said = batch_words.asked_with(self.plan, self.why, self.app.config.site.zone)
        verb = Content.styled(batch_words.verb(self.plan.verb), "bold")
        return Content.assemble(" ", verb, f"  {self.chosen.said()}", f"  {said}" if said else "")

    def _tabs(self) -> Content:
        """Every class with its number; the one shown in brackets."""
        parts = []
        for name in CLASSES:
            word = (
                t("batch.plan.all") if name == ALL else batch_words.class_word(name, self.plan.verb)
            )
            text = f"{word} {self.counts.get(name, 0)}"
            shown = f"[{text}]" if name == self.showing else f" {text} "
            parts.append(Content.styled(shown, self._look(name)))
        return Content("").join(parts)

    def _word(self, name: str) -> str:
        if name == ALL:
            return t("batch.plan.all")
        return batch_words.class_word(name, self.plan.verb)

    def _look(self, name: str) -> str:
        if not self.counts.get(name, 0) or name == ALL:
            return "bold" if name == self.showing else ""
        paint = PAINTS[batch_words.CLASS_STYLES[name]]
        return f"{paint} reverse" if name == LOSES else paint

    def _cost(self) -> Content:
        said = t("batch.plan.nothing_sent")
        if not self.plan.change:
            said = t("batch.plan.nothing_to_do")
        return Content(f" {batch_words.line_time(self.plan)}  {said}")

    def _row(self) -> Content:
        """The row under the cursor, whole."""
        row = self.table.current
        if row is None:
            return Content(" \n ")
        name = batch_words.class_of(row)
        where = t(
            "batch.plan.where", serial=row.serial, shop=row.shop, line=row.line,
            address=row.address, tenant=row.tenant or words.NOTHING,
            age=words.age(row.seen_at, clock.now()),
        )  # fmt: skip
        style = batch_words.CLASS_STYLES[name]
        return Content.assemble(
            f" {where}\n ",
            painted(self._word(name), style),
            f"  {batch_words.what(row)}",
        )

    def _show(self) -> None:
        self.table.show(
            [
                row
                for row in self.sorted
                if self.showing in (ALL, row.planned.value, batch_words.class_of(row))
            ]
        )
        self._say()

    def _say(self) -> None:
        for name in ("#plan-about", "#plan-classes", "#plan-cost", "#plan-row"):
            self.query_one(name, Said).say_again()
        self.refresh_bindings()

    @on(LineTable.Moved)
    def _moved(self) -> None:
        self.query_one("#plan-row", Said).say_again()

    def action_turn(self, by: int) -> None:
        """The next class that has meters."""
        there = [name for name in CLASSES if name == ALL or self.counts.get(name)]
        at = there.index(self.showing) if self.showing in there else 0
        self.showing = there[(at + by) % len(there)]
        self._show()

    def action_meter(self) -> None:
        from console.screens.meter import (  # noqa: PLC0415 (loaded when first gone to)
            MeterScreen,
        )

        row = self.table.current
        if row is not None and row.meter_id in self.app.meters:
            self.app.push_screen(MeterScreen(row.meter_id))

    def action_again(self) -> None:
        """The same plan, as things stand now."""
        if self.planning:
            return
        self.planning = True
        plan, config, now, retries = self.plan, self.app.config, clock.now(), self.retries

        def make() -> Plan:
            if retries is not None:
                return batches.plan_retry(retries, config=config, now=now)
            return batches.plan(plan.verb, plan.selection, plan.options, config=config, now=now)

        def made(anew: Plan) -> None:
            self.planning = False
            self._keep(anew)
            self._show()
            self.app.tell(t("batch.plan.again"))

        ask(self, make, made, refused=self._refused)

    def _refused(self, error: DomainError) -> None:
        self.planning = False
        self.app.tell(error_text(error), bad=True)
        if isinstance(error, PlanStale):
            self.action_again()

    def action_export(self) -> None:
        plan, config, site, operator = self.plan, self.app.config, self.app.site, self.app.operator
        assert operator is not None, "nobody plans without signing in"

        def written(path: Path) -> None:
            self.app.tell(t("batch.written", path=path))

        about = (self.chosen.said(), batch_words.asked_with(plan, self.why, config.site.zone))
        ask(self, partial(plan_books.write, plan, about, operator.name, config, site), written)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return action != "approve" or bool(self.plan.change)

    def action_approve(self) -> None:
        question = ConfirmBatchScreen(self.plan, self.chosen, self.why)
        self.app.push_screen(question, self._answered)

    def _answered(self, sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
        if not sure:
            return
        request_id = self.request_id
        given = batches.wish(self.plan, len(self.plan.change), self.why)
        given["retries"] = self.retries

        def done(_: object) -> None:
            ask(self, partial(batches.of_request, request_id), self._begun)

        attempt(
            self, "batch", given, request_id, done, refused=self._refused, declined=self._declined
        )

    def _declined(self) -> None:
        """Who asks once more asks anew."""
        self.request_id = uuid4().hex

    def _begun(self, batch: Batch) -> None:
        from console.screens.batch_progress import (  # noqa: PLC0415 (loaded when first gone to)
            ProgressScreen,
        )

        self.app.switch_screen(ProgressScreen(batch.id, begun=True))


def columns(verb: BatchVerb) -> tuple[Column[PlanRow], ...]:
    def text(name: str, cells: int) -> Column[PlanRow]:
        return Column(name, width(cells), partial(_text, name), titles="batch.column")

    return (
        Column("class", partial(_class_width, verb), partial(_class, verb), titles="batch.column"),
        text("serial", 12),
        text("shop", 8),
        text("tenant", 10),
        text("line", 5),
        Column("what", width(70), _what, titles="batch.column", shrinks=True),
    )


def _class_width(verb: BatchVerb) -> int:
    return words.widest(batch_words.class_word(name, verb) for name in CLASSES[1:])


def _class(verb: BatchVerb, row: PlanRow) -> Cell:
    name = batch_words.class_of(row)
    return Cell(batch_words.class_word(name, verb), batch_words.CLASS_STYLES[name])


def _text(name: str, row: PlanRow) -> Cell:
    return Cell(getattr(row, name) or "")


def _what(row: PlanRow) -> Cell:
    return Cell(batch_words.what(row), "bad" if row.loses_power else "")
