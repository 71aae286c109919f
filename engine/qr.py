"""A QR code in characters: half blocks, two modules a character, or signs that any printer has."""

from collections.abc import Sequence

import segno

QUIET = 1  # light modules kept around it in the text; paper and boxes add their own
HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def modules(text: str, *, quiet: int = QUIET) -> list[list[bool]]:
    """Dark is True; `quiet` light modules on each side."""
    code = segno.make_qr(text, error="m", boost_error=True)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=quiet)]


def half_blocks(dark: Sequence[Sequence[bool]]) -> list[str]:
    """A character is two modules, one above the other: as wide as the code has modules."""
    rows = [*dark, *([[False] * len(dark[0])] * (len(dark) % 2))]
    return [
        "".join(HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


def signs(dark: Sequence[Sequence[bool]], *, mark: str = "##") -> list[str]:
    """Two characters a module."""
    return ["".join(mark if module else "  " for module in row) for row in dark]
