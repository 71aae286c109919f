"""config.toml: the settings in force, as it has them."""

import dataclasses
from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from console import words
from console.keys import bindings
from console.screens.place import Place
from console.widgets.said import Said
from console.widgets.scroll import Scroll
from engine.i18n import t

SHOWN = ("site", "collection", "money", "defaults", "console")  # meters holds a key: not shown


class ConfigScreen(Place):
    AUTO_FOCUS = "Scroll"
    NAME = "config"
    BINDINGS: ClassVar[list[BindingType]] = bindings("page")

    def body(self) -> Iterable[Widget]:
        with Scroll(classes="page"):
            yield Said(self._text)

    def _text(self) -> Content:
        config = self.app.config
        pairs = [
            (f"{section}.{entry.name}", str(getattr(getattr(config, section), entry.name)))
            for section in SHOWN
            for entry in dataclasses.fields(getattr(config, section))
        ]
        wide = words.widest(name for name, _ in pairs)
        lines = [t("settings.place.config", path=self.app.site / "config.toml"), ""]
        lines += [f"{words.pad(name, wide)}  {value}" for name, value in pairs]
        return Content("\n".join([*lines, "", t("settings.place.change_file")]))
