"""Place 9: a version published with questions and typing, withdrawn; days; meters; settled."""

import datetime as dt
import os
from decimal import Decimal

import pytest
from textual.widgets import Input

from console.screens.meter import MeterScreen
from console.screens.price_changes import PriceChangesScreen
from console.screens.special_days import DayForm, DaysFileForm, SpecialDaysScreen
from console.screens.tariff import TariffScreen
from console.screens.tariff_confirm import PublishScreen, UnlikelyScreen, WithdrawScreen
from console.screens.tariff_forms import PublishForm
from console.screens.tariffs import TariffsScreen
from engine.config import Config
from engine.services import calendars, operators, tariffs
from models import base
from models.accounts import Installation
from models.enums import ChangeCause, Role, SpecialDayKind
from models.site import Meter
from models.tariffs import PriceChange, SpecialDay, TariffVersion
from tests.console.test_snapshots import SNAPSHOTS
from tests.screens import on_table, screen_lines, seen, until

TODAY, LATER = dt.date(2026, 11, 23), dt.date(2026, 12, 1)
PRICES = tuple(Decimal(text) for text in ("1.2", "1.0", "0.7", "0.4"))
SCHEDULE = (
    "00:00 valley, 07:00 flat, 10:00 peak, 18:00 sharp, 21:00 peak, 23:00 valley; "
    "07-01..08-31 00:00 valley, 07:30 flat, 10:00 sharp, 22:00 flat; holidays 00:00 valley"
)
STEPS, CYCLE = "0-240: +0; 240-400: +0.05; 400-: +0.3", "monthly"


@pytest.fixture
def chief(db, clock):
    return operators.create("王强", "correct horse", Role.SUPERVISOR, at=clock.at)


@pytest.fixture
def shops(chief, meters):
    """`商铺`, in force and to come, on three meters."""

    def publish(day, prices):
        tariffs.publish(
            "商铺", day, prices, SCHEDULE, STEPS, CYCLE, "年度调价", chief, config=Config()
        )

    publish(TODAY, PRICES)
    publish(LATER, tuple(price + Decimal("0.1") for price in PRICES))
    tariffs.assign([meter.serial for meter in meters[:3]], "商铺", chief)
    days = [(dt.date(2026, 10, day), SpecialDayKind.HOLIDAY, "国庆节") for day in (1, 2, 3)]
    days.append((dt.date(2026, 10, 10), SpecialDayKind.WORKDAY, "国庆调休"))
    calendars.set_days(days, chief)


@pytest.fixture
def late(shops, meters, clock):
    """A change that came two hours late, with 1.30 yuan too little deducted."""
    with base.write_transaction():
        return PriceChange.create(
            once="1-2026-11-23", meter=meters[0], serial=meters[0].serial,
            installation=Installation.get(Installation.meter == meters[0]),
            cause=ChangeCause.STEP, due_at=clock.at - dt.timedelta(hours=3),
            queued_at=clock.at - dt.timedelta(hours=3), applied_at=clock.at - dt.timedelta(hours=1),
            energy_wh=245_000, balance_fen=4680, late_wh=26_000, late_fen=130,
        )  # fmt: skip


async def at_place(app, pilot):
    await pilot.press("9")
    await until(pilot, lambda: isinstance(app.screen, TariffsScreen) and app.screen.found)
    await pilot.pause()


async def at_page(app, pilot):
    await at_place(app, pilot)
    await until(pilot, lambda: "商铺" in seen(app))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, TariffScreen) and app.screen.version)
    await pilot.pause()


async def at_form(app, pilot):
    await until(pilot, lambda: bool(app.screen.query("#note")))
    await pilot.pause()


def fill(app, **texts):
    for name, text in texts.items():
        app.screen.query_one(f"#{name}", Input).value = text


def whole():
    return [
        list(model.select().order_by(model.id).dicts()) for model in (TariffVersion, SpecialDay)
    ]


async def test_a_version_is_published_by_typing_the_number_of_meters(make_app, chief, shops):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await at_page(app, pilot)
        await pilot.press("n")
        await at_form(app, pilot)
        fill(app, valid_from="2027-01-01", price_peak="1.1")
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, PublishScreen))
        await until(pilot, lambda: "1.1000 -> 1.1000" in seen(app))
        before = whole()
        await pilot.press("enter", "y", "2", "y")
        await pilot.pause()
        assert whole() == before, "neither Enter nor another number publishes"
        await pilot.press("backspace", "3", "y")

        await until(pilot, lambda: TariffVersion.select().count() == 3)
        made = TariffVersion.get(TariffVersion.valid_from == "2027-01-01")
        assert made.price_peak == Decimal("1.1")
        assert made.schedule == TariffVersion.get_by_id(1).schedule
        await until(pilot, lambda: "2027-01-01" in seen(app))


async def test_a_version_of_today_says_that_it_is_sent_at_once(make_app, chief, shops, clock):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await at_page(app, pilot)
        await pilot.press("n")
        await at_form(app, pilot)
        clock.advance(days=1)
        today = clock.at.astimezone(app.config.site.zone).date()
        fill(app, valid_from=today.isoformat(), price_peak="1.1")
        await pilot.press("f10")

        await until(pilot, lambda: isinstance(app.screen, PublishScreen))
        assert "涉及 3 块电表：今天生效，发布后立即下发。" in seen(app)


async def test_what_is_wrong_is_said_while_it_is_typed_and_nothing_is_stored(
    make_app, chief, shops
):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await at_page(app, pilot)
        await pilot.press("n")
        await at_form(app, pilot)
        before = whole()
        for texts, said in (
            ({"schedule": "00:00 谷, 25:00 平"}, "没有 25:00 这个时间"),
            ({"schedule": "00:00 谷", "steps": "0-240: +0; 300-: +1"}, "没有价格"),
            ({"steps": "", "cycle": "monthly"}, "却没有阶梯"),
            ({"cycle": "", "price_peak": "1.00005"}, "比电表的最小单位"),
            ({"price_peak": "-1"}, "低于 0"),
        ):
            fill(app, **texts)
            await until(pilot, lambda said=said: said in seen(app).replace("\n", ""))
            await pilot.press("f10")
            await pilot.pause()
            assert isinstance(app.screen, PublishForm)
        fill(app, price_peak="1", name="=cmd()")
        await pilot.press("f10")
        await until(pilot, lambda: "不能作电价方案名" in seen(app))
        fill(app, name="商铺", valid_from="2026-12-01")
        await pilot.press("f10")
        await until(pilot, lambda: "已经发布" in seen(app))
        assert whole() == before


async def test_an_unlikely_price_is_typed_again_before_anything_else(make_app, chief, shops):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await at_page(app, pilot)
        await pilot.press("n")
        await at_form(app, pilot)
        fill(app, valid_from="2027-01-01", price_sharp="12", steps="", cycle="")
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, UnlikelyScreen))
        await pilot.press("enter", "y", "1", "y")
        assert isinstance(app.screen, UnlikelyScreen)
        await pilot.press("2", "y")
        await until(pilot, lambda: isinstance(app.screen, PublishScreen))
        await pilot.press("3", "y")
        await until(pilot, lambda: TariffVersion.select().count() == 3)


async def test_a_cashier_is_refused_aloud(make_app, operator, shops):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_page(app, pilot)
        await pilot.press("n")
        await at_form(app, pilot)
        fill(app, valid_from="2027-01-01")
        before = whole()
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, PublishScreen))
        await pilot.press("3", "y")
        await until(pilot, lambda: "李娜" in seen(app) or "权限" in seen(app))
        assert whole() == before


async def test_a_version_to_come_is_withdrawn_by_typing_its_day(make_app, chief, shops):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await at_page(app, pilot)
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, TariffScreen), "what is in force is not withdrawn"
        await pilot.press("right")
        await until(pilot, lambda: app.screen.version.valid_from == "2026-12-01")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, WithdrawScreen))
        await pilot.press("enter", "y", *"2026-12-01", "y")

        await until(pilot, lambda: "已撤回" in seen(app))
        assert TariffVersion.select().where(TariffVersion.withdrawn_at.is_null(False)).count() == 1


async def test_marked_meters_are_put_on_a_tariff(make_app, chief, shops, meters):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await pilot.press("down", "down", "down", "down", "space", "space")
        await at_page(app, pilot)
        await pilot.press("a")
        await until(pilot, lambda: bool(app.screen.query("#serials")))
        await pilot.press("f10")
        await until(pilot, lambda: bool(app.screen.query("#again")))
        await pilot.press("2", "y")
        await until(pilot, lambda: Meter.select().where(Meter.tariff == "商铺").count() > 3)


async def test_days_are_set_in_a_range_edited_removed_and_read_from_a_file(
    make_app, chief, shops, tmp_path
):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await at_place(app, pilot)
        await pilot.press("c")
        await until(
            pilot, lambda: isinstance(app.screen, SpecialDaysScreen) and "国庆" in seen(app)
        )
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, DayForm) and app.screen.query("#name"))
        before = whole()
        for first, last, said in (
            ("2026-02-30", "", "不是日期"),
            ("2026-12-31", "2036-01-01", "一次设置"),
            ("2026-12-31", "2026-12-30", "一次设置"),
        ):
            fill(app, first=first, last=last)
            await pilot.press("f10")
            await until(pilot, lambda said=said: said in seen(app))
        assert whole() == before
        fill(app, first="2026-12-30", last="2026-12-31", name="元旦")
        await pilot.press("f10")
        await until(pilot, lambda: SpecialDay.select().count() == 6)
        await until(pilot, lambda: isinstance(app.screen, SpecialDaysScreen))
        await pilot.press("x", "y")
        await until(pilot, lambda: SpecialDay.select().count() == 5)

        good, bad = tmp_path / "days.csv", tmp_path / "bad.csv"
        good.write_text("day,kind,name\n2026-05-01,休,劳动节\n", encoding="utf-8")
        bad.write_text("day,kind,name\n2026-05-02,party,劳动节\n", encoding="utf-8")
        await until(pilot, lambda: isinstance(app.screen, SpecialDaysScreen))
        await pilot.press("I")
        await until(
            pilot, lambda: isinstance(app.screen, DaysFileForm) and app.screen.query("#path")
        )
        fill(app, path=str(bad))
        await pilot.press("enter")
        await until(pilot, lambda: "共 1 处" in seen(app).replace("\n", ""))
        fill(app, path=str(good))
        await pilot.press("f10")
        await until(pilot, lambda: SpecialDay.select().count() == 6)


async def test_a_late_change_is_settled_with_a_note_and_leads_to_its_meter(make_app, chief, late):
    app = make_app()
    async with on_table(app, chief) as pilot:
        await at_place(app, pilot)
        await pilot.press("e")
        await until(
            pilot, lambda: isinstance(app.screen, PriceChangesScreen) and "+1.30" in seen(app)
        )
        assert "少付" in seen(app)
        await pilot.press("s")
        await until(pilot, lambda: bool(app.screen.query("#why")))
        await pilot.press("enter")
        assert PriceChange.get().settled_at is None
        fill(app, why="下次购电时补收")
        await pilot.press("enter")
        await until(pilot, lambda: PriceChange.get().settled_at is not None)
        await until(pilot, lambda: "下次购电时补收" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MeterScreen))


SCREENS = [
    pytest.param("tariffs", ("9",), "26-12-01", id="the list"),
    pytest.param("tariff", ("9", "enter"), "07-01..08-31", id="one tariff"),
    pytest.param("tariff-form", ("9", "enter", "n"), "400.00- kWh", id="the form"),
    pytest.param("special-days", ("9", "c"), "2026-10-10", id="special days"),
    pytest.param("price-changes", ("9", "e"), "+1.30", id="price changes"),
    pytest.param(
        "meter-tariff", ("enter", "end", *("pagedown",) * 4), "2026-12-01", id="a meter's"
    ),
]


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("name", "keys", "awaited"), SCREENS)
async def test_the_screen_is_as_it_was_agreed(make_app, chief, late, language, name, keys, awaited):
    app = make_app(language)
    async with on_table(app, chief) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        await until(pilot, lambda: any(awaited in line for line in screen_lines(app)))
        await pilot.pause(0.3)
        drawn = "\n".join(line.rstrip() for line in screen_lines(app)) + "\n"

    agreed = SNAPSHOTS / f"{name}-{language}.txt"
    if "VOLTILL_DRAW_SNAPSHOTS" in os.environ:
        agreed.write_text(drawn, encoding="utf-8")
    assert drawn == agreed.read_text(encoding="utf-8")
