"""Every schedule of faults of a sale, walked through the functions that decide in the engine."""

import pytest

from tests.protocol.naive import advance_naively
from tests.protocol.rules import Rules
from tests.protocol.schedules import Count, walked
from tests.protocol.world import Order, Scenario

CHECKED = Scenario()
SILENT = Scenario(refuses_aloud=False)
BLIND = Scenario(checked=False)
METERS = [
    pytest.param(CHECKED, id="checked"),
    pytest.param(SILENT, id="checked, refuses by silence"),
    pytest.param(BLIND, id="blind"),
]
WIDER = [  # larger worlds, one fault less in each run
    pytest.param(CHECKED._replace(load_wh=7), id="checked, under load"),
    pytest.param(BLIND._replace(load_wh=7), id="blind, under load"),
    pytest.param(CHECKED._replace(orders=(Order(), Order())), id="checked, two equal sales"),
    pytest.param(BLIND._replace(orders=(Order(), Order())), id="blind, two equal sales"),
    pytest.param(CHECKED._replace(writes_max=3), id="checked, three writes"),
    pytest.param(BLIND._replace(writes_max=3), id="blind, three writes"),
]


@pytest.mark.parametrize("scenario", METERS)
def test_no_schedule_of_three_faults_breaks_the_promise(scenario: Scenario) -> None:
    assert walked(scenario, 3).schedules > 2_000_000_000


@pytest.mark.parametrize("scenario", WIDER)
def test_nor_does_one_of_two_faults_in_a_wider_world(scenario: Scenario) -> None:
    assert walked(scenario, 2).schedules > 3_000_000


@pytest.mark.torture
@pytest.mark.parametrize("scenario", METERS)
def test_no_schedule_of_five_faults_breaks_the_promise(scenario: Scenario) -> None:
    assert walked(scenario, 5).schedules > 600_000_000_000_000


@pytest.mark.torture
@pytest.mark.parametrize("scenario", WIDER)
def test_nor_does_one_of_four_faults_in_a_wider_world(scenario: Scenario) -> None:
    assert walked(scenario, 4).schedules > 1_000_000_000_000


@pytest.mark.parametrize("scenario", METERS)
def test_only_a_purchase_of_the_same_amount_by_another_can_be_taken_for_ours(
    scenario: Scenario,
) -> None:
    """Without one, every applied sale is in the meter exactly once."""
    assert walked(scenario._replace(foreign_fen=(700,)), 3).twins == 0


def test_without_a_fault_there_is_one_schedule_and_it_ends_applied() -> None:
    assert walked(CHECKED, 0) == Count(schedules=1, broken=0, twins=0)


@pytest.mark.parametrize(
    ("scenario", "at_least"),
    [pytest.param(CHECKED, 0.45, id="checked"), pytest.param(BLIND, 0.95, id="blind")],
)
def test_the_naive_protocol_fails(scenario: Scenario, at_least: float) -> None:
    count = walked(scenario, 3, step=advance_naively)

    assert count.broken / count.schedules > at_least


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(Rules(fence=False), id="no fence"),
        pytest.param(Rules(quiet=False, burial=False), id="no waiting for what lies in a gateway"),
        pytest.param(Rules(burial=False), id="no waiting after another sender's death"),
        pytest.param(Rules(two_looks=False), id="one look"),
        pytest.param(Rules(sole_sender=False), id="writing what a living process may still send"),
        pytest.param(Rules(balance=False), id="the count alone"),
    ],
)
@pytest.mark.parametrize("scenario", [CHECKED, BLIND], ids=["checked", "blind"])
def test_the_model_notices_each_rule_that_is_left_out(scenario: Scenario, rules: Rules) -> None:
    assert walked(scenario, 3, rules).broken > 0
