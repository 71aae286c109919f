"""The plan of a batch as a workbook: what was meant to happen to each meter, before it did."""

from pathlib import Path

from engine import clock, workbooks
from engine.config import Config
from engine.exports import planned_text, reason_text, values_text
from engine.i18n import t
from engine.services.batch_rows import Plan, PlanRow
from engine.workbooks import Heading, Sheet, Value
from models.enums import BatchVerb

COLUMNS = ("serial", "line", "shop", "tenant", "planned", "was", "wanted", "dark", "why")


def write(plan: Plan, about: tuple[str, ...], operator: str, config: Config, site: Path) -> Path:
    """Into exports/ under a name of its own; `about` says which meters and with what options.

    Raises OSError.
    """
    now = clock.now().astimezone(config.site.zone)
    folder, stem, number = site / "exports", f"plan-{plan.verb}-{now:%Y%m%d-%H%M%S}", 1
    while (path := folder / f"{stem}{f'-{number}' if number > 1 else ''}.xlsx").exists():
        number += 1
    folder.mkdir(parents=True, exist_ok=True)
    made = plan.planned_at.astimezone(config.site.zone).replace(tzinfo=None, microsecond=0)
    head: list[tuple[str, Value]] = [
        (t("plan.sheet.site"), config.site.name),
        (t("plan.sheet.made"), made),
        (t("plan.sheet.operator"), operator),
        (t("plan.column.verb"), t(f"plan.verb.{plan.verb}")),
        *((t("plan.sheet.reason"), each) for each in about if each),
        (t("plan.sheet.meters"), len(plan.rows)),
    ]
    headings = [Heading(t(f"plan.column.{name}")) for name in COLUMNS]
    rows = [_row(plan.verb, row) for row in plan.rows]
    workbooks.write(path, [Sheet(t("batch.plan.sheet"), head, headings, rows)])
    return path


def _row(verb: BatchVerb, row: PlanRow) -> list[Value]:
    return [
        row.serial, row.line, row.shop, row.tenant, planned_text(row.planned, verb),
        values_text({name: row.was.get(name) for name in row.wanted}), values_text(row.wanted),
        "!" if row.loses_power else None, reason_text(row.reason),
    ]  # fmt: skip
