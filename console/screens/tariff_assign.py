"""Meters are put on a tariff."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from console.screens.form_dialog import FormDialog
from console.screens.pick import Choice
from console.screens.tariff_confirm import operator_of
from console.screens.tenant_forms import meter_text
from console.screens.type_again import TypeAgainAndSendScreen
from console.widgets.again import word_again
from console.widgets.form import Entry, FromList
from console.widgets.picked import Picked
from engine.domain.errors import (
    NoMeters,
)
from engine.i18n import t
from engine.services import tariffs


class AssignForm(FormDialog):
    """Ends with the meters' numbers: picked here, to begin with those marked in the live table."""

    def __init__(self, tariff: str) -> None:
        super().__init__()
        self.tariff = tariff

    def heading(self) -> str:
        return t("prices.assign.title", tariff=self.tariff)

    def entries(self) -> Sequence[Entry]:
        rows = {row.serial: row for row in self.app.meters.values()}
        choices = [Choice(row.serial, partial(meter_text, row)) for row in rows.values()]

        def accept(serials: Sequence[str]) -> list[str]:
            if not serials:
                raise NoMeters
            return list(serials)

        return [
            FromList(
                "serials",
                "tenant.label.serials",
                make=lambda: Picked(
                    lambda: choices,
                    title="tenant.form.pick_meter",
                    label=lambda serial: meter_text(rows[serial]),
                    values=self._marked(),
                    hint="prices.assign.hint",
                ),
                accept=accept,
            )
        ]

    def _marked(self) -> list[str]:
        from console.screens.meters import MetersScreen  # noqa: PLC0415 (a circle else)

        for screen in self.app.stack_of("meters"):
            if isinstance(screen, MetersScreen):
                marked = screen.table.marked
                return [row.serial for row in self.app.meters.values() if row.meter_id in marked]
        return []

    def consequence(self) -> str:
        return t("prices.assign.explained")

    def submitted(self, values: dict[str, Any]) -> None:
        self.dismiss(" ".join(values["serials"]))


class AssignScreen(TypeAgainAndSendScreen):
    def __init__(self, tariff: str, serials: Sequence[str]) -> None:
        super().__init__(word_again("prices.again.meters", str(len(serials))))
        self.tariff, self.serials = tariff, tuple(serials)

    def heading(self) -> str:
        return t("prices.assign.title", tariff=self.tariff)

    def facts(self) -> str:
        number = t("prices.again.number", number=len(self.serials))
        return f"{number}\n{t('prices.assign.explained')}"

    def press_y(self) -> str:
        return t("prices.assign.y")

    def action_confirm(self) -> None:
        by = operator_of(self)
        self.send(lambda: tariffs.assign(self.serials, self.tariff, by), self._done)

    def _done(self, number: int) -> None:
        self.app.tell(t("tariff.assigned", number=number, tariff=self.tariff))
        self.dismiss(True)
