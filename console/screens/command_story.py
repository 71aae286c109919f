"""A counted command told in three steps and an outcome: what is said of each kind and state."""

from console import words
from engine.domain.units import yuan_text
from engine.i18n import has, t
from models.commands import Command
from models.enums import CommandKind, CommandState


def title(kind: CommandKind) -> str:
    return t(f"state.kind.{kind}")


def steps(command: Command) -> tuple[str, str, str]:
    """Recorded, written to the meter, read back; `screen.story.<kind>_<step>`."""
    amount = yuan_text(command.amount_fen)
    if command.whole and command.base_balance_fen is None:
        amount = t("screen.story.all")
    params = {
        "credit": amount,
        "paid": yuan_text(command.amount_fen + command.fee_fen),
        "pay": t(f"screen.pay.{command.pay}") if command.pay else words.NOTHING,
        "why": command.why,
    }
    recorded = t(_text(command, "recorded"), **params)
    written = t(_text(command, "written"), **params)
    return recorded, written, _read_back(command)


def outcome(command: Command, situation: str, **params: object) -> str:
    """What the cashier must know now; `situation` is its state, or what a queued one waits for."""
    paid = yuan_text(command.amount_fen + command.fee_fen)
    return t(_text(command, situation), paid=paid, reason=words.reason(command.reason), **params)


def _read_back(command: Command) -> str:
    if command.state is not CommandState.APPLIED:
        return t("screen.sale.read_back")
    return t(
        "screen.sale.proved",
        count_before=command.base_count,
        count_after=command.after_count,
        before=words.yuan(command.base_balance_fen),
        after=words.yuan(command.after_balance_fen),
    )


def _text(command: Command, name: str) -> str:
    """The key of its own kind, else that of a lowering one, else the sale's."""
    own = f"screen.story.{command.kind}_{name}"
    lower = f"screen.story.lower_{name}"
    if has(own):
        return own
    return lower if command.kind.lowers and has(lower) else f"screen.sale.{name}"
