"""The key table: complete in both languages, and free of keys that never arrive."""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from console import keys
from console.keys import TABLE
from engine import i18n
from engine.i18n import t
from tests.screens import on_table, seen, until

EVERY = [
    pytest.param(scope, key, id=f"{scope}-{key.action}") for scope in TABLE for key in TABLE[scope]
]
LOST_TO_OTHERS = {"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+j"}  # tmux, screen, XON/XOFF


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize(("scope", "key"), EVERY)
def test_every_key_has_a_label_in_both_languages(language, scope, key):
    i18n.use(language)

    assert t(f"keys.{key.label}")
    assert t(f"keys.scope.{scope}")


@pytest.mark.parametrize(("scope", "key"), EVERY)
def test_no_action_hangs_on_a_key_that_a_multiplexer_takes(scope, key):
    assert not set(key.keys.split(",")) <= LOST_TO_OTHERS


@pytest.mark.parametrize(
    ("scope", "key"), [case for case in EVERY if "back" in case.values[1].action]
)
def test_escape_has_a_second_key(scope, key):
    assert len(key.keys.split(",")) > 1 or scope in {"sale", "legs"}


@pytest.mark.parametrize("scope", TABLE)
def test_within_a_scope_a_key_does_one_thing(scope):
    names = [name for key in TABLE[scope] for name in key.keys.split(",")]
    twice = {name for name, following in pairwise(sorted(names)) if name == following}

    assert twice <= ({"enter"} if scope == "sale" else set())


def test_the_key_table_is_the_only_place_of_bindings():
    """Whoever reads console/keys.py has read every key."""
    sources = [path for path in Path("console").rglob("*.py") if path.name != "keys.py"]
    calls = [
        node
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Binding"
    ]

    assert calls == []


def test_every_scope_belongs_to_a_screen_or_widget_and_every_label_to_a_key():
    sources = "".join(path.read_text(encoding="utf-8") for path in Path("console").rglob("*.py"))
    labels = {key.label for keys_of_scope in TABLE.values() for key in keys_of_scope}
    said = {name.split(".")[1] for name in i18n.catalog("en") if name.startswith("keys.")}

    assert [scope for scope in TABLE if f'bindings("{scope}")' not in sources] == []
    assert said - {"name", "scope"} == labels


def test_keys_are_written_as_on_the_keyboard():
    i18n.use("en")

    signs = [keys.sign(name) for name in ("question_mark", "escape", "shift+down", "s", "f1")]
    assert signs == ["?", "Esc", "Shift+Down", "s", "F1"]


async def test_help_shows_the_keys_of_the_screen_before_first(make_app, operator, meters):
    app = make_app("en")
    async with on_table(app, operator, size=(80, 400)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: "In tables" in seen(app))

        lines = [line.strip() for line in seen(app).splitlines()]
        at = [lines.index(title) for title in ("Live table", "Everywhere", "Signing in")]
        assert at == sorted(at)
        assert ["s", "sell"] in [line.split() for line in lines]


async def test_the_palette_runs_what_is_picked(make_app, operator, meters):
    app = make_app("en")
    async with on_table(app, operator) as pilot:
        await pilot.press("colon", *"topo", "enter")

        await until(pilot, lambda: "t topology" in seen(app))


async def test_the_footer_shows_only_keys_that_work_now(make_app, operator, meters):
    app = make_app("en")
    async with on_table(app, operator) as pilot:
        footer = seen(app).splitlines()[-1]
        assert "s sell" in footer
        assert "show all" not in footer

        await pilot.press("slash")
        await until(pilot, lambda: "to the table" in seen(app).splitlines()[-1])
        assert "s sell" not in seen(app).splitlines()[-1]
