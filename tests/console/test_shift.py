"""班次 by its keys: open, blind count, what differs, hand-over, report."""

import pytest

from console.screens.shift import ShiftScreen
from console.screens.shift_close import CloseShiftScreen
from console.screens.shift_confirm import ConfirmCloseScreen
from console.screens.shift_open import OpenShiftScreen
from console.screens.shift_paper import ShiftReportScreen
from engine.config import MoneySection
from engine.services import operators, selling, shifts, verify
from models.enums import PayKind, Role
from models.people import Operator, Shift
from models.shifts import HandOver
from tests.screens import on_table, screen_lines, seen, until

CASH = PayKind.CASH


@pytest.fixture
def other(db, clock):
    return operators.create("赵敏", "correct horse", Role.CASHIER, at=clock.at)


@pytest.fixture
def sold(operator, meters, carry):
    """Float 100, a proved sale of 50 in cash."""
    shifts.open_shift(operator, 10_000)
    money = MoneySection()
    selling.sell(meters[0].serial, 5_000, CASH, operator, "r1", money=money)
    carry()


async def to_shift(pilot):
    await pilot.press("6")
    app = pilot.app
    await until(pilot, lambda: isinstance(app.screen, ShiftScreen) and app.screen.known)


async def to_form(pilot):
    await to_shift(pilot)
    await pilot.press("c")
    await until(pilot, lambda: isinstance(pilot.app.screen, CloseShiftScreen))


async def count(pilot, *typed):
    for each in typed:
        await pilot.press(*each, "enter")


async def test_a_shift_opens_with_its_float(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await to_shift(pilot)
        assert "没有未交的班" in seen(app)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, OpenShiftScreen))
        await pilot.press(*"１００", "enter")

        await until(pilot, lambda: "备用金 100.00 元" in seen(app))
        assert Shift.get().float_fen == 10_000


@pytest.mark.parametrize("typed", ["", "-1", "--", "1.005"])
async def test_a_float_that_is_no_amount_is_refused(make_app, operator, meters, typed):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await to_shift(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, OpenShiftScreen))
        await pilot.press(*typed, "enter")
        await pilot.pause(0.2)

        assert isinstance(app.screen, OpenShiftScreen)
        assert Shift.select().count() == 0


async def test_what_should_be_there_is_hidden_until_asked_for(make_app, operator, sold):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await to_shift(pilot)
        await until(pilot, lambda: "50.00" in seen(app))
        assert "150.00" not in seen(app)

        await pilot.press("v")
        await until(pilot, lambda: "150.00" in seen(app))


async def test_the_form_says_nothing_of_a_kind_before_it_is_counted(make_app, operator, sold):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await to_form(pilot)
        assert "150.00" not in seen(app)
        assert "相符" not in seen(app)

        await pilot.press(*"149.5")
        await until(pilot, lambda: "应有 150.00，少 0.50" in seen(app))
        assert "应有 0.00" not in seen(app)


async def test_a_shift_that_fits_closes_by_the_cash_again_and_y(make_app, operator, sold):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await to_form(pilot)
        await count(pilot, "150", "0", "0", "0", "0", "")
        await until(pilot, lambda: isinstance(app.screen, ConfirmCloseScreen))
        await pilot.press("enter", "y")
        await pilot.pause(0.1)
        assert Shift.get().closed_at is None  # nothing was typed again
        await pilot.press(*"150", "y")

        await until(pilot, lambda: isinstance(app.screen, ShiftReportScreen))
        await until(pilot, lambda: "S20261123-001" in seen(app))
        assert "补打" not in seen(app)
        assert Shift.get().number == "S20261123-001"
        assert verify.faults() == []


async def test_a_difference_is_explained_or_the_shift_stays_open(make_app, operator, sold):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await to_form(pilot)
        await count(pilot, "149.5", "0", "0", "0", "0", "")
        await until(pilot, lambda: "清点有差额：现金 -0.50" in seen(app))
        assert isinstance(app.screen, CloseShiftScreen)

        app.screen.query_one("#explanation").value = "少找五角" * 25
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmCloseScreen))
        await pilot.press(*"149.5", "y")
        await until(pilot, lambda: isinstance(app.screen, ShiftReportScreen))
        assert Shift.get().explanation == "少找五角" * 25


async def test_a_kind_left_empty_is_not_taken_for_nothing(make_app, operator, sold):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await to_form(pilot)
        await count(pilot, "150", "", "0", "0", "0", "")
        await until(pilot, lambda: "没有输入金额" in seen(app))

        assert app.screen.focused.id == "counted-card"


async def test_what_is_not_decided_is_handed_to_somebody_picked(make_app, operator, meters, other):
    selling.sell(meters[0].serial, 5_000, CASH, operator, "r1", money=MoneySection())
    app = make_app()
    async with on_table(app, operator) as pilot:
        await to_shift(pilot)
        await until(pilot, lambda: "还有 1 条命令未决" in seen(app))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, CloseShiftScreen))
        await count(pilot, "50", "0", "0", "0", "0", "")
        await until(pilot, lambda: "谁接手未决命令" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmCloseScreen))
        assert "移交给 赵敏" in seen(app)
        await pilot.press(*"50", "y")

        await until(pilot, lambda: isinstance(app.screen, ShiftReportScreen))
        assert HandOver.get().to == other


async def test_a_supervisor_sees_all_shifts_and_closes_anothers(make_app, operator, sold, clock):
    boss = operators.create("王总", "correct horse", Role.SUPERVISOR, at=clock.at)
    app = make_app()
    async with on_table(app, boss) as pilot:
        await to_shift(pilot)
        await until(pilot, lambda: "李娜" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CloseShiftScreen))
        assert "交班：李娜" in seen(app)
        await count(pilot, "150", "0", "0", "0", "0", "")
        await until(pilot, lambda: isinstance(app.screen, ConfirmCloseScreen))
        await pilot.press(*"150", "y")

        await until(pilot, lambda: isinstance(app.screen, ShiftReportScreen))
        assert Shift.get().closed_by == boss


async def test_a_cashier_sees_only_his_own(make_app, operator, sold, other: Operator):
    app = make_app()
    async with on_table(app, other) as pilot:
        await to_shift(pilot)
        await pilot.pause(0.2)

        assert "李娜" not in seen(app)


async def test_the_report_of_a_closed_shift_is_shown_again_as_a_reprint(make_app, operator, sold):
    shifts.close_shift(operator, {CASH: 15_000}, zone=make_app().config.site.zone)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await to_shift(pilot)
        await until(pilot, lambda: "S20261123-001" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "（补打）" in seen(app))
        await pilot.press("f2")

        await until(pilot, lambda: "(reprint)" in seen(app))
        await pilot.press("q")
        assert isinstance(app.screen, ShiftScreen)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_nothing_of_the_form_is_cut_off_at_80_by_24(
    make_app, operator, meters, other, language
):
    selling.sell(meters[0].serial, 5_000, CASH, operator, "r1", money=MoneySection())
    app = make_app(language)
    async with on_table(app, operator) as pilot:
        await to_form(pilot)
        await count(pilot, "-1234567.89", "99999999.99", "0", "0", "0", "")
        await pilot.pause(0.2)

        edges = [line for line in screen_lines(app) if "+------" in line]
        assert len(edges) == 2
        assert "#1" in seen(app)
        assert screen_lines(app)[-1].startswith("Enter")


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_figures_and_report_keep_their_lines_at_80_by_24(make_app, operator, sold, language):
    app = make_app(language)
    async with on_table(app, operator) as pilot:
        await to_shift(pilot)
        await pilot.press("v")
        await until(pilot, lambda: "150.00" in seen(app))
        assert [line for line in screen_lines(app) if line.rstrip().endswith(" 150.00")]
        shifts.close_shift(operator, {CASH: 15_000}, zone=app.config.site.zone)
        await pilot.press("m", "6")
        await until(pilot, lambda: "S20261123-001" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "2026-11-23 09:00:00" in seen(app))

        assert [line for line in screen_lines(app) if "-" * 64 in line]
