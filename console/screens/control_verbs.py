"""Lock out, hold for some hours, limit: begun from the live table and from a meter's page."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from console import order_input, order_words, words
from console.keys import bindings
from console.screens.form_dialog import FormDialog
from console.screens.legs import LegsScreen
from console.screens.place import Dialog, Place
from console.screens.reason import Given, ReasonScreen
from console.screens.type_again import TypeAgainAndSendScreen, TypeAgainScreen
from console.screens.waiting import attempt
from console.widgets.again import word_again
from console.widgets.form import Entry
from console.widgets.key_line import KeyLine
from console.widgets.said import Said, painted
from console.work import ask
from engine import clock
from engine.domain.errors import BadLimit, BadUntil, NoReason
from engine.i18n import t
from engine.services import locking, temporary
from engine.services.approving import REASON_LENGTH_MAX, checked_reason
from engine.services.locking import Placed
from engine.views import orders as views
from engine.views.meters import MeterRow
from engine.views.orders import Lock
from models.control import Temporary
from models.enums import TemporaryPurpose

LAST_DIGITS = 4
HOURS = "8"


def lock(screen: Place, row: MeterRow) -> None:
    """Hang a lock on the meter, or where one hangs take it off."""

    def found(locks: list[Lock]) -> None:
        if locks:
            screen.app.push_screen(UnlockScreen(row, locks[0]))
        else:
            _place(screen, row)

    ask(screen, lambda: views.locks(row.meter_id), found)


def _place(screen: Place, row: MeterRow) -> None:
    app, operator = screen.app, screen.app.operator
    assert operator is not None, "nobody locks without signing in"

    def told(given: Given | None) -> None:
        if given is not None:
            ask(screen, lambda: locking.place(row.serial, given.why, operator), placed)

    def placed(done: Placed) -> None:
        app.wake_engine()
        app.push_screen(PlacedScreen(row, done))

    app.push_screen(
        ReasonScreen(
            lambda: t("control.lock.title", serial=row.serial, shop=row.shop),
            lambda _: t("control.lock.ask_why"),
        ),
        told,
    )


class PlacedScreen(Dialog[None]):
    """What an electrician reads before he touches anything."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("notice")

    def __init__(self, row: MeterRow, placed: Placed) -> None:
        super().__init__()
        self.row, self.placed = row, placed

    def compose(self) -> ComposeResult:
        with Vertical(classes="box question"):
            yield Said(self._text)
        yield KeyLine()

    def _text(self) -> Content:
        placed = self.placed
        title = t(
            "control.lock.placed",
            serial=self.row.serial,
            holder=placed.lock.holder.name,
            why=placed.lock.why,
        )
        lines = [Content.styled(title, "bold"), Content("")]
        for each in placed.under_way:
            kind = t(f"state.kind.{each.kind}")
            text = t("control.lock.under_way", kind=kind, command=each.id)
            lines.append(painted(text, "loud"))
        for each in placed.stopped:
            kind = t(f"state.kind.{each.kind}")
            lines.append(Content(t("control.lock.stopped", kind=kind, command=each.id)))
        relay = f"{t('screen.meter.label.relay')}  {t(f'state.{self.row.relay}')}"
        return Content("\n").join([*lines, Content(relay), Content(t("control.lock.still_live"))])

    def action_back(self) -> None:
        self.dismiss(None)


class UnlockScreen(TypeAgainAndSendScreen):
    """Its holder takes it off at once; anybody else asks a second person for it."""

    def __init__(self, row: MeterRow, lock: Lock) -> None:
        super().__init__(word_again("control.lock.unlock_again", row.serial[-LAST_DIGITS:]))
        self.row, self.hung = row, lock
        self.request_id = uuid4().hex

    @property
    def mine(self) -> bool:
        operator = self.app.operator
        return operator is not None and operator.name == self.hung.holder

    def heading(self) -> str:
        return t("control.lock.unlock_title", serial=self.row.serial, shop=self.row.shop)

    def facts(self) -> Content:
        at = words.moment(self.hung.placed_at, self.app.config.site.zone)
        held = t("control.lock.held_by", holder=self.hung.holder, at=at, why=self.hung.why)
        if self.mine:
            return Content(held)
        other = t("control.lock.not_mine", holder=self.hung.holder)
        return Content("\n").join([Content(held), painted(other, "alarm1")])

    def press_y(self) -> str:
        return t("control.lock.unlock_y" if self.mine else "control.lock.ask_y")

    def action_confirm(self) -> None:
        operator, serial = self.app.operator, self.row.serial
        assert operator is not None, "nobody unlocks without signing in"
        if self.mine:
            self.send(lambda: locking.release(serial, operator), self._freed)
            return
        given = {"serial": serial, "why": self.hung.why}
        self.sending = True
        attempt(self, "unlock", given, self.request_id, self._freed, refused=self._refused)

    def _freed(self, _done: object) -> None:
        self.app.tell(t("control.lock.released", serial=self.row.serial))
        self.dismiss(True)


class OrderForm(FormDialog):
    """How long, why; a limit asks for its watts first. Which meter is typed again."""

    BLAME: ClassVar = {BadUntil: "hours", BadLimit: "watts", NoReason: "why"}
    KIND: ClassVar[str]

    def __init__(self, row: MeterRow) -> None:
        super().__init__()
        self.row = row

    def heading(self) -> str:
        return t(f"control.order.title_{self.KIND}", serial=self.row.serial, shop=self.row.shop)

    def entries(self) -> Sequence[Entry]:
        most = self.app.config.control.emergency_max_h
        return (
            Entry("hours", "control.order.hours", lambda text: order_input.hours(text, most),
                  self.hours, amount=True),
            Entry("why", "control.order.why", checked_reason, length_max=REASON_LENGTH_MAX,
                  hint="tenant.form.needed"),
        )  # fmt: skip

    @property
    def hours(self) -> str:
        return HOURS

    def consequence(self) -> str:
        length: dt.timedelta | None = self.form.values().get("hours")
        if length is None:
            return ""
        return t(f"control.order.{self.KIND}_facts", until=self.until_text(length))

    def until_text(self, length: dt.timedelta) -> str:
        return order_words.short_moment(clock.now() + length, self.app.config.site.zone)

    def submitted(self, values: dict[str, Any]) -> None:
        def answered(sure: bool | None) -> None:  # noqa: FBT001 (Textual calls it so)
            if sure:
                self.send(partial(self.begin, values), self._begun)

        self.app.push_screen(OrderConfirm(self, values), answered)

    def begin(self, values: dict[str, Any]) -> Temporary:
        raise NotImplementedError

    def _begun(self, made: Temporary) -> None:
        app, heading = self.app, self.heading
        self.dismiss(made.serial)
        if made.begin is not None:
            app.push_screen(LegsScreen(heading, [made.begin.id]))


class HoldForm(OrderForm):
    """应急保电."""

    KIND = "hold"

    @property
    def hours(self) -> str:
        return str(min(int(HOURS), self.app.config.control.emergency_max_h))

    def begin(self, values: dict[str, Any]) -> Temporary:
        return temporary.hold(
            self.row.serial, clock.now() + values["hours"], TemporaryPurpose.EMERGENCY,
            values["why"], self.operator, self.request_id, config=self.app.config,
        )  # fmt: skip


class LimitForm(OrderForm):
    """限电."""

    KIND = "limit"

    def entries(self) -> Sequence[Entry]:
        watts = Entry("watts", "control.order.watts", order_input.watts, amount=True,
                      hint="tenant.form.needed")  # fmt: skip
        return (watts, *super().entries())

    def begin(self, values: dict[str, Any]) -> Temporary:
        return temporary.limit(
            self.row.serial, values["watts"], clock.now() + values["hours"], values["why"],
            self.operator, self.request_id, config=self.app.config,
        )  # fmt: skip


class OrderConfirm(TypeAgainScreen):
    def __init__(self, form: OrderForm, values: dict[str, Any]) -> None:
        super().__init__(word_again("control.order.end_again", form.row.serial[-LAST_DIGITS:]))
        self.form, self.values = form, values

    def heading(self) -> str:
        return self.form.heading()

    def facts(self) -> str:
        row, kind = self.form.row, self.form.KIND
        lines = [t("control.order.of", tenant=row.tenant or words.NOTHING,
                   balance=words.yuan(row.balance_fen))]  # fmt: skip
        if "watts" in self.values:
            lines.append(t("control.purpose.limit", watts=self.values["watts"]))
            lines += _draws(row, self.values["watts"])
        lines.append(t(f"control.order.{kind}_facts", until=self._until()))
        return "\n".join(lines)

    def _until(self) -> str:
        return self.form.until_text(self.values["hours"])

    def press_y(self) -> str:
        return t(f"control.order.{self.form.KIND}_y", until=self._until())


def _draws(row: MeterRow, limit_w: int) -> list[str]:
    """What it drew when it was read last, beside the limit it is to get."""
    if row.power_w is None:
        return []
    key = "control.order.draws_over" if row.power_w > limit_w else "control.order.draws"
    return [t(key, power=words.kw(row.power_w))]


def start(screen: Place, verb: str, row: MeterRow) -> None:
    """`lock`, `hold` or `limit` on one meter."""
    if verb == "lock":
        lock(screen, row)
        return
    form = {"hold": HoldForm, "limit": LimitForm}[verb]
    screen.app.push_screen(form(row))
