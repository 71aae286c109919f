"""A command from one state to the next: one UPDATE that must hit one row, or nothing happened."""

import peewee as pw

from engine import clock
from engine.domain.counted import PurchaseState
from engine.domain.errors import StaleEngine
from models.base import next_rev
from models.commands import Command, Lease
from models.enums import CommandState

SITE = "site"  # the lease's resource: one engine owns the whole site
ON_THE_WIRE = (CommandState.SENT, CommandState.UNKNOWN)
OPEN = tuple(state for state in CommandState if state.open)


def require_lease(epoch: int) -> None:
    """Raises StaleEngine unless the lease is still that of `epoch`."""
    if not _held(epoch).exists():
        raise StaleEngine(f"epoch {epoch} is over")


def end(
    command: Command,
    states: tuple[CommandState, ...],
    state: CommandState,
    after: PurchaseState | None,
    reason: str | None,
    epoch: int,
) -> Command:
    """Into a state that holds the meter no longer, with the last read-back as evidence."""
    seen = {}
    if after is not None:
        seen = {
            "after_count": after.count,
            "after_balance_fen": after.balance_fen,
            "after_energy_wh": after.energy_wh,
        }
    return move(
        command.id,
        states,
        epoch,
        state=state,
        reason=reason,
        next_check_at=None,
        finished_at=clock.now(),
        **seen,
    )


def move(
    command_id: int, states: tuple[CommandState, ...], epoch: int, **changes: object
) -> Command:
    moved = (
        Command.update(rev=next_rev(Command), **changes)
        .where(Command.id == command_id, Command.state.in_(states), pw.fn.EXISTS(_held(epoch)))
        .execute()
    )
    if moved != 1:
        raise StaleEngine(f"command {command_id} is no longer {states}, or epoch {epoch} is over")
    moved_command: Command = Command.get_by_id(command_id)
    return moved_command


def _held(epoch: int) -> "pw.ModelSelect[Lease]":
    return Lease.select(Lease.id).where(Lease.resource == SITE, Lease.epoch == epoch)
