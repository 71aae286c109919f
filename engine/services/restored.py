"""A core.db that was restored from a backup: what it has still to do may be done already."""

import logging

from engine.services import commands, settling
from models.enums import CommandState

REASON = "restored"
log = logging.getLogger(__name__)


def hold_queued(epoch: int) -> None:
    """Have nobody carry out what was queued when the backup was made. Inside a write_transaction.

    It may have reached its meter after the backup, and no read-back can tell: a purchase goes to
    a person, with its meter; a lowered balance is asked for anew, its money has not left. What was
    sent is decided by its read-back, as ever.
    """
    for command in commands.pending_counted():
        if command.state is not CommandState.QUEUED:
            continue
        end = settling.suspend if command.kind.raises else settling.refuse
        end(command, None, REASON, epoch, states=(CommandState.QUEUED,))
        log.warning("restored while queued command=%d serial=%s", command.id, command.serial)
