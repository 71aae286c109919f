"""Forms of a tenant's own row: a new one (预开户), or what is to be changed of one."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from console.screens.form_dialog import FormDialog
from console.screens.pick import Choice
from console.screens.place import Place
from console.widgets.form import Entry, FromList
from console.widgets.picked import Picked
from engine.domain import tenants as rules
from engine.domain.errors import (
    BadFeePct,
    BadIdNumber,
    BadLease,
    BadNote,
    BadPhone,
    BadTenantName,
    BadTenantNumber,
    TenantNumberTaken,
)
from engine.i18n import t
from engine.services import accounts
from engine.views.meters import MeterRow
from engine.views.tenant import Tenant
from models.accounts import Account
from models.enums import MeterState

BLAME = {
    BadTenantNumber: "number",
    TenantNumberTaken: "number",
    BadTenantName: "name",
    BadPhone: "phone",
    BadIdNumber: "id_number",
    BadLease: "lease_to",
    BadFeePct: "fee_pct",
    BadNote: "note",
}
NEEDED, DAY = "tenant.form.needed", "tenant.form.day"
NAME_ROOM = 200  # more than is allowed: what is too long is refused aloud, never cut in silence


def free_meters(screen: Place | FormDialog) -> list[Choice]:
    """Meters on nobody's account, by shop: what can be opened or planned."""
    free = [row for row in screen.app.meters.values() if row.state is MeterState.NOT_OPENED]
    free.sort(key=lambda row: (row.shop, row.serial))
    return [Choice(row.serial, partial(meter_text, row)) for row in free]


def meter_text(row: MeterRow) -> str:
    """`B1-07  202611230001  1F 东走廊`."""
    return f"{row.shop}  {row.serial}  {row.floor} {row.location}".strip()


def meters_entry(form: FormDialog, values: Sequence[str] = (), *, hint: str) -> FromList:
    """Meters picked from those that are not opened; shown as `shop serial`."""
    shops = {row.serial: row.shop for row in form.app.meters.values()}
    return FromList(
        "serials",
        "tenant.label.serials",
        make=lambda: Picked(
            partial(free_meters, form),
            title="tenant.form.pick_meter",
            label=lambda serial: f"{shops.get(serial, '')}  {serial}".strip(),
            values=values,
            hint=hint,
        ),
    )


class RegisterScreen(FormDialog):
    """A tenant that has no meter yet; those planned for it are opened by one key later."""

    TITLE = "tenant.form.register"
    BLAME: ClassVar = BLAME

    def entries(self) -> Sequence[Entry]:
        return (
            Entry("number", "tenant.label.number", rules.checked_number, hint=NEEDED),
            *own_entries(),
            meters_entry(self, hint="tenant.form.plan_meters"),
        )

    def consequence(self) -> str:
        return t("tenant.form.register_note")

    def submitted(self, values: dict[str, Any]) -> None:
        planned = values.pop("serials")
        operator = self.operator
        self.send(
            lambda: accounts.register(by=operator, planned=planned, **values), self._registered
        )

    def _registered(self, account: Account) -> None:
        self.app.tell(t("tenant.form.registered", number=account.number, name=account.name))
        self.dismiss(account.number)


class EditScreen(FormDialog):
    TITLE = "tenant.form.edit"
    BLAME: ClassVar = BLAME

    def __init__(self, tenant: Tenant) -> None:
        super().__init__()
        self.tenant = tenant

    def entries(self) -> Sequence[Entry]:
        row = self.tenant.row
        return (
            Entry("number", "tenant.label.number", value=row.number, fixed=True),
            *own_entries(self.tenant),
            meters_entry(self, row.planned, hint="tenant.form.plan_meters"),
        )

    def submitted(self, values: dict[str, Any]) -> None:
        planned, number, operator = values.pop("serials"), values.pop("number"), self.operator
        self.send(lambda: accounts.edit(number, operator, planned=planned, **values), self._edited)

    def _edited(self, account: Account) -> None:
        self.app.tell(t("tenant.form.edited", number=account.number, name=account.name))
        self.dismiss(account.number)


def own_entries(tenant: Tenant | None = None) -> tuple[Entry, ...]:
    """The lines of a tenant's row that an operator may change, filled where it has one.

    Each is checked as it is left, and given to the service as it was typed.
    """
    row = tenant.row if tenant else None
    fee = "" if row is None or row.fee_pct is None else str(row.fee_pct)
    return (
        Entry("name", "tenant.label.name", _typed(rules.checked_name), row.name if row else "",
              NAME_ROOM, NEEDED),
        Entry("phone", "tenant.label.phone", _typed(rules.checked_phones),
              "; ".join(row.phones) if row else "", hint="tenant.form.phones"),
        Entry("id_number", "tenant.label.id_number", _typed(rules.checked_id_number),
              tenant.id_number if tenant else ""),
        Entry("lease_from", "tenant.label.lease_from", _typed(_checked_day),
              row.lease_from if row else "", hint=DAY),
        Entry("lease_to", "tenant.label.lease_to", _typed(_checked_day),
              row.lease_to if row else "", hint=DAY),
        Entry("fee_pct", "tenant.label.fee_pct", _typed(rules.checked_fee_pct), fee,
              hint="tenant.form.site_fee"),
        Entry("note", "tenant.label.note", _typed(rules.checked_note),
              tenant.note if tenant else "", 2 * rules.NOTE_LENGTH_MAX),
    )  # fmt: skip


def _typed(rule: Any) -> Any:
    """The text itself, once the rule has not refused it."""

    def check(text: str) -> str:
        rule(text)
        return text

    return check


def _checked_day(text: str) -> None:
    rules.checked_lease(text, "")
