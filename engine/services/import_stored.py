"""What a site already has, by the names that import files use."""

from dataclasses import dataclass

import peewee as pw

from models.accounts import Account, Installation, PlannedMeter
from models.base import tuples
from models.commands import OPEN_STATES, Command
from models.enums import LinkKind, MeterKind
from models.site import Building, Line, Meter
from models.tariffs import Tariff


@dataclass(frozen=True)
class KnownMeter:
    model: str
    kind: MeterKind
    line: str
    address: int
    retired: bool
    tenant: str | None  # number of the account it is open for
    has_history: bool  # a command was made for it
    busy: bool  # a counted command is under way


@dataclass(frozen=True)
class Stored:
    buildings: frozenset[str]
    lines: dict[str, str]  # name -> where it ends, see `end_of`
    tariffs: frozenset[str]
    meters: dict[str, KnownMeter]
    closed_accounts: frozenset[str]
    planned: dict[str, str]  # serial -> number of the tenant it is kept for


def load() -> Stored:
    ends = Line.select(Line.name, Line.link, Line.host, Line.port, Line.device)
    closed = Account.select(Account.number).where(Account.closed_at.is_null(False))
    kept = PlannedMeter.select(Meter.serial, Account.number).join(Meter)
    kept = kept.join_from(PlannedMeter, Account)
    return Stored(
        buildings=_names(Building.select(Building.code)),
        lines={name: end_of(*end) for name, *end in tuples(ends)},
        tariffs=_names(Tariff.select(Tariff.name)),
        meters=_meters(),
        closed_accounts=_names(closed),
        planned=dict(tuples(kept)),
    )


def end_of(link: LinkKind, host: str, port: int | None, device: str) -> str:
    """Where a line ends: only one owner can open that."""
    return device if link is LinkKind.SERIAL else f"{host.lower()}:{port or ''}"


def _names(query: pw.Query) -> frozenset[str]:
    return frozenset(row[0] for row in tuples(query))


def _meters() -> dict[str, KnownMeter]:
    counted_open = (Command.counted == True) & Command.state.in_(OPEN_STATES)  # noqa: E712 (SQL)
    history = _names(Command.select(Command.serial).distinct())
    busy = _names(Command.select(Command.serial).where(counted_open))
    opened = (Installation.meter == Meter.id) & Installation.closed_at.is_null()
    query = (
        Meter.select(
            Meter.serial, Meter.model, Meter.kind, Line.name, Meter.address,
            Meter.retired_at.is_null(False), Account.number,
        )
        .join(Line)
        .join(Installation, pw.JOIN.LEFT_OUTER, on=opened)
        .join(Account, pw.JOIN.LEFT_OUTER, on=Installation.account == Account.id)
    )  # fmt: skip
    return {
        serial: KnownMeter(
            model, kind, line, address, bool(retired), tenant, serial in history, serial in busy
        )
        for serial, model, kind, line, address, retired, tenant in tuples(query)
    }
