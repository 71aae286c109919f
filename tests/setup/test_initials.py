"""Names found on a keyboard without an input method."""

import pytest

from engine.services.initials import initials


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("万达广场", "WDGC"),
        ("A8 一点米·café", "A8YDMCAF"),
        ("重庆小面", "CQXM"),  # 重 is chóng here, not zhòng
        ("7-Eleven", "7ELEVEN"),
        ("（空）", "K"),
        ("", ""),
    ],
)
def test_initials_are_letters_and_digits_in_upper_case(name, expected):
    assert initials(name) == expected
