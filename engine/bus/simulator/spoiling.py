"""What a wire fault does to the bytes of a reply."""

import random

from engine.bus.simulator import framing
from engine.bus.simulator.faults import Fault

_dice = random.Random(0)  # noqa: S311 (noise, not a secret); the same faults in every run


def _turn_a_bit(frame: bytes) -> bytes:
    place = _dice.randrange(len(frame) * 8)
    spoilt = bytearray(frame)
    spoilt[place // 8] ^= 1 << place % 8
    return bytes(spoilt)


def spoil_reply(fault: Fault | None, reply: bytes) -> bytes | None:
    """What comes back over the wire; None: nothing."""
    if fault is None:
        return reply
    match fault.name:
        case "no_reply":
            return None
        case "duplicate":
            return reply + reply
        case "bit_flip":
            return _turn_a_bit(reply)
        case "truncate":
            return reply[: len(reply) // 2]
        case "wrong_unit":
            return _of_another(reply)
        case "foreign_frame":
            return _of_another(reply) + reply
        case "babble":
            return _dice.randbytes(_dice.randint(1, 12)) + reply
    return reply


def _of_another(reply: bytes) -> bytes:
    """The same reply as the next unit would send it."""
    return framing.sealed(bytes([reply[0] % 247 + 1]) + reply[1:-2])
