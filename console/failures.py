"""How a command that could not be done says so: text or JSON, and the exit status."""

import json
import sys
from collections.abc import Mapping
from enum import IntEnum

import peewee as pw

from engine import i18n
from engine.bus.errors import MapError
from engine.bus.simulator.errors import BadFault, SimulatorError
from engine.config import ConfigError
from engine.domain.errors import DomainError
from models.sqlite import StoreError

JSON_LANGUAGE = "en"  # what scripts read does not depend on the operator's language


class Status(IntEnum):
    """The contract's exit status."""

    DONE = 0
    REFUSED = 1
    MISUSED = 2
    UNKNOWN = 3
    ACCEPTED = 4
    ENVIRONMENT = 5


class NotUsable(Exception):
    """The command line lacks something only its user can give. Text: `cli.<code>`."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(f"{code}: {params}")
        self.code = code
        self.params = params


SUBJECTS: Mapping[type[Exception], tuple[str, Status]] = {
    DomainError: ("error", Status.REFUSED),
    NotUsable: ("cli", Status.MISUSED),
    ConfigError: ("config", Status.ENVIRONMENT),
    StoreError: ("store", Status.ENVIRONMENT),
    MapError: ("map", Status.ENVIRONMENT),
    BadFault: ("simulate", Status.MISUSED),
    SimulatorError: ("simulate", Status.ENVIRONMENT),
}


def report(error: Exception, *, json: bool) -> int | None:
    """Say what went wrong; the exit status, or None for an error that is our own."""
    known = store_error(error) if isinstance(error, pw.DatabaseError | OSError) else error
    for kind, (subject, status) in SUBJECTS.items():
        if isinstance(known, kind):
            code, params = known.code, known.params  # type: ignore[attr-defined]  # all of SUBJECTS have them
            _say(subject, code, params, json=json)
            return status
    return None


def misused(message: str, *, json: bool) -> int:
    """What was typed cannot be read; `message` says what argparse made of it."""
    _say("cli", "usage", {"why": message}, json=json)
    return Status.MISUSED


def store_error(error: Exception) -> Exception:
    """What SQLite or the system said of a file, as one of our codes with a remedy."""
    said = str(error).lower()
    if isinstance(error, OSError):
        path = getattr(error, "filename", None) or ""
        return StoreError("system", path=str(path), why=error.strerror or str(error))
    for part, code in (
        ("locked", "locked"),
        ("readonly", "read_only"),
        ("disk is full", "disk_full"),
        ("disk i/o error", "disk_failed"),
        ("unable to open", "cannot_open"),
        ("malformed", "damaged"),
        ("not a database", "damaged"),
    ):
        if part in said:
            return StoreError(code, why=str(error))
    return error


def text_of(subject: str, code: str, params: Mapping[str, object], language: str) -> str:
    """`<subject>.<code>_<why>` where that is a text of its own, else `<subject>.<code>`."""
    texts = i18n.catalog(language)
    key = f"{subject}.{code}_{params.get('why')}"
    return texts[key if key in texts else f"{subject}.{code}"].format(**params)


def _say(subject: str, code: str, params: Mapping[str, object], *, json: bool) -> None:
    if json:
        message = text_of(subject, code, params, JSON_LANGUAGE)
        print_json({"error": {"code": code, "message": message, "params": dict(params)}})
    else:
        print(f"voltill: {text_of(subject, code, params, i18n.current())}", file=sys.stderr)


def print_json(document: object) -> None:
    """The one document on stdout; a Decimal or an instant in it is our own mistake."""
    print(json.dumps(document, ensure_ascii=False, indent=2))
