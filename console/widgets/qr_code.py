"""A QR code on a terminal: dark on light whatever the terminal's own colours are."""

from collections.abc import Sequence

from textual.content import Content

from engine import qr

QUIET = 2  # light modules around it: a camera wants an edge
HALVES = "black on white"
DARK, LIGHT = "on ansi_black", "on ansi_bright_white"
ROOM = "  "  # a module in whole cells: no font can lack it


def qr_code(code: str, *, plain: bool, colourless: bool) -> Content:
    """Half blocks; on a `plain` terminal whole cells of colour, or reversed where it has none."""
    if not code:
        return Content()
    dark = qr.modules(code, quiet=QUIET)
    if not plain:
        return Content.styled("\n".join(qr.half_blocks(dark)), HALVES)
    return Content("\n").join(_cells(row, colourless=colourless) for row in dark)


def _cells(row: Sequence[bool], *, colourless: bool) -> Content:
    styles = ("", "reverse") if colourless else (DARK, LIGHT)
    return Content("").join(Content.styled(ROOM, styles[not module]) for module in row)
