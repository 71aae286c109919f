"""What the engine's log does when there is no room for it."""

import contextlib
import logging

from engine.log import LOG_FILE, LogFile, logging_to


def test_a_full_disk_costs_log_lines_and_puts_nothing_on_the_screen(tmp_path, capfd):
    (tmp_path / LOG_FILE).symlink_to("/dev/full")

    with logging_to(tmp_path):
        logging.getLogger("engine.lease").error("lease not written")

    assert capfd.readouterr().err == ""


def test_a_log_call_that_is_wrong_itself_is_heard_of(tmp_path, capfd):
    wrong = logging.LogRecord("engine", logging.ERROR, "", 0, "epoch %d", ("three",), None)

    with contextlib.closing(LogFile(tmp_path / LOG_FILE)) as log:
        log.emit(wrong)

    assert "--- Logging error ---" in capfd.readouterr().err
