"""不断电保护: who will run out before the office opens; marked ones, or all, are held in one go."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import ClassVar
from uuid import uuid4

from textual import on
from textual.binding import BindingType
from textual.widget import Widget

from console import guard_words, order_words, words
from console.keys import bindings
from console.live import News
from console.screens.list_place import ListPlace
from console.screens.place import Place
from console.screens.type_again import TypeAgainAndSendScreen
from console.screens.waiting import attempt
from console.widgets.again import word_again
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from console.widgets.said import Said
from engine import clock, guarding
from engine.domain.errors import ApprovalNeeded, DomainError
from engine.i18n import t
from engine.services import guard as service
from engine.services.guard import Kept
from engine.views.guard import Risk, Watch
from engine.views.meters import MeterRow

RENEW_S = 300  # use and time move slowly, and every meter is looked at


Item = Risk | MeterRow  # a row alone: in arrears, dark already


def _row(item: Item) -> MeterRow:
    return item.row if isinstance(item, Risk) else item


def _sure(item: Item) -> Cell:
    if not isinstance(item, Risk):
        return Cell(t("control.guard.dark_now"), "bad")
    text = guard_words.sureness(sure=item.sure, protected=item.protected)
    return Cell(text, "alarm2" if item.sure else "alarm1")


def _sure_width() -> int:
    both = (True, False)
    said = [guard_words.sureness(sure=sure, protected=each) for sure in both for each in both]
    return words.widest([*said, t("control.guard.dark_now")])


class GuardScreen(ListPlace[Item]):
    """Those in arrears stand last: they are held only where they are marked."""

    NAME = "guard"
    EMPTY = "control.guard.none"
    FIXED = 2
    BINDINGS: ClassVar[list[BindingType]] = bindings("guard")

    def __init__(self) -> None:
        super().__init__()
        self.found: Watch | None = None
        self._since_s = 0

    def body(self) -> Iterable[Widget]:
        yield Said(self.summary, id="summary")
        yield Said(self._rest, id="dark")
        yield LineTable(self.columns(), self.key_of, fixed=self.FIXED, empty=self.EMPTY, marks=True)

    def columns(self) -> Sequence[Column[Item]]:
        zone, titles = self.app.config.site.zone, "control.column"

        def out_at(item: Item) -> Cell:
            return Cell(
                order_words.short_moment(item.out_at, zone)
                if isinstance(item, Risk)
                else words.NOTHING
            )

        def balance(item: Item) -> Cell:
            return Cell(words.yuan(_row(item).balance_fen))

        def age(item: Item) -> Cell:
            return Cell(words.age(_row(item).read_at, clock.now()))

        def tenant(item: Item) -> Cell:
            return Cell(_row(item).tenant or "")

        return (
            Column("shop", width(8), lambda item: Cell(_row(item).shop, "strong"), titles=titles),
            Column("out_at", width(11), out_at, titles=titles),
            Column("sure", _sure_width, _sure, titles=titles),
            Column("balance", width(9), balance, right=True, titles=titles),
            Column("age", width(5), age, right=True, titles=titles),
            Column("tenant", width(20), tenant, titles=titles, shrinks=True),
            Column("serial", width(12), lambda item: Cell(_row(item).serial), titles=titles),
        )

    def fetch(self) -> Callable[[], Sequence[Item]]:
        config = self.app.config

        def look() -> Sequence[Item]:
            self.found = guarding.watch(config)
            return [*self.found.risks, *self.found.arrears]

        return look

    def key_of(self, row: Item) -> Hashable:
        return _row(row).serial

    def summary(self) -> str:
        if self.found is None:
            return f" {t('screen.head.loading')}"
        return f" {guard_words.headline(self.found)}"

    def _rest(self) -> str:
        rest = f" {guard_words.rest(self.found)}" if self.found else ""
        return f"{rest}{t('control.guard.summary')}"

    def take(self, rows: Sequence[Item]) -> None:
        super().take(rows)
        self.query_one("#dark", Said).say_again()
        self.refresh_bindings()

    def hear(self, news: News) -> None:
        """Every reading is news; the list is made anew now and then, and when it is gone to."""
        Place.hear(self, news)

    def tick(self) -> None:
        super().tick()
        self._since_s += 1
        if self._since_s >= RENEW_S and self.is_current:
            self._since_s = 0
            self.renew()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "hold":
            return self.stands and bool(self.table.rows)
        return super().check_action(action, parameters)

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.meter import (  # noqa: PLC0415 (loaded when first gone to)
            MeterScreen,
        )

        item = self.table.current
        if item is not None and _row(item).meter_id in self.app.meters:
            self.app.push_screen(MeterScreen(_row(item).meter_id))

    def action_hold(self) -> None:
        rows = self.table.rows
        marked = [item for item in rows if self.key_of(item) in self.table.marked]
        chosen = marked or [item for item in rows if isinstance(item, Risk)]
        if self.found is not None and self.found.opens_at is not None and chosen:
            serials = tuple(_row(item).serial for item in chosen)
            self.app.push_screen(GuardHoldScreen(self.found, serials), self._held)

    def _held(self, done: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
        if done:
            self.table.action_mark_none()
            self.renew()


class GuardHoldScreen(TypeAgainAndSendScreen):
    """The number of meters is typed again; many of them need a second person."""

    def __init__(self, watch: Watch, serials: Sequence[str]) -> None:
        super().__init__(word_again("control.guard.again", str(len(serials))))
        self.found, self.serials = watch, tuple(serials)
        self.request_id = uuid4().hex

    def _opens(self) -> str:
        assert self.found.opens_at is not None, "somebody is at risk until then"
        return order_words.short_moment(self.found.opens_at, self.app.config.site.zone)

    def heading(self) -> str:
        return t("control.guard.title_hold", opens=self._opens())

    def facts(self) -> str:
        lines = [t("control.guard.hold_facts", number=len(self.serials), opens=self._opens())]
        if len(self.serials) >= (limit := self.app.config.control.second_from):
            lines.append(t("control.guard.second", limit=limit))
        return "\n".join(lines)

    def press_y(self) -> str:
        return t("control.guard.hold_y", number=len(self.serials))

    def action_confirm(self) -> None:
        operator, config, watch = self.app.operator, self.app.config, self.found
        assert operator is not None, "nobody holds without signing in"
        assert watch.opens_at is not None, "somebody is at risk until then"
        opens_at, serials, why = watch.opens_at, self.serials, t("control.guard.why")
        if len(serials) >= config.control.second_from:
            self._ask_second()
            return
        self.send(
            lambda: service.hold_all(
                serials, opens_at, why, operator, self.request_id,
                confirm=len(serials), config=config,
            ),
            self._kept,
        )  # fmt: skip

    def _ask_second(self) -> None:
        assert self.found.opens_at is not None, "somebody is at risk until then"
        given: dict[str, str | int | None] = {
            "serials": ",".join(self.serials), "until": self.found.opens_at.isoformat(),
            "confirm": len(self.serials), "why": t("control.guard.why"),
        }  # fmt: skip
        self.sending = True
        attempt(self, "guard_hold", given, self.request_id, self._approved, refused=self._refused)

    def _refused(self, refusal: DomainError) -> None:
        """Few, and with those he has held just now too many for one person: then a second."""
        if isinstance(refusal, ApprovalNeeded):
            self._ask_second()
        else:
            super()._refused(refusal)

    def _kept(self, kept: Kept) -> None:
        self.app.wake_engine()
        held = t("control.guard.held", number=len(kept.holds), opens=self._opens())
        if kept.left_out:
            left = t("control.guard.left_out", number=len(kept.left_out),
                     why=", ".join(kept.left_out))  # fmt: skip
            held = f"{held} {left}"
        self.app.tell(held, bad=bool(kept.left_out))
        self.dismiss(True)

    def _approved(self, _command: object) -> None:
        """What was left out of it stands in the list that is made anew."""
        held = t("control.guard.held", number=len(self.serials), opens=self._opens())
        self.app.tell(held)
        self.dismiss(True)
