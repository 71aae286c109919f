"""抄表导出 and results of batches as workbooks, in a process of their own where a screen asks."""

import datetime as dt
import subprocess
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from engine import clock, i18n, workbooks
from engine.config import Config
from engine.domain.batch_rules import HARMLESS
from engine.domain.errors import FileExists
from engine.domain.measurement import RATES
from engine.i18n import has, t
from engine.site import load_config
from engine.views import batches as views
from engine.views import meters
from engine.views.batches import BatchRow, Item
from engine.views.rows import MeterRow
from engine.workbooks import Heading, Sheet, Value
from models import store
from models.enums import BatchVerb, Flag, Planned

READINGS = (
    Heading("serial"), Heading("shop"), Heading("tenant"), Heading("building"), Heading("floor"),
    Heading("line"), Heading("address", "number"), Heading("state"), Heading("flags"),
    Heading("relay"), Heading("balance", "yuan"), Heading("count", "number"),
    Heading("energy", "kwh"), *(Heading(rate, "kwh") for rate in RATES),
    Heading("alarm1", "yuan"), Heading("alarm2", "yuan"), Heading("overdraft", "yuan"),
    *(Heading(f"price_{rate}", "price") for rate in RATES), Heading("power", "kw"),
    Heading("read_at", "moment"), Heading("age", "number"),
)  # fmt: skip
RESULTS = (
    Heading("serial"), Heading("line"), Heading("shop"), Heading("tenant"), Heading("planned"),
    Heading("was"), Heading("wanted"), Heading("dark"), Heading("result"), Heading("why"),
    Heading("finished", "moment"),
)  # fmt: skip


def write(batch_id: int, config: Config, site: Path, *, path: Path | None = None) -> Path:
    """The workbook of a batch: the readings of an export, of the others what became of each.

    Into `path`, or into exports/ under a name of its own. Raises NoSuchBatch, FileExists.
    """
    progress = views.progress(batch_id)
    items = views.items(batch_id)
    now = clock.now().astimezone(config.site.zone)
    about = _about(progress.batch, config, now, len(items))
    sheets = [_results(progress.batch.verb, items, about, config)]
    if progress.batch.verb is BatchVerb.EXPORT:
        sheets.insert(0, _readings({item.meter_id for item in items}, about, config, now))
    target = path or _own_name(site, progress.batch, now)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        workbooks.write(target, sheets)
    except FileExistsError:
        raise FileExists(path=str(target)) from None
    return target


def write_apart(batch_id: int, site: Path, *, path: Path | None = None) -> Path:
    """The same in a process of its own: ten thousand rows would stop a screen for seconds.

    Blocks its thread until it is written. Raises FileExists, OSError.
    """
    words = [sys.executable, "-m", "engine.exports", str(site), str(batch_id), i18n.current()]
    done = subprocess.run(  # noqa: S603 (our own program)
        [*words, *([str(path)] if path else [])], capture_output=True, text=True, check=False
    )
    if done.returncode == EXISTS:
        raise FileExists(path=str(path))
    if done.returncode:
        raise OSError(done.stderr.strip().rsplit("\n", 1)[-1])
    return Path(done.stdout.strip())


def _own_name(site: Path, batch: BatchRow, now: dt.datetime) -> Path:
    stem = f"{batch.verb}-{batch.batch}-{now:%Y%m%d-%H%M%S}"
    folder, number = site / "exports", 1
    while (path := folder / f"{stem}{f'-{number}' if number > 1 else ''}.xlsx").exists():
        number += 1
    return path


def _about(
    batch: BatchRow, config: Config, now: dt.datetime, number: int
) -> list[tuple[str, Value]]:
    return [
        (t("plan.sheet.site"), config.site.name),
        (t("plan.sheet.made"), _local(now, config)),
        (t("plan.sheet.operator"), batch.operator),
        (t("plan.column.batch"), f"{batch.batch} · {t(f'plan.verb.{batch.verb}')}"),
        (t("plan.sheet.reason"), batch.why),
        (t("plan.sheet.meters"), number),
    ]


def _readings(
    meter_ids: set[int], about: Sequence[tuple[str, Value]], config: Config, now: dt.datetime
) -> Sheet:
    prices = config.defaults.prices
    held = views.held_by_meter()
    rows = [
        _reading(row, held.get(row.meter_id, {}), config, now)
        for row in meters.rows_of(None, now, prices)
        if row.meter_id in meter_ids
    ]
    return Sheet(t("plan.sheet.readings"), about, _said(READINGS), rows)


def _said(headings: Sequence[Heading]) -> list[Heading]:
    return [Heading(t(f"plan.column.{each.text}"), each.kind) for each in headings]


def _reading(
    row: MeterRow, held: Mapping[str, object], config: Config, now: dt.datetime
) -> list[Value]:
    age_s = row.age_s(now)
    by_rate = dict(zip(RATES, row.energy_by_rate_wh, strict=False))
    return [
        row.serial, row.shop, row.tenant, row.building, row.floor, row.line, row.address,
        t(f"state.{row.state}"),
        " ".join(t(f"state.{flag}") for flag in Flag if flag in row.flags),
        t(f"state.{row.relay}"), _yuan(row.balance_fen), row.purchase_count,
        _thousandth(row.energy_wh), *(_thousandth(by_rate.get(rate)) for rate in RATES),
        *(_yuan(held.get(name)) for name in ("alarm1_fen", "alarm2_fen", "overdraft_fen")),
        *(_price(held.get(f"price_{rate}")) for rate in RATES), _thousandth(row.power_w),
        _local(row.read_at, config), None if age_s is None else age_s // 60,
    ]  # fmt: skip


def planned_text(planned: Planned, verb: BatchVerb) -> str:
    """What was meant for a meter; what is only read or written out does not change."""
    harmless = planned is Planned.CHANGE and verb in HARMLESS
    return t(f"plan.planned.{verb}") if harmless else t(f"plan.planned.{planned}")


def _results(
    verb: BatchVerb, items: Sequence[Item], about: Sequence[tuple[str, Value]], config: Config
) -> Sheet:
    rows: list[list[Value]] = [
        [
            item.serial,
            item.line,
            item.shop,
            item.tenant,
            planned_text(item.planned, verb),
            values_text({name: item.was.get(name) for name in item.wanted}),
            values_text(item.wanted),
            "!" if item.loses_power else None,
            t(f"plan.item.{item.state}"),
            reason_text(item.reason),
            _local(item.finished_at, config),
        ]
        for item in items
    ]
    return Sheet(t("plan.sheet.plan"), about, _said(RESULTS), rows)


def values_text(values: Mapping[str, object]) -> str:
    """`flat price 0.7000, alarm 1 20.00`, in the operator's language."""
    return ", ".join(
        f"{t(f'plan.name.{name}')} {_value_text(name, value)}" for name, value in values.items()
    )


def _value_text(name: str, value: object) -> str:
    if value is None:
        return "?"
    if name == "force":
        return t(f"plan.force.{value}")
    if name == "relay":
        return t(f"state.{value}")
    if name.endswith("_fen") and isinstance(value, int):
        return f"{Decimal(value) / 100:.2f}"
    return f"{value} s" if name == "clock_off_s" else str(value)


def reason_text(code: str | None) -> str:
    """Why a meter was left alone, or what its command came to."""
    for key in (f"plan.reason.{code}", f"error.reason.{code}"):
        if has(key):
            return t(key)
    return code or ""


def _local(at: dt.datetime | None, config: Config) -> dt.datetime | None:
    """A spreadsheet knows no zones: the site's own time."""
    return (
        None if at is None else at.astimezone(config.site.zone).replace(tzinfo=None, microsecond=0)
    )


def _yuan(amount_fen: object) -> Decimal | None:
    return Decimal(amount_fen) / 100 if isinstance(amount_fen, int) else None


def _thousandth(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value) / 1000


def _price(price: object) -> Decimal | None:
    return Decimal(price) if isinstance(price, str) else None


EXISTS = 3


def main(site: str, batch_id: str, language: str, path: str = "") -> int:
    """What `write_apart` runs."""
    i18n.use(language)
    config = load_config(Path(site))
    with store.opened(Path(site)):
        try:
            written = write(int(batch_id), config, Path(site), path=Path(path) if path else None)
            sys.stdout.write(f"{written}\n")
        except FileExists:
            return EXISTS
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
