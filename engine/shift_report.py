"""A closed shift's numbered report as lines of text, for paper of any width; a reprint is alike."""

from collections.abc import Callable, Iterator

from engine import i18n
from engine.config import SiteSection
from engine.domain.units import yuan_text
from engine.services.paper import centred, cut, pair
from engine.views.shifts import KindLine, ShiftView

WIDTHS = (32, 48, 80)  # 58 mm, 80 mm, A4
Say = Callable[[str], str]


def text(
    shift: ShiftView, language: str, width: int, *, site: SiteSection, reprint: bool = False
) -> str:
    """The report in lines of at most `width` columns. The shift is closed."""
    assert shift.number is not None, shift.id

    def say(key: str) -> str:
        return i18n.catalog(language)[f"shift.report.{key}"]

    lines = [*centred(site.name, width), *centred(say("title"), width)]
    if reprint:
        lines += centred(say("reprint"), width)
    for block in _blocks(shift, site, language, say):
        lines.append("-" * width)
        for label, value in block:
            lines += pair(label, value, width) if value else cut(label, width)
    return "\n".join(lines) + "\n"


def _blocks(
    shift: ShiftView, site: SiteSection, language: str, say: Say
) -> Iterator[list[tuple[str, str]]]:
    def local(key: str) -> tuple[str, str]:
        at = getattr(shift, key)
        return say(key), f"{at.astimezone(site.zone):%Y-%m-%d %H:%M:%S}"

    yield [
        (say("number"), shift.number or ""),
        (say("operator"), shift.operator),
        *([(say("closed_by"), shift.closed_by or "")] if shift.closed_by != shift.operator else []),
        local("opened_at"),
        local("closed_at"),
        (say("float"), yuan_text(shift.float_fen)),
    ]
    for line in shift.kinds:
        if line.moved:
            yield _kind(line, language, say)
    if idle := [line for line in shift.kinds if not line.moved]:
        yield [_idle(line, language, say) for line in idle]
    yield [(say("total_difference"), _signed(shift.difference_fen or 0))]
    if shift.explanation:
        yield [(say("explanation"), shift.explanation)]
    yield _handed_over(shift, language, say)
    yield [(say("ledger_head"), shift.ledger_head), (say("audit_head"), shift.audit_head)]


def _kind(line: KindLine, language: str, say: Say) -> list[tuple[str, str]]:
    """What moved, each only where it did; then expected, counted and the difference, always."""
    moved = (
        (say("float"), line.float_fen),
        (say("sales").format(number=line.sales), line.sales_fen),
        (say("fees"), line.fees_fen),
        (say("returned").format(number=line.returned), -line.returned_fen),
        (say("paid_out").format(number=line.paid_out), -line.paid_out_fen),
        (say("deposits"), line.deposits_fen),
        (say("deposits_returned"), -line.deposits_returned_fen),
        (say("other"), line.other_fen),
    )
    return [
        (_name(line, language), ""),
        *((label, yuan_text(fen)) for label, fen in moved if fen),
        (say("expected"), yuan_text(line.expected_fen)),
        (say("counted"), yuan_text(line.counted_fen or 0)),
        (say("difference"), _signed(line.difference_fen or 0)),
    ]


def _idle(line: KindLine, language: str, say: Say) -> tuple[str, str]:
    """Nothing moved, nothing was there."""
    nothing = yuan_text(0)
    return _name(line, language), f"{say('expected')} {nothing} {say('counted')} {nothing}"


def _name(line: KindLine, language: str) -> str:
    name = i18n.catalog(language)[f"screen.pay.{line.pay}"]
    return f"[{name}]"


def _handed_over(shift: ShiftView, language: str, say: Say) -> list[tuple[str, str]]:
    if not shift.handed_over:
        return [(say("handed_over"), say("none"))]
    kinds = i18n.catalog(language)
    lines = [(say("handed_over"), "")]
    for each in shift.handed_over:
        kind = kinds[f"state.kind.{each.kind}"]
        what = f"#{each.command} {kind} {each.shop} {each.serial}".replace("  ", " ")
        lines.append((what, f"{yuan_text(each.amount_fen)} -> {each.to}"))
    return lines


def _signed(fen: int) -> str:
    return f"+{yuan_text(fen)}" if fen > 0 else yuan_text(fen)
