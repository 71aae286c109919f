"""Examples of published tariffs to begin from: hours, ratios, steps. Check with your supplier.

They are as their notices were read when this was written, for one kind of customer each; none is
kept up to date. Names: `tariff_rule.preset_<code>`. A preset gives no money: the flat price is
asked for, and the others are its ratios.
"""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.tariff_steps import Prices
from engine.domain.tariffs import PRICE_SCALE
from engine.domain.units import price_near

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Preset:
    """`ratios` of the four prices to the flat one, in the order of RATES."""

    code: str
    source: str  # the notice, and where it was published
    schedule: str = ""
    ratios: Prices = (ONE, ONE, ONE, ONE)
    steps: str = ""
    cycle: str = ""

    def prices(self, flat: Decimal, *, price_scale: Decimal = PRICE_SCALE) -> Prices:
        """The four prices as the meter's register can hold them, half up."""
        sharp, peak, same, valley = (price_near(flat * ratio, price_scale) for ratio in self.ratios)
        return sharp, peak, same, valley


def _ratios(sharp: str, peak: str, valley: str) -> Prices:
    return Decimal(sharp), Decimal(peak), ONE, Decimal(valley)


PRESETS = (
    Preset(  # sharp from July to September; hot days of other months are not told here
        "guangdong",
        "粤发改价格〔2021〕331号, https://drc.gd.gov.cn/ywtz/content/post_3500421.html",
        "00:00 valley, 08:00 flat, 10:00 peak, 12:00 flat, 14:00 peak, 19:00 flat; "
        "07-01..09-30 00:00 valley, 08:00 flat, 10:00 peak, 11:00 sharp, 12:00 flat, 14:00 peak, "
        "15:00 sharp, 17:00 peak, 19:00 flat",
        _ratios("2.125", "1.7", "0.38"),
    ),
    Preset(  # sharp in July, August, September and December
        "guangxi",
        "桂发改价格规〔2021〕1029号, http://fgw.gxzf.gov.cn/zfxxgkzl/wjzx/zyzc/sfjg/t10811420.shtml",
        "00:00 valley, 07:00 flat, 10:00 peak, 12:00 flat, 16:00 peak, 22:00 flat, 23:00 valley; "
        "07-01..09-30 00:00 valley, 07:00 flat, 10:00 peak, 11:00 sharp, 12:00 flat, 16:00 peak, "
        "17:00 sharp, 18:00 peak, 22:00 flat, 23:00 valley; "
        "12-01..12-31 00:00 valley, 07:00 flat, 10:00 peak, 11:00 sharp, 12:00 flat, 16:00 peak, "
        "17:00 sharp, 18:00 peak, 22:00 flat, 23:00 valley",
        _ratios("1.8", "1.5", "0.5"),
    ),
    Preset(  # sharp in July, August, December and January, for industry from 315 kVA
        "jiangsu",
        "苏发改价格发〔2025〕426号, https://fzggw.jiangsu.gov.cn/art/2025/4/30/art_284_11557001.html",
        "00:00 flat, 02:00 valley, 06:00 flat, 10:00 valley, 14:00 flat, 15:00 peak, 22:00 flat; "
        "06-01..06-30 00:00 valley, 06:00 flat, 11:00 valley, 13:00 flat, 14:00 peak, 22:00 flat; "
        "07-01..08-31 00:00 valley, 06:00 flat, 11:00 valley, 13:00 flat, 14:00 sharp, "
        "15:00 peak, 19:30 sharp, 21:30 peak, 22:00 flat; "
        "12-01..01-31 00:00 valley, 06:00 flat, 11:00 valley, 13:00 flat, 14:00 peak, "
        "18:00 sharp, 20:00 peak, 22:00 flat; "
        "02-01..02-29 00:00 valley, 06:00 flat, 11:00 valley, 13:00 flat, 14:00 peak, 22:00 flat",
        _ratios("2.04", "1.7", "0.35"),
    ),
    Preset(  # sharp in July, August, December and January
        "shaanxi",
        "陕发改价格〔2025〕1034号, https://sndrc.shaanxi.gov.cn/zfxxgk/zc/fgwj/sfzggwwj/2025/202507/"
        "t20250723_3546317.html",
        "00:00 valley, 06:00 flat, 11:00 valley, 14:00 flat, 16:00 peak, 23:00 flat; "
        "07-01..08-31 00:00 valley, 06:00 flat, 11:00 valley, 14:00 flat, 16:00 peak, "
        "19:00 sharp, 21:00 peak, 23:00 flat; "
        "12-01..01-31 00:00 valley, 06:00 flat, 11:00 valley, 14:00 flat, 16:00 peak, "
        "18:00 sharp, 20:00 peak, 23:00 flat",
        _ratios("1.9", "1.7", "0.3"),
    ),
    Preset(  # sharp in July, August, December and January
        "zhejiang",
        "浙发改价格〔2026〕112号, https://www.zj.gov.cn/col/col1229203589/art/2026/"
        "art_db07d88b6c68f1412561a0e8640cc135.html",
        "00:00 valley, 07:00 flat, 11:00 valley, 14:00 flat, 16:00 peak, 23:00 flat; "
        "07-01..08-31 00:00 valley, 07:00 flat, 11:00 valley, 14:00 flat, 16:00 peak, "
        "18:00 sharp, 22:00 peak, 23:00 flat; "
        "12-01..01-31 00:00 valley, 07:00 flat, 11:00 valley, 14:00 flat, 16:00 peak, "
        "18:00 sharp, 22:00 peak, 23:00 flat",
        _ratios("2.05", "1.85", "0.4"),
    ),
    Preset(
        "beijing_steps",
        "北京市居民阶梯电价: 2880 and 4800 kWh a year, +0.05, +0.30",
        steps="0-2880: +0; 2880-4800: +0.05; 4800-: +0.30",
        cycle="yearly",
    ),
    Preset(
        "zhejiang_steps",
        "浙江省居民阶梯电价: 2760 and 4800 kWh a year, +0.05, +0.30",
        steps="0-2760: +0; 2760-4800: +0.05; 4800-: +0.30",
        cycle="yearly",
    ),
)
