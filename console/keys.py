"""Every key, its action and its label: one table, read by bindings, footer, help and palette.

Labels are catalog keys (`keys.<label>`), translated when drawn. No key needs ctrl-a, b, s, q
or j (tmux, screen, XON/XOFF), and every function key has a letter beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from textual.binding import ActiveBinding, Binding, BindingType
from textual.keys import key_to_character
from textual.screen import Screen

from engine.i18n import has, t
from models.enums import BatchVerb


@dataclass(frozen=True)
class Key:
    keys: str  # Textual's names, the first is the one shown
    action: str
    label: str
    show: bool = True  # in the footer; the help page has all
    first: bool = False  # before the field that has the focus: a letter beside an amount


BACK = Key("escape,q,backspace", "back", "back")
BACK_WHILE_TYPING = Key("escape,ctrl+g", "back", "back")


def typed_again(yes: str, no: str = "no", *others: Key) -> tuple[Key, ...]:
    """Of a question that something is typed into. None comes before the field: what was typed
    ahead of a key must be in it when the key is judged.
    """
    return (
        Key("y,ｙ", "confirm", yes),
        *others,
        Key("escape,n,q,ctrl+g", "back", no),
        Key("pagedown", "turn_page(1)", "page_down", show=False),
        Key("pageup", "turn_page(-1)", "page_up", show=False),
    )


TABLE: dict[str, tuple[Key, ...]] = {
    "app": (
        Key("question_mark,f1", "help", "help"),
        Key("L,f2", "language", "language"),
        Key("colon,ctrl+p", "palette", "palette"),
        Key("m,0", "place('meters')", "meters", show=False),
        Key("t", "place('topology')", "topology", show=False),
        Key("1", "place('operators')", "operators", show=False),
        Key("2", "place('settings')", "settings", show=False),
        Key("3", "place('tenants')", "tenants", show=False),
        Key("4", "place('sales')", "sales", show=False),
        Key("5", "place('reports')", "reports", show=False),
        Key("6", "place('shift')", "shift", show=False),
        Key("X", "place('exchanges')", "exchanges", show=False),
        Key("p", "tray", "tray", show=False),
        Key("9", "place('tariffs')", "tariffs", show=False),
        Key("W", "place('orders')", "orders", show=False),
        Key("N", "place('guard')", "guard", show=False),
        Key("7,v", "place('approvals')", "approvals", show=False),
        Key("8", "place('batches')", "batches", show=False),
        Key("B", "batch", "batch_open", show=False),
        Key("Q,ctrl+c", "leave", "leave", show=False),
    ),
    "dialog": (
        Key("f1", "app.help", "help", show=False),
        Key("f2", "app.language", "language", show=False),
        Key("ctrl+c", "app.leave", "leave", show=False),
    ),
    "table": (
        Key("down,j", "down", "down", show=False),
        Key("up,k", "up", "up", show=False),
        Key("pagedown,d", "page_down", "page_down", show=False),
        Key("pageup,u", "page_up", "page_up", show=False),
        Key("home,g", "top", "top", show=False),
        Key("end,G", "bottom", "bottom", show=False),
        Key("right,greater_than_sign", "columns(1)", "columns_right", show=False),
        Key("left,less_than_sign", "columns(-1)", "columns_left", show=False),
        Key("enter", "choose", "choose"),
        Key("space", "mark", "mark", show=False),
        Key("shift+down,J", "mark_move(1)", "mark_down", show=False),
        Key("shift+up,K", "mark_move(-1)", "mark_up", show=False),
        Key("a", "mark_all", "mark_all", show=False),
        Key("i", "mark_others", "mark_others", show=False),
    ),
    "meters": (
        Key("slash", "search", "search"),
        Key("s", "sell", "sell"),
        Key("w", "take_out('refund')", "refund", show=False),
        Key("z", "take_out('reverse')", "reverse", show=False),
        Key("c", "take_out('transfer')", "transfer", show=False),
        Key("r", "read", "read"),
        Key("b", "batch", "batch"),
        Key("x", "exchange", "exchange", show=False),
        Key("U", "control('lock')", "lock_out", show=False),
        Key("H", "control('hold')", "emergency", show=False),
        Key("l", "control('limit')", "limit", show=False),
        Key("f", "by_state", "by_state"),
        Key("n", "by_line", "by_line"),
        Key("o", "sort", "sort", show=False),
        Key("O", "turn_sort", "turn_sort", show=False),
        Key("escape,q,backspace", "clear", "clear"),
    ),
    "tenants": (
        Key("slash", "search", "search"),
        Key("s", "verb('sell')", "sell"),
        Key("plus", "verb('open')", "open_meters"),
        Key("n", "verb('register')", "register"),
        Key("e", "verb('edit')", "edit", show=False),
        Key("C", "verb('close')", "close_tenant"),
        Key("f", "by_state", "by_state", show=False),
        Key("h", "verb('move')", "move_tenant", show=False),
        Key("w", "verb('refund')", "refund", show=False),
        Key("z", "verb('reverse')", "reverse", show=False),
        Key("c", "verb('transfer')", "transfer", show=False),
        Key("x", "verb('exchange')", "exchange", show=False),
        Key("D", "verb('deposit')", "deposit", show=False),
        Key("r", "verb('read')", "read", show=False),
        Key("b", "verb('batch')", "batch", show=False),
        Key("o", "sort", "sort", show=False),
        Key("O", "turn_sort", "turn_sort", show=False),
        BACK,
    ),
    "tenant": (
        BACK,
        Key("s", "verb('sell')", "sell"),
        Key("plus", "verb('open')", "open_meters"),
        Key("C", "verb('close')", "close_tenant"),
        Key("h", "verb('move')", "move_tenant"),
        Key("enter", "meter", "meter_depth"),
        Key("e", "verb('edit')", "edit", show=False),
        Key("w", "verb('refund')", "refund", show=False),
        Key("z", "verb('reverse')", "reverse", show=False),
        Key("c", "verb('transfer')", "transfer", show=False),
        Key("x", "verb('exchange')", "exchange", show=False),
        Key("D", "verb('deposit')", "deposit", show=False),
        Key("r", "verb('read')", "read", show=False),
        Key("b", "verb('batch')", "batch", show=False),
    ),
    "search": (
        Key("enter,down", "done", "search_done"),
        Key("escape,ctrl+g", "give_up", "search_clear"),
    ),
    "meter": (
        BACK,
        Key("s", "sell", "sell"),
        Key("w", "take_out('refund')", "refund"),
        Key("z", "take_out('reverse')", "reverse", show=False),
        Key("c", "take_out('transfer')", "transfer", show=False),
        Key("r", "read", "read"),
        Key("x", "exchange", "exchange", show=False),
        Key("U", "control('lock')", "lock_out", show=False),
        Key("H", "control('hold')", "emergency", show=False),
        Key("l", "control('limit')", "limit", show=False),
        Key("e", "settings", "meter_settings", show=False),
        Key("b", "batch", "batch"),
    ),
    "orders": (BACK, Key("e", "end", "end_order"), Key("U", "unlock", "lock_out")),
    "guard": (BACK, Key("h", "hold", "guard_hold")),
    "notice": (Key("enter,escape,q", "back", "done"),),
    "sell": (
        Key("enter", "next", "next"),
        Key("tab", "app.focus_next", "field_next"),
        BACK_WHILE_TYPING,
    ),
    "scroll": (
        Key("down,j", "move(1)", "down", show=False),
        Key("up,k", "move(-1)", "up", show=False),
        Key("pagedown,d,space", "turn_page(1)", "page_down"),
        Key("pageup,K", "turn_page(-1)", "page_up", show=False),
    ),
    "field": (Key("enter", "submit", "accept"),),
    "choice": (
        Key("right,l", "turn(1)", "choice_next"),
        Key("left,h", "turn(-1)", "choice_before", show=False),
    ),
    "form": (
        Key("enter", "next", "next"),
        Key("tab,down", "step(1)", "field_next"),
        Key("shift+tab,up", "step(-1)", "field_before", show=False),
        Key("f10,ctrl+o", "send", "submit"),
        BACK_WHILE_TYPING,
    ),
    "checklist": (
        BACK,
        Key("enter", "go_on", "closing_on"),
    ),
    "picked": (
        Key("enter", "go_on", "next"),
        Key("plus,space,insert", "more", "pick_more"),
        Key("minus,backspace,delete", "less", "pick_less"),
    ),
    "type_again": typed_again("do_it"),
    "confirm": typed_again("sell_now"),
    "confirm_close": typed_again("close_shift"),
    "payout": typed_again("pay_out", "back", Key("tab", "app.focus_next", "field_next")),
    "approval": typed_again("approve", "back", Key("x", "decline", "decline")),
    "legs": (
        Key("enter", "back", "done"),
        Key("escape,q,backspace", "back", "done", show=False),
    ),
    "sale": (
        Key("u", "undo", "undo"),
        Key("P", "reprint", "reprint"),
        Key("o", "pay_out", "pay_out"),
        Key("enter", "back", "done"),
        Key("escape,q,backspace", "back", "done", show=False),
    ),
    "tray": (
        BACK,
        Key("r", "ask_now", "ask_now"),
        Key("e", "evidence", "evidence"),
    ),
    "evidence": (
        BACK,
        Key("r", "ask_now", "ask_now"),
        Key("x", "decide", "decide"),
        Key("f", "free", "free"),
    ),
    "reason": (
        Key("enter", "next", "next"),
        Key("tab", "app.focus_next", "field_next"),
        BACK_WHILE_TYPING,
    ),
    "shift": (
        BACK,
        Key("o", "open_shift", "open_shift"),
        Key("c", "close_shift", "close_shift"),
        Key("v", "reveal", "reveal"),
    ),
    "shift_form": (
        Key("enter", "next", "next"),
        Key("tab", "app.focus_next", "field_next"),
        BACK_WHILE_TYPING,
    ),
    "waiting": (
        Key("escape,enter,q", "back", "done"),
        Key("x", "decline", "withdraw"),
    ),
    "list": (BACK,),
    "settings": (
        BACK,
        Key("s", "push", "settings_push"),
        Key("A", "accept", "settings_accept"),
        Key("e", "defaults", "settings_defaults"),
        Key("c", "config", "settings_config"),
    ),
    "meter_settings": (
        BACK,
        Key("e", "edit", "settings_edit"),
        Key("s", "push", "settings_push"),
        Key("A", "accept", "settings_accept"),
    ),
    "tariffs": (
        BACK,
        Key("n", "new", "tariff_new"),
        Key("c", "days", "tariff_days"),
        Key("e", "changes", "tariff_changes"),
    ),
    "tariff": (
        BACK,
        Key("n", "new", "tariff_new"),
        Key("x", "withdraw", "tariff_withdraw"),
        Key("a", "assign", "tariff_assign"),
        Key("right,greater_than_sign", "version(1)", "tariff_version"),
        Key("left,less_than_sign", "version(-1)", "tariff_version", show=False),
    ),
    "tariff_form": (Key("f6,ctrl+t", "preset", "tariff_preset"),),
    "special_days": (
        BACK,
        Key("n", "new", "day_new"),
        Key("x,delete", "remove", "day_remove"),
        Key("b", "year(-1)", "year_before"),
        Key("f", "year(1)", "year_next"),
        Key("I", "import", "day_import"),
    ),
    "price_changes": (BACK, Key("s", "settle", "change_settle")),
    "setting_defaults": (BACK, Key("n", "new", "settings_new")),
    "sales": (Key("P", "reprint", "reprint"),),
    "page": (BACK,),
    "report": (
        BACK,
        Key("b", "day(-1)", "day_before"),
        Key("n", "day(1)", "day_next"),
    ),
    "topology": (BACK, Key("x,right", "open_close", "open_close")),
    "batch_verbs": (
        Key("enter", "choose", "choose"),
        *(
            Key(str(number), f"pick('{verb}')", f"batch_{verb}", show=False)
            for number, verb in enumerate(BatchVerb, 1)
        ),
        Key("f", "pick('file')", "batch_file"),
        Key("escape,q,backspace", "back", "back"),
    ),
    "batch_plan": (
        Key("enter", "approve", "batch_approve"),
        BACK,
        Key("f,tab", "turn(1)", "batch_class"),
        Key("F,shift+tab", "turn(-1)", "batch_class_before", show=False),
        Key("e", "export", "batch_workbook"),
        Key("r", "again", "batch_again"),
        Key("o", "meter", "meter_depth"),
    ),
    "batch_progress": (
        BACK,
        Key("h", "pause", "batch_pause"),
        Key("r", "resume", "batch_go_on"),
        Key("x", "cancel", "batch_cancel"),
        Key("f", "retry", "batch_retry"),
        Key("l", "items", "batch_items"),
        Key("e", "workbook", "batch_workbook"),
    ),
    "batch_items": (
        BACK,
        Key("f,tab", "turn(1)", "batch_class"),
        Key("F,shift+tab", "turn(-1)", "batch_class_before", show=False),
    ),
    "pick": (
        Key("enter", "choose", "choose"),
        Key("down", "down", "down", show=False),
        Key("up", "up", "up", show=False),
        Key("escape,ctrl+g", "back", "back"),
    ),
    "ask": (
        Key("y,ｙ", "yes", "yes"),
        Key("escape,n,q,backspace,enter", "back", "no"),
    ),
    "exchange": (
        Key("escape,q", "back", "leave_it"),
        Key("r", "again", "again", first=True),
        Key("l", "elsewhere", "elsewhere", first=True),
        Key("h", "by_hand", "by_hand"),
        Key("c", "cancel", "cancel"),
    ),
    "exchange_form": (
        Key("enter", "next", "next"),
        Key("tab", "app.focus_next", "field_next"),
        BACK_WHILE_TYPING,
    ),
    "help": (BACK,),
    "login": (
        Key("enter", "next", "next"),
        Key("tab", "app.focus_next", "field_next"),
        Key("escape,ctrl+g", "app.leave", "leave"),
    ),
}
SIGNS = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "plus": "+",
    "minus": "-",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "backspace": "Bksp",
}


def bindings(scope: str) -> list[BindingType]:
    """Bindings of one scope. The description is a catalog key: whoever draws it translates."""
    return [
        Binding(key.keys, key.action, f"keys.{key.label}", show=key.show, priority=key.first)
        for key in TABLE[scope]
    ]


def sign(key: str) -> str:
    """How a key is written on screen: `Esc`, `PgDn`, `Shift+↓` in words, the letter itself."""
    *held, last = key.split("+")
    named = f"keys.name.{last}"
    shown = t(named) if has(named) else SIGNS.get(last, last if len(last) == 1 else last.title())
    return "+".join([*(part.title() for part in held), shown])


def valid(screen: Screen[Any]) -> Iterator[ActiveBinding]:
    """Our bindings in force on `screen` now; those that a focused field would type are not."""
    focused = screen.focused
    for active in screen.active_bindings.values():
        key = active.binding.key
        typed = focused is not None and focused.check_consume_key(key, key_to_character(key))
        ours = active.binding.description.startswith("keys.")
        if ours and active.enabled and (active.binding.priority or not typed):
            yield active
