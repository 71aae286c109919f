"""A receipt as it is printed: text of a fixed width, drawn from the rows it names."""

from engine import qr
from engine.domain.receipt_code import GROUP, grouped
from engine.services import paper, receipts
from engine.services.receipt_blocks import blocks
from engine.services.receipt_page import Page
from models.commands import Receipt


def draw(receipt: Receipt, page: Page) -> str:
    """The receipt in lines of at most `page.width` columns, its code and QR below.

    Balances and counts are the meter's own words. Nothing in it moves a printer or a terminal.
    """
    lines = text_lines(receipt, page)
    code = receipts.code(receipt)
    if code:
        lines += ["-" * page.width, *_code_lines(code, page), *_qr_lines(code, page)]
    return "\n".join(lines) + "\n"


def filled(text: str, width: int) -> list[str]:
    """Its lines, each as wide as the paper."""
    return [line + " " * (width - paper.columns(line)) for line in text.splitlines()]


def text_lines(receipt: Receipt, page: Page) -> list[str]:
    """The receipt without its code."""
    commands = receipts.commands_of(receipt)
    kind = "payment" if receipt.payment else commands[0].kind.value
    lines = [
        *paper.centred(paper.printable(page.site.name), page.width),
        *paper.centred(page.say(f"title_{kind}"), page.width),
        *_mark_lines(page),
    ]
    for block in blocks(receipt, commands, page):
        lines.append("-" * page.width)
        for label, value in block:
            lines += paper.pair(label, paper.printable(value), page.width)
    return lines


def _mark_lines(page: Page) -> list[str]:
    mark = page.mark
    if mark is None:
        return []
    when = f"{page.moment(mark.at)} {paper.printable(mark.by)}".rstrip()
    lines = (page.say(mark.kind, number=mark.number), when)
    return [part for line in lines for part in paper.centred(line, page.width)]


def _code_lines(code: str, page: Page) -> list[str]:
    """The code in groups, as many a line as there is room for."""
    groups = grouped(code).split("-")
    a_line = max(1, (page.width + 1) // (GROUP + 1))
    lines = -(-len(groups) // a_line)
    a_line = -(-len(groups) // lines)
    written = ["-".join(groups[at : at + a_line]) for at in range(0, len(groups), a_line)]
    drawn = [paper.centred(line, page.width) for line in (page.say("code"), *written)]
    return [part for line in drawn for part in line]


def _qr_lines(code: str, page: Page) -> list[str]:
    if page.qr == "none":
        return []
    dark = qr.modules(code)
    lines = qr.signs(dark) if page.qr == "signs" else qr.half_blocks(dark)
    if len(lines[0]) > page.width:
        return []
    left = " " * ((page.width - len(lines[0])) // 2)
    return ["", *((left + line).rstrip() for line in lines)]  # a camera wants room above it too
