"""A QR code on a terminal: dark on light whatever the terminal's own colours are."""

import os
from collections.abc import Sequence

from textual.content import Content

from engine import qr

QUIET = 2  # light modules around it: a camera wants an edge
ROOM = "  "  # a module in whole cells: no font can lack it
EDGES = 4  # rows of a screen that are not the box's own text


def qr_code(code: str, *, plain: bool, rows: int) -> Content:
    """In whole cells where the terminal is `plain` and has the rows, else in half blocks.

    Its colours are the terminal's own on a plain one, or reversed where it has none.
    """
    if not code:
        return Content()
    dark = qr.modules(code, quiet=QUIET)
    front, back, halves = _styles(plain=plain)
    if not plain or rows < len(dark) + EDGES:
        return Content.styled("\n".join(qr.half_blocks(dark)), halves)
    return Content("\n").join(_cells(row, front, back) for row in dark)


def _styles(*, plain: bool) -> tuple[str, str, str]:
    """Of a dark module, of a light one, and of a dark half block on light ground."""
    if "NO_COLOR" in os.environ:
        return "", "reverse", "reverse"
    if plain:
        return "on ansi_black", "on ansi_bright_white", "ansi_black on ansi_bright_white"
    return "on black", "on white", "black on white"


def _cells(row: Sequence[bool], front: str, back: str) -> Content:
    return Content("").join(Content.styled(ROOM, front if dark else back) for dark in row)
