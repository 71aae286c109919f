"""Texts: the same keys and placeholders in every language, none missing, none left over."""

import ast
import re
import string
from pathlib import Path

import pytest

from console import failures
from engine import config, i18n, tables
from engine.bus.errors import MapError
from engine.bus.simulator.errors import BadFault
from engine.domain import errors
from models import sqlite

ROOT = Path(__file__).parents[1]
SOURCES = [
    path for package in ("console", "engine", "models") for path in (ROOT / package).rglob("*.py")
]
CHINESE, ENGLISH = (i18n.catalog(language) for language in ("zh_CN", "en"))

# Keys put together at run time, as prefixes: whoever adds one lists it here with where it is used.
DYNAMIC = (
    "state.",  # words.state_word, by MeterState, Relay and LineState
    "error.",  # by the code of a DomainError, the reason of a command, a fault of verify
    "config.", "store.", "map.", "simulate.",  # failures.text_of, by the code of the error
    "line.",  # by what LineHealth says, and by the code of a BusError
    "import.",  # setup._problem, by the code of a Problem
    "check.",  # check.Item, by its code
    "cli.help.", "cli.outcome.", "cli.read.", "cli.engine.", "cli.role.", "cli.column.",
    "cli.status.engine_",  # status_text, by the state of the engine
    "cli.usage",  # failures.misused
    "cli.genuine_", "cli.receipt_kind.", "cli.receipt_column.",  # receipt._said, _cells
    "receipt.",  # receipt_text.Page.say
    "print.",  # words.printing and print_error, by PrintState and what stopped it
    "tariff_rule.",  # by the code of a Question, and what Runs says
    "prices.",  # screens of tariffs: by rate, kind of day, weekday, cycle, sense of a difference
    "report.",  # by the names of the reports and their columns
    "outlook.",  # message_fields.days_left_text
    "plan.",  # by verb, state, reason and name of what a batch does
    "control.",  # order_words, by purpose and state; columns of lists
    "batch.",  # by verb, class, state and what was chosen of a batch
    "account.",  # console/commands/accounts.py, statements.text
)  # fmt: skip


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def literals(*calls: str) -> set[str]:
    """First arguments, where they are plain text, of every call of one of `calls`."""
    return {
        node.args[0].value
        for node in _calls()
        if _name(node.func) in calls
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def _calls() -> list[ast.Call]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES)
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_language_has_the_same_keys():
    assert CHINESE.keys() == ENGLISH.keys()


@pytest.mark.parametrize("key", sorted(CHINESE.keys() & ENGLISH.keys()))
def test_a_text_has_the_same_placeholders_in_every_language(key):
    assert placeholders(CHINESE[key]) == placeholders(ENGLISH[key])


def test_no_text_is_empty_but_the_heading_of_the_marks():
    empty = {key for texts in (CHINESE, ENGLISH) for key, text in texts.items() if not text}

    assert empty <= {"screen.column.choice"}


def test_every_key_asked_for_by_name_has_a_text():
    assert sorted(literals("t") - ENGLISH.keys()) == []


def test_every_rule_of_the_business_has_its_words():
    codes = {
        each.code
        for each in vars(errors).values()
        if isinstance(each, type)
        and issubclass(each, errors.DomainError)
        and each is not errors.DomainError
    }

    assert sorted(code for code in codes if f"error.{code}" not in ENGLISH) == []


@pytest.mark.parametrize(
    ("error", "subject"),
    [
        (config.ConfigError, "config"),
        (sqlite.StoreError, "store"),
        (failures.NotUsable, "cli"),
        (MapError, "map"),
        (BadFault, "simulate"),
    ],
    ids=["config", "store", "cli", "map", "simulate"],
)
def test_every_error_of_the_environment_has_its_words(error, subject):
    codes = literals(error.__name__)

    assert codes
    assert sorted(code for code in codes if f"{subject}.{code}" not in ENGLISH) == []


@pytest.mark.parametrize("subject", ["config", "store"])
def test_an_error_of_the_environment_names_its_remedy(subject):
    """`check` shows what stands before the arrow, and beside it what to do."""
    texts = [
        texts[key] for texts in (CHINESE, ENGLISH) for key in texts if key.startswith(f"{subject}.")
    ]

    assert [text for text in texts if text.count(" -> ") != 1] == []


def test_every_problem_of_an_import_has_message_and_remedy():
    codes = literals(tables.Problem.__name__, "problem", "BadCell")

    assert codes
    missing = [
        f"import.{code}.{part}"
        for code in codes
        for part in ("message", "remedy")
        if f"import.{code}.{part}" not in ENGLISH
    ]
    assert sorted(missing) == []


def test_no_text_is_left_over():
    used = quoted_keys()

    left_over = [key for key in ENGLISH if key not in used and not key.startswith(DYNAMIC)]
    assert sorted(left_over) == []


def quoted_keys() -> set[str]:
    """Every text in the sources that looks like a key, f-strings as far as they are plain."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    whole = set(re.findall(r"""["']([a-z_]+(?:\.[a-zA-Z0-9_]+)+)["']""", source))
    begun = set(re.findall(r"""f["']([a-z_]+\.[a-zA-Z0-9_.]*)\{""", source))
    return (
        whole
        | {f"cli.{code}" for code in literals("NotUsable", "_say")}
        | {key for key in ENGLISH if any(key.startswith(start) for start in begun)}
    )


def test_no_code_of_an_import_is_left_over():
    codes = literals(tables.Problem.__name__, "problem", "BadCell")

    written = {key.split(".")[1] for key in ENGLISH if key.startswith("import.")}
    rules = {code for code in written if f"error.{code}" in ENGLISH}  # import_cells.rule
    assert written - codes - rules == set()


@pytest.mark.parametrize("subject", ["config", "store"])
def test_no_code_of_the_environment_is_left_over(subject):
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)

    codes = [key.split(".")[1] for key in ENGLISH if key.startswith(f"{subject}.")]
    assert [code for code in codes if f'"{code}"' not in source] == []
