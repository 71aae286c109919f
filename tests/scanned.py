"""A QR code as a camera sees it: the dots of a printer or a terminal, read by zbar."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from rich.segment import Segment

from tests.peers.conftest import program

SCALE = 6  # dots a module
HALVES = {" ": (False, False), "▀": (True, False), "▄": (False, True), "█": (True, True)}
Rows = Sequence[Sequence[bool]]


def scanned(rows: Rows, folder: Path) -> str:
    """What zbar makes of a bitmap of these dots (True is dark)."""
    path = folder / "picture.pbm"
    lines = [" ".join("1" if dot else "0" for dot in row for _ in range(SCALE)) for row in rows]
    body = "\n".join(line for line in lines for _ in range(SCALE))
    path.write_text(f"P1\n{len(rows[0]) * SCALE} {len(rows) * SCALE}\n{body}\n", encoding="ascii")
    command = [program("zbarimg"), "-q", "--raw", "--nodbus", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def printed(lines: Sequence[str], width: int) -> Rows:
    """Half blocks as a printer sets them: two dots a character, white margins round the paper."""
    rows: list[list[bool]] = []
    for line in ["", *lines, ""]:
        pairs = [HALVES[char] for char in f" {line.ljust(width)} "]
        rows += [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    return rows


def shown(segments: Sequence[Sequence[Segment]]) -> Rows:
    """Two dots a cell of a terminal, dark where its colour there is: block in front, else back."""
    rows: list[list[bool]] = []
    for line in segments:
        upper, lower = [], []
        for segment in line:
            front, back = colours(segment)
            for char in segment.text:
                halves = HALVES.get(char, (False, False))
                upper.append(front if halves[0] else back)
                lower.append(front if halves[1] else back)
        rows += [upper, lower]
    return rows


def colours(segment: Segment) -> tuple[bool, bool]:
    """Are foreground and background dark? A terminal's own background is black."""
    style = segment.style
    assert style is not None
    pair = [
        (style.color, False),
        (style.bgcolor, True),
    ]
    front, back = (
        unset if colour is None or colour.is_default else sum(colour.get_truecolor()) < 384
        for colour, unset in pair
    )
    return (back, front) if style.reverse else (front, back)
