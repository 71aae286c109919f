"""Place 2: what differs, pushed and accepted; a meter's settings; defaults; bad input in forms."""

import json
import os

import pytest
from textual.widgets import Input

from console.screens.batch_options import OptionsScreen
from console.screens.meter_settings import MeterSettingsScreen
from console.screens.setting_defaults import DefaultsScreen
from console.screens.setting_forms import DefaultForm, MeterForm
from console.screens.settings import SettingsScreen
from console.widgets.form import Form
from engine.services import operators
from models import base
from models.commands import Command
from models.enums import CommandKind, DefaultScope, Role
from models.metering import Latest
from models.settings import AcceptedSetting, SettingDefault
from models.site import Meter
from tests.console.test_snapshots import SNAPSHOTS
from tests.screens import on_table, screen_lines, seen, until
from tests.services.test_settings import HELD


@pytest.fixture
def engineer(db, clock):
    return operators.create("赵工", "correct horse", Role.ENGINEER, at=clock.at)


@pytest.fixture
def hold(meters, clock):
    """What meters hold, as read back in the night; `other` of the first two."""

    def one(**other):
        with base.readings_transaction():
            for number, meter in enumerate(meters):
                held = {**HELD, **(other if number < 2 else {})}
                Latest.update(held=json.dumps(held), held_at=clock.at, settings_at=clock.at).where(
                    Latest.meter_id == meter.id
                ).execute()

    return one


async def at_place(app, pilot):
    await pilot.press("2")
    await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and "30" in seen(app))


async def at_form(app, pilot):
    await until(
        pilot, lambda: bool(app.screen.query(Form)) and bool(app.screen.query("#time_control"))
    )
    await pilot.pause()


def fill(app, **texts):
    for name, text in texts.items():
        app.screen.query_one(f"#{name}", Input).value = text


async def test_the_place_lists_what_differs_and_who_was_not_read(make_app, engineer, meters, hold):
    hold(alarm1_fen=2500)
    with base.readings_transaction():
        Latest.update(held=None, held_at=None, settings_at=None).where(
            Latest.meter_id == meters[5].id
        ).execute()
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_place(app, pilot)
        await until(pilot, lambda: "25.00" in seen(app))

        said = seen(app)
        assert "2 项不一致，0 项已接受" in said
        assert "未读 1 块" in said
        assert "20.00 元 -> 25.00 元" in said
        assert max(map(len, screen_lines(app))) <= 80


async def test_marked_differences_are_pushed_after_one_question(make_app, engineer, meters, hold):
    hold(alarm1_fen=2500, price_peak="9.0000")
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_place(app, pilot)
        await until(pilot, lambda: "25.00" in seen(app))
        await pilot.press("a", "s")
        await until(pilot, lambda: "按 y" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        assert not Command.select().exists(), "Enter is no yes"
        await pilot.press("s")
        await until(pilot, lambda: "按 y" in seen(app))
        await pilot.press("y")

        await until(pilot, lambda: Command.select().count() == 2)
        assert {row.kind for row in Command.select()} == {CommandKind.DOWNLOAD}
        assert all("alarm1_fen" in json.loads(row.desired) for row in Command.select())


async def test_many_meters_get_a_plan_before_they_are_pushed(make_app, engineer, meters, clock):
    held = json.dumps({**HELD, "alarm1_fen": 2500})
    with base.readings_transaction():
        Latest.update(held=held, held_at=clock.at, settings_at=clock.at).execute()
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_place(app, pilot)
        await until(pilot, lambda: "25.00" in seen(app))
        await pilot.press("a", "s")
        await until(pilot, lambda: isinstance(app.screen, OptionsScreen))

        assert "29" in seen(app)
        assert not Command.select().exists()


async def test_a_difference_is_accepted_with_a_reason(make_app, engineer, meters, hold):
    hold(alarm1_fen=2500)
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_place(app, pilot)
        await until(pilot, lambda: "25.00" in seen(app))
        await pilot.press("A")
        await until(pilot, lambda: bool(app.screen.query("#why")))
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.screen.query("#why")))
        assert not AcceptedSetting.select().exists()
        app.screen.query_one("#why", Input).value = "店主要求"
        await pilot.press("enter")

        await until(pilot, lambda: AcceptedSetting.select().count() == 1)
        await until(pilot, lambda: "1 项不一致，1 项已接受" in seen(app))


async def test_a_cashier_is_refused_aloud(make_app, operator, meters, hold):
    hold(alarm1_fen=2500)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_place(app, pilot)
        await until(pilot, lambda: "25.00" in seen(app))
        await pilot.press("A")
        await until(pilot, lambda: bool(app.screen.query("#why")))
        app.screen.query_one("#why", Input).value = "x"
        await pilot.press("enter")

        await until(pilot, lambda: "被拒绝" in seen(app))
        assert not AcceptedSetting.select().exists()


async def test_a_meters_settings_are_changed_in_a_form(make_app, engineer, meters, hold):
    hold(alarm1_fen=2500)
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_place(app, pilot)
        await until(pilot, lambda: "25.00" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MeterSettingsScreen))
        await until(pilot, lambda: "报警1" in seen(app))
        await pilot.press("e")
        await at_form(app, pilot)
        assert "默认 20.00 元" in seen(app)
        fill(app, alarm1_fen="25", time_control="0:00 关，6:30 开；周六 周日 0:00 开")
        await until(pilot, lambda: "#" in seen(app))
        assert max(map(len, screen_lines(app))) <= 80
        await pilot.press("f10")

        await until(pilot, lambda: isinstance(app.screen, MeterSettingsScreen))
        meter = Meter.get_by_id(meters[0].id)
        assert (meter.alarm1_fen, meter.overload_w) == (2500, None)
        assert meter.time_control == "00:00 off, 06:30 on; Sat Sun 00:00 on"
        await until(pilot, lambda: "，0 项不一致" in seen(app))
        assert not Command.select().exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        pytest.param("alarm1_fen", "-5", "不能小于 0", id="negative"),
        pytest.param("alarm1_fen", "十二", "应为金额", id="letters"),
        pytest.param("alarm1_fen", "=cmd()", "应为金额", id="a formula"),
        pytest.param("alarm2_fen", "汉" * 100, "应为金额", id="100 characters"),
        pytest.param("overload_w", "12\x1b3", "应为整数", id="control characters"),
        pytest.param("overload_trips_max", "65536", "超出电表所能存放", id="u16"),
        pytest.param("overload_recovery_min", "256", "超出电表所能存放", id="u8"),
        pytest.param("overdraft_fen", "42949672.96", "超出电表所能存放", id="u32"),
        pytest.param("time_control", "06:00 on", "必须是 00:00", id="no first"),
        pytest.param(
            "time_control", ", ".join(f"{hour:02}:00 on" for hour in range(9)), "最多存 8",
            id="nine slots",
        ),
        pytest.param("alarm1_fen", "1", "报警1 在先", id="crossed"),
        pytest.param("overload_w", "50000", "超出电表的额定功率", id="above its rating"),
    ],
)  # fmt: skip
async def test_what_is_wrong_stands_under_its_line(make_app, engineer, meters, name, text, said):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        app.push_screen(MeterForm(meters[0].serial, {}, {}, app.site))
        await at_form(app, pilot)
        fill(app, **{name: text})
        await pilot.press("f10")

        await until(pilot, lambda: said in "".join(seen(app).split("\n")).replace(" ", "")
                    or said in seen(app))  # fmt: skip
        assert isinstance(app.screen, MeterForm)
        assert Meter.get_by_id(meters[0].id).rev == meters[0].rev


async def test_an_unusual_amount_is_asked_about_and_then_taken(make_app, engineer, meters):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        app.push_screen(MeterForm(meters[0].serial, {}, {}, app.site))
        await at_form(app, pilot)
        fill(app, alarm1_fen="20000")
        await pilot.press("f10")
        await until(pilot, lambda: "10000.00" in seen(app))
        assert Meter.get_by_id(meters[0].id).alarm1_fen is None
        await pilot.press("f10")

        await until(pilot, lambda: Meter.get_by_id(meters[0].id).alarm1_fen == 2_000_000)


async def test_a_buildings_default_is_made_and_listed(make_app, engineer, meters):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_place(app, pilot)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, DefaultsScreen))
        await pilot.pause()
        await pilot.press("n")
        await until(pilot, lambda: "楼栋 A" in seen(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DefaultForm))
        await at_form(app, pilot)
        fill(app, alarm1_fen="30")
        await pilot.press("f10")

        await until(pilot, lambda: SettingDefault.select().count() == 1)
        row = SettingDefault.get()
        assert (row.scope, row.key, row.name, row.value) == (
            DefaultScope.BUILDING, "A", "alarm1_fen", "3000",
        )  # fmt: skip
        await until(pilot, lambda: "30.00 元" in seen(app))


async def test_the_config_is_still_one_key_away(make_app, engineer, meters):
    app = make_app()
    async with on_table(app, engineer) as pilot:
        await at_place(app, pilot)
        await pilot.press("c")
        await until(pilot, lambda: "site.name" in seen(app))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))


async def test_the_meters_page_names_what_differs(make_app, operator, meters, hold, set_prices):
    set_prices(meters[0])
    hold(alarm1_fen=2500)
    app = make_app()
    async with on_table(app, operator, size=(120, 50)) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: "按 e 查看" in seen(app))
        assert "报警1（按 e 查看）" in seen(app)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, MeterSettingsScreen))


SHOWN = [
    pytest.param("settings", (), "25.00", id="the place"),
    pytest.param("meter_settings", ("enter",), "0.4000", id="one meter"),
    pytest.param("meter_settings_form", ("enter", "e"), "#", id="its form"),
    pytest.param("setting_defaults", ("e",), "8.000", id="defaults"),
]


@pytest.mark.parametrize("language", ["zh_CN", "en"])
@pytest.mark.parametrize(("name", "keys", "awaited"), SHOWN)
async def test_the_screen_is_as_it_was_agreed(
    make_app, engineer, meters, hold, clock, *, language, name, keys, awaited
):
    with base.write_transaction():
        scope = {"scope": DefaultScope.MODEL, "key": "DDSY1352-NK", "set_by": engineer}
        SettingDefault.create(**scope, name="overload_w", value="8000", set_at=clock.at)
        control = "00:00 off, 06:00 on, 23:00 off; Sat Sun 00:00 on"
        Meter.update(time_control=control).where(Meter.id == meters[0].id).execute()
    hold(alarm1_fen=2500, overload_w=6000, time_control="off", clock_off_s=-3)
    app = make_app(language)
    async with on_table(app, engineer) as pilot:
        await at_place(app, pilot)
        await until(pilot, lambda: "25.00" in seen(app))
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        await until(pilot, lambda: awaited in seen(app))
        await pilot.pause(0.3)
        drawn = "\n".join(line.rstrip() for line in screen_lines(app)) + "\n"

    agreed = SNAPSHOTS / f"{name}-{language}.txt"
    if "VOLTILL_DRAW_SNAPSHOTS" in os.environ:
        agreed.write_text(drawn, encoding="utf-8")
    assert drawn == agreed.read_text(encoding="utf-8")
