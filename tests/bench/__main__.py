"""`make bench`: what was reached on this machine, as a table. Ratios are of one run."""

import asyncio
import compileall
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.bench import batches, crowd, plain, screens, sweeps
from tests.bench.figures import Figure, table
from tests.bench.reference import ROOT, background, served, set_up

CHANGES_A_SECOND = "56"  # 10,020 meters, each every three minutes


def of_reference_site(folder: Path) -> list[Figure]:
    with served(folder) as reference:
        plain_s = asyncio.run(plain.sweep_s(reference))
        ratio = plain_s / reference.wire_s
        site = set_up(folder / "engine", reference.tables)
        return [
            Figure("wire time of a sweep at 9600 baud", f"{reference.wire_s:.2f} s"),
            Figure(
                "sweep ÷ wire time, a plain pymodbus loop",
                f"{ratio:.3f} ({plain_s:.2f} s)",
            ),
            *sweeps.of_engine(site, reference),
            *batches.of_price_download(set_up(folder / "batch", reference.tables)),
            *screens.of_reference_site(set_up(folder / "console", reference.tables), reference),
        ]


def of_crowd(folder: Path) -> list[Figure]:
    crowd.write_crowd(folder / "tables")
    site = set_up(folder, folder / "tables")
    command = sys.executable, "-m", "tests.bench.crowd", site, CHANGES_A_SECOND
    with background(*command) as feeder:
        assert feeder.stdout is not None
        assert feeder.stdout.readline() == b"ready\n"
        return [*screens.of_crowd(site), *batches.of_plans(site)]


def main() -> None:
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    for package in ("console", "engine", "models"):  # as an installation has them
        compileall.compile_dir(ROOT / package, quiet=1)
    figures = []
    for measure in (of_reference_site, of_crowd):
        with tempfile.TemporaryDirectory(prefix="voltill-bench-") as folder:
            figures += measure(Path(folder))
    print(table(figures))


if __name__ == "__main__":
    main()
