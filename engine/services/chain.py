"""Hash chains: each row of the ledger and of the audit log seals the one before it.

chain_i = HMAC-SHA256(key, chain_(i-1) + canonical JSON of row i), the key being the site's own.
Whoever alters, adds or takes out a row without the key breaks every link after it; a tail cut off
whole is found by comparing the head with one that was printed or copied elsewhere.
"""

import hmac
import json
from collections.abc import Iterator
from typing import TypeVar

import peewee as pw

from engine import security
from models import base
from models.ledger import LedgerEntry
from models.people import AuditEntry

Chained = LedgerEntry | AuditEntry
Row = TypeVar("Row", LedgerEntry, AuditEntry)
GENESIS = bytes(32)


def append(row: Row) -> Row:
    """Give `row` its number and its link, and insert it. Inside the caller's write_transaction."""
    assert base.core.in_transaction(), "a chain grows under the write lock only"
    table = type(row)
    last = table.select(table.id, table.chain).order_by(table.id.desc()).first()
    row.id = last.id + 1 if last else 1
    row.chain = _link(last.chain if last else GENESIS, _stored(row))
    row.save(force_insert=True)
    return row


def first_broken(table: type[Chained]) -> int | None:
    """The number of the first row whose link is wrong; None where all are right."""
    previous = GENESIS
    for number, row, chain in _rows(table):
        if not hmac.compare_digest(_link(previous, row), chain):
            return number
        previous = chain
    return None


def head(table: type[Chained]) -> str:
    """The newest link in hex: what to print outside the database."""
    last = table.select(table.chain).order_by(table.id.desc()).first()
    return bytes(last.chain if last else GENESIS).hex()


def _link(previous: bytes, row: dict[str, object]) -> bytes:
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.digest(security.chain_key(), bytes(previous) + text.encode(), "sha256")


def _columns(table: type[Chained]) -> list[pw.Field]:
    return [field for field in table._meta.sorted_fields if field.name != "chain"]  # noqa: SLF001 (peewee's own way to ask a model)


def _stored(row: Chained) -> dict[str, object]:
    """Column by column what the database will hold, without the link."""
    return {
        field.column_name: field.db_value(row.__data__.get(field.name))
        for field in _columns(type(row))
    }


def _rows(table: type[Chained]) -> Iterator[tuple[int, dict[str, object], bytes]]:
    """(number, columns as stored, link) in order; raw, so that a forged enum cannot hide."""
    fields = _columns(table)
    names = [field.column_name for field in fields]
    query = table.select(table.chain, *fields).order_by(table.id)
    for chain, *values in base.core.execute(query):
        row = dict(zip(names, values, strict=True))
        yield row["id"], row, bytes(chain)
