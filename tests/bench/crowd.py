"""A site of 10,020 meters that change without a wire: `python -m … SITE CHANGES_A_SECOND`.

It owns the site as an engine does, so a console's own engine stands by. Prints "ready" when every
meter has been read once.
"""

import asyncio
import csv
import random
import sys
from pathlib import Path

from engine import clock
from engine.bus.simulator.reference import write_reference_site
from engine.config import Config
from engine.domain.measurement import MeterReading
from engine.lease import SiteLease
from engine.pace import Pace
from engine.services import readings
from engine.store import Writer
from engine.tables import write_csv
from models import store
from models.site import Meter

COPIES = 30
SLOT_S = 1800


def write_crowd(folder: Path) -> None:
    """The reference site's tables, 30 times over."""
    write_reference_site(folder)
    tables = {}
    for name in ("lines", "meters", "tenants"):
        with (folder / f"{name}.csv").open(encoding="utf-8-sig") as file:
            header, *rows = csv.reader(file)
            tables[name] = header, rows
    for name, (header, rows) in tables.items():
        copied = [
            [_changed(column, cell, copy) for column, cell in zip(header, row, strict=True)]
            for copy in range(COPIES)
            for row in rows
        ]
        write_csv(folder, name, header, copied)


def _changed(column: str, cell: str, copy: int) -> str:
    match column:
        case "line":
            return f"{cell}-{copy:02d}"
        case "port":
            return str(int(cell) + 100 * copy)
        case "serial":
            return str(int(cell) + 1_000 * copy)
        case "meters":
            return ";".join(_changed("serial", serial, copy) for serial in cell.split(";"))
        case "number":
            return f"{cell}-{copy:02d}"
    return cell


async def feed(site: Path, changes_a_second: int) -> None:
    """One reading of each meter, then so many a second, until killed."""
    writer, lease_pace = Writer(), Pace()
    await writer.start()
    lease = SiteLease(site, writer, lease_pace)
    epoch = await lease.acquire(asyncio.Event())
    assert epoch is not None
    keeping = asyncio.create_task(lease.keep())
    meters = await writer.run(lambda: list(Meter.select()))
    for meter in meters:
        await writer.run(_read, meter, epoch)
    print("ready", flush=True)
    while not keeping.done():
        for meter in random.sample(meters, changes_a_second // 4):
            await writer.run(_read, meter, epoch)
        await asyncio.sleep(0.25)
    keeping.result()


def _read(meter: Meter, epoch: int) -> None:
    power_w = random.randrange(100, 5_000)
    reading = MeterReading(
        energy_wh=100_000,
        energy_by_rate_wh=(25_000, 25_000, 25_000, 25_000),
        model_code=7,
        power_w=power_w,
        balance_fen=10 * power_w,
        purchase_count=1,
        status1=0x2000,
        status2=0x0009,
    )
    readings.store(
        meter, reading, at=clock.now(), slot_s=SLOT_S, raw_frame=b"", epoch=epoch,
        zone=Config().site.zone,
    )  # fmt: skip


def main(site: str, changes_a_second: str) -> None:
    store.bind(Path(site))
    asyncio.run(feed(Path(site), int(changes_a_second)))


if __name__ == "__main__":
    main(*sys.argv[1:])
