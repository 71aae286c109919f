"""Money and energy: whole fen, whole Wh. The only file that rounds."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction

from engine.domain.errors import BadAmount, BadEnergy

AMOUNT_FEN_MAX = 99_999_999_99  # what an input field takes at most; the ceiling is a setting
KWH_DIGITS_MAX = 9
WH_DIGITS = 3  # decimals of a kWh
FEN = Decimal("0.01")
HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0xFFE5: "¥"}


def fen(yuan: Decimal) -> int:
    """Whole fen of an amount in yuan, half up."""
    return int((yuan * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def parse_yuan(text: str) -> int:
    """Fen from what an operator typed: `100`, `100.5`, `１００．５０`, `¥100`, `1,000`. Always > 0.

    Full-width digits are taken for what they mean. Raises BadAmount(text, why) for anything
    else: nothing typed, letters, other digits (`²`), more than two decimals, zero, negative, or
    absurdly large.
    """
    plain = text.translate(HALF_WIDTH).strip().removeprefix("¥").removesuffix("元")
    plain = plain.strip()
    if "," in plain:
        whole, *groups = plain.partition(".")[0].split(",")
        if not (1 <= len(whole) <= 3 and all(len(group) == 3 for group in groups)):
            raise BadAmount(text=text, why="not_a_number")
        plain = plain.replace(",", "")
    if not plain:
        raise BadAmount(text=text, why="empty")
    if plain.startswith("-"):
        raise BadAmount(text=text, why="not_positive")
    if not all(char in "0123456789." for char in plain):
        raise BadAmount(text=text, why="not_a_number")
    try:
        yuan = Decimal(plain)
    except InvalidOperation:
        raise BadAmount(text=text, why="not_a_number") from None
    if yuan * 100 > AMOUNT_FEN_MAX:
        raise BadAmount(text=text, why="too_large")
    if yuan != yuan.quantize(FEN):
        raise BadAmount(text=text, why="too_many_decimals")
    if yuan == 0:
        raise BadAmount(text=text, why="not_positive")
    return int(yuan * 100)


def parse_signed_yuan(text: str) -> int:
    """The same of a balance, which may be 0 or below it. Raises BadAmount."""
    plain = text.translate(HALF_WIDTH).strip()
    if plain.strip("-0.") == "" and "0" in plain and plain.count(".") <= 1:
        return 0
    if plain.startswith("-"):
        return -parse_yuan(plain[1:])
    return parse_yuan(plain)


def parse_kwh(text: str) -> int:
    """Wh from a total in kWh with up to three decimals: `1234.56`. Raises BadEnergy."""
    plain = text.translate(HALF_WIDTH).strip().lower().removesuffix("kwh").strip()
    whole, _, decimals = plain.partition(".")
    digits = whole + decimals
    if not (whole and digits.isascii() and digits.isdecimal()):
        raise BadEnergy(text=text[:40])
    if len(whole) > KWH_DIGITS_MAX or len(decimals) > WH_DIGITS:
        raise BadEnergy(text=text[:40])
    return int(Decimal(plain) * 1000)


def yuan_text(amount_fen: int) -> str:
    """`-12.05` for -1205: always two decimals, exact."""
    sign = "-" if amount_fen < 0 else ""
    return f"{sign}{abs(amount_fen) // 100}.{abs(amount_fen) % 100:02d}"


def kwh_text(energy_wh: int) -> str:
    """`1234.56` for 1_234_560: two decimals, cut (a meter never shows what it has not counted)."""
    sign = "-" if energy_wh < 0 else ""
    return f"{sign}{abs(energy_wh) // 1000}.{abs(energy_wh) % 1000 // 10:02d}"


def fee_split(paid_fen: int, fee_pct: Decimal) -> tuple[int, int]:
    """(credit, fee) of a payment: the fee is `fee_pct` per cent of what is paid, half up."""
    fee_fen = fen(Decimal(paid_fen) * fee_pct / Decimal(10_000))
    return paid_fen - fee_fen, fee_fen


def cost_fen_max(used_wh: int, price: Decimal) -> int:
    """The most that `used_wh` can have cost at `price` (yuan/kWh), rounded up."""
    return int((used_wh * price / Decimal(10)).to_integral_value(rounding=ROUND_CEILING))


def whole_fen(cost_fen: Fraction) -> int:
    """What a meter has deducted of a cost: the whole fen of it; the rest it still owes itself."""
    return cost_fen.numerator // cost_fen.denominator


def nearest_fen(cost_fen: Fraction) -> int:
    """The nearest fen, halves away from 0: a difference of -0.5 fen is -1 as +0.5 is 1."""
    nearest = whole_fen(abs(cost_fen) + Fraction(1, 2))
    return -nearest if cost_fen < 0 else nearest


def price_near(price: Decimal, scale: Decimal) -> Decimal:
    """The nearest price that a register of steps of `scale` holds, half up."""
    return (price / scale).quantize(Decimal(1), rounding=ROUND_HALF_UP) * scale
