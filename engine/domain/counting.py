"""What a cashier counts at the close of a shift: zero is an answer, and so is less than zero."""

from engine.domain.errors import BadAmount
from engine.domain.units import HALF_WIDTH, parse_yuan
from models.enums import PayKind


def parse_counted(text: str, pay: PayKind) -> int:
    """Fen counted of `pay`, as typed: `0`, `123.00`, `１２３`; what is no cash may be `-5.00`.

    By card or transfer more may have gone out than came in. Raises BadAmount as parse_yuan does,
    with `negative_count` for cash below zero.
    """
    plain = text.translate(HALF_WIDTH).strip()
    negative = plain.startswith("-")
    if negative and pay is PayKind.CASH:
        raise BadAmount(text=text, why="negative_count")
    digits = plain.removeprefix("-")
    try:
        fen = parse_yuan(digits)
    except BadAmount as error:
        if error.params["why"] == "not_positive" and "-" not in digits:
            return 0
        why = "not_a_number" if "-" in digits else error.params["why"]
        raise BadAmount(text=text, why=why) from None
    return -fen if negative else fen
