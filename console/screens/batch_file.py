"""Meters by a file of their numbers: which file, and that every number in it is a meter's."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from console.screens.batch_verbs import Chosen
from console.screens.form_dialog import FormDialog
from console.screens.place import Place
from console.widgets.form import Entry
from engine import serial_files
from engine.domain import selection as domain
from engine.domain.errors import BadSelection
from engine.domain.selection import Selection
from engine.i18n import t

PATH_LENGTH_MAX = 400


def ask_file(screen: Place, then: Callable[[Chosen], object]) -> None:
    dialog = FileScreen()

    def given(name: str | None) -> None:
        if name is not None and dialog.chosen is not None:
            then(dialog.chosen)

    screen.app.push_screen(dialog, given)


class FileScreen(FormDialog):
    TITLE = "batch.file.title"
    BLAME = {BadSelection: "file"}  # noqa: RUF012 (as the form declares it)

    def __init__(self) -> None:
        super().__init__()
        self.chosen: Chosen | None = None

    def entries(self) -> Sequence[Entry]:
        return [
            Entry(
                "file", "batch.file.name", str.strip, length_max=PATH_LENGTH_MAX,
                hint="batch.file.hint",
            )
        ]  # fmt: skip

    def consequence(self) -> str:
        return t("batch.file.explained")

    def submitted(self, values: dict[str, Any]) -> None:
        folder, rows = self.app.site / "exports", list(self.app.meters.values())

        def load() -> Selection:
            found = serial_files.loaded(Selection(file=str(_path(folder, values["file"]))))
            domain.select(found, rows)
            return found

        self.send(load, self._loaded)

    def _loaded(self, found: Selection) -> None:
        self.chosen = Chosen("file", found, len(found.serials), name=found.file)
        self.dismiss(found.file)


def _path(folder: Path, name: str) -> Path:
    """A bare name is one in the site's exports. Raises BadSelection."""
    path = Path(name).expanduser()
    if not name or "\0" in name:
        raise BadSelection(why="no_serials", file=name.replace("\0", "?"))
    if path.is_absolute():
        return path
    if path.name != name:
        raise BadSelection(why="file_no_such_path", file=name)
    return folder / name
