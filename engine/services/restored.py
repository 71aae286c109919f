"""A core.db that was restored from a backup: what it has still to do may be done already."""

import logging

from engine.services import audit, batch_store, commands, settling, transitions
from models.commands import Command
from models.control import Batch, Temporary
from models.enums import BatchState, CommandState, ItemState, TemporaryState

REASON = "restored"
QUEUED = (CommandState.QUEUED,)
log = logging.getLogger(__name__)


def hold_queued(epoch: int) -> None:
    """Have nobody carry out what was queued when the backup was made. Inside a write_transaction.

    It may have reached its meter after the backup, and no read-back can tell: a purchase goes to
    a person, with its meter; a lowered balance is asked for anew, its money has not left. So is a
    switch, and a limit that had not begun; batches of switches wait for a person. Downloads and
    reads are absolute and go on; what was sent is decided by its read-back, as ever.
    """
    for command in commands.pending_counted():
        if command.state is not CommandState.QUEUED:
            continue
        end = settling.suspend if command.kind.raises else settling.refuse
        end(command, None, REASON, epoch, states=QUEUED)
        log.warning("restored while queued command=%d serial=%s", command.id, command.serial)
    _pause_batches()
    limits = Temporary.select(Temporary.begin).where(Temporary.state == TemporaryState.BEGINNING)
    beginning = {row.__data__["begin"] for row in limits}
    for command in commands.pending_uncounted():
        if command.state is CommandState.QUEUED and (
            command.kind.switch or command.id in beginning
        ):
            _refuse(command, epoch)


def _pause_batches() -> None:
    """First: their commands are taken back, and asked about again when a person goes on."""
    for batch in Batch.select().where(Batch.state == BatchState.RUNNING):
        if not batch.verb.switch:
            continue
        batch_store.take_back(batch)
        if batch_store.count(batch, ItemState.WAITING):
            batch_store.change(batch, state=BatchState.PAUSED, stopped="restarted")
            audit.write(audit.SYSTEM, "batch_pause", str(batch.id), {"why": REASON})


def _refuse(command: Command, epoch: int) -> None:
    transitions.end(command, QUEUED, CommandState.REFUSED, None, REASON, epoch)
    detail = {"command": command.id, "reason": REASON}
    audit.write(audit.SYSTEM, f"{command.kind}_refused", command.serial, detail)
    log.warning("restored while queued command=%d serial=%s", command.id, command.serial)
