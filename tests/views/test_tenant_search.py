"""Tenants found by what is typed, and meters that nobody has."""

import pytest

from engine.services import accounts
from engine.views import tenant_search


@pytest.fixture
def registered(add_meter, operator):
    vacant = add_meter("202611230002", tenant="")
    accounts.register(
        "T900", "重庆小面", "13800138000;0755-88888888", operator, planned=[vacant.serial]
    )
    add_meter("202611230001", tenant="张三丰茶馆")
    return vacant


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ["T0002", "T900"]),
        ("cqxm", ["T900"]),
        ("重庆", ["T900"]),
        ("t900", ["T900"]),
        ("138-0013", ["T900"]),
        ("0755-888", ["T900"]),
        ("202611230001", ["T0002"]),
        ("202611230002", ["T900"]),
        ("a-101 张三", ["T0002"]),
        ("a-101 cqxm", []),
        ("%", []),
    ],
)
def test_a_tenant_is_found_by_any_of_its_words(registered, text, numbers):
    assert [found.number for found in tenant_search.search(text)] == numbers


def test_a_meter_that_nobody_has_says_for_whom_it_is_kept(registered):
    assert tenant_search.vacant() == [
        {"serial": registered.serial, "shop": "A-101", "last_tenant": None, "since": None,
         "planned_for": "T900"},
    ]  # fmt: skip
