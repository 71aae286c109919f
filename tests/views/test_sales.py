"""Money commands in lists keep whose they were, and where, when they were asked for."""

import pytest

from engine.config import MoneySection
from engine.services import selling
from engine.views import sales
from models.accounts import Account, Installation
from models.base import write_transaction
from models.enums import PayKind
from models.site import Meter


@pytest.fixture
def sold(meter, operator):
    """100 yuan to the tea house, where the meter hangs now."""
    return selling.sell(meter.serial, 10_000, PayKind.CASH, operator, "r1", money=MoneySection())


def test_a_sale_keeps_shop_and_tenant_of_then_when_the_meter_hangs_elsewhere(meter, sold, clock):
    clock.advance(days=1)
    with write_transaction():
        Installation.update(closed_at=clock.at, shop="A-101").execute()
        Meter.update(shop="B-202").execute()
        other = Account.create(number="T9", name="李记面馆", opened_at=clock.at)
        Installation.create(meter=meter, account=other, opened_at=clock.at, shop="B-202")

    (row,) = sales.latest()

    assert row.command == sold.id
    assert (row.shop, row.tenant) == ("A-101", "张三丰茶馆")


def test_where_the_meter_still_hangs_the_row_of_the_meter_says(sold):
    with write_transaction():
        Installation.update(shop="typed wrong").execute()
        Meter.update(shop="A-102").execute()

    (row,) = sales.latest()

    assert row.shop == "A-102"
