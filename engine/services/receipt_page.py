"""How a receipt is drawn: for which paper, in which language, and what marks a second one."""

import dataclasses
import datetime as dt
from dataclasses import dataclass

from engine import i18n
from engine.config import SiteSection
from engine.domain.units import yuan_text

WIDTHS = {"58": 32, "80": 48, "A4": 80}  # columns of a paper, as [receipts] paper names it


@dataclass(frozen=True)
class Mark:
    """Not the first paper: `kind` is reprint or copy (looked at, not printed by the engine)."""

    kind: str
    at: dt.datetime
    number: int = 0  # which reprint it is
    by: str = ""


@dataclass(frozen=True)
class Page:
    """How a receipt is drawn: for whom, how wide, in which language."""

    site: SiteSection
    language: str
    width: int
    mark: Mark | None = None
    qr: str = "blocks"  # blocks, signs (only where they fit), none

    def say(self, key: str, **params: object) -> str:
        return i18n.catalog(self.language)[f"receipt.{key}"].format(**params)

    def yuan(self, amount_fen: int | None) -> str:
        return "-" if amount_fen is None else f"{yuan_text(amount_fen)} {self.say('unit')}"

    def moment(self, at: dt.datetime) -> str:
        return f"{at.astimezone(self.site.zone):%Y-%m-%d %H:%M:%S}"


def adapted(page: Page, paper_name: str | None, language: str | None) -> Page:
    """`page` for another paper or language, where one is named."""
    width = WIDTHS[paper_name] if paper_name else page.width
    return dataclasses.replace(page, width=width, language=language or page.language)
