"""Days left of one meter, of all, and of a tenant; in the words of a message."""

import datetime as dt
from decimal import Decimal

import pytest

from engine import message_fields
from engine.domain.measurement import MeterSettings
from engine.domain.outlook import Profile
from engine.views import meters, outlook
from models import base
from models.metering import DayUse

SETTINGS = MeterSettings(
    money_control=True, prices=(Decimal("1.0000"),) * 4, alarm1_fen=0, alarm2_fen=0,
    overdraft_fen=0, purchase_count=7, balance_fen=10_000,
)  # fmt: skip


@pytest.fixture
def use(db, noon):
    """A meter used so many Wh on each of the last days, today too."""

    def use(meter, wh, days=10):
        today = noon.date()
        with base.readings_transaction():
            for ago in range(days, -1, -1):
                first_wh = (days - ago) * wh
                DayUse.create(
                    day=(today - dt.timedelta(days=ago)).isoformat(), meter_id=meter.id,
                    first_energy_wh=first_wh, last_energy_wh=first_wh + wh,
                )  # fmt: skip

    return use


def test_a_row_says_how_many_days_are_left(meter, learn, use, noon):
    learn(meter, settings=SETTINGS)  # 100 yuan at 1 yuan: 100 kWh
    use(meter, 40_000)

    row = meters.one(meter.serial, noon)

    assert row.days_left == (2, 3)
    assert row.as_json(noon)["days_left"] == [2, 3]


def test_without_days_of_use_nothing_is_said(meter, learn, noon):
    learn(meter, settings=SETTINGS)

    assert meters.one(meter.serial, noon).days_left is None
    assert meters.one(meter.serial, noon).as_json(noon)["days_left"] is None


def test_a_form_asks_for_any_balance(meter, learn, use, noon):
    learn(meter, settings=SETTINGS)
    use(meter, 40_000)
    found = outlook.of(meter.id, noon)

    assert found.energy_wh(20_000) == 200_000
    assert found.days(20_000) == (5, 5)
    assert found.days(-500) == (0, 0)


def test_default_prices_stand_in_for_those_not_read_back(meter, learn, use, noon):
    learn(meter)
    use(meter, 40_000)

    assert outlook.of(meter.id, noon).days(10_000) is None
    assert outlook.of(meter.id, noon, default_prices=SETTINGS.prices).days(10_000) == (2, 3)


def test_profiles_are_of_whoever_is_asked_for(add_meter, use, noon):
    first, second = add_meter("1"), add_meter("2")
    use(first, 1000)
    use(second, 2000)

    assert outlook.profiles(noon.date(), {second.id}) == {
        second.id: Profile((2000,) * 7, (2000,) * 7)
    }
    assert outlook.profiles(noon.date()).keys() == {first.id, second.id}


def test_a_tenant_is_warned_of_the_meter_that_runs_out_first(add_meter, learn, use, noon):
    for serial, wh in (("1", 10_000), ("2", 40_000), ("3", 0)):
        meter = add_meter(serial)
        learn(meter, rev=meter.id, settings=SETTINGS)
        use(meter, wh)
    _, rows = meters.rows(now=noon)

    first = outlook.first_out(rows)

    assert first is not None
    assert first.serial == "2"
    assert outlook.first_out([]) is None


@pytest.mark.parametrize(
    ("days", "english", "chinese"),
    [
        (None, "", ""),
        ((0, 1), "less than a day", "不足1天"),
        ((1, 2), "about 1 day", "约1天"),
        ((3, 5), "about 3 days", "约3天"),
        ((365, 365), "more than a year", "一年以上"),
    ],
)
def test_a_message_names_the_fewest_days(days, english, chinese):
    assert message_fields.days_left_text(days, "en") == english
    assert message_fields.days_left_text(days, "zh_CN") == chinese
