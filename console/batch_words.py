"""Batches in words: verbs, classes of a plan, what a meter changes from and to, times."""

import datetime as dt
from collections.abc import Mapping, Sequence

from console import setting_words, tariff_words, words
from engine.domain.wanted import PRICE_NAMES, same
from engine.exports import planned_text, reason_text
from engine.i18n import t
from engine.services.batch_rows import Plan, PlanRow
from engine.views.batches import BatchRow, Item
from models.enums import BatchState, BatchVerb, ItemState, Planned

Values = Mapping[str, str | int | None]
Pair = tuple[str | int | None, str | int | None]
LOSES = "loses"  # a class of its own beside those of Planned: the light goes out at once
CLASS_STYLES = {
    LOSES: "bad",
    Planned.CHANGE: "alarm1",
    Planned.SAME: "good",
    Planned.UNREACHABLE: "lost",
    Planned.LOCKED: "alarm2",
    Planned.REFUSED: "alarm2",
}
ITEM_STYLES = {
    ItemState.WAITING: "dim",
    ItemState.QUEUED: "alarm1",
    ItemState.APPLIED: "good",
    ItemState.REFUSED: "bad",
    ItemState.UNKNOWN: "alarm2",
    ItemState.SKIPPED: "lost",
}
STATE_STYLES = {
    BatchState.RUNNING: "good",
    BatchState.PAUSED: "alarm1",
    BatchState.DONE: "",
    BatchState.CANCELLED: "lost",
}
MINUTE_S = 60
HOUR_S = 3600


def verb(of: BatchVerb) -> str:
    return t(f"plan.verb.{of}")


def class_of(row: PlanRow) -> str:
    """LOSES, or what is planned."""
    return LOSES if row.loses_power else row.planned.value


def class_word(name: str, of: BatchVerb) -> str:
    """What is only read does not change."""
    if name == LOSES:
        return t("batch.class.loses")
    return planned_text(Planned(name), of)


def what(row: PlanRow) -> str:
    """From what to what; of a meter that is left alone, why."""
    if row.planned is Planned.SAME:
        return _held(row.was)
    return (
        changes(row.was, row.wanted) if row.planned is Planned.CHANGE else reason_text(row.reason)
    )


def _held(was: Values) -> str:
    """What a meter that is right already holds, as far as it goes on a line."""
    if "force" in was:
        return t(f"plan.force.{was['force']}")
    if held := tariff_words.held_prices(was):
        return t("batch.holds", held=held)
    return t("batch.comma").join(
        f"{setting_words.name(name)} {setting_words.text(name, value)}"
        for name, value in was.items()
    )


def what_became(item: Item) -> str:
    """Why it came to nothing, or that it was right already; else from what to what."""
    if item.planned is Planned.SAME:
        return t(f"plan.planned.{item.planned}")
    return reason_text(item.reason) or changes(item.was, item.wanted)


def changes(was: Values, wanted: Values) -> str:
    """`relay on -> OFF, by credit -> tripped`; only what differs."""
    held = {name: value for name, value in was.items() if value is not None}
    pairs: dict[str, Pair] = {
        name: (was.get(name), value)
        for name, value in wanted.items()
        if value is None or not same(name, value, held)
    }
    parts = _switch(pairs) + _prices(pairs)
    left = (name for name in pairs if name not in (*PRICE_NAMES, "force", "relay"))
    return t("batch.comma").join([*parts, *(_setting(name, *pairs[name]) for name in left)])


def _switch(pairs: Mapping[str, Pair]) -> list[str]:
    said = []
    if "relay" in pairs:
        before, after = (t(f"batch.relay.{each or 'unknown'}") for each in pairs["relay"])
        said.append(t("batch.relay.change", before=before, after=after))
    if "force" in pairs:
        before, after = (str(each or "none") for each in pairs["force"])
        order = t(f"plan.force.{after}")
        by_credit = before == "none"  # nothing was ordered: saying so would only take room
        said.append(order if by_credit else f"{t(f'plan.force.{before}')} -> {order}")
    return said


def _prices(pairs: Mapping[str, Pair]) -> list[str]:
    """Sharp/peak/flat/valley where all four change; one figure where all are the same."""
    found = [pairs[name] for name in PRICE_NAMES if name in pairs]
    if len(found) == len(PRICE_NAMES):
        before, after = (_together(each) for each in zip(*found, strict=True))
        return [t("batch.price_change", before=before, after=after)]
    return [
        f"{setting_words.name(name)} {_price(pairs[name][0])} -> "
        f"{setting_words.text(name, pairs[name][1])}"
        for name in PRICE_NAMES
        if name in pairs
    ]


def _together(values: Sequence[str | int | None]) -> str:
    said = [_price(value) for value in values]
    return said[0] if len(set(said)) == 1 else "/".join(said)


def _price(value: str | int | None) -> str:
    return t("batch.not_read") if value is None else str(value)


def _setting(name: str, before: str | int | None, after: str | int | None) -> str:
    if before is None:
        was = t("batch.not_read")
    elif name.endswith("_fen"):
        was = words.yuan(int(before))  # the unit stands once, behind
    else:
        was = setting_words.text(name, before)
    return f"{setting_words.name(name)} {was} -> {setting_words.text(name, after)}"


def duration(seconds: float) -> str:
    """`40 s`, `2 min`, `1 h 20 min`: for a person who waits."""
    if seconds < MINUTE_S:
        return t("batch.time.seconds", number=int(seconds))
    minutes = round(seconds / MINUTE_S)
    if seconds < HOUR_S:
        return t("batch.time.minutes", number=minutes)
    return t("batch.time.hours", number=minutes // 60, minutes=minutes % 60)


def line_time(plan: Plan) -> str:
    """How long the line takes that takes longest."""
    if not plan.line_s:
        return t("batch.plan.no_time")
    line = max(plan.by_line_s, key=lambda name: (plan.by_line_s[name], name), default="")
    return t("batch.plan.time", time=duration(plan.line_s), line=line)


def asked_with(plan: Plan, why: str, zone: dt.tzinfo) -> str:
    """What was said beside the verb: until when, over what, and why; empty where nothing was."""
    said: Sequence[str] = [
        *([_until(str(plan.options["until"]), zone)] if plan.options.get("until") else []),
        *(t(f"batch.with.{name}") for name in ("override", "unopened", "fresh")
          if plan.options.get(name)),
        *([t("batch.with.why", why=why)] if why else []),
    ]  # fmt: skip
    return t("batch.comma").join(said)


def _until(text: str, zone: dt.tzinfo) -> str:
    at = dt.datetime.fromisoformat(text).astimezone(zone)
    return t("batch.with.until", at=f"{at:%m-%d %H:%M}")


def state(row: BatchRow) -> str:
    """A paused one says why it stands."""
    if row.state is BatchState.PAUSED and row.stopped:
        return t("batch.paused", why=t(f"batch.stopped.{row.stopped}"))
    return t(f"plan.state.{row.state}")


def ended(row: BatchRow) -> int:
    """Of a cancelled one those that were sent: what never left has not ended."""
    if row.state is BatchState.CANCELLED:
        return row.done + row.unknown
    return row.done + row.failed + row.unknown


def bar(number: int, total: int, cells: int) -> str:
    """`[####....]`: plain characters, which every terminal has."""
    full = number * (cells - 2) // total if total else cells - 2
    return "[" + "#" * full + "." * (cells - 2 - full) + "]"


def who(row: BatchRow) -> str:
    return f"{row.operator} + {row.approver}" if row.approver else row.operator


def verb_width() -> int:
    return words.widest(verb(each) for each in BatchVerb)
