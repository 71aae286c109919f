"""The key for a fresh read."""

from engine.services import commands
from models.commands import Command
from models.enums import CommandKind, CommandState
from tests.screens import on_table, seen, until


async def test_r_asks_for_the_meter_under_the_cursor_and_says_when_it_was_read(
    make_app, operator, meters
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("down", "r")
        await until(pilot, lambda: Command.select().count() == 1)
        command = Command.get()
        assert (command.kind, command.serial) == (CommandKind.READ, "202600000001")

        commands.finish_read(command.id, CommandState.APPLIED)
        await until(pilot, lambda: "已抄表" in seen(app))


async def test_a_read_that_fails_says_why(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("enter", "r")
        await until(pilot, lambda: Command.select().count() == 1)
        commands.finish_read(Command.get().id, CommandState.REFUSED, "no_reply")

        await until(pilot, lambda: "没有应答" in seen(app))


async def test_the_marked_meters_are_read(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("space", "space", "r")
        await until(pilot, lambda: Command.select().count() == 2)

        assert {row.serial for row in Command.select()} == {"202600000000", "202600000001"}
