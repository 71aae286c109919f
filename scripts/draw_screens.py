"""`make docs`: the pictures of the README, drawn by the console itself on the practice site."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from console.app import ConsoleApp
from engine.site import load_config
from models import store
from models.enums import Role
from models.metering import Sweep
from models.people import Operator

DOCS = Path(__file__).parents[1] / "docs"
SIZE = (132, 34)
PICTURES = {"zh_CN": "screen.svg", "en": "screen-en.svg"}
SWEPT_S = 60


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="voltill-pictures-") as folder:
        command = [sys.executable, "-m", "console", "demo", "--headless", "--dir", folder]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as practice:  # noqa: S603 (ours)
            try:
                site = Path(folder) / "site"
                _wait_for_a_sweep(site)
                for language, name in PICTURES.items():
                    picture = asyncio.run(_draw(site, language))
                    (DOCS / name).write_text(picture, encoding="utf-8")
                    print(DOCS / name)
            finally:
                practice.send_signal(signal.SIGTERM)


def _wait_for_a_sweep(site: Path) -> None:
    deadline = time.monotonic() + SWEPT_S
    while time.monotonic() < deadline:
        time.sleep(1)
        if not (site / "readings.db").exists():
            continue
        with store.opened(site):
            if Sweep.select().exists():
                return
    raise SystemExit("the practice site was not read in time")


async def _draw(site: Path, language: str) -> str:
    os.environ.pop("NO_COLOR", None)
    os.environ |= {"FORCE_COLOR": "1", "COLORTERM": "truecolor"}  # a picture has no terminal to ask
    store.bind(site)
    app = ConsoleApp(site, load_config(site), language=language, practice=True)
    async with app.run_test(size=SIZE) as pilot:
        app.signed_in(Operator(name="demo", role=Role.ADMINISTRATOR))
        while not app.meters:
            await pilot.pause(0.2)
        await pilot.press("down", "down", "space", "down", "space")
        await pilot.pause(0.5)
        return app.export_screenshot(title="Voltill")


if __name__ == "__main__":
    main()
