"""A screen as SVG for the documents: every word at its cell, no font from elsewhere.

A picture is drawn by whatever font is at hand. Textual's export counts characters where a Chinese
one is two cells, and sets a whole line in one piece: it would drift, or be squeezed.
"""

import html
import re

from rich.cells import cell_len

CELL = 12.2  # width of a terminal cell in the export
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
TEXT = re.compile(r'(<text class="[^"]*") x="([\d.]+)"(.*?) textLength="[\d.]+"(.*?)>(.*?)</text>')
WORD = re.compile(r"[^\s\xa0]+(?:[ \xa0][^\s\xa0]+)*")  # single blanks inside stay


def in_cells(svg: str) -> str:
    """`svg`, as Textual exports it, with each word placed by the cells before it."""
    return TEXT.sub(_words, FONTS.sub("", svg))


def _words(line: re.Match[str]) -> str:
    begin, x, between, after, text = line.groups()
    plain = html.unescape(text)
    return "".join(
        f'{begin} x="{float(x) + CELL * cell_len(plain[: word.start()]):.1f}"{between}{after}>'
        f"{html.escape(word.group())}</text>"
        for word in WORD.finditer(plain)
    )
