"""The console with an engine in its own process, here one that only listens."""

from console.screens.sale import SaleScreen
from models import base
from models.commands import Lease
from tests.screens import on_table, screen_lines, until


class ListeningEngine:
    """Counts how often it was woken."""

    def __init__(self, state: str = "running") -> None:
        self.state = state
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


async def test_a_sale_wakes_the_engine_at_once(make_app, operator, meters):
    engine = ListeningEngine()
    app = make_app(engine=engine)
    async with on_table(app, operator) as pilot:
        await pilot.press("s", *"100", "enter", "enter", *"100", "y")
        await until(pilot, lambda: isinstance(app.screen, SaleScreen))

        assert engine.woken == 1


async def test_an_engine_that_failed_is_in_the_head_of_every_screen(make_app, operator, meters):
    app = make_app(engine=ListeningEngine(state="failed"))
    async with on_table(app, operator):
        assert "引擎故障" in screen_lines(app)[0]


async def test_without_an_engine_the_head_says_stopped(make_app, operator, meters):
    with base.write_transaction():
        Lease.update(expires_boot_ms=0).execute()
    app = make_app()
    async with on_table(app, operator):
        assert "引擎停止" in screen_lines(app)[0]


async def test_leaving_with_an_engine_says_that_it_stops_too(make_app, operator, meters):
    app = make_app(engine=ListeningEngine())
    async with on_table(app, operator) as pilot:
        await pilot.press("Q")

        await until(pilot, lambda: any("引擎会一起停止" in line for line in screen_lines(app)))
        await pilot.press("enter")
        await until(pilot, lambda: "1/30" in screen_lines(app)[1])
