"""The short signed code of a receipt: what it says, and a tag that only the site's key can make.

Crockford's base32, so that it survives being read out and typed: lower case, spaces, dashes,
full-width letters, O for 0, I and L for 1.
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import unicodedata
from dataclasses import dataclass

from engine.domain.errors import NotGenuine

VERSION = 1  # a code of another layout carries another number, and this program says so
KINDS = ("sell", "refund", "reverse", "transfer_in", "payment")  # only ever added to
TAG_BYTES = 8
LENGTH_MAX = 200  # characters that are looked at; ours have about 40
GROUP = 5
RFC4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
WRITTEN = str.maketrans(RFC4648, CROCKFORD)
READ = str.maketrans(CROCKFORD, RFC4648)
MISREAD = str.maketrans("OIL", "011")
SKIPPED = ("Pd", "Zs", "Cc", "Cf")  # dashes, spaces, tabs, invisible signs
YEAR_2020 = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a code vouches for. Of a payment: its first meter, and the sum over all of them."""

    number: str  # 20261123-000001: the day is the site's own
    kind: str  # of KINDS
    serial: str  # digits only
    meters: int  # with proved credit; 1 unless a payment was split
    amount_fen: int  # credit written, or taken back
    fee_fen: int
    count_after: int | None  # the meter's purchase count; None: it was not read
    issued_at: dt.datetime  # to the second


def write(facts: Facts, key: bytes) -> str:
    """The code of `facts` without any spacing. Raises ValueError: it cannot carry them."""
    payload = _payload(facts)
    return base64.b32encode(payload + _tag(payload, key)).decode().rstrip("=").translate(WRITTEN)


def grouped(code: str) -> str:
    """In groups of five, as it is printed for people."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def read(typed: str, key: bytes) -> Facts:
    """What a typed or scanned code says, proved by its tag.

    Raises NotGenuine, `why` unreadable (no such characters, cut), version (of a later program) or
    forged (another site's, altered, or mistyped: the tag cannot tell which).
    """
    raw = _bytes(typed)
    payload, tag = raw[:-TAG_BYTES], raw[-TAG_BYTES:]
    if not payload:
        raise NotGenuine(why="unreadable")
    if payload[0] >> 5 != VERSION:
        raise NotGenuine(why="version")
    if not hmac.compare_digest(tag, _tag(payload, key)):
        raise NotGenuine(why="forged")
    facts = _facts(payload)
    if _payload(facts) != payload:
        raise NotGenuine(why="forged")  # the key, but not this program: there is one way to write
    return facts


def _tag(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)[:TAG_BYTES]


def _bytes(typed: str) -> bytes:
    if len(typed) > LENGTH_MAX:
        raise NotGenuine(why="unreadable")
    plain = "".join(
        char
        for char in unicodedata.normalize("NFKC", typed).upper()
        if unicodedata.category(char) not in SKIPPED
    ).translate(MISREAD)
    if not plain or not set(plain) <= set(CROCKFORD):
        raise NotGenuine(why="unreadable")
    try:
        raw = base64.b32decode(plain.translate(READ) + "=" * (-len(plain) % 8))
    except binascii.Error:
        raise NotGenuine(why="unreadable") from None
    if base64.b32encode(raw).decode().rstrip("=").translate(WRITTEN) != plain:
        raise NotGenuine(why="forged")  # bits that mean nothing were set
    return raw


def _payload(facts: Facts) -> bytes:
    """The one way to write `facts`: version, kind and day in a byte, then numbers of any size."""
    day, _, sequence = facts.number.partition("-")
    ahead = (_date(day) - facts.issued_at.astimezone(dt.UTC).date()).days
    if not -1 <= ahead <= 1 or not (facts.serial.isascii() and facts.serial.isdigit()):
        raise ValueError(facts)
    head = VERSION << 5 | KINDS.index(facts.kind) << 2 | ahead + 1
    numbers = (
        (facts.issued_at - YEAR_2020) // SECOND,
        int(sequence),
        int(f"1{facts.serial}"),  # the 1 keeps zeros at its head
        facts.meters,
        facts.amount_fen,
        facts.fee_fen,
        0 if facts.count_after is None else facts.count_after + 1,
    )
    return bytes([head]) + b"".join(map(_number, numbers))


def _facts(payload: bytes) -> Facts:
    """What `payload` says; it is signed, so it was written by `_payload` of this version."""
    ahead, kind = (payload[0] & 3) - 1, KINDS[payload[0] >> 2 & 7]
    seconds, sequence, serial, meters, amount_fen, fee_fen, count = _numbers(payload[1:])
    issued_at = YEAR_2020 + seconds * SECOND
    return Facts(
        number=f"{issued_at.date() + dt.timedelta(days=ahead):%Y%m%d}-{sequence:06d}",
        kind=kind,
        serial=str(serial)[1:],
        meters=meters,
        amount_fen=amount_fen,
        fee_fen=fee_fen,
        count_after=count - 1 if count else None,
        issued_at=issued_at,
    )


def _date(day: str) -> dt.date:
    return dt.date(int(day[:4]), int(day[4:6]), int(day[6:]))


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the high bit says that more follow."""
    if value < 0:
        raise ValueError(value)
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _numbers(written: bytes) -> list[int]:
    found, value, shift = [], 0, 0
    for byte in written:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            found.append(value)
            value, shift = 0, 0
    return found
