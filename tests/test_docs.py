"""What the documents say is there, is there: links, commands, faults, where to change what."""

import argparse
import re
from pathlib import Path

import pytest

from console.cli import parser
from engine.bus.simulator import faults
from engine.services.import_columns import TABLES

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def verbs(of: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", text)

    missing = [target for target in targets if not (document.parent / target).exists()]

    assert missing == []


@pytest.mark.parametrize("name", sorted(verbs(parser())))
def test_every_command_is_documented(name: str) -> None:
    assert f"voltill {name}" in COMMANDS


def test_no_command_is_documented_that_is_not_there() -> None:
    named = set(re.findall(r"`voltill ([a-z-]+)", COMMANDS))

    assert named == set(verbs(parser()))


def test_every_fault_of_the_practice_site_is_documented() -> None:
    missing = [name for name in faults.NAMES if f"`{name}`" not in COMMANDS]

    assert missing == []


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_of_an_import_is_documented(table: str) -> None:
    text = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| `{table}` |"))

    assert [column.name for column in TABLES[table] if f"`{column.name}`" not in row] == []


def test_every_place_the_architecture_sends_a_reader_to_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text[text.index("## Where do I change") :]
    places = re.findall(r"`((?:engine|console|models|tests)/[\w./]*)`", table)

    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_every_make_target_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?:^|`)make ([a-z]+)", readme, flags=re.MULTILINE))

    assert {"run", "test"} <= targets
    assert [name for name in targets if f"\n{name}: " not in makefile] == []
