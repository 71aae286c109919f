"""A meter's tariff on its page: prices with the rate in force, the step cycle, what comes next."""

from textual.content import Content

from console import tariff_words, words
from console.widgets.said import painted
from engine.domain.measurement import RATES
from engine.domain.tariff_meter import price_text
from engine.i18n import t
from engine.views.meter_tariff import MeterTariff

BAR_CELLS = 20
NAMES = ("name", "now", "cycle", "boundary")


def block(tariff: MeterTariff | None, wide: int) -> Content:
    """Labels in `wide` cells, as the page's other blocks have them."""
    title = Content.styled(t("prices.meter.title"), "bold")
    if tariff is None:
        return Content("\n").join([title, Content(t("prices.meter.none"))])
    version = tariff.version
    name = t("prices.meter.version", tariff=version.tariff, day=version.valid_from)
    pairs = [("name", Content(name)), ("now", _prices(tariff))]
    if version.steps:
        pairs.append(("cycle", _cycle(tariff)))
    day = tariff.boundary
    at = t("prices.meter.at_midnight", day=day.isoformat()) if day else t("prices.meter.never")
    pairs.append(("boundary", Content(at)))
    lines = [
        Content.assemble((words.pad(t(f"prices.meter.{name}"), wide), "$text-muted"), "  ", value)
        for name, value in pairs
    ]
    return Content("\n").join([title, *lines])


def _prices(tariff: MeterTariff) -> Content:
    """`平 0.7000` in brackets where it is the one in force."""
    parts = []
    for rate, price in zip(RATES, tariff.prices, strict=True):
        said = f"{tariff_words.rate(rate)} {price_text(price)}"
        now = tariff.rate is not None and tariff.rate.value == rate
        parts.append(painted(f"[{said}]", "strong") if now else Content(said))
    if tariff.rate is None and len(set(tariff.prices)) > 1:
        parts.append(painted(t("prices.meter.own_schedule"), "dim"))
    return Content("  ").join(parts)


def _cycle(tariff: MeterTariff) -> Content:
    """Used energy, a bar up to the next step, and how far that is."""
    steps = tariff.steps
    if steps is None:
        return painted(t("prices.meter.not_counted"), "dim")
    used = t("prices.meter.used", used=words.kwh(steps.used_wh), step=steps.step)
    if steps.next_wh is None:
        return Content(f"{used}  {t('prices.meter.last_step')}")
    full = min(BAR_CELLS, BAR_CELLS * steps.used_wh // steps.next_wh)
    bar = f"[{'#' * full}{'.' * (BAR_CELLS - full)}]"
    left = t("prices.meter.next", kwh=words.kwh(steps.next_wh), left=words.kwh(steps.left_wh))
    return Content(f"{used}  {bar}\n{left}")
