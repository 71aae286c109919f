"""tenant add, edit, list, show, statement, vacant: who they are, and what they have."""

import argparse
from typing import Any

from console.commands.site import opened, person
from console.commands.text_table import print_table
from console.failures import Status, print_json
from engine import i18n
from engine.domain.units import kwh_text, yuan_text
from engine.i18n import t
from engine.services import accounts, closing, ledger, refunding, statements
from engine.views import tenant_search
from models.accounts import Account, Installation
from models.enums import AccountKind

DETAILS = ("phone", "id_number", "lease_from", "lease_to", "fee_pct", "note")
COLUMNS = ("number", "name", "phones", "shops", "meters", "state")


def add(args: argparse.Namespace) -> int:
    """Register a tenant; `--planned`: meters that `open` without serials opens for it."""
    with opened(args):
        made = accounts.register(
            args.number,
            args.name,
            args.phone or "",
            person(args),
            planned=serials(args.planned) or (),
            **{name: text or "" for name, text in details(args).items() if name != "phone"},
        )
        return _say(made, "tenant_added", args)


def edit(args: argparse.Namespace) -> int:
    """Change what is given; an empty text empties a field."""
    with opened(args):
        changed = accounts.edit(
            args.number,
            person(args),
            name=args.name,
            planned=serials(args.planned),
            **details(args),
        )
        return _say(changed, "tenant_edited", args)


def list_tenants(args: argparse.Namespace) -> int:
    """Open accounts, or those a text is found in; closed ones too where asked for."""
    with opened(args):
        text = getattr(args, "search", None) or ""
        found = tenant_search.search(text, closed=getattr(args, "closed", False))
    if getattr(args, "json", False):
        print_json([each.as_json() for each in found])
        return Status.DONE
    header = [t(f"account.column.{name}") for name in COLUMNS]
    lines = [
        [
            each.number,
            each.name,
            " ".join(each.phones),
            " ".join(each.shops),
            " ".join(each.meters),
            t(f"account.state.{each.state}"),
        ]
        for each in found
    ]
    print_table(header, lines)
    return Status.DONE


def show(args: argparse.Namespace) -> int:
    """One tenant with its meters, those it had, its deposit and what waits to be paid out."""
    with opened(args):
        shown = as_json(accounts.get(args.number))
    if args.json:
        print_json(shown)
    else:
        _print_page(shown)
    return Status.DONE


def _print_page(shown: dict[str, Any]) -> None:
    """Label and value; then its meters through time, as a table."""
    stays = shown.pop("stays")
    for name, value in shown.items():
        plain = yuan(value) if name.endswith("_fen") else value
        plain = " ".join(plain) if isinstance(plain, list) else plain
        label = t(f"account.column.{name}")
        print(f"{label}: {'-' if plain in (None, '') else plain}")
    if not stays:
        return
    names = ("serial", "shop", "opened_at", "closed_at", "used")
    lines = []
    for stay in stays:
        first, last = stay["first_energy_wh"], stay["last_energy_wh"]
        used = "-" if first is None or last is None else kwh_text(last - first)
        days = [(stay[name] or "")[:10] for name in names[2:4]]
        lines.append([stay["serial"], stay["shop"], *days, used])
    print_table([t(f"account.column.{name}") for name in names], lines)


def statement(args: argparse.Namespace) -> int:
    """The closing statement, or what it would be today."""
    with opened(args) as config:
        text = statements.text(args.number, i18n.current(), args.width, site=config.site)
        if args.json:
            print_json({**statements.figures(args.number), "text": text.splitlines()})
        else:
            print(text, end="")
    return Status.DONE


def vacant(args: argparse.Namespace) -> int:
    """Prepaid meters on nobody's account."""
    with opened(args):
        found = tenant_search.vacant()
    if args.json:
        print_json(found)
        return Status.DONE
    names = ("serial", "shop", "last_tenant", "since", "planned_for")
    header = [t(f"account.column.{name}") for name in names]
    print_table(header, [[str(row[name] or "") for name in names] for row in found])
    return Status.DONE


def as_json(account: Account) -> dict[str, object]:
    """All that is stored of a tenant; `stays` are its meters through time."""
    stays = Installation.select().where(Installation.account == account)
    payable = [refunding.payable_fen(command) for command in closing.payable_of(account)]
    closed_at = account.closed_at
    return {
        "number": account.number,
        "name": account.name,
        "initials": account.initials,
        "phones": [phone for phone in account.phone.split(";") if phone],
        "id_number": account.id_number,
        "lease_from": account.lease_from or None,
        "lease_to": account.lease_to or None,
        "fee_pct": account.fee_pct,
        "note": account.note,
        "registered_at": account.opened_at.isoformat(),
        "closed_at": closed_at.isoformat() if closed_at else None,
        "meters": [each.meter.serial for each in accounts.installations_of(account)],
        "planned": accounts.planned_of(account),
        "deposit_fen": ledger.balance_at(AccountKind.DEPOSIT, account.number),
        "payable_fen": sum(payable),
        "stays": [_stay(each) for each in stays.order_by(Installation.opened_at)],
    }


def _stay(row: Installation) -> dict[str, object]:
    return {
        "serial": row.meter.serial,
        "shop": row.shop or row.meter.shop,
        "opened_at": row.opened_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "ended": row.ended,
        "first_energy_wh": row.first_energy_wh,
        "last_energy_wh": row.last_energy_wh,
        "first_balance_fen": row.first_balance_fen,
        "last_balance_fen": row.last_balance_fen,
    }


def details(args: argparse.Namespace) -> dict[str, str | None]:
    """What was typed of a tenant besides number and name, by field."""
    return {name: getattr(args, name) for name in DETAILS}


def serials(text: str | None) -> tuple[str, ...] | None:
    """Separated by `;` or `,`; None where nothing was typed."""
    if text is None:
        return None
    parts = text.replace("；", ";").replace("，", ";").replace(",", ";").split(";")
    return tuple(part.strip() for part in parts if part.strip())


def _say(account: Account, done: str, args: argparse.Namespace) -> int:
    if args.json:
        print_json(as_json(account))
    else:
        print(t(f"account.{done}", number=account.number, name=account.name))
    return Status.DONE


def yuan(amount_fen: int | None) -> str:
    return "-" if amount_fen is None else yuan_text(amount_fen)
