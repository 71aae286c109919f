"""销户结算单: what a tenant bought, used and got back, meter by meter, as printable text."""

from collections.abc import Callable
from dataclasses import dataclass

import peewee as pw

from engine import clock, i18n
from engine.config import SiteSection
from engine.domain.units import kwh_text, yuan_text
from engine.services import accounts, closing, ledger, paper, refunding, releasing
from models.accounts import Account, Installation
from models.base import tuples
from models.commands import Command
from models.enums import AccountKind, CommandKind, CommandState
from models.site import Meter

WIDTHS = (32, 48, 80)  # columns: 58 and 80 mm paper, A4
Say = Callable[[str], str]
Block = list[tuple[str, str]]


@dataclass(frozen=True)
class Stay:
    """A meter's time on the account, and what moved in it then."""

    installation: Installation
    moved_fen: dict[CommandKind, int]  # proved, by kind of command
    sales: int
    fee_fen: int
    written_off_fen: int
    last_energy_wh: int | None  # while it goes on: the newest
    last_balance_fen: int | None

    @property
    def used_wh(self) -> int | None:
        first, last = self.installation.first_energy_wh, self.last_energy_wh
        return None if first is None or last is None else last - first

    @property
    def used_fen(self) -> int | None:
        """What the use cost: everything that went in and neither came out nor is left."""
        first, last = self.installation.first_balance_fen, self.last_balance_fen
        if first is None or last is None:
            return None
        rounded = self.moved_fen[CommandKind.CLEAR]
        into = sum(fen for kind, fen in self.moved_fen.items() if kind.raises)
        out = sum(self.moved_fen[kind] for kind in OUT)
        return first + into + self.written_off_fen - out - rounded - last


OUT = (CommandKind.REFUND, CommandKind.REVERSE, CommandKind.TRANSFER_OUT)


def stays(account: Account) -> list[Stay]:
    """Every meter the tenant ever had, in order."""
    query = Installation.select(Installation, Meter).join(Meter)
    mine = query.where(Installation.account == account).order_by(Installation.opened_at)
    return [_stay(each) for each in mine]


def figures(number: str) -> dict[str, object]:
    """What stands in the statement, for programs. Raises NoSuchTenant."""
    account = accounts.get(number)
    payable = [refunding.payable_fen(each) for each in closing.payable_of(account)]
    return {
        "tenant": number,
        "closed": account.closed_at is not None,
        "payable_fen": sum(payable),
        "deposit_fen": ledger.balance_at(AccountKind.DEPOSIT, number),
        "stays": [_figures(stay) for stay in stays(account)],
    }


def _figures(stay: Stay) -> dict[str, object]:
    row = stay.installation
    moved = {f"{kind}_fen": fen for kind, fen in stay.moved_fen.items() if kind.counted}
    return {
        "serial": row.meter.serial,
        "first_energy_wh": row.first_energy_wh,
        "last_energy_wh": stay.last_energy_wh,
        "used_wh": stay.used_wh,
        "first_balance_fen": row.first_balance_fen,
        "last_balance_fen": stay.last_balance_fen,
        "used_fen": stay.used_fen,
        "sales": stay.sales,
        "fee_fen": stay.fee_fen,
        "written_off_fen": stay.written_off_fen,
        **moved,
    }


def text(number: str, language: str, width: int, *, site: SiteSection) -> str:
    """The statement in lines of `width` columns; of an open account as it stands now.

    Raises NoSuchTenant.
    """
    account = accounts.get(number)

    def say(key: str) -> str:
        return i18n.catalog(language)[f"account.statement.{key}"]

    title = say("title" if account.closed_at else "interim")
    lines = [*paper.centred(site.name, width), *paper.centred(title, width)]
    for block in _blocks(account, site, say):
        lines.append("-" * width)
        for label, value in block:
            lines += paper.pair(label, paper.printable(value), width)
    return "\n".join(lines) + "\n"


def _blocks(account: Account, site: SiteSection, say: Say) -> list[Block]:
    found = stays(account)
    return [
        _head(account, site, say),
        *(_of_stay(each, site, say) for each in found),
        _totals(account, found, say),
    ]


def _head(account: Account, site: SiteSection, say: Say) -> Block:
    def day(at: object) -> str:
        return f"{at:%Y-%m-%d}" if at else ""

    opened = account.opened_at.astimezone(site.zone)
    closed = account.closed_at.astimezone(site.zone) if account.closed_at else None
    block = [
        (say("tenant"), f"{account.number} {account.name}"),
        (say("phone"), account.phone.replace(";", " ")),
        (say("registered"), day(opened)),
        (say("closed"), day(closed)),
        (say("printed"), f"{clock.now().astimezone(site.zone):%Y-%m-%d %H:%M}"),
    ]
    return [(label, value) for label, value in block if value]


def _of_stay(stay: Stay, site: SiteSection, say: Say) -> Block:
    row = stay.installation
    span = [row.opened_at, row.closed_at]
    days = [f"{at.astimezone(site.zone):%Y-%m-%d}" if at else "" for at in span]
    block = [
        (say("meter"), row.meter.serial),
        (say("shop"), row.shop or row.meter.shop),
        (say("span"), " - ".join(days)),
        (say("first_reading"), _kwh(row.first_energy_wh)),
        (say("last_reading"), _kwh(stay.last_energy_wh)),
        (say("used"), _kwh(stay.used_wh)),
        (say("first_balance"), _yuan(say, row.first_balance_fen)),
        (f"{say('sold')} ({stay.sales})", _yuan(say, stay.moved_fen[CommandKind.SELL])),
        (say("cost"), _yuan(say, stay.used_fen)),
    ]
    kinds = (CommandKind.TRANSFER_IN, *OUT, CommandKind.CLEAR)
    moved = ((kind, stay.moved_fen[kind]) for kind in kinds)
    block += [(say(kind.value), _yuan(say, fen)) for kind, fen in moved if fen]
    if stay.written_off_fen:
        block.append((say("written_off"), _yuan(say, stay.written_off_fen)))
    block.append((say("left"), _yuan(say, stay.last_balance_fen)))
    return block


def _totals(account: Account, found: list[Stay], say: Say) -> Block:
    used = [stay.used_wh for stay in found if stay.used_wh is not None]
    bought_fen = sum(stay.moved_fen[CommandKind.SELL] for stay in found)
    back_fen = sum(
        stay.moved_fen[kind] for stay in found for kind in (CommandKind.REFUND, CommandKind.REVERSE)
    )
    payable_fen = sum(refunding.payable_fen(each) for each in closing.payable_of(account))
    deposit_fen = ledger.balance_at(AccountKind.DEPOSIT, account.number)
    block = [
        (say("used_total"), _kwh(sum(used))),
        (say("sold_total"), _yuan(say, bought_fen)),
        (say("fees"), _yuan(say, sum(stay.fee_fen for stay in found))),
        (say("paid_back"), _yuan(say, back_fen - payable_fen)),
    ]
    if payable_fen:
        block.append((say("payable"), _yuan(say, payable_fen)))
    if deposit_fen:
        block.append((say("deposit"), _yuan(say, deposit_fen)))
    return block


def _stay(installation: Installation) -> Stay:
    """Commands fall to whose the meter was when they were asked for."""
    until = installation.closed_at or clock.now()
    owed = Command.base_balance_fen < 0
    query = (
        Command.select(
            Command.kind,
            owed,
            pw.fn.COUNT(Command.id),
            pw.fn.SUM(Command.amount_fen),
            pw.fn.SUM(Command.fee_fen),
        )
        .where(
            Command.meter == installation.meter,
            Command.counted == True,  # noqa: E712 (SQL)
            Command.state == CommandState.APPLIED,
            Command.created_at.between(installation.opened_at, until),
        )
        .group_by(Command.kind, owed)
    )
    moved = dict.fromkeys(CommandKind, 0)
    sales = fees = written_off = 0
    for kind, below, times, amount_fen, fee_fen in tuples(query):
        if kind is CommandKind.CLEAR and below:
            written_off += amount_fen
            continue
        moved[kind] += amount_fen
        if kind is CommandKind.SELL:
            sales, fees = sales + times, fees + fee_fen
        elif kind is CommandKind.REVERSE:
            fees -= fee_fen
    energy_wh, balance_fen = installation.last_energy_wh, installation.last_balance_fen
    if installation.closed_at is None:
        reading, _ = releasing.newest(installation.meter)
        energy_wh = reading.energy_wh if reading else None
        balance_fen = reading.balance_fen if reading else None
    return Stay(installation, moved, sales, fees, written_off, energy_wh, balance_fen)


def _kwh(energy_wh: int | None) -> str:
    return "-" if energy_wh is None else f"{kwh_text(energy_wh)} kWh"


def _yuan(say: Say, amount_fen: int | None) -> str:
    return "-" if amount_fen is None else f"{yuan_text(amount_fen)} {say('unit')}"
