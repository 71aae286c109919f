"""What only a terminal shows: start, bytes on the wire, colours, hang-up. Bytes, never times."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.terminal import Terminal, running

CHILD = str(Path(__file__).parents[1] / "console_child.py")
CURSOR_BYTES_MAX = 1_000
PAGE_BYTES_MAX = 16_000
IDLE_BYTES_A_SECOND_MAX = 1_000
LEAVE_ALTERNATE_SCREEN = b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"

Start = Callable[..., AbstractContextManager[Terminal]]


@pytest.fixture
def start(site_dir: Path) -> Start:
    def run(language: str = "zh_CN", **options: object) -> AbstractContextManager[Terminal]:
        return running(CHILD, str(site_dir), language, **options)

    return run


def sign_in(terminal: Terminal) -> None:
    terminal.until(lambda text: "李娜" in text)
    terminal.type("\r")
    terminal.until(lambda text: "A-105" in text)
    terminal.settle()


def test_from_nothing_to_the_table_in_a_real_terminal(start):
    with start() as terminal:
        sign_in(terminal)

        assert "张三丰茶馆" in terminal.text.replace(" ", "")
        assert "A-119" in terminal.screen.display[22]


@pytest.mark.parametrize(
    ("columns", "lines"), [pytest.param(80, 24, id="80x24"), pytest.param(140, 40, id="140x40")]
)
def test_a_cursor_step_costs_at_most_a_kilobyte(start, columns, lines):
    with start(columns=columns, lines=lines) as terminal:
        sign_in(terminal)

        for _ in range(5):
            terminal.sent = 0
            terminal.type("j")
            terminal.settle()
            assert terminal.sent <= CURSOR_BYTES_MAX


def test_holding_the_cursor_key_costs_at_most_a_kilobyte_a_step_on_average(start):
    with start() as terminal:
        sign_in(terminal)

        terminal.sent = 0
        terminal.type("j" * 29)
        terminal.until(lambda text: "30/30" in text)
        assert terminal.sent <= 29 * CURSOR_BYTES_MAX


def test_a_page_costs_at_most_sixteen_kilobytes(start):
    with start(columns=140, lines=40) as terminal:
        sign_in(terminal)

        terminal.sent = 0
        terminal.type("G")
        terminal.settle()
        terminal.type("g")
        terminal.settle()
        assert terminal.sent <= 2 * PAGE_BYTES_MAX


def test_an_idle_table_sends_less_than_a_kilobyte_a_second(start):
    with start(columns=140, lines=40) as terminal:
        sign_in(terminal)

        terminal.sent = 0
        terminal.read_for(3.0)
        assert terminal.sent <= 3 * IDLE_BYTES_A_SECOND_MAX


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM], ids=["hang-up", "SIGTERM"])
def test_a_signal_leaves_the_terminal_as_it_was(start, number):
    with start() as terminal:
        sign_in(terminal)
        os.kill(terminal.pid, number)

        assert terminal.wait() == 0
        assert LEAVE_ALTERNATE_SCREEN in terminal.raw
        assert SHOW_CURSOR in terminal.raw


def test_leaving_asks_and_only_y_leaves(start):
    with start("en") as terminal:
        sign_in(terminal)
        terminal.type("Q")
        terminal.until(lambda text: "Leave the console?" in text)
        terminal.type("\r")
        terminal.until(lambda text: "Leave the console?" not in text)

        terminal.type("Q")
        terminal.until(lambda text: "Leave the console?" in text)
        terminal.type("y")
        assert terminal.wait() == 0


def test_ctrl_z_does_not_stop_it(start):
    with start() as terminal:
        sign_in(terminal)
        terminal.type("\x1a")
        terminal.type("L")

        terminal.until(lambda text: "normal" in text)


def test_sixteen_colours_and_no_colour_get_plain_codes_and_plain_characters(start):
    with start(TERM="xterm", COLORTERM="") as terminal:
        sign_in(terminal)
        terminal.type("s")
        terminal.until(lambda text: "+----" in text)

        assert b"38;2;" not in terminal.raw
        assert b"48;2;" not in terminal.raw
        assert not {char for char in terminal.text if "─" <= char <= "▟"}


def test_no_colour_means_none(start):
    with start(NO_COLOR="1") as terminal:
        sign_in(terminal)

        assert b"\x1b[38;" not in terminal.raw
        assert b"\x1b[3" + b"1m" not in terminal.raw
        assert "X  欠费" in terminal.text.replace("欠 费 ", "欠费")


def test_full_width_digits_from_an_input_method_are_an_amount(start):
    with start() as terminal:
        sign_in(terminal)
        terminal.type("s")
        terminal.until(lambda text: "收款金额" in text.replace(" ", ""))
        terminal.type("１００．５０")

        terminal.until(lambda text: "123.90" in text)
