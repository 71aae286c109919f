"""Asking a meter now instead of at the next time of the schedule: somebody is waiting."""

from engine import clock
from engine.domain.errors import NotDecidable
from engine.services import audit, commands, operators
from models.base import next_rev, write_transaction
from models.commands import Command
from models.enums import CommandState, Right
from models.people import Operator


def check_now(command_id: int, by: Operator, request_id: str) -> Command:
    """Have the meter of an unknown command read back at once, that of a suspended one read.

    The command itself, or the fresh read. Raises Forbidden, NoSuchCommand, NotDecidable, and
    what a fresh read raises.
    """
    command = commands.get(command_id)
    if command.state is CommandState.SUSPENSE:
        return commands.request_read(command.serial, request_id, by)
    with write_transaction():
        operators.require(by, Right.READ)
        moved = (
            Command.update(next_check_at=clock.now(), rev=next_rev(Command))
            .where(Command.id == command_id, Command.state == CommandState.UNKNOWN)
            .execute()
        )
        if not moved:
            under_way = commands.get(command_id).state.open
            raise NotDecidable(command=command_id, why="under_way" if under_way else "ended")
        audit.write(by.name, "check_now", command.serial, {"command": command_id})
        return commands.get(command_id)
