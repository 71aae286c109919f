"""Every report by the name that commands and screens call it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.reports import drift, owed, settings_drift
from engine.reports.period import Period
from engine.reports.table import Table


@dataclass(frozen=True)
class Report:
    """`columns` are those its table will have; `daily`: another day shows something else."""

    make: Callable[[Period], Table]
    columns: tuple[str, ...]
    daily: bool = True


REPORTS: Mapping[str, Report] = {
    "owed": Report(owed.owed, owed.COLUMNS),
    "drift": Report(drift.drift, drift.COLUMNS, daily=False),
    "settings-drift": Report(settings_drift.settings_drift, settings_drift.COLUMNS, daily=False),
}
