"""What goes out to a meter of three phases so that all of them hold what one number says."""

import pytest

from engine.bus.holding import GROUPS, Holding, Misfit
from engine.domain.measurement import MeterReading
from tests.bus.scripted import MAPS, driver

BY_BLOCK = {group.block: group for group in GROUPS}
LOAD_ON = 1 << 11  # status word 2


def holding(model, ratio=1, *, status2=LOAD_ON, **raw):
    reading = MeterReading(energy_wh=0, ct_ratio=ratio, status1=0, status2=status2)
    meter = driver(meter_map=MAPS[model])
    found = Holding(meter, bus=None, reading=reading)
    phases = "abc"[: meter.map.phases]
    found.raw["load"] = {
        f"{name}_{phase}": raw.get(f"{name}_{phase}", 0)
        for name in ("malignant_step", "malignant_factor")
        for phase in phases
    }
    return found


def orders(found, **wanted):
    return [(order.name, values) for order, values in found.orders(BY_BLOCK["load"], wanted)]


def test_one_order_for_all_phases_with_the_malignant_load_as_it_was():
    found = holding("DTSY1352-NK", malignant_step_a=7, malignant_step_b=7, malignant_step_c=7)

    ((name, values),) = orders(found, overload_w=9000)

    assert (name, values["apply_to"], values["enabled"]) == ("load_control", 255, 1)
    assert (values["limit_w"], values["malignant_step"]) == (3000, 7)


def test_phases_that_differ_in_what_is_not_ours_get_an_order_each():
    found = holding("DTSY1352-NK", malignant_step_a=7, malignant_step_b=8, malignant_step_c=9)

    sent = orders(found, overload_w=9000)

    assert [name for name, _ in sent] == ["load_control", "load_control_b", "load_control_c"]
    assert [values["malignant_step"] for _, values in sent] == [7, 8, 9]
    assert {values["apply_to"] for _, values in sent} == {1}


def test_no_power_is_load_control_off_and_the_limit_stays():
    ((_, values),) = orders(holding("DDSY1352-NK"), overload_w=0)

    assert values == {"apply_to": 1, "enabled": 0}


@pytest.mark.parametrize(("model", "ratio", "power_w"), [
    ("DDSY1352-NK", 1, 65_536), ("DDSY1352-NK", 40, 39), ("DTSY1352-NK", 1, 2),
])  # fmt: skip
def test_a_power_that_the_register_cannot_hold_is_a_misfit(model, ratio, power_w):
    with pytest.raises(Misfit, match="does_not_fit"):
        orders(holding(model, ratio), overload_w=power_w)


def test_a_mere_number_of_trips_leaves_load_control_as_it_is():
    for status2, enabled in ((LOAD_ON, 1), (0, 0)):
        ((_, values),) = orders(holding("DDSY1352-NK", status2=status2), overload_trips_max=3)
        assert values == {"apply_to": 1, "enabled": enabled, "trips_max": 3}
