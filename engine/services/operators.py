"""People: who may sign in, what their role lets them do, and the shift that holds their cash."""

import datetime as dt
import hmac

from engine import clock, security
from engine.domain.errors import (
    BadLogin,
    BadName,
    Forbidden,
    LockedOut,
    NameTaken,
    NoSuchOperator,
    WeakPassword,
)
from engine.services import audit
from models.base import write_transaction
from models.enums import Right, Role
from models.people import AuditEntry, Operator, Shift

PASSWORD_LENGTH_MIN = 10
NAME_LENGTH_MAX = 32
FREE_TRIES = 3  # wrong passwords before the first wait
WAIT_FIRST_S = 5  # doubled by each further one
WAIT_MAX_S = 900
TRIES_KEPT = dt.timedelta(hours=24)  # older failures are forgotten: nobody is locked out for good

RIGHTS = {  # what is not here is not allowed
    Role.ADMINISTRATOR: frozenset(Right),
    Role.SUPERVISOR: frozenset(Right) - {Right.CONFIGURE, Right.PEOPLE},
    Role.CASHIER: frozenset(
        {
            Right.VIEW,
            Right.READ,
            Right.SELL,
            Right.REFUND,
            Right.REVERSE,
            Right.ACCOUNTS,
            Right.EMERGENCY,
        }
    ),
    Role.ENGINEER: frozenset(
        {
            Right.VIEW,
            Right.READ,
            Right.EXCHANGE,
            Right.SWITCH,
            Right.CONFIGURE,
            Right.SETTINGS,
            Right.BATCH,
            Right.LOCK_OUT,
            Right.EMERGENCY,
        }
    ),
    Role.VIEWER: frozenset({Right.VIEW}),
}


def create(
    name: str, password: str, role: Role, *, at: dt.datetime, by: Operator | None = None
) -> Operator:
    """A new operator; `by` None is whoever makes the site.

    Raises Forbidden, BadName, WeakPassword, NameTaken.
    """
    name = _checked_name(name)
    password_hash = _hash_of_good(password)
    with write_transaction():
        if by is not None:
            require(by, Right.PEOPLE)
        if Operator.get_or_none(Operator.name == name):
            raise NameTaken(name=name)
        operator: Operator = Operator.create(
            name=name, password_hash=password_hash, role=role, created_at=at
        )
        audit.write(_name(by), "operator_create", name, {"role": role})
    return operator


def set_password(name: str, password: str, *, by: Operator | None = None) -> None:
    """A new password, which also ends a lock-out; one's own, or by who may change people.

    Raises Forbidden, NoSuchOperator, WeakPassword.
    """
    password_hash = _hash_of_good(password)
    with write_transaction():
        if by is not None and by.name != name:
            require(by, Right.PEOPLE)
        changed = (
            Operator.update(password_hash=password_hash).where(Operator.name == name).execute()
        )
        if changed != 1:
            raise NoSuchOperator(name=name)
        audit.write(_name(by), "password_set", _subject(name, known=True))


def sign_in(name: str, password: str) -> Operator:
    """The operator of that name and password. Raises BadLogin, LockedOut(wait_s).

    A name nobody has is treated exactly like one somebody has: same time, same errors, same
    growing delay. So neither can be told from outside.
    """
    name = name.strip()
    operator: Operator | None = Operator.get_or_none(
        (Operator.name == name) & Operator.disabled_at.is_null()
    )
    subject = _subject(name, known=operator is not None)
    _require_not_locked(subject)
    fits = security.password_fits(operator.password_hash if operator else None, password)
    with write_transaction():
        _require_not_locked(subject)  # again, under the lock: guesses side by side gain nothing
        if fits:
            audit.write(name, "sign_in", subject)
        else:
            audit.write(audit.SYSTEM, "sign_in_failed", subject)
    if operator is None or not fits:
        raise BadLogin
    return operator


def require(by: Operator, right: Right) -> None:
    """Raises Forbidden unless the role that `by` has now, in the database, includes `right`."""
    if not has(by, right):
        raise Forbidden(operator=by.name, right=right.value)


def has(by: Operator, right: Right) -> bool:
    """Does the role that `by` has now, in the database, include `right`?"""
    living = Operator.get_or_none((Operator.id == by.id) & Operator.disabled_at.is_null())
    return living is not None and right in RIGHTS.get(living.role, frozenset())


def current_shift(by: Operator) -> Shift:
    """The open shift of `by`, opened with float 0 where there is none. In a write_transaction."""
    found = Shift.get_or_none((Shift.operator == by) & Shift.closed_at.is_null())
    return found or Shift.create(operator=by, opened_at=clock.now())


def wait_s(failures: int) -> int:
    """Seconds after the latest of `failures` wrong passwords in a row until the next try counts."""
    if failures < FREE_TRIES:
        return 0
    doubled: int = WAIT_FIRST_S * 2 ** min(failures - FREE_TRIES, 10)
    return min(doubled, WAIT_MAX_S)


def _require_not_locked(subject: str) -> None:
    """The log itself says how many tries failed since the last that did not."""
    now = clock.now()
    tries = (
        AuditEntry.select(AuditEntry.action, AuditEntry.at)
        .where(
            (AuditEntry.at > now - TRIES_KEPT)
            & (AuditEntry.subject == subject)
            & AuditEntry.action.in_(["sign_in", "sign_in_failed", "password_set"])
        )
        .order_by(AuditEntry.id.desc())
    )
    failures, latest = 0, None
    for row in tries:
        if row.action != "sign_in_failed":
            break
        failures, latest = failures + 1, latest or row.at
    if latest is None:
        return
    left_s = wait_s(failures) - (now - latest).total_seconds()
    if left_s > 0:
        raise LockedOut(wait_s=int(left_s) + 1)


def _subject(name: str, *, known: bool) -> str:
    """What the log calls who tried: a name nobody has may be a password in the wrong field."""
    if known:
        return name
    return "?" + hmac.digest(security.chain_key(), name.encode(), "sha256").hex()[:16]


def _name(by: Operator | None) -> str:
    return by.name if by else audit.SYSTEM


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable() or name[0] == "?":
        raise BadName(name=name, length_max=NAME_LENGTH_MAX)
    return name


def _hash_of_good(password: str) -> str:
    if len(password) < PASSWORD_LENGTH_MIN:
        raise WeakPassword(length_min=PASSWORD_LENGTH_MIN)
    return security.hash_password(password)
