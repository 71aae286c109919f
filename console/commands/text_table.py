"""A table as plain text, its columns as wide as their widest cell on a terminal."""

from collections.abc import Sequence

from rich.cells import cell_len

from console import words


def print_table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    widths = [max(map(cell_len, column)) for column in zip(header, *lines, strict=True)]
    for line in (header, *lines):
        padded = (words.pad(cell, width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())
