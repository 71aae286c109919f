"""What a read-back proves, and what may follow: the table of docs/money.md, row by row."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.counted import (
    Evidence,
    PurchaseState,
    Step,
    Verdict,
    check_delay_s,
    judge,
    next_step,
    over_ceiling,
    tolerance_fen,
)

BASE = PurchaseState(count=5, balance_fen=3_000, energy_wh=1_000)


@pytest.mark.parametrize(
    ("count", "balance_fen", "energy_wh", "verdict"),
    [
        pytest.param(6, 13_000, 1_000, Verdict.APPLIED, id="risen by the amount"),
        pytest.param(6, 12_995, 1_010, Verdict.APPLIED, id="less what was used meanwhile"),
        pytest.param(6, 12_994, 1_010, Verdict.SUSPENSE, id="less than use explains"),
        pytest.param(6, 13_001, 1_000, Verdict.SUSPENSE, id="a fen too much"),
        pytest.param(6, 23_000, 1_000, Verdict.SUSPENSE, id="twice"),
        pytest.param(6, 3_000, 1_000, Verdict.SUSPENSE, id="our count without our money"),
        pytest.param(5, 3_000, 1_000, Verdict.NOT_APPLIED, id="nothing happened"),
        pytest.param(5, 2_995, 1_010, Verdict.NOT_APPLIED, id="only use"),
        pytest.param(5, 2_994, 1_010, Verdict.SUSPENSE, id="fallen more than use explains"),
        pytest.param(5, 3_001, 1_000, Verdict.SUSPENSE, id="money without a count"),
        pytest.param(7, 13_000, 1_000, Verdict.SUSPENSE, id="two purchases"),
        pytest.param(0, 3_000, 1_000, Verdict.SUSPENSE, id="a counter reset"),
        pytest.param(6, 13_000, 990, Verdict.SUSPENSE, id="energy that fell"),
    ],
)
def test_a_read_back_is_judged_by_count_and_balance(
    count: int, balance_fen: int, energy_wh: int, verdict: Verdict
) -> None:
    seen = PurchaseState(count=count, balance_fen=balance_fen, energy_wh=energy_wh)

    assert judge(BASE, seen, amount_fen=10_000, tolerance=5) is verdict


@pytest.mark.parametrize(
    ("used_wh", "expected_fen"),
    [
        pytest.param(0, 3, id="one step of the register at 1.2 yuan, rounded up, and a fen"),
        pytest.param(10, 4, id="a step used"),
        pytest.param(1_000, 123, id="a kWh used"),
    ],
)
def test_use_between_two_reads_is_allowed_for(used_wh: int, expected_fen: int) -> None:
    seen = replace(BASE, energy_wh=BASE.energy_wh + used_wh)

    assert tolerance_fen(BASE, seen, price_max=Decimal("1.2"), energy_step_wh=10) == expected_fen


UNCHANGED = Evidence(
    verdict=Verdict.NOT_APPLIED,
    seen_unchanged_twice=True,
    refused_by_meter=False,
    writes=1,
    writes_max=3,
    sole_sender=True,
)


@pytest.mark.parametrize(
    ("evidence", "step"),
    [
        pytest.param(replace(UNCHANGED, verdict=Verdict.APPLIED), Step.CONFIRM, id="applied"),
        pytest.param(replace(UNCHANGED, verdict=Verdict.SUSPENSE), Step.SUSPEND, id="suspense"),
        pytest.param(replace(UNCHANGED, verdict=None), Step.KEEP, id="no answer"),
        pytest.param(UNCHANGED, Step.REWRITE, id="not applied, seen twice"),
        pytest.param(
            replace(UNCHANGED, seen_unchanged_twice=False), Step.LOOK_AGAIN, id="seen once"
        ),
        pytest.param(replace(UNCHANGED, writes=3), Step.REFUSE, id="no write left"),
        pytest.param(
            replace(UNCHANGED, sole_sender=False), Step.KEEP, id="another may still send it"
        ),
        pytest.param(
            replace(UNCHANGED, writes=3, sole_sender=False), Step.KEEP, id="nor is money returned"
        ),
        pytest.param(replace(UNCHANGED, refused_by_meter=True), Step.REFUSE, id="refused"),
        pytest.param(
            replace(UNCHANGED, refused_by_meter=True, writes=2), Step.REWRITE,
            id="a refusal after an earlier write proves nothing",
        ),
        pytest.param(
            replace(UNCHANGED, refused_by_meter=True, verdict=None), Step.KEEP,
            id="a refusal without a read-back proves nothing: a gateway may have sent twice",
        ),
        pytest.param(
            replace(UNCHANGED, refused_by_meter=True, seen_unchanged_twice=False),
            Step.LOOK_AGAIN, id="nor does one look",
        ),
        pytest.param(
            replace(UNCHANGED, refused_by_meter=True, verdict=Verdict.APPLIED), Step.SUSPEND,
            id="refused, and yet risen: another's purchase of our amount, or a frame sent twice",
        ),
    ],
)  # fmt: skip
def test_what_follows_from_the_evidence(evidence: Evidence, step: Step) -> None:
    assert next_step(evidence) is step


def test_an_unknown_command_is_read_back_ever_less_often() -> None:
    assert [check_delay_s(checks) for checks in range(6)] == [2, 5, 15, 60, 60, 60]


def test_the_ceiling_itself_may_be_reached() -> None:
    assert not over_ceiling(4_000, 6_000, ceiling_fen=10_000)
    assert over_ceiling(4_001, 6_000, ceiling_fen=10_000)
