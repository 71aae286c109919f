"""The practice site in a terminal, from the first key to the receipt and the hang-up."""

import os
import signal
from pathlib import Path

from models import store
from models.commands import Command
from models.enums import CommandState
from tests.terminal import running


def test_somebody_sells_a_hundred_yuan_on_the_practice_site_and_hangs_up(tmp_path: Path):
    command = ("-m", "console", "--lang", "en", "demo", "--dir", str(tmp_path))
    with running(*command, columns=100, lines=40) as terminal:
        terminal.until(lambda text: "Practice site" in text)
        terminal.type("\r")
        terminal.until(lambda text: "normal:2" in text and "1F-001" in text)
        terminal.until(lambda text: "not open:14 " in text and "lost:0" in text)

        terminal.type("s")
        terminal.until(lambda text: "Cash taken" in text)
        terminal.type("100\r")
        terminal.until(lambda text: "100.00 yuan go into the meter" in text)
        terminal.type("\r")
        terminal.until(lambda text: "IS THIS RIGHT?" in text)
        terminal.type("100")
        terminal.until(lambda text: "Press y to sell" in text)
        terminal.type("y")
        terminal.until(lambda text: "[x] 3. read back: purchases" in text)
        terminal.until(lambda text: "RECEIPT" in text and "-000001" in text)

        os.kill(terminal.pid, signal.SIGHUP)
        assert terminal.wait() == 0

    with store.opened(tmp_path / "site"):
        (sale,) = Command.select().where(Command.counted)
        assert sale.state is CommandState.APPLIED
        assert sale.amount_fen == 10_000
        assert sale.after_count == sale.base_count + 1
