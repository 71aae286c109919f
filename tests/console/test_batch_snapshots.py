"""Plan and progress of a batch, letter by letter, at 80 columns and 24 lines in both languages."""

import os

import pytest

from console.screens.batch_plan import PlanScreen
from console.screens.batch_progress import ProgressScreen
from console.screens.batch_verbs import Chosen
from engine.domain.selection import Selection
from engine.services import batch_store, batches, operators
from models.base import write_transaction
from models.control import BatchItem
from models.enums import BatchVerb, ItemState, Role
from tests.console.test_snapshots import SNAPSHOTS
from tests.screens import on_table, screen_lines, until


@pytest.fixture
def boss(db, clock):
    return operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def agreed(make_app, boss):
    """Draw what `show` puts in front, and compare it with what was agreed."""

    async def one(name, language, show, awaited, keys=()) -> None:
        app = make_app(language)
        async with on_table(app, boss) as pilot:
            app.push_screen(show(app))
            await until(pilot, lambda: any(awaited in line for line in screen_lines(app)))
            for key in keys:
                await pilot.press(key)
            await pilot.pause(0.5)
            drawn = "\n".join(line.rstrip() for line in screen_lines(app)) + "\n"

        path = SNAPSHOTS / f"{name}-{language}.txt"
        if "VOLTILL_DRAW_SNAPSHOTS" in os.environ:
            path.write_text(drawn, encoding="utf-8")
        assert drawn == path.read_text(encoding="utf-8")

    return one


@pytest.fixture
def plan_of(meters, clock):
    def one(app, verb, number):
        wanted = Selection(serials=tuple(meter.serial for meter in meters[:number]))
        return batches.plan(verb, wanted, {}, config=app.config, now=clock.at)

    return one


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(
    ("name", "verb", "keys"),
    [
        pytest.param("batch-plan", BatchVerb.TRIP, (), id="a trip"),
        pytest.param("batch-confirm", BatchVerb.TRIP, ("enter", "1"), id="the question"),
        pytest.param("batch-price", BatchVerb.PRICE, ("end",), id="prices"),
    ],
)
async def test_the_plan_is_as_it_was_agreed(
    agreed, plan_of, set_prices, meters, language, name, verb, keys
):
    for meter in meters[:20]:
        set_prices(meter)

    def show(app) -> PlanScreen:
        plan = plan_of(app, verb, 26)
        chosen = Chosen("marked", plan.selection, 26, 30)
        return PlanScreen(plan, chosen, "夜间检修 riser work")

    await agreed(name, language, show, "L01", keys)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_the_progress_is_as_it_was_agreed(agreed, plan_of, boss, language):
    def show(app) -> ProgressScreen:
        plan = plan_of(app, BatchVerb.TRIP, 16)
        number = len(plan.change)
        batch = batches.start(plan, number, "夜间检修", boss, "r1", config=app.config)
        first, second, third = BatchItem.select().limit(3)
        with write_transaction():
            batch_store.end_item(first.id, ItemState.APPLIED, None)
            batch_store.end_item(second.id, ItemState.REFUSED, "sold_since")
            batch_store.end_item(third.id, ItemState.UNKNOWN, None)
        batches.pause(batch.id, boss)
        return ProgressScreen(batch.id)

    await agreed("batch-progress", language, show, "3/15")
