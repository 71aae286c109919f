"""The new meter of an exchange: named by a person, found in the books or made, and put back."""

import json
import re
import unicodedata
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Self

from engine import clock
from engine.domain.errors import NotExchangeable
from engine.services import audit, exchange_rows, meters, operators
from models.accounts import Installation, PlannedMeter
from models.base import next_rev, write_transaction
from models.cases import Exchange
from models.enums import ExchangeStep, MeterKind, Right
from models.people import Operator
from models.site import Line, Meter

SERIAL = re.compile("[0-9]{12}")
SHOWN_MAX = 40
ADDRESSES = range(1, 248)


@dataclass(frozen=True)
class Naming:
    """The new meter as a person says it: where nothing is said, see `name_new`."""

    serial: str
    model: str | None = None
    line: str | None = None
    address: int | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    @property
    def number(self) -> str:
        """Its digits, however they were grouped or typed."""
        return "".join(unicodedata.normalize("NFKC", self.serial).split())


def name_new(
    exchange_id: int, naming: Naming, by: Operator, *, models: Collection[str] | None = None
) -> Exchange:
    """Say which meter hangs there now; it must prove it on the line before anything follows.

    Where nothing else is said it hangs where the books have it, else where the old one hung, and
    is of the old one's model. `models`: those that have a map. Can be said again until the
    number is proved. Raises Forbidden, NoSuchExchange, NotExchangeable(`not_now`) and what
    `check` raises; then nothing has changed.
    """
    with write_transaction():
        operators.require(by, Right.EXCHANGE)
        exchange = exchange_rows.get(exchange_id)
        if exchange.step is not ExchangeStep.IDENTITY:
            raise _no(naming.number, "not_now")
        _put_back(exchange)
        known, model, place = check(exchange, naming, models=models)
        new, former = _hang(exchange, naming.number, known, model, place)
        exchange_rows.change(
            exchange, new=new, former=json.dumps(former), command=None, plan=naming.to_json()
        )
        at = {"line": place[0].name, "address": place[1]}
        detail = {"exchange": exchange_id, "new": new.serial, **at}
        audit.write(by.name, "exchange_new_meter", exchange.old.serial, detail)
        return exchange_rows.get(exchange_id)


def check(
    exchange: Exchange, naming: Naming, *, models: Collection[str] | None = None
) -> tuple[Meter | None, str, tuple[Line, int]]:
    """(its row where there is one, model, line and address), if that may be the new meter.

    Raises NotExchangeable(`bad_serial`, `same_meter`, `in_use`, `retired`, `planned`,
    `not_prepaid`, `frozen`, `in_exchange`, `no_line`, `bad_address`, `address_taken`,
    `unknown_model`).
    """
    serial = naming.number
    known = _fit(exchange, serial)
    model = naming.model or (known.model if known else exchange.old.model)
    if models is not None and model not in models:
        raise _no(serial, "unknown_model", model=_shown(model), known=", ".join(sorted(models)))
    return known, model, _place(exchange, serial, known, naming.line, naming.address)


def _fit(exchange: Exchange, serial: str) -> Meter | None:
    """The row of that number where there is one, if it may be the new meter."""
    if not SERIAL.fullmatch(serial):
        raise _no(serial, "bad_serial")
    if serial == exchange.old.serial:
        raise _no(serial, "same_meter")
    known: Meter | None = Meter.get_or_none(Meter.serial == serial)
    if known is None:
        return None
    has_been_used = Installation.select().where(Installation.meter == known)
    if known.retired_at is not None and has_been_used.exists():
        raise _no(serial, "retired")
    if has_been_used.where(Installation.closed_at.is_null()).exists():
        raise _no(serial, "in_use")
    if PlannedMeter.select().where(PlannedMeter.meter == known).exists():
        raise _no(serial, "planned")
    if known.kind is not MeterKind.PREPAID:
        raise _no(serial, "not_prepaid")
    if known.frozen:
        raise _no(serial, "frozen")
    other = Exchange.select().where(
        Exchange.new == known, Exchange.finished_at.is_null(), Exchange.id != exchange.id
    )
    if other.exists():
        raise _no(serial, "in_exchange")
    return known


def _place(
    exchange: Exchange, serial: str, known: Meter | None, line: str | None, address: int | None
) -> tuple[Line, int]:
    told = known if known is not None and known.retired_at is None else exchange.old
    where: Line = told.line
    if line is not None:
        found = Line.get_or_none(Line.name == line, Line.retired_at.is_null())
        if found is None:
            raise _no(serial, "no_line", line=_shown(line))
        where = found
    at = told.address if address is None else address
    if at not in ADDRESSES:
        raise _no(serial, "bad_address", address=at)
    owner = Meter.get_or_none(
        Meter.line == where, Meter.address == at, Meter.retired_at.is_null(), Meter.serial != serial
    )
    if owner is not None and owner != exchange.old:
        raise _no(serial, "address_taken", line=where.name, address=at, owner=owner.serial)
    return where, at


def _hang(
    exchange: Exchange, serial: str, known: Meter | None, model: str, place: tuple[Line, int]
) -> tuple[Meter, dict[str, object]]:
    """The new meter at its place in the books, and how it stood there before.

    The old one leaves its address where the new one takes it: the engine asks only one there.
    """
    old, (line, address) = exchange.old, place
    rev = next_rev(Meter)
    if (old.line, old.address) == place:
        Meter.update(retired_at=clock.now(), rev=rev).where(Meter.id == old.id).execute()
    if known is None:
        new = Meter.create(
            serial=serial,
            model=model,
            line=line,
            address=address,
            building=old.building,
            ct_ratio=old.ct_ratio,
            kind=old.kind,
            rev=rev,
        )
        return new, {"retired": True}
    former: dict[str, object] = {
        "retired": known.retired_at is not None,
        "model": known.model,
        "line": known.line.id,
        "address": known.address,
    }
    Meter.update(model=model, line=line, address=address, retired_at=None, rev=rev).where(
        Meter.id == known.id
    ).execute()
    return known, former


def _put_back(exchange: Exchange) -> None:
    """Undo the naming before: neither meter is where it was said to be.

    One that an import has given to a tenant meanwhile stays where it is.
    """
    if exchange.new is None or meters.installation_of(exchange.new) is not None:
        return
    former = json.loads(exchange.former)
    retired_at = clock.now() if former.pop("retired") else None
    rev = next_rev(Meter)
    Meter.update(retired_at=retired_at, rev=rev, **former).where(
        Meter.id == exchange.new.id
    ).execute()
    Meter.update(retired_at=None, rev=rev).where(Meter.id == exchange.old.id).execute()


def _no(serial: str, why: str, **params: object) -> NotExchangeable:
    return NotExchangeable(serial=_shown(serial), why=why, **params)


def _shown(text: str) -> str:
    """What was typed, as far as it fits into a message."""
    return "".join(char for char in text if char.isprintable())[:SHOWN_MAX]
