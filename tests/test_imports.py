"""Who may import whom: models <- engine <- console, and the few that may join bus and services."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("models", "engine", "console")

# A file's own place -> the modules of this project it may import, as prefixes. First match wins.
ALLOWED = (
    ("models/enums.py", ()),
    ("models/", ("models",)),
    ("engine/domain/", ("engine.domain", "models.enums")),
    (
        "engine/bus/simulator/",
        ("engine.bus", "engine.domain", "engine.clock", "engine.tables", "models.enums"),
    ),
    ("engine/bus/", ("engine.bus", "engine.domain", "engine.clock", "models.enums")),
    (
        "engine/services/",
        ("engine.services", "engine.domain", "engine.clock", "engine.config", "engine.i18n",
         "engine.security", "engine.tables", "engine.qr", "models"),
    ),
    ("engine/reports/", ("engine.reports", "engine.views", "engine.domain", "models")),
    (
        "engine/views/",
        ("engine.views", "engine.domain", "engine.clock", "engine.config", "models"),
    ),
    ("engine/tables.py", ()),
    ("engine/qr.py", ()),
    ("engine/workbooks.py", ()),
    ("engine/clock.py", ()),
    ("engine/i18n.py", ()),
    ("engine/config.py", ("models.enums",)),
    ("engine/", ("engine", "models")),
    ("console/", ("console", "engine", "models")),
)  # fmt: skip

# Which files may use a package of others at all.
USED_IN = {
    "textual": ("console/",),
    "rich": ("console/",),
    "pymodbus": ("engine/bus/",),
    "serial": ("engine/bus/",),
    "Crypto": ("engine/bus/", "engine/security.py"),
    "apscheduler": ("engine/scheduler.py",),
    "openpyxl": ("engine/tables.py", "engine/workbooks.py"),
    "pypinyin": ("engine/services/initials.py",),
    "argon2": ("engine/security.py",),
    "segno": ("engine/qr.py",),
    "peewee": (
        "models/",
        "engine/services/",
        "engine/views/",
        "engine/reports/",
        "console/",  # there for its errors only
        "engine/lease.py",
        "engine/lines.py",  # whose business is a row: who owns, what is served
    ),
}
PURE = "engine/domain/"  # nothing but the standard library, and neither files nor the clock
IMPURE_METHODS = {"now", "today", "utcnow", "read_text", "read_bytes"}
IMPURE_MODULES = {"time", "os", "pathlib", "socket", "random", "subprocess"}

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
)


def imported(file: str) -> Iterator[tuple[str, int]]:
    """Full names of the modules that `file` imports, with the line."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno}: a relative import hides where it points"
            module = node.module or ""
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                yield whole if is_module(whole) else module, node.lineno


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def fits(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@pytest.mark.parametrize("file", FILES)
def test_a_file_imports_only_what_its_place_allows(file):
    allowed = next(prefixes for place, prefixes in ALLOWED if file.startswith(place))
    mine = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    wrong = [
        f"{file}:{line} imports {name}"
        for name, line in imported(file)
        if name.split(".")[0] in PACKAGES and name != mine and not fits(name, allowed)
    ]

    assert wrong == []


@pytest.mark.parametrize("file", FILES)
def test_a_package_of_others_is_used_in_few_places(file):
    wrong = [
        f"{file}:{line} imports {name}"
        for name, line in imported(file)
        if (places := USED_IN.get(name.split(".")[0])) and not file.startswith(places)
    ]

    assert wrong == []


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith(PURE)])
def test_a_rule_of_the_domain_asks_neither_clock_nor_disk(file):
    nodes = list(ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))))

    asked = {node.attr for node in nodes if isinstance(node, ast.Attribute)} & IMPURE_METHODS
    opened = {node.id for node in nodes if isinstance(node, ast.Name)} & {"open"}
    modules = {name.split(".")[0] for name, _ in imported(file)} & IMPURE_MODULES
    assert asked | opened | modules == set()


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("console/")])
def test_the_console_writes_no_model(file):
    source = (ROOT / file).read_text(encoding="utf-8")
    tables = "|".join(model_names())

    found = re.findall(
        rf"\b(?:{tables})\.(?:create|insert|update|delete|replace)\(|write_transaction\(", source
    )

    assert found == []


def model_names() -> list[str]:
    """Every class of models/ that is a table."""
    return [
        node.name
        for path in (ROOT / "models").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id.endswith("Model") for base in node.bases)
    ]


def test_no_import_stands_in_a_function_without_its_reason():
    """An import inside a function is for start-up time, and says so on its line."""
    wrong = []
    for file in FILES:
        source = (ROOT / file).read_text(encoding="utf-8")
        lines = source.splitlines()
        for function in ast.walk(ast.parse(source)):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            wrong += [
                f"{file}:{node.lineno}"
                for node in ast.walk(function)
                if isinstance(node, ast.Import | ast.ImportFrom)
                and "PLC0415" not in lines[node.lineno - 1]
            ]

    assert wrong == []
