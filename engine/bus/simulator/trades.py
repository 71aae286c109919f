"""How much a shop draws: by its trade, the hour and the weekday, with noise by seed."""

from dataclasses import dataclass
from functools import cache

MINUTES_A_DAY = 1440
WEEKEND = (5, 6)  # Saturday, Sunday, Monday being 0
MASK64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Trade:
    """A kind of shop. Shapes are per cent of its peak power, one figure an hour from 0 to 23."""

    name: str
    words: tuple[str, ...]  # a tenant with one of these in its name is of this trade
    peak_w: int  # of a shop on one phase; three phases draw about twice that
    weekday: tuple[int, ...]
    weekend: tuple[int, ...]


def _hours(*runs: tuple[int, int]) -> tuple[int, ...]:
    """24 figures from (from which hour, per cent) runs; the first begins at 0."""
    hours: list[int] = []
    for hour, (start, per_cent) in enumerate(runs):
        end = runs[hour + 1][0] if hour + 1 < len(runs) else 24
        hours += [per_cent] * (end - start)
    return tuple(hours)


SHOP_HOURS = _hours((0, 6), (8, 25), (9, 60), (10, 85), (18, 95), (21, 70), (22, 10))
TRADES = (
    Trade(
        "restaurant",
        ("火锅", "烤", "菜", "餐", "面", "粉", "饭", "寿司", "饺", "锅", "小馆", "食府", "披萨"),
        5200,
        _hours(
            (0, 12), (8, 25), (10, 60), (11, 95), (14, 45), (17, 90), (18, 100), (21, 50), (23, 14)
        ),
        _hours((0, 12), (8, 30), (10, 70), (11, 100), (14, 60), (17, 100), (21, 65), (23, 14)),
    ),
    Trade(
        "drinks",
        ("茶", "咖啡", "甜品", "烘焙", "冰"),
        2600,
        _hours((0, 15), (8, 50), (10, 80), (13, 95), (21, 60), (22, 15)),
        _hours((0, 15), (8, 60), (10, 90), (13, 100), (22, 20)),
    ),
    Trade(
        "supermarket",
        ("超市", "生鲜", "便利"),
        9000,
        _hours((0, 45), (7, 70), (9, 90), (17, 100), (21, 80), (22, 45)),
        _hours((0, 45), (7, 75), (9, 95), (17, 100), (22, 45)),
    ),
    Trade(
        "cinema",
        ("影", "剧场"),
        16000,
        _hours((0, 25), (1, 5), (9, 20), (12, 55), (18, 95), (22, 60)),
        _hours((0, 40), (1, 5), (9, 50), (12, 85), (18, 100), (23, 70)),
    ),
    Trade(
        "gym",
        ("健身", "瑜伽", "泳", "舞蹈"),
        5000,
        _hours((0, 6), (7, 50), (12, 65), (14, 45), (18, 100), (21, 70), (22, 8)),
        _hours((0, 6), (8, 60), (10, 90), (20, 70), (22, 8)),
    ),
    Trade(
        "games",
        ("电玩", "乐园", "桌游", "密室", "KTV", "网咖"),
        7000,
        _hours((0, 30), (2, 6), (10, 45), (14, 70), (18, 100), (23, 60)),
        _hours((0, 45), (2, 6), (10, 85), (14, 100), (23, 70)),
    ),
    Trade(
        "office",
        ("公司", "事务所", "中介", "工作室", "物业"),
        3200,
        _hours((0, 8), (8, 55), (9, 95), (12, 70), (13, 100), (18, 40), (20, 12)),
        _hours((0, 8), (9, 20), (18, 8)),
    ),
    Trade(
        "training",
        ("教育", "培训", "书法", "画室", "早教", "琴行"),
        2800,
        _hours((0, 5), (9, 35), (16, 90), (20, 60), (21, 6)),
        _hours((0, 5), (8, 90), (12, 70), (13, 100), (20, 40), (21, 6)),
    ),
    Trade(
        "bank",
        ("银行", "通信", "彩票"),
        2400,
        _hours((0, 35), (8, 80), (9, 100), (17, 60), (18, 35)),
        _hours((0, 35), (9, 90), (16, 35)),
    ),
    Trade(
        "fashion",
        ("服饰", "女装", "男装", "童装", "鞋", "内衣", "箱包"),
        2400,
        SHOP_HOURS,
        SHOP_HOURS,
    ),
    Trade("jewellery", ("珠宝", "钟表", "眼镜", "黄金"), 3000, SHOP_HOURS, SHOP_HOURS),
)
GENERAL = Trade("shop", (), 2200, SHOP_HOURS, SHOP_HOURS)
VACANT = Trade("vacant", (), 30, _hours((0, 100)), _hours((0, 100)))


def trade_of(tenant: str) -> Trade:
    """The trade a tenant's name tells; an ordinary shop where it tells none, vacant where empty."""
    if not tenant:
        return VACANT
    return next((each for each in TRADES if any(w in tenant for w in each.words)), GENERAL)


def noise(seed: int, step: int) -> int:
    """A repeatable number in [0, 2^64) (the SplitMix64 generator at one place)."""
    z = (seed + step * 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


@cache
def _shape(trade: Trade) -> tuple[tuple[int, ...], ...]:
    """Seven days of 25 figures: the 25th is the next day's first, to slope towards."""
    days = [trade.weekend if day in WEEKEND else trade.weekday for day in range(7)]
    return tuple((*days[day], days[(day + 1) % 7][0]) for day in range(7))


@dataclass(frozen=True, slots=True)
class Load:
    """What hangs behind one meter."""

    trade: Trade
    peak_w: int
    seed: int

    def power_w(self, minute: int) -> int:
        """Mean power in a minute, counted in local time since 1970-01-01 (a Thursday)."""
        day, of_day = divmod(minute, MINUTES_A_DAY)
        hour, past = divmod(of_day, 60)
        hours = _shape(self.trade)[(day + 3) % 7]
        per_cent_60 = hours[hour] * (60 - past) + hours[hour + 1] * past
        slow = 850 + noise(self.seed, minute // 15) % 301  # 15 minutes of more or less custom
        quick = 960 + noise(~self.seed, minute) % 81
        return self.peak_w * per_cent_60 * slow * quick // 6_000_000_000
