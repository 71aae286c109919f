"""Which meters are meant: by number, state, place, tenant or words; all conditions must hold."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from engine.domain.errors import BadSelection
from models.enums import MeterState

SERIAL_LENGTH = 12  # 表号; a spreadsheet takes the zeros off its front
NAMED_ON_A_LINE = 5
FEW = 900  # a database takes so many in one question
NAMED_MAX = 200  # of what is wrong in a file: so many are named, the rest are counted
SEPARATORS = str.maketrans({"，": ",", "、": ",", "；": ",", ";": ","})
PLACES = ("line", "gateway", "building", "floor")
KEYS = ("state", *PLACES, "tenant", "serials", "text")


class Selectable(Protocol):
    """What a selection looks at: a row of the meter table has it."""

    @property
    def serial(self) -> str: ...
    @property
    def state(self) -> MeterState: ...
    @property
    def line(self) -> str: ...
    @property
    def gateway(self) -> str: ...
    @property
    def building(self) -> str: ...
    @property
    def floor(self) -> str: ...
    @property
    def tenant(self) -> str | None: ...
    @property
    def tenant_number(self) -> str | None: ...
    def matches(self, text: str) -> bool: ...


Row = TypeVar("Row", bound=Selectable)


@dataclass(frozen=True)
class Selection:
    """Empty conditions say nothing; `everything` stands for the lack of any.

    `lines` are where the serials stood in `file`, one each, for whoever must look there again.
    """

    serials: tuple[str, ...] = ()
    state: MeterState | None = None
    line: str = ""
    gateway: str = ""
    building: str = ""
    floor: str = ""
    tenant: str = ""  # a tenant's number, or the whole name
    text: str = ""  # every word stands in serial, shop, tenant, initials or place
    everything: bool = False
    file: str = ""
    lines: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.everything or self.conditions())

    @property
    def only_few(self) -> bool:
        """Some meters by their numbers and nothing else: nobody has to look at all of them."""
        return 0 < len(self.serials) <= FEW and self.conditions().keys() == {"serials"}

    def conditions(self) -> dict[str, str]:
        """What is asked for, by name, as a person would read it."""
        found = {name: str(getattr(self, name)) for name in KEYS if name != "serials"}
        found["state"] = self.state.value if self.state else ""
        found["serials"] = ",".join(self.serials)
        return {name: value for name, value in found.items() if value}

    def summary(self) -> str:
        """On one line, however many meters are named."""
        said = self.conditions()
        if len(self.serials) > NAMED_ON_A_LINE:
            said["serials"] = ",".join(self.serials[:NAMED_ON_A_LINE]) + f",… ({len(self.serials)})"
        return " ".join(f"{name}={value}" for name, value in said.items()) or "all"

    def with_serials(self, serials: Iterable[str], *, file: str = "") -> Self:
        """The same, of these meters only."""
        return dataclasses.replace(self, serials=tuple(serials), file=file, lines=())

    def as_json(self) -> dict[str, Any]:
        """What a batch keeps of it: only what says something."""
        found = dataclasses.asdict(self)
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        fields = dict(stored)
        for name in ("serials", "lines"):
            fields[name] = tuple(fields.get(name, ()))
        if fields.get("state"):
            fields["state"] = MeterState(fields["state"])
        return cls(**fields)

    def __and__(self, other: "Selection") -> "Selection":
        """Both conditions. Raises BadSelection where they say one thing twice, differently."""
        merged = self.as_json()
        for name, value in other.as_json().items():
            if name in ("everything", "file", "lines") or merged.get(name, value) == value:
                merged[name] = value
            else:
                raise BadSelection(why="twice", name=name)
        return Selection.from_json(merged)


def parse(text: str) -> Selection:
    """`all`, `@FILE`, or `state=S`, `line=L`, `serials=A,B`, … as typed behind --select.

    A file is only named here: who may read files turns it into serials. Raises BadSelection.
    """
    typed = text.strip()
    if not typed:
        raise BadSelection(why="empty")
    if typed.casefold() == "all":
        return Selection(everything=True)
    if typed.startswith("@"):
        if not typed[1:].strip():
            raise BadSelection(why="empty")
        return Selection(file=typed[1:].strip())
    name, sign, value = (part.strip() for part in typed.replace("＝", "=").partition("="))
    if not sign or name not in KEYS:
        raise BadSelection(why="unknown", text=typed[:40], known="all, @FILE, " + "=, ".join(KEYS))
    if not value:
        raise BadSelection(why="no_value", name=name)
    if name == "state":
        return Selection(state=_state(value))
    if name == "serials":
        return Selection(serials=serials_of(value))
    return Selection.from_json({name: value})


def _state(value: str) -> MeterState:
    try:
        return MeterState(value)
    except ValueError:
        known = ", ".join(MeterState)
        raise BadSelection(why="no_such_state", value=value[:40], known=known) from None


def serials_of(text: str) -> tuple[str, ...]:
    """Each once, in the order given; full-width commas and blanks separate them too."""
    parts = text.translate(SEPARATORS).replace(",", " ").split()
    return tuple(dict.fromkeys(padded(part) for part in parts))


def padded(serial: str) -> str:
    """A number that lost its leading zeros has them again."""
    return serial.zfill(SERIAL_LENGTH) if serial.isascii() and serial.isdecimal() else serial


def stands_in(text: str, parts: Iterable[str]) -> bool:
    """Does every word of `text` stand in one of `parts`, case aside?"""
    here = "\n".join(parts).casefold()
    return all(word in here for word in text.casefold().split())


def select(selection: Selection, rows: Sequence[Row]) -> list[Row]:
    """The rows that are meant, in their order.

    Raises BadSelection: nothing is asked for, a meter, line, gateway, building, floor or tenant
    that is not there, or nothing fits.
    """
    if selection.empty:
        raise BadSelection(why="empty")
    _require_known(selection, rows)
    wanted = frozenset(selection.serials)
    found = [row for row in rows if (not wanted or row.serial in wanted) and _fits(selection, row)]
    if not found:
        raise BadSelection(why="nothing")
    return found


def _fits(selection: Selection, row: Selectable) -> bool:
    return (
        (selection.state is None or row.state is selection.state)
        and all(getattr(selection, name) in ("", getattr(row, name)) for name in PLACES)
        and selection.tenant in ("", row.tenant, row.tenant_number)
        and (not selection.text or row.matches(selection.text))
    )


def _require_known(selection: Selection, rows: Sequence[Selectable]) -> None:
    for name in PLACES:
        value = getattr(selection, name)
        known = {getattr(row, name) for row in rows}
        if value and value not in known:
            named = ", ".join(sorted(each for each in known if each)[:20])
            raise BadSelection(why=f"no_such_{name}", value=value[:40], known=named)
    tenant = selection.tenant
    if tenant and not any(tenant in (row.tenant, row.tenant_number) for row in rows):
        raise BadSelection(why="no_such_tenant", value=tenant[:40])
    known = {row.serial for row in rows}
    lines = selection.lines or (0,) * len(selection.serials)
    missing = [
        f"{serial} ({line})" if line else serial
        for serial, line in zip(selection.serials, lines, strict=True)
        if serial not in known
    ]
    if missing:
        named = ", ".join(missing[:NAMED_MAX])
        why = "unknown_in_file" if selection.file else "unknown_serials"
        raise BadSelection(why=why, number=len(missing), serials=named, file=selection.file)
