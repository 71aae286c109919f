"""Lines of fixed width: columns of wide characters, pairs to both edges, what may be printed."""

import unicodedata

DOTS_FROM = 60  # columns: from here on the eye needs dots from a label to its value
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, direction marks, unassigned


def printable(text: str) -> str:
    """`text` without anything a printer or a terminal could take for an order."""
    composed = unicodedata.normalize("NFC", text)
    return "".join("?" if unicodedata.category(char) in HIDDEN else char for char in composed)


def columns(line: str) -> int:
    """Terminal or printer columns of `line`: wide (Chinese) characters take two."""
    return sum(map(_columns, line))


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def centred(line: str, width: int) -> list[str]:
    """In the middle; what is too long goes on below."""
    return [" " * ((width - columns(part)) // 2) + part for part in cut(line, width)]


def pair(label: str, value: str, width: int) -> list[str]:
    """Label to the left, value to the right; on a line of its own where both do not fit."""
    gap = width - columns(label) - columns(value)
    if gap >= 1:
        return [label + _filling(gap, width) + value]
    return [
        *cut(label, width),
        *(" " * (width - columns(part)) + part for part in cut(value, width)),
    ]


def _filling(gap: int, width: int) -> str:
    return f" {'.' * (gap - 2)} " if width >= DOTS_FROM and gap > 4 else " " * gap


def cut(value: str, width: int) -> list[str]:
    """`value` in pieces of at most `width` columns."""
    pieces, piece = [], ""
    for char in value:
        if columns(piece + char) > width:
            pieces.append(piece)
            piece = ""
        piece += char
    return [*pieces, piece]
