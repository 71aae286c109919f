"""Credit out of a meter: no key of an amount is eaten by the choice before it."""

from textual.widgets import Input

from console.screens.take_out import RefundScreen
from tests.screens import on_table, until


async def test_an_amount_typed_at_once_goes_into_the_amount(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, RefundScreen))
        await pilot.pause()
        await pilot.press(*"10.50")
        await pilot.pause()

        assert app.screen.query_one("#amount", Input).value == "10.50"
