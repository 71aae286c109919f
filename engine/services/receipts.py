"""A number for every proved sale."""

import datetime as dt

import peewee as pw

from engine import clock
from models.commands import Command, Receipt


def issue(command: Command, zone: dt.tzinfo) -> Receipt:
    """The next number of the site, `20261123-000123`, inside the transaction that confirms."""
    now = clock.now()
    serial_number = int(Receipt.select(pw.fn.MAX(Receipt.id)).scalar() or 0) + 1
    receipt: Receipt = Receipt.create(
        number=f"{now.astimezone(zone):%Y%m%d}-{serial_number:06d}", command=command, issued_at=now
    )
    return receipt
