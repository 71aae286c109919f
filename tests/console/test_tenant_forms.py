"""Forms of tenants: registered, edited, opened, sold to; what is wrong stands under its line."""

import pytest
from textual.widgets import Input

from console.screens.confirm import ConfirmScreen
from console.screens.deposit import DepositForm
from console.screens.legs import LegsScreen
from console.screens.open_meters import OpenScreen
from console.screens.sell_tenant import SellTenantScreen
from console.screens.tenant_forms import EditScreen, RegisterScreen
from console.screens.tenants import TenantsScreen
from models import base
from models.accounts import Account, Installation, PlannedMeter
from models.commands import Command, Payment
from models.enums import CommandState, PayKind
from tests.screens import on_table, screen_lines, seen, until

LONG = "汉" * 100


async def at_form(app, pilot, key, kind):
    await pilot.press("3")
    await until(pilot, lambda: "T0002" in seen(app))
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, kind) and bool(app.screen.query(Input)))
    await pilot.pause()


def fill(app, **texts):
    for name, text in texts.items():
        app.screen.query_one(f"#{name}", Input).value = text


async def test_a_tenant_with_a_name_of_100_chinese_characters_is_stored_whole(
    make_app, operator, meters
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_form(app, pilot, "n", RegisterScreen)
        fill(app, number="A1", name=LONG, phone="138 0013 8000", note="二楼" * 50)
        await pilot.press("tab")
        await pilot.pause()
        assert max(map(len, screen_lines(app))) <= 80
        await pilot.press("f10")

        await until(pilot, lambda: isinstance(app.screen, TenantsScreen))
        made = Account.get(Account.number == "A1")
        assert (made.name, made.phone) == (LONG, "13800138000")
        await until(pilot, lambda: "汉 ~" in seen(app))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        pytest.param("name", "茶\x1b馆", "不可显示的字符", id="control characters"),
        pytest.param("name", "=cmd()", "“=”开头", id="a formula"),
        pytest.param("name", LONG + "字", "”超过 100", id="101 characters"),
        pytest.param("phone", "12x", "“12x”不是电话号码", id="a garbage phone"),
        pytest.param("id_number", "123", "有 3 位", id="a garbage ID"),
        pytest.param("lease_to", "31/12", "不是日期", id="no day"),
        pytest.param("fee_pct", "2 元", "服务费率", id="no percentage"),
    ],
)
async def test_what_is_wrong_stands_under_its_line_and_nothing_is_stored(
    make_app, operator, meters, name, text, said
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_form(app, pilot, "n", RegisterScreen)
        fill(app, **{"number": "A1", "name": "新店", name: text})
        await pilot.press("f10")

        await until(pilot, lambda: said in seen(app))
        assert app.screen.focused.id == name
        assert not Account.get_or_none(Account.number == "A1")


async def test_a_number_that_is_taken_is_said_at_the_number(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_form(app, pilot, "n", RegisterScreen)
        fill(app, number="T0001", name="新店")
        await pilot.press("f10")

        await until(pilot, lambda: "已有租户 T0001" in seen(app))
        assert app.screen.focused.id == "number"


async def test_enter_goes_from_line_to_line_and_stays_where_something_is_wrong(
    make_app, operator, meters
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_form(app, pilot, "n", RegisterScreen)
        await pilot.press("enter")
        assert app.screen.focused.id == "number"
        await pilot.press(*"A1", "enter")
        assert app.screen.focused.id == "name"
        await pilot.press("up")
        assert app.screen.focused.id == "number"


async def test_a_phone_is_added_to_a_tenant(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_form(app, pilot, "e", EditScreen)
        fill(app, phone="13800138000；0755-88888888")
        await pilot.press("f10")

        await until(pilot, lambda: isinstance(app.screen, TenantsScreen))
        assert Account.get(Account.number == "T0000").phone == "13800138000;0755-88888888"
        assert Account.get(Account.number == "T0000").name == "张三丰茶馆"


async def test_a_form_is_drawn_in_english_after_the_language_key(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_form(app, pilot, "n", RegisterScreen)
        await pilot.press("f2")

        await until(pilot, lambda: "may be empty" in seen(app))
        assert "New tenant" in seen(app)


async def test_a_meter_is_picked_by_search_and_opened_after_one_question(
    make_app, operator, meters
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "T0002" in seen(app))
        await pilot.press("plus")
        await until(pilot, lambda: isinstance(app.screen, OpenScreen))
        await pilot.pause()
        await pilot.press("enter", *"109", "enter")
        await until(pilot, lambda: "A-109  202600000009" in seen(app))
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("enter")
        assert Installation.select().where(Installation.meter == meters[9]).count() == 0
        await pilot.press("y")

        await until(pilot, lambda: isinstance(app.screen, LegsScreen))
        opened = Installation.get(Installation.meter == meters[9])
        assert opened.account.number == "T0000"


async def test_an_opening_amount_is_typed_again_before_it_is_taken(make_app, operator, meters):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "T0002" in seen(app))
        await pilot.press("plus")
        await until(pilot, lambda: isinstance(app.screen, OpenScreen))
        await pilot.pause()
        await pilot.press("enter", "enter")
        fill(app, amount="200")
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press(*"200", "y")

        await until(pilot, lambda: isinstance(app.screen, LegsScreen))
        sale = Command.get(Command.pay.is_null(False))
        assert (sale.serial, sale.amount_fen) == ("202600000009", 20_000)


async def test_planned_meters_stand_ready_when_the_tenant_moves_in(
    make_app, operator, meters, clock
):
    with base.write_transaction():
        new = Account.create(number="A1", name="新店", opened_at=clock.at)
        PlannedMeter.create(account=new, meter=meters[9], planned_at=clock.at)
    app = make_app()
    async with on_table(app, operator) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "A1" in seen(app))
        await pilot.press("plus")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "A-109  202600000009" in seen(app)
        await pilot.press("y")

        await until(pilot, lambda: isinstance(app.screen, LegsScreen))
        assert Installation.get(Installation.meter == meters[9]).account.number == "A1"


@pytest.fixture
def two_meters(meters):
    """T0000 has A-100 and A-101."""
    with base.write_transaction():
        first = Account.get(Account.number == "T0000")
        Installation.update(account=first).where(Installation.meter == meters[1]).execute()
    return meters[0], meters[1]


async def split(app, pilot, first, second):
    await at_form(app, pilot, "s", SellTenantScreen)
    for serial, text in (("202600000000", first), ("202600000001", second)):
        app.screen.query_one(f"#part-{serial}", Input).value = text
    await pilot.press("f10")
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))


async def test_one_payment_is_split_over_several_meters(make_app, operator, two_meters, carry):
    app = make_app()
    async with on_table(app, operator) as pilot:
        await split(app, pilot, "100", "50.5")
        await pilot.press(*"100", "y")
        assert Command.select().count() == 0  # that was not the total
        await pilot.press("backspace", "backspace", "backspace", *"150.50", "y")
        await until(pilot, lambda: isinstance(app.screen, LegsScreen))

        payment = Payment.get()
        assert (payment.paid_fen, payment.pay) == (15_050, PayKind.CASH)
        assert [leg.amount_fen for leg in Command.select().order_by(Command.id)] == [10_000, 5_050]
        carry()
        await until(pilot, lambda: "已证实" in seen(app))
        assert "不要再次收款" in seen(app)
        carry()
        await until(pilot, lambda: "全部证实（2）" in seen(app))
        await until(pilot, lambda: "20261123-000001" in seen(app))


async def test_a_part_that_was_refused_says_how_much_goes_back(
    make_app, operator, two_meters, carry
):
    from engine.domain.counted import Step  # noqa: PLC0415 (beside its only use)

    app = make_app()
    async with on_table(app, operator) as pilot:
        await split(app, pilot, "100", "50")
        await pilot.press(*"150", "y")
        await until(pilot, lambda: isinstance(app.screen, LegsScreen))
        carry()
        carry(Step.REFUSE, "no_reply")

        await until(pilot, lambda: "请退还 50.00 元" in seen(app))
        states = {leg.state for leg in Command.select()}
        assert states == {CommandState.APPLIED, CommandState.REFUSED}


async def test_a_meter_that_may_not_be_sold_to_says_why_in_its_line(make_app, operator, two_meters):
    from models.site import Meter  # noqa: PLC0415 (beside its only use)

    with base.write_transaction():
        Meter.update(frozen=True, rev=5).where(Meter.id == two_meters[1].id).execute()
    app = make_app()
    async with on_table(app, operator) as pilot:
        await at_form(app, pilot, "s", SellTenantScreen)

        assert len(app.screen.query(Input)) == 1
        await pilot.press(*"100", "f10")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))


async def test_a_deposit_is_taken_and_given_back_after_it_was_typed_again(
    make_app, operator, meters
):
    app = make_app()
    async with on_table(app, operator) as pilot:
        for keys, amount, held in ((("D",), "500", "500.00"), (("D",), "200", "300.00")):
            await at_form(app, pilot, *keys, DepositForm)
            if amount == "200":
                await pilot.press("right")
            fill(app, amount=amount, why="退租")
            await pilot.press("f10")
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            await pilot.press("enter", *amount, "y")
            await until(pilot, lambda: isinstance(app.screen, TenantsScreen))
            await pilot.press("enter")
            await until(pilot, lambda held=held: f"押金      {held} 元" in seen(app))
            await pilot.press("q")
