"""Signing in, rights, and names."""

import pytest

from engine.domain import errors
from engine.services import operators
from models.base import write_transaction
from models.enums import Right, Role
from models.people import AuditEntry, Operator


def fail_to_sign_in(name: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(errors.BadLogin):
            operators.sign_in(name, "wrong password")


def test_an_operator_signs_in_with_name_and_password(operator):
    assert operators.sign_in("李娜", "correct horse") == operator


def test_the_password_is_stored_as_an_argon2id_hash_only(operator):
    assert operator.password_hash.startswith("$argon2id$")
    assert "correct horse" not in operator.password_hash


@pytest.mark.parametrize(("name", "password"), [("李娜", "wrong password"), ("nobody", "x")])
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(operator, name, password):
    with pytest.raises(errors.BadLogin) as caught:
        operators.sign_in(name, password)

    assert caught.value.params == {}


def test_a_disabled_operator_cannot_sign_in(operator, clock):
    with write_transaction():
        Operator.update(disabled_at=clock.at).execute()

    with pytest.raises(errors.BadLogin):
        operators.sign_in("李娜", "correct horse")


@pytest.mark.parametrize("name", ["李娜", "nobody"])
def test_the_third_wrong_password_starts_a_wait_whether_the_name_exists_or_not(
    operator, clock, name
):
    fail_to_sign_in(name, 3)
    clock.advance(seconds=2)

    with pytest.raises(errors.LockedOut) as caught:
        operators.sign_in(name, "wrong password")

    assert caught.value.params == {"wait_s": 4}


def test_during_the_wait_even_the_right_password_is_not_tried(operator):
    fail_to_sign_in("李娜", 3)

    with pytest.raises(errors.LockedOut):
        operators.sign_in("李娜", "correct horse")


def test_after_the_wait_the_right_password_signs_in_and_ends_the_count(operator, clock):
    fail_to_sign_in("李娜", 3)
    clock.advance(seconds=5)

    operators.sign_in("李娜", "correct horse")

    fail_to_sign_in("李娜", 2)
    assert operators.sign_in("李娜", "correct horse") == operator


def test_guesses_side_by_side_do_not_outrun_the_wait(operator, monkeypatch):
    """Three fail while a fourth, the right one, is still being hashed."""
    fits = operators.security.password_fits

    def slow(password_hash: str | None, password: str) -> bool:
        monkeypatch.setattr(operators.security, "password_fits", fits)
        fail_to_sign_in("李娜", 3)
        return fits(password_hash, password)

    monkeypatch.setattr(operators.security, "password_fits", slow)

    with pytest.raises(errors.LockedOut):
        operators.sign_in("李娜", "correct horse")


def test_the_wait_doubles_and_never_exceeds_15_minutes():
    assert [operators.wait_s(failures) for failures in (0, 2, 3, 4, 5, 10, 11, 1000)] == [
        0, 0, 5, 10, 20, 640, 900, 900,
    ]  # fmt: skip


def test_nobody_is_locked_out_for_good(operator, clock):
    for _ in range(12):
        fail_to_sign_in("李娜", 1)
        clock.advance(minutes=15)

    assert operators.sign_in("李娜", "correct horse") == operator


def test_failures_a_day_ago_are_forgotten(operator, clock):
    fail_to_sign_in("李娜", 2)
    clock.advance(hours=25)

    fail_to_sign_in("李娜", 2)

    assert operators.sign_in("李娜", "correct horse") == operator


def test_the_log_tells_sign_ins_and_failures_but_no_name_that_nobody_has(operator):
    fail_to_sign_in("my secret password", 1)
    fail_to_sign_in("李娜", 1)
    operators.sign_in("李娜", "correct horse")

    rows = [(row.action, row.subject) for row in AuditEntry.select().order_by(AuditEntry.id)]
    assert rows[-2:] == [("sign_in_failed", "李娜"), ("sign_in", "李娜")]
    assert rows[-3][1].startswith("?")
    assert "secret" not in rows[-3][1]


def test_a_new_password_replaces_the_old_and_ends_a_wait(operator):
    fail_to_sign_in("李娜", 3)

    operators.set_password("李娜", "battery staple")

    assert operators.sign_in("李娜", "battery staple") == operator
    with pytest.raises(errors.BadLogin):
        operators.sign_in("李娜", "correct horse")


def test_nobodys_password_cannot_be_set(operator, picture):
    before = picture()

    with pytest.raises(errors.NoSuchOperator):
        operators.set_password("nobody", "battery staple")

    assert picture() == before


def test_who_may_not_change_people_makes_no_operator(operator, clock, picture):
    before = picture()

    with pytest.raises(errors.Forbidden):
        operators.create("王强", "long enough", Role.ADMINISTRATOR, at=clock.at, by=operator)

    assert picture() == before


def test_a_password_is_changed_by_its_owner_and_by_no_other_cashier(operator, clock, picture):
    other = operators.create("王强", "long enough", Role.CASHIER, at=clock.at)
    operators.set_password("李娜", "battery staple", by=operator)
    before = picture()

    with pytest.raises(errors.Forbidden):
        operators.set_password("李娜", "stolen password", by=other)

    assert picture() == before


@pytest.mark.parametrize("password", ["", "123456789"])
def test_a_password_of_less_than_ten_characters_makes_no_operator(clock, picture, password):
    before = picture()

    with pytest.raises(errors.WeakPassword):
        operators.create("王强", password, Role.CASHIER, at=clock.at)

    assert picture() == before


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 33, "?abc"])
def test_a_name_that_cannot_be_printed_makes_no_operator(clock, picture, name):
    before = picture()

    with pytest.raises(errors.BadName):
        operators.create(name, "long enough", Role.CASHIER, at=clock.at)

    assert picture() == before


def test_a_name_is_taken_once(operator, clock, picture):
    before = picture()

    with pytest.raises(errors.NameTaken):
        operators.create(" 李娜 ", "long enough", Role.CASHIER, at=clock.at)

    assert picture() == before


def test_a_new_operator_is_in_the_log_with_role_and_maker(operator, clock):
    chief = operators.create("周总", "long enough", Role.ADMINISTRATOR, at=clock.at)

    operators.create("王强", "long enough", Role.VIEWER, at=clock.at, by=chief)

    row = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert (row.operator, row.action, row.subject, row.detail) == (
        "周总", "operator_create", "王强", '{"role":"viewer"}',
    )  # fmt: skip


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (
            Role.ADMINISTRATOR,
            {"view", "sell", "read", "refund", "reverse", "transfer", "accounts", "exchange",
             "switch", "decide", "approve", "shifts", "configure", "people", "tariffs",
             "settings", "batch", "lock_out", "emergency"},
        ),
        (
            Role.SUPERVISOR,
            {"view", "sell", "read", "refund", "reverse", "transfer", "accounts", "exchange",
             "switch", "decide", "approve", "shifts", "tariffs", "settings", "batch", "lock_out",
             "emergency"},
        ),
        (Role.CASHIER, {"view", "sell", "read", "refund", "reverse", "accounts", "emergency"}),
        (
            Role.ENGINEER,
            {"view", "read", "exchange", "switch", "configure", "settings", "batch", "lock_out",
             "emergency"},
        ),
        (Role.VIEWER, {"view"}),
    ],
)  # fmt: skip
def test_a_role_has_the_rights_of_the_table_and_no_other(db, clock, role, rights):
    operator = operators.create("王强", "long enough", role, at=clock.at)

    granted = set()
    for right in Right:
        try:
            operators.require(operator, right)
        except errors.Forbidden:
            continue
        granted.add(right.value)

    assert granted == rights


def test_a_role_without_a_line_in_the_table_may_nothing(operator, monkeypatch):
    monkeypatch.delitem(operators.RIGHTS, Role.CASHIER)

    with pytest.raises(errors.Forbidden):
        operators.require(operator, Right.VIEW)


def test_rights_are_those_of_the_row_not_of_the_object(operator):
    with write_transaction():
        Operator.update(role=Role.VIEWER).execute()

    with pytest.raises(errors.Forbidden):
        operators.require(operator, Right.SELL)


def test_who_was_disabled_meanwhile_may_nothing(operator, clock):
    with write_transaction():
        Operator.update(disabled_at=clock.at).execute()

    with pytest.raises(errors.Forbidden):
        operators.require(operator, Right.VIEW)
