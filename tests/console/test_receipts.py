"""The receipt on the screen: its code, its QR as a camera would see it, the key that reprints."""

import pytest

from console.screens.sale import SaleScreen
from engine.config import MoneySection
from engine.domain.counted import PurchaseState, Step
from engine.services import clearing, commands, printing, receipts
from models.cases import PrintJob
from models.commands import Command
from tests.console.conftest import EPOCH, ZONE
from tests.scanned import scanned, shown
from tests.screens import on_table, screen_lines, seen, until

SELL = ("s", *"100", "enter", "enter", *"100", "y")


async def sold(pilot, carry) -> Command:
    await pilot.press(*SELL)
    await until(pilot, lambda: isinstance(pilot.app.screen, SaleScreen))
    await until(pilot, lambda: pilot.app.screen.command is not None)
    command = carry()
    await until(pilot, lambda: pilot.app.screen.receipt)
    return command


def picture(app):
    """The strips of the QR, and only them."""
    region = app.screen.query_one("#qr").region
    strips = app.screen._compositor.render_strips(app.size)
    return [
        strip.crop(region.x - 2, region.right + 2) for strip in strips[region.y : region.bottom]
    ]


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_the_receipt_has_its_code_and_everything_is_reached_by_scrolling(
    make_app, operator, meters, carry, language
):
    app = make_app(language)
    async with on_table(app, operator) as pilot:
        command = await sold(pilot, carry)
        code = receipts.code(receipts.of(command))
        await until(pilot, lambda: app.screen.query_one("Scroll").max_scroll_y > 20)
        await until(pilot, lambda: app.screen.paper is not None)
        found = ""
        for _ in range(6):
            found += seen(app)
            await pilot.press("pagedown")
            await pilot.pause(0.1)

        assert "20261123-000001" in found
        assert code[:5] + "-" + code[5:10] in found
        assert len(picture(app)) == 17, "the whole QR code is in sight at once"


@pytest.mark.peer
@pytest.mark.parametrize("colours", ["16", "none", "all"])
async def test_zbar_reads_the_code_off_the_terminal(
    make_app, operator, meters, carry, tmp_path, monkeypatch, colours
):
    set_colours(monkeypatch, colours)
    app = make_app()
    assert app.plain == (colours != "all")
    async with on_table(app, operator) as pilot:
        command = await sold(pilot, carry)
        await pilot.press(*["pagedown"] * 6)
        await pilot.pause(0.1)

        assert scanned(shown(picture(app)), tmp_path) == receipts.code(receipts.of(command))


def set_colours(monkeypatch, colours: str) -> None:
    monkeypatch.setenv("TERM", "xterm")
    if colours == "none":
        monkeypatch.setenv("NO_COLOR", "1")
    if colours == "all":
        monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.mark.peer
@pytest.mark.parametrize("colours", ["16", "none"])
async def test_zbar_reads_it_in_whole_cells_on_a_plain_terminal_that_is_tall(
    make_app, operator, meters, carry, tmp_path, monkeypatch, colours
):
    set_colours(monkeypatch, colours)
    app = make_app()
    async with on_table(app, operator, size=(80, 90)) as pilot:
        command = await sold(pilot, carry)
        await pilot.pause(0.1)

        assert len(picture(app)) == 33
        rows = [row[::2] for row in shown(picture(app))[::2]]
        assert scanned(rows, tmp_path) == receipts.code(receipts.of(command))


async def test_what_became_of_the_paper_is_said(make_app, operator, meters, carry):
    app = make_app()
    async with on_table(app, operator, size=(80, 60)) as pilot:
        await sold(pilot, carry)
        await until(pilot, lambda: "收据：等待打印。" in seen(app))

        job = printing.claim(EPOCH, copies=True)
        printing.failed(job.id, EPOCH, "timeout 20")
        await until(pilot, lambda: "打印机在 20 秒内未完成（第 1 次）。将自动重试。" in seen(app))


async def test_a_capital_p_prints_again(make_app, operator, meters, carry):
    app = make_app()
    async with on_table(app, operator, size=(80, 60)) as pilot:
        await sold(pilot, carry)
        await until(pilot, lambda: "P 补打收据" in screen_lines(app)[-1])
        await pilot.press("P")
        await until(pilot, lambda: PrintJob.select().count() == 2)

        job = PrintJob.select().order_by(-PrintJob.id).get()
        assert (job.reprint, job.operator.name) == (True, "李娜")
        await until(pilot, lambda: "已排队打印" in seen(app))


async def test_it_does_so_from_the_list_of_sales_too(make_app, operator, meters, carry):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await sold(pilot, carry)
        await pilot.press("enter", "4")
        await until(pilot, lambda: "已证实" in seen(app))
        await pilot.press("P")

        await until(pilot, lambda: PrintJob.select().where(PrintJob.reprint).count() == 1)


async def test_a_cleared_balance_has_no_receipt_to_look_for(make_app, operator, meters, poll):
    meter = meters[0]
    poll(meter, balance_fen=37)
    command = clearing.clear(meter.serial, "销户", operator, "c1", money=MoneySection())
    before = PurchaseState(count=4, balance_fen=37, energy_wh=500_000)
    commands.mark_sent(command.id, before, EPOCH, "this boot", 1)
    after = PurchaseState(count=4, balance_fen=0, energy_wh=500_000)
    commands.settle(command.id, Step.CONFIRM, after, None, EPOCH, zone=ZONE)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "清零" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SaleScreen))
        await until(pilot, lambda: app.screen.command is not None)
        await pilot.pause(0.3)

        assert "没有收据" not in seen(app)
        assert "P 补打" not in screen_lines(app)[-1]


async def test_a_sale_without_a_receipt_is_not_printed(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press(*SELL)
        await until(pilot, lambda: isinstance(app.screen, SaleScreen))
        await pilot.press("P", "enter", "4")
        await until(pilot, lambda: "100.00" in seen(app))
        await pilot.press("P")

        await until(pilot, lambda: "没有收据" in seen(app))
        assert PrintJob.select().count() == 0
