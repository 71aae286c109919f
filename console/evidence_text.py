"""The evidence of a case in words, line by line: for the screen and for the command line."""

import datetime as dt
import json
from collections.abc import Iterator

from rich.cells import cell_len

from console import words
from console.widgets.columns import Cell
from engine.domain.units import kwh_text
from engine.i18n import has, t
from engine.services.evidence import Event, Evidence, Frame, Told, Values
from models.commands import Command
from models.enums import CommandState

HEX_WIDTH = 60  # digits of a frame on one line
LABEL = 20
VALUE = 13
READS, EXCEPTION = {0x03, 0x04}, 0x80
HEADER = 6  # bytes of unit, function, register and number of registers


def lines(
    evidence: Evidence, command: Command | None, zone: dt.tzinfo, *, stopped: bool = True
) -> list[Cell]:
    """What two persons look at before they decide, each line with the style it is drawn in.

    `stopped`: sales to the meter are; without it, a meter's own page needs no rule.
    """
    decided = any(told.verdict for told in evidence.decisions[-1:])
    return [
        *_values(evidence, command, zone),
        *_rule(command, decided=decided, stopped=stopped),
        *(_event(each, zone) for each in evidence.events),
        *(_told(each, zone) for each in evidence.decisions),
        *(_frames(evidence.frames, zone) if command else ()),
    ]


def summary(command: Command, zone: dt.tzinfo) -> list[Cell]:
    """Which command, how it stands, when it is looked at next."""
    found = [Cell(headline(command), "strong")]
    if command.reason:
        found.append(Cell(words.reason(command.reason), "alarm2"))
    if command.state is CommandState.UNKNOWN:
        at = words.moment(command.next_check_at, zone)
        found.append(Cell(t("cases.evidence.next_check", at=at, checks=command.checks)))
    return found


def headline(command: Command) -> str:
    """Its kind, number, amount and state on one line."""
    return t(
        "cases.evidence.command",
        command=command.id,
        kind=t(f"state.kind.{command.kind}"),
        amount=words.yuan(command.amount_fen + command.fee_fen),
        state=t(f"state.command.{command.state}"),
    )


def _values(evidence: Evidence, command: Command | None, zone: dt.tzinfo) -> Iterator[Cell]:
    titles = [t(f"cases.evidence.{name}") for name in ("count", "balance", "energy", "at")]
    yield Cell(_row("", *titles), "strong")
    if command is not None:
        yield Cell(_row(t("cases.evidence.before"), *_shown(evidence.before, zone)))
        yield Cell(_row(t("cases.evidence.expected"), *_shown(evidence.expected, zone)), "dim")
        yield Cell(_row(t("cases.evidence.after"), *_shown(evidence.after, zone)))
    yield Cell(_row(t("cases.evidence.newest"), *_shown(evidence.newest, zone)), "strong")
    count = words.NOTHING if evidence.expected_count is None else str(evidence.expected_count)
    credit = words.yuan(evidence.meter_credit_fen)
    yield Cell(_row(t("cases.evidence.books"), count, credit, "", ""))
    if evidence.in_flight_fen or evidence.suspense_fen:
        in_flight, held = words.yuan(evidence.in_flight_fen), words.yuan(evidence.suspense_fen)
        yield Cell(t("cases.evidence.held", in_flight=in_flight, suspense=held))


def _shown(values: Values, zone: dt.tzinfo) -> tuple[str, str, str, str]:
    count = words.NOTHING if values.count is None else str(values.count)
    energy = words.NOTHING if values.energy_wh is None else kwh_text(values.energy_wh)
    return count, words.yuan(values.balance_fen), energy, words.moment(values.at, zone)


def _row(label: str, *cells: str) -> str:
    *numbers, at = cells
    shown = "".join(" " * max(1, VALUE - cell_len(cell)) + cell for cell in numbers)
    return f"{words.pad(label, LABEL)}{shown}  {at}".rstrip()


def _rule(command: Command | None, *, decided: bool, stopped: bool) -> Iterator[Cell]:
    """By which rule a read-back would decide, and what it cannot say here."""
    yield Cell("")
    if command is None and not stopped:
        return
    if command is None:
        key = "decided" if decided else "stopped"
    elif command.kind.raises:
        key = "raises"
    else:
        key = "lowers"
    for line in t(f"cases.rule.{key}").splitlines():
        yield Cell(line)
    if command is not None and command.state in (CommandState.UNKNOWN, CommandState.SUSPENSE):
        for line in t("cases.rule.frames").splitlines():
            yield Cell(line, "alarm1")


def _event(event: Event, zone: dt.tzinfo) -> Cell:
    """What was noticed of the meter, with its numbers."""
    numbers = "  ".join(f"{name} {value}" for name, value in event.detail.items())
    key = f"cases.event.{event.kind}"
    detail = {"expected": words.NOTHING, "found": words.NOTHING, "numbers": numbers} | event.detail
    return Cell(f"{words.moment(event.at, zone)}  {t(key, **detail)}", "alarm1")


def _told(told: Told, zone: dt.tzinfo) -> Cell:
    text = t(
        "cases.evidence.told",
        verdict=t(f"cases.verdict.{told.verdict or 'freed'}"),
        operator=told.operator,
        approver=told.approver,
        why=told.why,
    )
    return Cell(f"{words.moment(told.at, zone)}  {text}", "strong")


def _frames(frames: tuple[Frame, ...], zone: dt.tzinfo) -> Iterator[Cell]:
    yield Cell("")
    yield Cell(t("cases.evidence.frames", number=len(frames)), "strong")
    for frame in frames:
        at = f"{frame.at.astimezone(zone):%m-%d %H:%M:%S.%f}"[:-3]
        yield Cell(f"{at}  {words.pad(_step(frame.step), 12)}{asked(frame.request)}")
        yield from (Cell(f"  > {part}", "dim") for part in _hex(frame.request))
        style = "bad" if frame.error else "good"
        if frame.reply is not None:
            yield from (Cell(f"  < {part}", "dim") for part in _hex(frame.reply))
        yield Cell(f"  = {_answered(frame)}", style)


def _step(step: str) -> str:
    key = f"cases.step.{step}"
    return t(key) if has(key) else step


def asked(request: str) -> str:
    """What a frame asks for: function, register, how many; ciphered ones show their code only."""
    raw = bytes.fromhex(request)
    if len(raw) < HEADER:
        return ""
    function, register = raw[1], int.from_bytes(raw[2:4], "big")
    number = int.from_bytes(raw[4:6], "big")
    if function in READS:
        return t("cases.frame.read", register=f"{register:04X}", number=number)
    return t("cases.frame.write", function=f"{function:02X}", register=f"{register:04X}")


def _answered(frame: Frame) -> str:
    """The reply in a word, or why there was none."""
    if frame.error is None:
        return t("cases.frame.answered")
    if frame.error == "refused" and frame.reply:
        return t("cases.frame.refused", code=int(frame.reply[4:6] or "0", 16))
    key = f"error.reason.{frame.error}"
    return t(key) if has(key) else frame.error


def _hex(digits: str) -> Iterator[str]:
    for at in range(0, len(digits), HEX_WIDTH):
        yield digits[at : at + HEX_WIDTH].upper()


def refusal_text(refusal: str) -> str:
    """Why a request was refused or declined, from what is stored; empty where it was not."""
    if not refusal:
        return ""
    told = json.loads(refusal)
    if told["code"] == "declined":
        return str(told["params"]["why"])
    params = told["params"]
    key = f"error.{told['code']}_{params.get('why')}"
    return t(key if has(key) else f"error.{told['code']}", **params)
