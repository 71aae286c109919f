"""Every key, from the key table: those of the screen one came from first."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import words
from console.keys import TABLE, Key, bindings, sign
from console.screens.place import Place
from console.widgets.said import Said
from console.widgets.scroll import Scroll
from engine.i18n import t

if TYPE_CHECKING:
    from textual.binding import ActiveBinding


class HelpScreen(Place):
    NAME = "help"
    BINDINGS: ClassVar[list[BindingType]] = bindings("help")
    AUTO_FOCUS = "Scroll"

    def __init__(self, valid: Mapping[str, "ActiveBinding"]) -> None:
        super().__init__()
        self.valid_actions = {active.binding.action for active in valid.values()}

    def body(self) -> Iterable[Widget]:
        with Scroll(id="help-page"):
            yield Said(self._text)

    def _text(self) -> Content:
        scopes = sorted(TABLE, key=self._order)
        blocks = [Content(t("screen.help.marks"))]
        blocks += [_block(scope, TABLE[scope]) for scope in scopes if scope != "dialog"]
        return Content("\n\n").join(blocks)

    def _order(self, scope: str) -> tuple[bool, bool]:
        """The screen's own keys first, then those of everywhere, then what is not valid now."""
        own = {key.action for key in TABLE[scope] if not key.action.startswith("app.")}
        valid = 2 * len(own & self.valid_actions) > len(own)  # a few are shared by all tables
        return not valid, scope in ("app", "table")


def _block(scope: str, keys: Iterable[Key]) -> Content:
    signs = [" ".join(dict.fromkeys(sign(name) for name in key.keys.split(","))) for key in keys]
    wide = words.widest(signs)
    lines = [Content.styled(t(f"keys.scope.{scope}"), "bold")]
    for shown, key in zip(signs, keys, strict=True):
        lines.append(
            Content.assemble(
                (f"  {words.pad(shown, wide)}", "$accent"), f"  {t(f'keys.{key.label}')}"
            )
        )
    return Content("\n").join(lines)
