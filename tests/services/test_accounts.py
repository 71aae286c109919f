"""Tenants registered, edited and opened: what is kept, what is refused, what nothing changes."""

import json

import pytest

from engine.config import Config
from engine.domain.errors import (
    AlreadyOpen,
    BadPhone,
    BadThresholds,
    CreditCeilingExceeded,
    Forbidden,
    MeterInExchange,
    MeterPlanned,
    MeterRetired,
    NoSuchMeter,
    NoSuchTariff,
    NoSuchTenant,
    NothingPlanned,
    NotPrepaid,
    PayKindOff,
    RequestIdReused,
    TenantClosed,
    TenantNumberTaken,
)
from engine.services import accounts, meters, opening, operators
from models import base
from models.accounts import Account, Installation, PlannedMeter
from models.cases import Exchange
from models.commands import Command
from models.enums import CommandKind, MeterKind, PayKind, Role
from models.people import AuditEntry
from models.site import Meter
from models.tariffs import Tariff

CONFIG = Config()


@pytest.fixture
def vacant(add_meter) -> Meter:
    """A prepaid meter of no tenant."""
    return add_meter("202611230002", tenant="")


@pytest.fixture
def register(operator):
    """T900 重庆小面, unless told otherwise."""

    def one(
        number: str = "T900", name: str = "重庆小面", phone: str = "", **more: object
    ) -> Account:
        return accounts.register(number, name, phone, operator, **more)

    return one


@pytest.fixture
def open_(operator):
    def one(*serials: str, number: str = "T900", request_id: str = "o1", **more: object):
        return opening.open_account(number, serials, operator, request_id, config=CONFIG, **more)

    return one


def logged(action: str) -> dict[str, object]:
    row = (
        AuditEntry.select().where(AuditEntry.action == action).order_by(AuditEntry.id.desc()).get()
    )
    return json.loads(row.detail)


def test_a_tenant_is_registered_with_everything_that_is_known(register, vacant, clock):
    account = register(
        phone="13800138000，0755-88888888",
        id_number="11010519491231002x",
        lease_from="2026-01-01",
        lease_to="2027-12-31",
        fee_pct="2.50",
        note="二楼",
        planned=[vacant.serial],
    )

    assert (account.name, account.initials) == ("重庆小面", "CQXM")
    assert account.phone == "13800138000;0755-88888888"
    assert account.id_number == "11010519491231002X"
    assert (account.lease_from, account.lease_to) == ("2026-01-01", "2027-12-31")
    assert (account.fee_pct, account.note) == ("2.5", "二楼")
    assert account.opened_at == clock.at
    assert accounts.planned_of(account) == [vacant.serial]
    assert logged("tenant_register")["planned"] == [vacant.serial]


def test_a_number_names_one_tenant_for_ever(register, picture):
    register()
    before = picture()

    with pytest.raises(TenantNumberTaken):
        register(name="别家")

    assert picture() == before


def test_garbage_leaves_nothing_behind(register, picture):
    before = picture()

    with pytest.raises(BadPhone):
        register(phone="13800138000;garbage")

    assert picture() == before


def test_a_meter_is_kept_for_one_tenant(register, vacant, picture):
    register(planned=[vacant.serial])
    before = picture()

    with pytest.raises(MeterPlanned) as refused:
        register("T901", planned=[vacant.serial])

    assert refused.value.params["number"] == "T900"
    assert picture() == before


def test_a_meter_is_kept_for_who_comes_after_its_tenant(register, open_, meter):
    account = register(planned=[meter.serial])

    assert accounts.planned_of(account) == [meter.serial]
    with pytest.raises(AlreadyOpen):
        open_()


def test_an_opening_without_a_young_reading_asks_for_one(register, open_, vacant, poll):
    register()
    open_(vacant.serial)

    asked = Command.get(Command.kind == CommandKind.READ)
    assert (asked.serial, asked.request_id) == (vacant.serial, f"o1:read:{vacant.serial}")


def test_only_what_is_given_is_edited_and_the_log_has_both_values(register, operator):
    first = register(phone="13800138000", note="二楼")

    after = accounts.edit("T900", operator, name="老成都", note="")

    assert (after.name, after.initials, after.phone, after.note) == (
        "老成都", "LCD", "13800138000", "",
    )  # fmt: skip
    assert after.rev > first.rev
    assert logged("tenant_edit") == {"name": ["重庆小面", "老成都"], "note": ["二楼", ""]}


def test_an_edit_that_changes_nothing_is_not_logged(register, operator, picture):
    register()
    before = picture()

    accounts.edit("T900", operator, name="重庆小面")

    assert picture() == before


def test_a_new_name_shows_in_the_rows_of_its_meters(meter, operator):
    number = meters.installation_of(meter).account.number
    before = meter.rev

    accounts.edit(number, operator, name="新茶馆")

    assert Meter.get_by_id(meter.id).rev > before


def test_nobody_edits_a_tenant_that_is_closed_or_unknown(register, operator, clock):
    account = register()
    with base.write_transaction():
        Account.update(closed_at=clock.at).where(Account.id == account.id).execute()

    with pytest.raises(TenantClosed):
        accounts.edit("T900", operator, name="老成都")
    with pytest.raises(NoSuchTenant):
        accounts.edit("T999", operator, name="老成都")


def test_who_only_looks_registers_and_opens_nothing(register, vacant, picture, clock):
    viewer = operators.create("只看", "correct horse", Role.VIEWER, at=clock.at)
    register()
    before = picture()

    with pytest.raises(Forbidden):
        accounts.register("T901", "别家", "", viewer)
    with pytest.raises(Forbidden):
        opening.open_account("T900", [vacant.serial], viewer, "o1", config=CONFIG)

    assert picture() == before


def test_opening_takes_the_newest_reading_as_the_first(register, open_, vacant, poll):
    register()
    poll(vacant, 123_450, balance_fen=500, count=0)

    opened = open_(vacant.serial)

    found = meters.installation_of(vacant)
    assert opened.serials == (vacant.serial,)
    assert found.account.number == "T900"
    assert (found.first_energy_wh, found.first_balance_fen) == (123_450, 500)
    assert found.shop == "A-101"
    assert not found.taken_over


def test_an_old_reading_opens_nothing_the_next_one_does(register, open_, vacant, poll, clock):
    register()
    poll(vacant, 100_000)
    clock.advance(hours=2)
    open_(vacant.serial)
    assert meters.installation_of(vacant).first_energy_wh is None

    poll(vacant, 130_000, balance_fen=700)

    found = meters.installation_of(vacant)
    assert (found.first_energy_wh, found.first_balance_fen) == (130_000, 700)
    assert found.taken_over


def test_the_first_reading_of_an_imported_meter_is_its_opening_reading(meter, poll):
    poll(meter, 55_000, balance_fen=-300)

    found = meters.installation_of(meter)
    assert (found.first_energy_wh, found.first_balance_fen) == (55_000, -300)


def test_one_key_opens_what_was_planned(register, open_, vacant, add_meter):
    second = add_meter("202611230003", tenant="")
    register(planned=[vacant.serial, second.serial])

    opened = open_()

    assert opened.serials == (vacant.serial, second.serial)
    assert PlannedMeter.select().count() == 0
    assert [one.meter.serial for one in accounts.installations_of(opened.account)] == [
        "202611230002", "202611230003",
    ]  # fmt: skip


def test_a_tenant_gets_more_meters_later(register, open_, vacant, add_meter):
    second = add_meter("202611230003", tenant="")
    account = register()
    open_(vacant.serial)

    open_(second.serial, request_id="o2")

    assert len(accounts.installations_of(account)) == 2


def test_price_and_thresholds_are_desired_of_the_meter(register, open_, vacant):
    with base.write_transaction():
        Tariff.create(name="商业")
    register()

    open_(vacant.serial, tariff="商业", alarm1_fen=3000, alarm2_fen=1000, overload_w=8000)

    row = Meter.get_by_id(vacant.id)
    assert (row.tariff, row.alarm1_fen, row.alarm2_fen, row.overload_w) == (
        "商业", 3000, 1000, 8000,
    )  # fmt: skip
    assert row.rev > vacant.rev
    assert logged("account_open") == {
        "request_id": "o1", "meters": [vacant.serial], "tariff": "商业", "alarm1_fen": 3000,
        "alarm2_fen": 1000, "overload_w": 8000,
    }  # fmt: skip


def test_opening_the_same_request_twice_opens_once(register, open_, vacant, picture):
    register()
    first = open_(vacant.serial)
    before = picture()

    assert open_(vacant.serial) == first
    assert open_().serials == first.serials
    assert picture() == before
    with pytest.raises(RequestIdReused):
        open_("202611230009")


def test_an_opened_meter_is_not_opened_again_and_its_tenant_is_named(
    register, open_, meter, picture
):
    register()
    before = picture()

    with pytest.raises(AlreadyOpen) as refused:
        open_(meter.serial)

    assert refused.value.params["name"] == "张三丰茶馆"
    assert picture() == before


def test_what_cannot_be_opened_changes_nothing(register, open_, vacant, add_meter, clock, picture):
    ordinary = add_meter("202611230004", tenant="", kind=MeterKind.ORDINARY)
    retired = add_meter("202611230005", tenant="", retired_at=clock.at)
    account = register()
    closed = register("T901")
    kept = add_meter("202611230006", tenant="")
    register("T902", planned=[kept.serial])
    with base.write_transaction():
        Account.update(closed_at=clock.at).where(Account.id == closed.id).execute()
    before = picture()

    for serials, more, error in (
        ([ordinary.serial], {}, NotPrepaid),
        ([retired.serial], {}, MeterRetired),
        (["999999999999"], {}, NoSuchMeter),
        ([], {}, NothingPlanned),
        ([kept.serial], {}, MeterPlanned),
        ([vacant.serial, ordinary.serial], {}, NotPrepaid),
        ([vacant.serial], {"number": "T901"}, TenantClosed),
        ([vacant.serial], {"number": "T999"}, NoSuchTenant),
        ([vacant.serial], {"tariff": "没有"}, NoSuchTariff),
        ([vacant.serial], {"alarm1_fen": 1, "alarm2_fen": 2}, BadThresholds),
        ([vacant.serial], {"alarm1_fen": -1}, BadThresholds),
        ([vacant.serial], {"overload_w": 70_000}, BadThresholds),
        ([vacant.serial], {"amount_fen": 100}, PayKindOff),
        (
            [vacant.serial],
            {"amount_fen": 1_000_001, "pay": PayKind.CASH},
            CreditCeilingExceeded,
        ),
    ):
        with pytest.raises(error):
            open_(*serials, **more)

    assert picture() == before
    assert accounts.installations_of(account) == []


def test_a_meter_in_an_exchange_is_not_opened(register, open_, vacant, meter, operator, clock):
    register()
    with base.write_transaction():
        Exchange.create(
            request_id="x", old=meter, new=vacant, operator=operator, started_at=clock.at
        )

    with pytest.raises(MeterInExchange):
        open_(vacant.serial)


def test_the_opening_amount_is_a_sale(register, open_, vacant, add_meter):
    second = add_meter("202611230003", tenant="")
    register()

    opened = open_(
        vacant.serial, second.serial,
        amount_fen=10_000, pay=PayKind.WECHAT, amount_to=second.serial,
    )  # fmt: skip

    assert [command.kind.value for command in opened.commands] == ["download", "download", "sell"]
    sale = opened.commands[-1]
    assert (sale.serial, sale.amount_fen, sale.pay) == (second.serial, 10_000, PayKind.WECHAT)
    again = open_(
        vacant.serial, second.serial,
        amount_fen=10_000, pay=PayKind.WECHAT, amount_to=second.serial,
    )  # fmt: skip
    assert again.commands[-1].id == sale.id


def test_a_meter_that_was_left_switched_off_is_switched_on_again(register, open_, vacant, poll):
    register()
    poll(vacant, status1=0b1000, status2=0)

    opened = open_(vacant.serial)

    assert [command.kind.value for command in opened.commands] == ["download", "resume"]


def test_history_stays_when_the_shop_of_a_meter_is_renamed(register, open_, vacant):
    register()
    open_(vacant.serial)
    with base.write_transaction():
        Meter.update(shop="B-9").where(Meter.id == vacant.id).execute()

    assert Installation.get(Installation.meter == vacant).shop == "A-101"
