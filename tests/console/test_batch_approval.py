"""A batch that waits for a second person: what they see, and the number they type."""

import pytest

from console.screens.approvals import ApprovalScreen, ApprovalsScreen
from engine.config import Config, ControlSection
from engine.domain.selection import Selection
from engine.services import approvals, batches, operators
from models.cases import Approval
from models.control import Batch
from models.enums import ApprovalState, BatchVerb, Role
from tests.screens import on_table, seen, until

CONFIG = Config(control=ControlSection(second_from=1))
BOTH = pytest.mark.parametrize("language", ["zh_CN", "en"])


@pytest.fixture
def chief(db, clock):
    return operators.create("赵经理", "battery staple", Role.ADMINISTRATOR, at=clock.at)


@pytest.fixture
def number(meters, clock) -> int:
    """王主管 asks to hold all meters; how many that are."""
    boss = operators.create("王主管", "battery staple", Role.SUPERVISOR, at=clock.at)
    everything = Selection(everything=True)
    plan = batches.plan(BatchVerb.HOLD, everything, {}, config=CONFIG, now=clock.at)
    number = len(plan.change)
    given = batches.wish(plan, number, "过节")
    approvals.attempt("batch", given, boss, "b1", config=CONFIG)
    return number


async def open_request(pilot) -> None:
    await pilot.press("v")
    await until(pilot, lambda: isinstance(pilot.app.screen, ApprovalsScreen))
    await until(pilot, lambda: pilot.app.screen.table.rows)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ApprovalScreen))
    await pilot.pause()


@BOTH
async def test_the_request_says_which_verb_over_which_meters(language, make_app, chief, number):
    app = make_app(language)
    async with on_table(app, chief) as pilot:
        await open_request(pilot)

        for word in ("王主管", "过节", str(number), "保电" if language == "zh_CN" else "hold"):
            assert word in seen(app)
        assert "digest" not in seen(app)


async def test_the_number_of_meters_and_y_approve(make_app, chief, number):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await open_request(pilot)
        await pilot.press("y", "enter")
        assert Approval.get().state is ApprovalState.WAITING
        await pilot.press(*str(number), "y")
        await until(pilot, lambda: Approval.get().state is ApprovalState.APPROVED)

        assert (Batch.get().approver, Batch.get().operator.name) == (chief, "王主管")
