"""A screen as SVG for the documents: every text as wide as its terminal cells."""

import html
import re

from rich.cells import cell_len

TEXT = re.compile(r'(<text [^>]*textLength=")([0-9.]+)("[^>]*>)([^<]*)(</text>)')


def in_cells(svg: str) -> str:
    """`svg` with the length of each text counted in cells instead of characters."""

    def counted(found: re.Match[str]) -> str:
        start, length, middle, text, end = found.groups()
        said = html.unescape(text)
        cells = float(length) / len(said) * cell_len(said)
        return f"{start}{cells:g}{middle}{text}{end}"

    return TEXT.sub(counted, svg)
