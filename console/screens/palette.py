"""Everything that can be done here and now, by name; Enter does it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from console.keys import TABLE, sign, valid
from console.screens.pick import Choice, PickScreen
from engine.i18n import has, t

if TYPE_CHECKING:
    from textual.binding import ActiveBinding

    from console.app import ConsoleApp

LEFT_OUT = frozenset(
    {"palette", *(key.action for key in TABLE["table"] if "mark" not in key.label)}
)


def open_palette(app: "ConsoleApp") -> None:
    """The keys valid on the screen in front, as a list to pick from."""
    by_action: dict[str, ActiveBinding] = {}
    for active in valid(app.screen):
        if active.binding.action not in LEFT_OUT:
            by_action.setdefault(active.binding.action, active)

    def picked(choice: Choice | None) -> None:
        if choice is not None:
            active = by_action[str(choice.value)]
            app.run_worker(app.run_action(active.binding.action, active.node))

    choices = [Choice(action, _label(active)) for action, active in by_action.items()]
    app.push_screen(PickScreen("screen.palette.title", choices), picked)


def _label(active: "ActiveBinding") -> Callable[[], str]:
    within = f"screen.palette.within.{active.binding.description.removeprefix('keys.')}"

    def label() -> str:
        said = f"{t(active.binding.description)}  ({sign(active.binding.key)})"
        return f"{said}  {t(within)}" if has(within) else said

    return label
