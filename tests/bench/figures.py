"""A measured figure, its target, and the table of all of them."""

from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True)
class Figure:
    what: str
    measured: str
    target: str = ""


def table(figures: list[Figure]) -> str:
    """As Markdown, columns aligned."""
    rows = [("figure", "measured", "target"), *((f.what, f.measured, f.target) for f in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def spread_ms(seconds: list[float]) -> str:
    """p50 and p95 in ms."""
    cuts = quantiles(seconds, n=20)
    return f"{1000 * cuts[9]:.1f} / {1000 * cuts[18]:.1f} ms"


def spread_bytes(counts: list[int]) -> str:
    cuts = quantiles(counts, n=20)
    return f"{cuts[9]:.0f} / {cuts[18]:.0f} B"
