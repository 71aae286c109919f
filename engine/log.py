"""The engine's log: <site>/log/engine.log, English, one event a line, never a phone or a key."""

import contextlib
import datetime as dt
import logging
import sys
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOG_FILE = "engine.log"
FILE_BYTES, FILES_KEPT = 5_000_000, 5
LOGGERS = ("engine", "apscheduler", "asyncio", "pymodbus")


class OneLine(logging.Formatter):
    """UTC, and a traceback on the line of its event: grep finds both."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 (the library's name and shape)
        at = dt.datetime.fromtimestamp(record.created, tz=dt.UTC)
        return at.isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\r", " ").replace("\n", " | ")


class LogFile(RotatingFileHandler):
    """A log that a full disk leaves out of, without a word on the screens beside it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


@contextlib.contextmanager
def logging_to(folder: Path) -> Iterator[None]:
    """While the context lasts, what the engine and its libraries say goes into `folder`."""
    folder.mkdir(exist_ok=True)
    handler = LogFile(
        folder / LOG_FILE, maxBytes=FILE_BYTES, backupCount=FILES_KEPT - 1, encoding="utf-8"
    )
    handler.setFormatter(OneLine())
    loggers = [logging.getLogger(name) for name in LOGGERS]
    logging.getLogger("engine").setLevel(logging.INFO)
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        with contextlib.suppress(OSError):  # a full disk loses last lines, not the engine's end
            handler.close()
