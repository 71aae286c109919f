"""Tenants and vacant meters as a list prints them, found by what is typed."""

from collections import defaultdict
from dataclasses import asdict, dataclass

from models.accounts import Account, Installation, PlannedMeter
from models.base import tuples
from models.enums import MeterKind
from models.site import Meter


@dataclass(frozen=True, slots=True)
class Found:
    number: str
    name: str
    initials: str
    phones: list[str]
    state: str  # open, pre_registered, closed
    shops: list[str]
    meters: list[str]
    planned: list[str]

    @property
    def haystack(self) -> str:
        parts = (self.number, self.name, self.initials, *self.phones)
        return "\n".join([*parts, *self.shops, *self.meters, *self.planned]).casefold()

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def search(text: str = "", *, closed: bool = False) -> list[Found]:
    """By number: every word of `text` is part of number, name, initials, phone, shop or meter.

    Closed accounts only where asked for.
    """
    words = text.casefold().split()
    return [
        found
        for found in _all(closed=closed)
        if all(word in found.haystack or _digits(word) in found.haystack for word in words)
    ]


def _digits(word: str) -> str:
    """A phone as somebody reads it out, with dashes."""
    bare = word.replace("-", "")
    return bare if bare.isdigit() else word


def _all(*, closed: bool) -> list[Found]:
    shops, serials = _installed()
    planned = defaultdict(list)
    query = PlannedMeter.select(PlannedMeter.account, Meter.serial).join(Meter)
    for account, serial in tuples(query.order_by(PlannedMeter.id)):
        planned[account].append(serial)
    rows = Account.select().order_by(Account.number)
    if not closed:
        rows = rows.where(Account.closed_at.is_null())
    return [
        Found(
            row.number,
            row.name,
            row.initials,
            [phone for phone in row.phone.split(";") if phone],
            "closed" if row.closed_at else ("open" if serials[row.id] else "pre_registered"),
            shops[row.id],
            serials[row.id],
            planned[row.id],
        )
        for row in rows
    ]


def _installed() -> tuple[defaultdict[int, list[str]], defaultdict[int, list[str]]]:
    shops: defaultdict[int, list[str]] = defaultdict(list)
    serials: defaultdict[int, list[str]] = defaultdict(list)
    query = (
        Installation.select(Installation.account, Meter.shop, Meter.serial)
        .join(Meter)
        .where(Installation.closed_at.is_null())
        .order_by(Meter.shop, Meter.serial)
    )
    for account, shop, serial in tuples(query):
        serials[account].append(serial)
        if shop and shop not in shops[account]:
            shops[account].append(shop)
    return shops, serials


def vacant() -> list[dict[str, object]]:
    """Prepaid meters on nobody's account, by shop, with who left last and who comes."""
    open_ones = Installation.select(Installation.meter).where(Installation.closed_at.is_null())
    meters = (
        Meter.select(Meter.id, Meter.serial, Meter.shop)
        .where(Meter.kind == MeterKind.PREPAID, Meter.retired_at.is_null())
        .where(Meter.id.not_in(open_ones))
        .order_by(Meter.shop, Meter.serial)
    )
    ended = (
        Installation.select(Installation.meter, Account.number, Installation.closed_at)
        .join(Account)
        .where(Installation.closed_at.is_null(False))
        .order_by(Installation.closed_at)
    )
    last = {meter: (number, at) for meter, number, at in tuples(ended)}
    comes = dict(tuples(PlannedMeter.select(PlannedMeter.meter, Account.number).join(Account)))
    found: list[dict[str, object]] = []
    for meter, serial, shop in tuples(meters):
        number, at = last.get(meter, (None, None))
        since = at.isoformat() if at else None
        found.append(
            {"serial": serial, "shop": shop, "last_tenant": number, "since": since,
             "planned_for": comes.get(meter)}
        )  # fmt: skip
    return found
