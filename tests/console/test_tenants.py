"""用户管理: the list of tenants and one tenant's page, by their keys."""

import pytest

from console.screens.meter import MeterScreen
from console.screens.tenant import TenantScreen
from console.screens.tenants import TenantsScreen
from console.screens.vacant import VacantScreen
from models import base
from models.accounts import Account, Installation
from models.commands import Command
from models.enums import CommandKind, CommandState, PayKind
from tests.screens import on_table, screen_lines, seen, until


async def on_tenants(app, pilot):
    await pilot.press("3")
    await until(pilot, lambda: "T0002" in seen(app))


def shown(app):
    return [row.number for row in app.screen.table.rows]


@pytest.fixture
def two_meters(meters, clock):
    """T0000 has A-100, which is well, and A-103, which owes."""
    with base.write_transaction():
        first = Account.get(Account.number == "T0000")
        Account.update(phone="13800138000;0755-88888888").where(Account.id == first.id).execute()
        Installation.update(account=first).where(Installation.meter == meters[3]).execute()
    return meters[0], meters[3]


async def test_a_tenants_row_shows_its_worst_meter_and_all_it_holds(make_app, operator, two_meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_tenants(app, pilot)

        (line,) = (line for line in screen_lines(app) if line.startswith("T0000"))
        assert "X  欠费" in line
        assert "43.80" in line  # 23.40 + 20.40
        assert "A-100 A-103" in line


@pytest.mark.parametrize(
    "typed", ["t0000", "茶馆", "zsf", "88888888", "A-103", "0000003", "三丰 138"]
)
async def test_typing_finds_a_tenant_by_whatever_is_known_of_it(
    make_app, operator, two_meters, typed
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_tenants(app, pilot)
        await pilot.press("slash")
        app.screen.query_one("#search").value = typed
        await until(pilot, lambda: shown(app) == ["T0000"])

        await pilot.press("enter")
        assert app.screen.table.has_focus
        await pilot.press("escape")
        assert len(shown(app)) == 29


async def test_the_lowest_balance_comes_first_when_sorted_by_it(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_tenants(app, pilot)
        await pilot.press("o", *"余额", "enter")

        assert shown(app)[:2] == ["T0029", "T0028"]
        assert shown(app)[-1] == "T0004"  # never read: unknown is not low
        await pilot.press("O")
        assert shown(app)[0] == "T0004"


async def test_only_pre_registered_tenants_are_shown_when_asked_for(
    make_app, operator, meters, clock
):
    with base.write_transaction():
        Account.create(number="T9", name="新店", opened_at=clock.at)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_tenants(app, pilot)
        await pilot.press("f", *"预开户", "enter")

        await until(pilot, lambda: shown(app) == ["T9"])
        assert "-  预开户" in seen(app)


async def test_vacant_shops_are_a_list_of_their_own(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_tenants(app, pilot)
        await pilot.press("f", *"空铺", "enter")
        await until(pilot, lambda: isinstance(app.screen, VacantScreen))
        await until(pilot, lambda: "A-109" in seen(app))

        assert [shop.shop for shop in app.screen.table.rows] == ["A-109"]
        await pilot.press("q")
        assert isinstance(app.screen, TenantsScreen)


async def test_a_new_tenant_appears_without_a_key(make_app, operator, meters, clock):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_tenants(app, pilot)
        with base.write_transaction():
            Account.create(number="A1", name="新店", opened_at=clock.at, rev=1)

        await until(pilot, lambda: shown(app)[0] == "A1")


async def on_page(app, pilot):
    await on_tenants(app, pilot)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, TenantScreen))
    await until(pilot, lambda: app.screen.tenant is not None)
    await pilot.pause()


async def test_a_page_shows_meters_phones_and_purchases_with_their_outcome(
    make_app, operator, two_meters, clock
):
    with base.write_transaction():
        for number, (kind, state) in enumerate(
            [
                (CommandKind.SELL, CommandState.APPLIED),
                (CommandKind.REFUND, CommandState.UNKNOWN),
            ]
        ):
            Command.create(
                request_id=f"r{number}", kind=kind, counted=True, state=state,
                meter=two_meters[0], meter_epoch=1, serial=two_meters[0].serial,
                amount_fen=12_300, pay=PayKind.CASH, operator=operator, created_at=clock.at,
            )  # fmt: skip
    app = make_app()
    async with on_table(app, operator, size=(160, 45)) as pilot:
        await on_page(app, pilot)

        text = seen(app)
        for said in (
            "13800138000  0755-88888888",
            "X  欠费",
            "43.80 元",
            "202600000003",
            "售电",
            "-123.00",
            "按全站费率",
        ):
            assert said in text
        assert any("租户" in line and "电表（2）" in line for line in screen_lines(app))


async def test_on_a_small_screen_the_page_is_read_by_scrolling(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_page(app, pilot)
        assert "报警与事件" not in seen(app)
        await pilot.press("pagedown", "pagedown")

        await until(pilot, lambda: "报警与事件" in seen(app))


async def test_a_tenant_leads_to_its_meters(make_app, operator, two_meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_page(app, pilot)
        await pilot.press("enter", "down", "enter")

        await until(pilot, lambda: isinstance(app.screen, MeterScreen))
        assert app.screen.meter_id == two_meters[1].id


async def test_a_tenant_without_meters_offers_no_sale(make_app, operator, meters, clock):
    with base.write_transaction():
        Account.create(number="A1", name="新店", opened_at=clock.at)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_tenants(app, pilot)

        keys = screen_lines(app)[-1]
        assert "售电" not in keys
        assert "开户" in keys


@pytest.mark.parametrize(
    ("key", "title"),
    [
        pytest.param("w", "退电", id="refund"),
        pytest.param("c", "转到另一块电表", id="transfer"),
        pytest.param("x", "旧表 2026 0000 0003", id="exchange"),
    ],
)
async def test_credit_is_taken_out_of_the_meter_that_is_picked(
    make_app, operator, two_meters, key, title
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await on_page(app, pilot)
        await pilot.press(key, *"103", "enter")

        await until(pilot, lambda: "A-103" in seen(app) and title in seen(app))
