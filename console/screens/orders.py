"""Locks that hang, and what meters are told for a time: stuck ones first, debts beside them."""

import datetime as dt
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from console import order_words, words
from console.keys import bindings
from console.screens.list_place import ListPlace
from console.screens.type_again import TypeAgainAndSendScreen
from console.widgets.again import word_again
from console.widgets.columns import Cell, Column, width
from console.widgets.line_table import LineTable
from engine import clock
from engine.i18n import t
from engine.services import temporary
from engine.views import orders as views
from engine.views.orders import Lock, Order
from models.enums import TemporaryPurpose, TemporaryState

LAST_DIGITS = 4
Item = Lock | Order


def _what(row: Item) -> Cell:
    if isinstance(row, Lock):
        return Cell(t("control.orders.lock"), "loud")
    return Cell(order_words.purpose(row))


def _state(row: Item) -> Cell:
    if isinstance(row, Lock):
        return Cell("")
    return Cell(order_words.state(row), order_words.STATE_STYLES[row.state])


def _result(zone: dt.tzinfo, row: Item) -> Cell:
    """Of a lock since when, who hung it and why: that is what stands against everything else."""
    if isinstance(row, Lock):
        at = order_words.short_moment(row.placed_at, zone)
        return Cell(t("control.orders.since", at=at, holder=row.holder, why=row.why))
    return Cell(order_words.result(row), "bad" if row.debt_fen else "")


def _what_width() -> int:
    said = [t(f"control.purpose.{purpose}", watts=65_535) for purpose in TemporaryPurpose]
    return words.widest([*said, t("control.orders.lock")])


def _state_width() -> int:
    return words.widest(t(f"control.temporary.{state}") for state in TemporaryState)


class OrdersScreen(ListPlace[Item]):
    NAME = "orders"
    EMPTY = "control.orders.none"
    FIXED = 3
    BINDINGS: ClassVar[list[BindingType]] = bindings("orders")

    def columns(self) -> Sequence[Column[Item]]:
        zone, titles = self.app.config.site.zone, "control.column"

        def until(row: Item) -> Cell:
            if isinstance(row, Lock):
                return Cell("")  # it hangs until somebody takes it off
            return Cell(order_words.short_moment(row.until, zone))

        def person(row: Item) -> Cell:
            return Cell(row.holder if isinstance(row, Lock) else row.operator)

        return (
            Column("what", _what_width, _what, titles=titles),
            Column("state", _state_width, _state, titles=titles),
            Column("shop", width(8), lambda row: Cell(row.shop, "strong"), titles=titles),
            Column("until", width(11), until, titles=titles),
            Column("result", width(30), partial(_result, zone), titles=titles, shrinks=True),
            Column("operator", width(10), person, titles=titles),
            Column("serial", width(12), lambda row: Cell(row.serial), titles=titles),
            Column("why", width(24), lambda row: Cell(row.why), titles=titles, shrinks=True),
            Column(
                "tenant", width(20), lambda row: Cell(row.tenant or ""), titles=titles, shrinks=True
            ),
        )

    def fetch(self) -> Callable[[], Sequence[Item]]:
        now = clock.now()
        return lambda: [*views.locks(), *views.orders(now)]

    def key_of(self, row: Item) -> Hashable:
        return ("lock", row.lock) if isinstance(row, Lock) else ("order", row.temporary)

    def summary(self) -> str:
        return t("control.orders.summary")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        row = self.table.current if self.stands else None
        if action == "end":
            return isinstance(row, Order) and row.open
        if action == "unlock":
            return isinstance(row, Lock) and row.meter_id in self.app.meters
        return super().check_action(action, parameters)

    @on(LineTable.Moved)
    def _moved(self) -> None:
        self.refresh_bindings()

    @on(LineTable.Chosen)
    def _open(self) -> None:
        from console.screens.meter import (  # noqa: PLC0415 (loaded when first gone to)
            MeterScreen,
        )

        row = self.table.current
        if row is not None and row.meter_id in self.app.meters:
            self.app.push_screen(MeterScreen(row.meter_id))

    def action_unlock(self) -> None:
        from console.screens.control_verbs import (  # noqa: PLC0415 (loaded when first gone to)
            UnlockScreen,
        )

        row = self.table.current
        if isinstance(row, Lock):
            self.app.push_screen(UnlockScreen(self.app.meters[row.meter_id], row))

    def action_end(self) -> None:
        row = self.table.current
        if isinstance(row, Order):
            self.app.push_screen(EndScreen(row))


class EndScreen(TypeAgainAndSendScreen):
    """Before an order is taken back early: from then on the meter's credit decides."""

    def __init__(self, order: Order) -> None:
        super().__init__(word_again("control.order.end_again", order.serial[-LAST_DIGITS:]))
        self.order = order

    def heading(self) -> str:
        return t(
            "control.order.end_title",
            order=self.order.temporary,
            purpose=order_words.purpose(self.order),
            serial=self.order.serial,
            shop=self.order.shop,
        )

    def facts(self) -> str:
        row = self.app.meters.get(self.order.meter_id)
        balance = words.yuan(row.balance_fen if row else None)
        key = "end_limit" if self.order.limit_w else "end_facts"
        return t(f"control.order.{key}", balance=balance)

    def press_y(self) -> str:
        return t("control.order.end_y")

    def action_confirm(self) -> None:
        operator, number = self.app.operator, self.order.temporary
        assert operator is not None, "nobody ends anything without signing in"
        self.send(lambda: temporary.end_now(number, operator), self._ending)

    def _ending(self, _row: object) -> None:
        self.app.wake_engine()
        self.app.tell(t("control.order.ending"))
        self.dismiss(True)
