"""Every schedule of faults of the verbs that lower a balance, alone and beside sales."""

import pytest

from tests.protocol.naive import advance_naively
from tests.protocol.rules import Rules
from tests.protocol.schedules import Count, walked
from tests.protocol.world import Order, Scenario

SALE, REFUND, WHOLE = Order(), Order("refund"), Order("whole")
REVERSAL = Order("reverse", after=0)
CREDIT = Order("credit", meter=1, after=0)
BLIND = Scenario(checked=False, known=True)
CHECKED = Scenario(known=True)
SEVERAL = {
    "refund, sale": (REFUND, SALE),
    "sale, refund": (SALE, REFUND),
    "sale, reversal": (SALE, REVERSAL),
    "two refunds": (REFUND, REFUND),
    "transfer": (REFUND, CREDIT),
    "transfer of the whole": (WHOLE, CREDIT),
}
EACH = [
    pytest.param(kind._replace(orders=orders), id=f"{name}, {what}")
    for name, orders in SEVERAL.items()
    for kind, what in ((CHECKED, "checked"), (BLIND, "blind"))
]
REFUNDED = BLIND._replace(orders=(REFUND,))
ONE = [
    pytest.param(REFUNDED, id="refund"),
    pytest.param(BLIND._replace(orders=(WHOLE,)), id="clearing"),
    pytest.param(BLIND._replace(orders=(WHOLE,), start_fen=-900), id="clearing of arrears"),
]
WIDER = [
    pytest.param(REFUNDED._replace(load_wh=7), id="refund, under load"),
    pytest.param(REFUNDED._replace(writes_max=3), id="refund, three writes"),
    pytest.param(BLIND._replace(orders=(REFUND, SALE), load_wh=7), id="refund, sale, under load"),
    pytest.param(BLIND._replace(orders=(WHOLE, CREDIT), load_wh=7), id="transfer, under load"),
    pytest.param(BLIND._replace(orders=(REFUND, CREDIT), one_line=True), id="transfer, one line"),
]


@pytest.mark.parametrize("scenario", ONE)
def test_no_schedule_of_three_faults_breaks_the_promise(scenario: Scenario) -> None:
    assert walked(scenario, 3).schedules > 2_000_000_000


@pytest.mark.parametrize("scenario", EACH)
def test_nor_does_one_of_two_faults_with_two_commands(scenario: Scenario) -> None:
    assert walked(scenario, 2).schedules > 30_000_000


@pytest.mark.parametrize("scenario", WIDER)
def test_nor_does_one_of_two_faults_in_a_wider_world(scenario: Scenario) -> None:
    assert walked(scenario, 2).schedules > 3_000_000


@pytest.mark.torture
@pytest.mark.parametrize("scenario", ONE)
def test_no_schedule_of_five_faults_breaks_the_promise(scenario: Scenario) -> None:
    assert walked(scenario, 5).schedules > 600_000_000_000_000


@pytest.mark.torture
@pytest.mark.parametrize("scenario", EACH)
def test_nor_does_one_of_four_faults_with_two_commands(scenario: Scenario) -> None:
    assert walked(scenario, 4).schedules > 10_000_000_000_000


@pytest.mark.torture
@pytest.mark.parametrize("scenario", WIDER)
def test_nor_does_one_of_three_faults_in_a_wider_world(scenario: Scenario) -> None:
    assert walked(scenario, 3).schedules > 2_000_000_000


@pytest.mark.parametrize("scenario", EACH)
def test_only_a_purchase_of_the_same_amount_by_another_leaves_a_doubt(scenario: Scenario) -> None:
    """Without one, what the ledger says of each command is what its frames did, to the fen."""
    assert walked(scenario._replace(foreign_fen=(700,)), 2).twins == 0


@pytest.mark.torture
@pytest.mark.parametrize("scenario", EACH)
def test_nor_does_anything_else_in_three_faults(scenario: Scenario) -> None:
    assert walked(scenario._replace(foreign_fen=(700,)), 3).twins == 0


def test_without_a_fault_there_is_one_schedule_and_it_ends_applied() -> None:
    assert walked(REFUNDED, 0) == Count(schedules=1, broken=0, twins=0)


@pytest.mark.parametrize(
    ("orders", "at_least"),
    [
        pytest.param((REFUND,), 0.25, id="refund"),
        pytest.param((REFUND, SALE), 0.7, id="refund, sale"),
        pytest.param((SALE, REVERSAL), 0.95, id="sale, reversal"),
        pytest.param((REFUND, CREDIT), 0.6, id="transfer"),
    ],
)
def test_the_naive_protocol_fails(orders: tuple[Order, ...], at_least: float) -> None:
    """It writes a balance that it computed once, for as long as nobody answers."""
    count = walked(BLIND._replace(orders=orders), 2, step=advance_naively)

    assert count.broken / count.schedules > at_least


@pytest.mark.parametrize(
    ("rules", "orders", "faults"),
    [
        pytest.param(Rules(fence=False), (REFUND,), 3, id="no fence"),
        pytest.param(
            Rules(quiet=False, burial=False), (REFUND, SALE), 2, id="no waiting for a gateway"
        ),
        pytest.param(Rules(burial=False), (REFUND, SALE), 3, id="no waiting after a death"),
        pytest.param(Rules(two_looks=False), (REFUND,), 2, id="one look"),
        pytest.param(Rules(sole_sender=False), (REFUND,), 2, id="a living process may still send"),
        pytest.param(Rules(balance=False), (REFUND,), 2, id="the reply is believed"),
        pytest.param(Rules(count=False), (REFUND,), 2, id="the count is not looked at"),
        pytest.param(Rules(expected=False), (REFUND,), 3, id="nor compared with the books"),
        pytest.param(Rules(covered=False), (Order("refund", 5_000),), 0, id="more than there is"),
        pytest.param(Rules(provable=False), (Order("refund", 2),), 1, id="too little to prove"),
    ],
)
def test_the_model_notices_each_rule_that_is_left_out(
    rules: Rules, orders: tuple[Order, ...], faults: int
) -> None:
    assert walked(BLIND._replace(orders=orders), faults, rules).broken > 0
