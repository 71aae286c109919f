"""What meters are told for a time, in an operator's words."""

import datetime as dt

from console import words
from engine.i18n import t
from engine.views.orders import Order
from models.enums import TemporaryState

STATE_STYLES = {
    TemporaryState.BEGINNING: "alarm1",
    TemporaryState.HELD: "good",
    TemporaryState.ENDING: "alarm1",
    TemporaryState.ENDED: "",
    TemporaryState.FAILED: "bad",
    TemporaryState.STUCK: "bad",
}


def purpose(order: Order) -> str:
    """`应急保电`, `限电 2000 W`."""
    return t(f"control.purpose.{order.purpose}", watts=order.limit_w or 0)


def state(order: Order) -> str:
    return t(f"control.temporary.{order.state}")


def short_moment(at: dt.datetime, zone: dt.tzinfo) -> str:
    """Local, to the minute: `11-24 09:00`."""
    return f"{at.astimezone(zone):%m-%d %H:%M}"


def result(order: Order) -> str:
    """What it came to: before and after, and what is still owed."""
    if order.ended_at is None or order.state is TemporaryState.FAILED:
        return ""
    if order.limit_w is not None:
        return ""
    before, after = words.yuan(order.before_balance_fen), words.yuan(order.after_balance_fen)
    key = "control.order.debt" if order.debt_fen else "control.order.no_debt"
    return t(key, before=before, after=after, debt=words.yuan(order.debt_fen))


def line(order: Order, zone: dt.tzinfo) -> str:
    """All of it on one line, for the page of a meter or a tenant."""
    until = short_moment(order.until, zone)
    return t(
        "control.order.line",
        purpose=purpose(order),
        state=state(order),
        until=until,
        operator=order.operator,
        result=result(order),
    ).rstrip()
