"""Which unit may still send an old reply, as the clock goes on. Frames live 5 s here."""

import pytest

from engine.bus.doubts import Doubts


@pytest.fixture
def doubts() -> Doubts:
    made = Doubts(5.0)
    made.answered(1)
    return made


def test_whatever_is_used_first_on_a_connection_is_suspect() -> None:
    doubts = Doubts(5.0)

    assert doubts.suspect(1)
    assert doubts.suspect(2)


def test_the_first_answer_of_a_connection_speaks_for_every_unit() -> None:
    """What lay in the gateway came before it, whosever it was."""
    doubts = Doubts(5.0)
    doubts.answered(1)

    assert not doubts.suspect(2)


def test_an_answer_ends_all_doubt(doubts: Doubts) -> None:
    doubts.lost(1, sent_at=100.0, reads=True, fence_length=True)
    doubts.answered(1)

    assert not doubts.suspect(1)
    assert doubts.wait_s(1, 100.0) == 0
    assert doubts.exception_proves(1, 100.0)


def test_a_new_connection_is_doubtful_until_its_first_answer(doubts: Doubts) -> None:
    doubts.answered(2)
    doubts.unproved()

    assert doubts.suspect(1)
    assert doubts.suspect(2)


def test_a_lost_request_is_remembered_over_a_new_connection(doubts: Doubts) -> None:
    doubts.lost(1, sent_at=100.0, reads=True, fence_length=False)
    doubts.unproved()
    doubts.answered(2)

    assert doubts.suspect(1)


def test_a_lost_main_block_can_be_fenced_at_once_by_a_value_only(doubts: Doubts) -> None:
    doubts.lost(1, sent_at=100.0, reads=True, fence_length=False)

    assert doubts.suspect(1)
    assert doubts.wait_s(1, 100.3) == 0
    assert not doubts.exception_proves(1, 104.9)
    assert doubts.exception_proves(1, 105.0)


def test_a_lost_fence_makes_the_unit_wait_until_its_frame_is_dead(doubts: Doubts) -> None:
    doubts.lost(1, sent_at=100.0, reads=True, fence_length=True)

    assert doubts.wait_s(1, 101.0) == 4.0
    assert doubts.wait_s(1, 105.0) == 0


def test_a_lost_write_can_be_fenced_at_once_by_value_and_exception(doubts: Doubts) -> None:
    doubts.lost(1, sent_at=100.0, reads=False, fence_length=False)

    assert doubts.suspect(1)
    assert doubts.wait_s(1, 100.1) == 0
    assert doubts.exception_proves(1, 100.1)


def test_a_later_lesser_loss_does_not_shorten_an_earlier_doubt(doubts: Doubts) -> None:
    doubts.lost(1, sent_at=100.0, reads=True, fence_length=True)
    doubts.lost(1, sent_at=101.0, reads=False, fence_length=False)

    assert doubts.wait_s(1, 101.0) == 4.0


def test_other_units_are_not_doubted(doubts: Doubts) -> None:
    doubts.answered(2)
    doubts.lost(1, sent_at=100.0, reads=True, fence_length=True)

    assert not doubts.suspect(2)
