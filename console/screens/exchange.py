"""换表: the checklist of one meter exchange, what it waits for, the questions in their place."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from console import words
from console.exchange_words import step_word, waits_for
from console.keys import bindings
from console.live import News
from console.screens.ask import AskScreen
from console.screens.exchange_hand import HandReadingScreen
from console.screens.exchange_place import NewPlaceScreen
from console.screens.place import Place
from console.widgets.field import AmountField
from console.widgets.said import Said, painted
from console.widgets.scroll import Scroll
from console.work import ask, error_text
from engine.bus.registers import load_maps
from engine.config import Config
from engine.domain.errors import DomainError
from engine.i18n import t
from engine.services import exchanges
from engine.services.exchanges import Naming, Waits
from engine.views import exchanges as views
from engine.views.exchanges import STEPS, ExchangeRow
from models.cases import Exchange
from models.enums import ExchangeStep
from models.people import Operator

BEFORE_MONEY = (ExchangeStep.FINAL_READ, ExchangeStep.CLEAR_OLD)
BAD = ("refused", "rule", "other_meter", "arrears", "disagrees", "no_purchase", "suspense")


@dataclass(frozen=True)
class Seen:
    """How an exchange stands, and what it waits for or why it was not gone on with."""

    row: ExchangeRow
    waits: Waits | None = None
    refusal: DomainError | None = None


def go_on(exchange_id: int, by: Operator, config: Config, *, again: bool) -> Seen:
    """All that can be done now; who may not do it sees how it stands."""
    try:
        progress = exchanges.advance(exchange_id, by, config=config, again=again)
    except DomainError as error:
        return Seen(views.one(exchange_id), refusal=error)
    return Seen(views.one(exchange_id), progress.waits)


class ExchangeScreen(Place):
    """Leaving it leaves the exchange as it is; it is found again in the list of open ones."""

    NAME = "exchange"
    BINDINGS: ClassVar[list[BindingType]] = bindings("exchange")
    AUTO_FOCUS = "Scroll"

    def __init__(self, exchange_id: int) -> None:
        super().__init__()
        self.exchange_id = exchange_id
        self.seen: Seen | None = None
        self.naming = Naming("")
        self._asking = False

    def body(self) -> Iterable[Widget]:
        with Scroll(id="exchange"):
            yield Said(self._facts)
            yield Said(self._ticks, id="ticks")
            yield Said(self._next, id="next")
            with Horizontal(classes="field", id="new-line"):
                yield Said(lambda: t("exchange.new_serial"), classes="label wide")
                yield AmountField(id="serial")
            yield Said(self._typed_serial, id="typed")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#new-line").display = False
        self._go()

    def hear(self, news: News) -> None:
        """Somebody else may have gone on: a second person has approved, say."""
        super().hear(news)
        if self.seen is not None and self.is_current:
            self._go()

    def tick(self) -> None:
        super().tick()
        waits = self.seen.waits if self.seen else None
        if waits is not None and waits.for_engine:
            self._go()

    def _go(self, *, again: bool = False) -> None:
        by = self.app.operator
        if self._asking or by is None:
            return
        self._asking = True
        exchange_id, config = self.exchange_id, self.app.config
        ask(
            self,
            lambda: go_on(exchange_id, by, config, again=again),
            self._take,
            refused=self._failed,
        )

    def _failed(self, error: DomainError) -> None:
        self._asking = False
        self.app.tell(error_text(error), bad=True)

    def _take(self, seen: Seen) -> None:
        self._asking = False
        was_asked = self._asks_for_meter
        self.seen = seen
        if seen.waits is not None and seen.waits.for_engine:
            self.app.wake_engine()
        asked = self._asks_for_meter
        self.query_one("#new-line").display = asked
        if asked != was_asked:
            (self.query_one("#serial") if asked else self.query_one("#exchange")).focus()
        self._say()

    @property
    def _asks_for_meter(self) -> bool:
        """Is it the new meter's number that is missing, or may another one be said?"""
        if self.seen is None or self.seen.row.step is not ExchangeStep.IDENTITY:
            return False
        return self.seen.waits is not None and not self.seen.waits.for_engine

    def _say(self) -> None:
        for said in self.query("#exchange Said").results(Said):
            said.say_again()
        self.refresh_bindings()

    # -- what it shows

    def _facts(self) -> Content:
        if self.seen is None:
            return Content(t("screen.head.loading"))
        row = self.seen.row
        lines = (
            t("exchange.facts.who", tenant=row.tenant or words.NOTHING, shop=row.shop),
            t("exchange.facts.old", serial=grouped(row.old), why=row.why),
            t(
                "exchange.facts.new",
                serial=grouped(row.new) if row.new else words.NOTHING,
                line=row.line,
                address=row.address,
            ),
        )
        return Content.assemble(
            Content.styled(lines[0], "bold"), "\n", Content("\n".join(lines[1:]))
        )

    def _ticks(self) -> Content:
        if self.seen is None:
            return Content()
        row = self.seen.row
        wide = words.widest(map(step_word, STEPS))
        lines = []
        for number, step in enumerate(STEPS):
            mark = "[x]" if number < row.done else "[>]" if number == row.done else "[ ]"
            style = {"[x]": "good", "[>]": "strong"}.get(mark, "dim")
            value = self._value(step) if number < row.done else ""
            text = f"{mark} {number + 1} {words.pad(step_word(step), wide)}  {value}"
            lines.append(painted(text.rstrip(), style))
        return Content("\n").join(lines)

    def _value(self, step: ExchangeStep) -> str:
        """What a step that is done has brought."""
        assert self.seen is not None, "only what was seen is shown"
        row = self.seen.row
        match step:
            case ExchangeStep.FINAL_READ:
                kwh, yuan = words.kwh(row.final_energy_wh), words.yuan(row.final_balance_fen)
                key = "exchange.value.by_hand" if row.by_hand else "exchange.value.final"
                return t(key, kwh=kwh, yuan=yuan, evidence=row.evidence, name=row.approver or "")
            case ExchangeStep.IDENTITY:
                return t("exchange.value.first", kwh=words.kwh(row.first_energy_wh))
            case ExchangeStep.TRANSFER if row.moved_fen is not None:
                yuan = words.yuan(row.moved_fen)
                return t("exchange.value.moved", yuan=yuan, receipt=row.receipt or "")
        return ""

    def _next(self) -> Content:
        if self.seen is None:
            return Content()
        if self.seen.refusal is not None:
            return painted(error_text(self.seen.refusal), "bad")
        waits = self.seen.waits
        assert waits is not None, "what was gone on with waits for something"
        style = "good" if waits.code == "done" else "bad" if waits.code in BAD else ""
        lines = [painted(waits_for(waits), style)]
        if waits.for_engine and self.app.news.engine_state not in ("running", ""):
            lines.append(painted(t("exchange.no_engine"), "alarm1"))
        return Content("\n").join(lines)

    def _typed_serial(self) -> Content:
        """What was typed, by groups as it stands on the meter, and where it is said to hang."""
        if not self._asks_for_meter:
            return Content()
        naming = self._named()
        if not naming.number:
            return Content(t("exchange.type_serial"))
        at = " ".join(str(part) for part in (naming.line, naming.address, naming.model) if part)
        return Content(f"{grouped(naming.number)}  {at}".rstrip())

    def _named(self) -> Naming:
        typed = self.query_one("#serial", Input).value
        return Naming(typed, self.naming.model, self.naming.line, self.naming.address)

    # -- what is asked of it

    @on(Input.Changed, "#serial")
    def _typing(self) -> None:
        self.query_one("#typed", Said).say_again()

    @on(Input.Submitted, "#serial")
    def _say_number(self) -> None:
        by, exchange_id, naming = self.app.operator, self.exchange_id, self._named()
        assert by is not None, "nobody names a meter without signing in"
        maps = self.app.site / "maps"

        def name() -> Exchange:
            models = load_maps(maps).keys()
            return exchanges.name_new(exchange_id, naming, by, models=models)

        ask(self, name, lambda _: self._go())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        row, waits = (self.seen.row, self.seen.waits) if self.seen else (None, None)
        if action in ("cancel", "by_hand"):
            return row is not None and row.step in BEFORE_MONEY and row.finished_at is None
        if action == "elsewhere":
            return self._asks_for_meter
        if action == "again":
            return waits is not None and waits.code in BAD
        return True

    def action_again(self) -> None:
        self._go(again=True)

    def action_elsewhere(self) -> None:
        def take(naming: Naming | None) -> None:
            self.naming = naming or self.naming
            self._say()

        self.app.push_screen(NewPlaceScreen(self._named()), take)

    def action_by_hand(self) -> None:
        assert self.seen is not None, "the key is off until then"

        def done(read: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if read:
                self._go()

        self.app.push_screen(HandReadingScreen(self.exchange_id, self.seen.row.old), done)

    def action_cancel(self) -> None:
        by, exchange_id = self.app.operator, self.exchange_id
        assert by is not None, "nobody cancels without signing in"

        def sure(yes: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if yes:
                ask(self, lambda: exchanges.cancel(exchange_id, by), lambda _: self._go())

        self.app.push_screen(AskScreen("exchange.cancel_question"), sure)


def grouped(serial: str) -> str:
    """`2026 1123 0001`: as it stands on the meter, easy to compare."""
    return " ".join(serial[at : at + 4] for at in range(0, len(serial), 4))
