"""Who pays: tenants' accounts, and which meter was whose from when to when."""

import peewee as pw

from models.base import CoreModel, EnumField, UtcField
from models.enums import InstallationEnd
from models.site import Meter


class Account(CoreModel):
    """A tenant (租户). The credit itself lives in each of its meters; its deposit in the ledger."""

    number = pw.TextField(unique=True)
    name = pw.TextField()
    initials = pw.TextField(default="", index=True)  # pinyin initials of the name, upper case
    phone = pw.TextField(default="")  # several are separated by ";"
    id_number = pw.TextField(default="")  # 身份证 or 营业执照
    lease_from = pw.TextField(default="")  # local date, ISO; empty: not said
    lease_to = pw.TextField(default="")
    fee_pct = pw.TextField(null=True)  # per cent, exact text; null: the site's
    note = pw.TextField(default="")
    opened_at = UtcField()  # when it was registered
    closed_at = UtcField(null=True)
    rev = pw.IntegerField(default=0, index=True)  # rises with every change a screen shows


class PlannedMeter(CoreModel):
    """Pre-registration (预开户): a meter that one key opens for the tenant when it moves in."""

    account = pw.ForeignKeyField(Account, on_delete="RESTRICT")
    meter = pw.ForeignKeyField(Meter, unique=True, on_delete="RESTRICT")
    planned_at = UtcField()


class Installation(CoreModel):
    """A meter on an account: 开户 begins it, 销户 or 换表 ends it.

    First and last values are the meter's own, of the reading nearest to that moment; null where
    there was none yet (the first accepted reading fills in the first).
    """

    meter = pw.ForeignKeyField(Meter, on_delete="RESTRICT")
    account = pw.ForeignKeyField(Account, on_delete="RESTRICT")
    opened_at = UtcField()
    closed_at = UtcField(null=True)
    first_energy_wh = pw.IntegerField(null=True)
    last_energy_wh = pw.IntegerField(null=True)
    first_balance_fen = pw.IntegerField(null=True)
    last_balance_fen = pw.IntegerField(null=True)
    shop = pw.TextField(default="")  # where the meter hung then: history stays through moves
    ended = EnumField(InstallationEnd, null=True)
    taken_over = pw.BooleanField(default=False)  # the credit found in it is in the ledger


Installation.add_index(
    Installation.index(
        Installation.meter,
        unique=True,
        where=Installation.closed_at.is_null(),
        name="installation_open",
    )
)
