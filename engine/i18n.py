"""Every text an operator reads, from engine/locales/<language>/<subject>.toml.

`t("error.bad_amount")` is key `bad_amount` of error.toml; tables nest by dots. The language
can change while the program runs: nothing may keep a translated text.
"""

import os
import tomllib
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = ("zh_CN", "en")

_current = "en"


def language_of_environment() -> str:
    """`zh_CN` where LC_ALL, LC_MESSAGES or LANG begins with zh, else `en`.

    A Linux console (TERM=linux) has no Chinese glyphs: English there.
    """
    if os.environ.get("TERM") == "linux":
        return "en"
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh_CN" if value.lower().startswith("zh") else "en"
    return "en"


def use(language: str) -> None:
    """Speak `zh_CN` or `en` from now on; `auto` asks the environment."""
    global _current  # noqa: PLW0603 (one process speaks one language at a time)
    chosen = language_of_environment() if language == "auto" else language
    assert chosen in LANGUAGES, chosen
    _current = chosen


def current() -> str:
    return _current


@cache
def catalog(language: str) -> dict[str, str]:
    """All texts of a language by full key, e.g. `screen.meters.title`."""
    texts: dict[str, str] = {}
    for path in sorted((LOCALES / language).glob("*.toml")):
        _flatten(path.stem, tomllib.loads(path.read_text(encoding="utf-8")), texts)
    return texts


def _flatten(prefix: str, table: dict[str, object], into: dict[str, str]) -> None:
    for name, value in table.items():
        key = f"{prefix}.{name}"
        if isinstance(value, dict):
            _flatten(key, value, into)
        else:
            into[key] = str(value)


def t(key: str, **params: object) -> str:
    """The text of `key` in the current language, `{name}` filled from `params`.

    Raises KeyError for a key no catalog has: a test holds that none is missing.
    """
    return catalog(_current)[key].format(**params)


def has(key: str) -> bool:
    return key in catalog(_current)


def error_text(code: str, params: dict[str, object]) -> str:
    """The text of an error: `error.<code>_<why>` where it says why and there is one for it."""
    specific = f"error.{code}_{params.get('why')}"
    return t(specific if has(specific) else f"error.{code}", **params)
