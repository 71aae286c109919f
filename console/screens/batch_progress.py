"""A batch on its way, line by line; leaving it stops nothing."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import batch_words, words
from console.keys import bindings
from console.live import News
from console.screens.ask import AskScreen
from console.screens.batch_resume import ResumeScreen
from console.screens.batch_verbs import Chosen
from console.screens.place import Place
from console.screens.waiting import attempt
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.said import PAINTS, Said
from console.work import ask
from engine import clock, exports
from engine.i18n import t
from engine.services import batches
from engine.services.batch_rows import Plan
from engine.views import batches as views
from engine.views.batches import LineProgress, Progress
from models.control import Batch
from models.enums import BatchState, BatchVerb, Planned

BAR_CELLS, WIDE_BAR_CELLS = 10, 40
OPEN = (BatchState.RUNNING, BatchState.PAUSED)
VALID = {  # in which states a key does something
    "pause": (BatchState.RUNNING,),
    "resume": (BatchState.PAUSED,),
    "cancel": OPEN,
    "retry": (BatchState.DONE, BatchState.CANCELLED),
}
AGAIN = {Planned.UNREACHABLE, Planned.LOCKED}  # left alone then, and may be different by now


class ProgressScreen(Place):
    NAME = "batch"
    BINDINGS: ClassVar[list[BindingType]] = bindings("batch_progress")
    AUTO_FOCUS = "LineTable"

    def __init__(self, batch_id: int, *, begun: bool = False) -> None:
        """`begun`: from here, just now; an export's workbook is then written without a key."""
        super().__init__()
        self.batch_id = batch_id
        self.writes = begun
        self.progress: Progress | None = None
        self._stale = self._fetching = False

    def title_text(self) -> str:
        return t("batch.progress.title", batch=self.batch_id)

    def body(self) -> Iterable[Widget]:
        yield Said(self._about, id="batch-about")
        yield Said(self._state, id="batch-state")
        yield Said(self._counts, id="batch-counts")
        yield LineTable(self._columns(), lambda row: row.line, fixed=1, empty="batch.progress.none")
        yield Said(self._hint, id="batch-hint")

    def on_mount(self) -> None:
        super().on_mount()
        self._look()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.stands:
            self._look()

    def hear(self, news: News) -> None:
        super().hear(news)
        self._stale = True

    def tick(self) -> None:
        """Once a second at most, however often something changes."""
        super().tick()
        if self._stale and self.is_current:
            self._look()
        self._say()

    def _look(self) -> None:
        if self._fetching:
            return
        self._fetching, self._stale = True, False
        ask(self, partial(views.progress, self.batch_id), self._seen)

    def _seen(self, found: Progress) -> None:
        self._fetching = False
        self.progress = found
        self.query_one(LineTable).show(found.lines)
        self._say()
        self.refresh_bindings()
        if self.writes and found.batch.state is BatchState.DONE:
            self.writes = False
            if found.batch.verb is BatchVerb.EXPORT:
                self.action_workbook()

    def _say(self) -> None:
        for name in ("#batch-about", "#batch-state", "#batch-counts", "#batch-hint"):
            self.query_one(name, Said).say_again()

    def _about(self) -> Content:
        if self.progress is None:
            return Content(f" {t('screen.head.loading')}")
        batch = self.progress.batch
        at = words.moment(batch.created_at, self.app.config.site.zone)
        said = t("batch.progress.about", number=batch.total, who=batch_words.who(batch), at=at)
        retries = t("batch.progress.retries", batch=batch.retries) if batch.retries else ""
        why = t("batch.with.why", why=batch.why) if batch.why else ""
        verb = Content.styled(batch_words.verb(batch.verb), "bold")
        return Content.assemble(" ", verb, *(f"  {part}" for part in (said, retries, why) if part))

    def _state(self) -> Content:
        if self.progress is None:
            return Content()
        batch = self.progress.batch
        number, cells = batch_words.ended(batch), min(WIDE_BAR_CELLS, self.size.width // 3)
        bar = batch_words.bar(number, batch.total, cells)
        look = PAINTS[batch_words.STATE_STYLES[batch.state]]
        loud = " reverse" if batch.state is BatchState.PAUSED else ""
        return Content.assemble(
            " ",
            Content.styled(f"{batch_words.state(batch)}", f"{look} bold{loud}".strip()),
            f"  {bar} {number}/{batch.total}",
        )

    def _counts(self) -> Content:
        if self.progress is None:
            return Content()
        batch = self.progress.batch
        parts: list[Content | str] = [" "]
        for name, style in (("done", "good"), ("failed", "bad"), ("unknown", "alarm2"),
                            ("waiting", "")):  # fmt: skip
            number = getattr(batch, name)
            text = f"{t(f'batch.column.{name}')} {number}"
            parts += [Content.styled(text, PAINTS[style] if number else ""), "  "]
        parts.append(self._times())
        return Content.assemble(*parts)

    def _times(self) -> str:
        assert self.progress is not None, "only what was fetched is said"
        batch = self.progress.batch
        now = clock.now()
        took_s = ((batch.finished_at or now) - batch.created_at).total_seconds()
        said = [t("batch.progress.took", time=batch_words.duration(max(0, took_s)))]
        if batch.state is BatchState.RUNNING:
            left = batch_words.duration(left_s(self.progress, took_s))
            said.append(t("batch.progress.left", time=left))
            if batch.expires_at is not None:
                at = batch.expires_at.astimezone(self.app.config.site.zone)
                said.append(t("batch.progress.expires", at=f"{at:%H:%M}"))
        return "  ".join(said)

    def _hint(self) -> str:
        if self.progress is None:
            return " "
        alone = self.progress.left_alone
        parts = [
            f"{t(f'plan.planned.{planned}')} {alone[planned]}"
            for planned in Planned
            if alone.get(planned)
        ]
        left = t("batch.progress.alone", parts=", ".join(parts)) if parts else ""
        key = (
            "batch.progress.goes_on" if self.progress.batch.state in OPEN else "batch.progress.end"
        )
        return f" {t(key)}  {left}".rstrip()

    def _columns(self) -> tuple[Column[LineProgress], ...]:
        def column(
            name: str, cells: int, say: Callable[[LineProgress], Cell], *, right: bool = False
        ) -> Column[LineProgress]:
            return Column(name, width(cells), say, titles="batch.column", right=right)

        return (
            column("line", 6, lambda row: Cell(row.line, "strong")),
            column("gateway", 6, lambda row: Cell(self._gateway(row.line))),
            column("bar", BAR_CELLS, _bar),
            column("ended", 7, _ended, right=True),
            column("failed", 6, lambda row: _number(row.failed, "bad"), right=True),
            column("unknown", 6, lambda row: _number(row.unknown, "alarm2"), right=True),
            column("now", 12, lambda row: Cell(row.current or words.NOTHING)),
            Column(
                "state",
                lambda: words.widest(t(f"batch.line_state.{name}") for name in LINE_STATES),
                self._line_state,
                titles="batch.column",
            ),
        )

    def _gateway(self, line: str) -> str:
        found = (row.gateway for row in self.app.meters.values() if row.line == line)
        return next(found, words.NOTHING)

    def _line_state(self, row: LineProgress) -> Cell:
        batch = self.progress.batch if self.progress else None
        open_ = batch is not None and batch.state in OPEN
        name, style = line_state(row, paused=batch is not None and batch.state is BatchState.PAUSED)
        cancelled = batch is not None and batch.state is BatchState.CANCELLED
        if (name == "waiting" and not open_) or (cancelled and row.failed):
            name, style = "stopped", "lost"
        return Cell(t(f"batch.line_state.{name}"), style)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action not in VALID:
            return True
        found = self.progress
        if found is None or found.batch.state not in VALID[action]:
            return False
        return action != "retry" or found.batch.failed > 0 or not AGAIN.isdisjoint(found.left_alone)

    def action_pause(self) -> None:
        operator, batch_id = self.app.operator, self.batch_id
        assert operator is not None, "nobody pauses without signing in"
        ask(self, lambda: batches.pause(batch_id, operator), self._changed)

    def action_resume(self) -> None:
        if self.progress is not None:
            self.app.push_screen(ResumeScreen(self.progress), self._go_on)

    def _go_on(self, sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
        if not sure or self.progress is None:
            return
        given: dict[str, str | int | None] = {
            "batch_id": self.batch_id,
            "confirm": self.progress.batch.waiting,
            "why": self.progress.batch.why,
        }
        attempt(self, "batch_resume", given, uuid4().hex, self._changed)

    def action_cancel(self) -> None:
        if self.progress is None:
            return
        batch = self.progress.batch
        question = AskScreen("batch.progress.ask_cancel", batch=batch.batch, number=batch.waiting)
        self.app.push_screen(question, self._cancel)

    def _cancel(self, sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
        operator, batch_id = self.app.operator, self.batch_id
        if sure and operator is not None:
            ask(self, lambda: batches.cancel(batch_id, operator), self._changed)

    def _changed(self, _: Batch | object) -> None:
        self.app.wake_engine()
        self._look()

    def action_retry(self) -> None:
        """A new plan over those that failed; unknown ones wait for their read-back."""
        batch_id, config, now = self.batch_id, self.app.config, clock.now()

        def show(plan: Plan) -> None:
            from console.screens.batch_plan import (  # noqa: PLC0415 (loaded when first gone to)
                PlanScreen,
            )

            assert self.progress is not None, "the key is valid once it was fetched"
            chosen = Chosen("retry", plan.selection, len(plan.rows), name=str(batch_id))
            why = self.progress.batch.why
            self.app.push_screen(PlanScreen(plan, chosen, why, retries=batch_id))

        ask(self, lambda: batches.plan_retry(batch_id, config=config, now=now), show)

    def action_workbook(self) -> None:
        batch_id, site = self.batch_id, self.app.site

        def written(path: Path) -> None:
            self.app.tell(t("batch.written", path=path))

        ask(self, partial(exports.write_apart, batch_id, site), written)

    def action_items(self) -> None:
        self._items("")

    @on(LineTable.Chosen)
    def _line(self) -> None:
        row = self.query_one(LineTable).current
        if row is not None:
            self._items(row.line)

    def _items(self, line: str) -> None:
        from console.screens.batch_items import (  # noqa: PLC0415 (loaded when first gone to)
            BatchItemsScreen,
        )

        self.app.push_screen(BatchItemsScreen(self.batch_id, line))


LINE_STATES = ("down", "paused", "done", "working", "waiting", "stopped")


def line_state(row: LineProgress, *, paused: bool) -> tuple[str, str]:
    """One of LINE_STATES, and its style."""
    if _ended_of(row) >= row.total:
        return "done", "good"
    if row.down:
        return "down", "bad"
    if paused and row.current is None:
        return "paused", "alarm1"
    return ("working", "good") if row.current else ("waiting", "")


def left_s(progress: Progress, took_s: float) -> float:
    """By how fast the slowest line went so far; what was planned, where none has ended yet."""
    rates = [
        took_s / ended * (line.total - ended)
        for line in progress.lines
        if (ended := line.done + line.failed + line.unknown)
    ]
    return max(1, *rates, 0 if rates else progress.batch.line_s - took_s)


def _ended_of(row: LineProgress) -> int:
    return row.done + row.failed + row.unknown


def _bar(row: LineProgress) -> Cell:
    return Cell(batch_words.bar(_ended_of(row), row.total, BAR_CELLS))


def _ended(row: LineProgress) -> Cell:
    return Cell(f"{_ended_of(row)}/{row.total}")


def _number(number: int, style: str) -> Cell:
    return Cell(str(number), style if number else "dim")
