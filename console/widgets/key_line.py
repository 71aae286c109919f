"""The footer: the keys valid now, on one line, drawn from the bindings in force."""

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from console.keys import sign, valid
from engine.i18n import t


class KeyLine(Widget):
    """`Key label  Key label …`; what does not fit is left to the help page, which stays first."""

    COMPONENT_CLASSES = {"key-line--key"}  # noqa: RUF012 (as Textual declares it)
    DEFAULT_CSS = "KeyLine { dock: bottom; height: 1; }"

    def on_mount(self) -> None:
        self._painted: list[Binding] = []
        self.screen.bindings_updated_signal.subscribe(self, self._renew)

    def _renew(self, _screen: Screen[object]) -> None:
        if self._shown() != self._painted:
            self.refresh()

    def _shown(self) -> list[Binding]:
        """One binding an action, in the order of the key table."""
        seen: dict[str, Binding] = {}
        for active in valid(self.screen):
            if active.binding.show:
                seen.setdefault(active.binding.action, active.binding)
        return list(seen.values())

    def render_line(self, y: int) -> Strip:
        del y
        key_style = self.get_component_rich_style("key-line--key")
        base = self.rich_style
        segments: list[Segment] = []
        room = self.size.width
        self._painted = self._shown()
        for binding in self._painted:
            name, label = sign(binding.key), f" {t(binding.description)}  "
            room -= cell_len(name + label)
            if room < -2:
                break
            segments += [Segment(name, key_style), Segment(label, base)]
        return Strip(segments).adjust_cell_length(self.size.width, base)
