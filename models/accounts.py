"""Who pays: tenants' accounts, and which meter was whose from when to when."""

import peewee as pw

from models.base import CoreModel, UtcField
from models.site import Meter


class Account(CoreModel):
    """A tenant (租户). The credit itself lives in each of its meters."""

    number = pw.TextField(unique=True)
    name = pw.TextField()
    initials = pw.TextField(default="", index=True)  # pinyin initials of the name, upper case
    phone = pw.TextField(default="")
    opened_at = UtcField()
    closed_at = UtcField(null=True)


class Installation(CoreModel):
    """A meter on an account: 开户 begins it, 销户 or 换表 ends it."""

    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    account = pw.ForeignKeyField(Account, on_delete="RESTRICT")
    opened_at = UtcField()
    closed_at = UtcField(null=True)
    first_energy_wh = pw.IntegerField(null=True)
    last_energy_wh = pw.IntegerField(null=True)
    taken_over = pw.BooleanField(default=False)  # the credit found in it is in the ledger


Installation.add_index(
    Installation.index(
        Installation.meter,
        unique=True,
        where=Installation.closed_at.is_null(),
        name="installation_open",
    )
)
