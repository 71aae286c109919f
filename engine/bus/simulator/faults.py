"""What goes wrong on purpose: faults by name, asked for at run time, for a meter up to the site."""

import random
from dataclasses import dataclass, field
from typing import Any

from engine.bus.simulator.errors import BadFault

WIRE_FAULTS = (  # happen to an exchange
    "no_reply",  # the meter obeys, its reply is lost
    "lost_request",  # the meter never sees the request; for ever it is a dead meter
    "late_request",  # the request lies in the gateway for delay_s, everything behind it too
    "late_reply",  # the reply comes delay_s late, everything behind it too
    "duplicate",  # the reply comes twice
    "bit_flip",  # one bit of the reply is turned
    "bad_request",  # one bit of the request is turned: the meter stays silent
    "truncate",  # the reply ends early
    "wrong_unit",  # the reply bears another address, with a good checksum
    "foreign_frame",  # a good frame of another unit comes before the reply
    "babble",  # noise comes before the reply
    "split",  # the reply comes byte by byte
    "busy",  # exception 6 instead of obeying
    "refuse",  # exception 4 instead of obeying
    "ignore",  # a write is echoed and nothing is kept: the meter holds on to what it has
    "drop_connection",  # the connection breaks in the middle of the reply
)
METER_FAULTS = (  # happen to a meter at once
    "reset_counter",  # the purchase count becomes `value`
    "foreign_purchase",  # somebody else sells `amount_fen`
    "set_balance",  # the balance becomes `value` fen
    "set_load",  # draws `value` W from now on
    "set_clock",  # its clock is `value` seconds ahead of the true time, below 0 behind it
    "drift_clock",  # its clock gains `value` seconds a day from now on, below 0 loses them
)
LINE_FAULTS = (  # happen to a line's connection at once
    "disconnect",  # whoever is connected is thrown out
    "refuse_connections",  # for delay_s nobody gets in
    "text",  # the gateway speaks: `text` goes to the client
)
CLEAR = "clear"  # the target's wire faults are forgotten; of the site: all
WRITES = (0x10, 0x20, 0xAA, 0xAB)  # function codes
DRIFT_S_MAX = 43_200
NAMES = (*WIRE_FAULTS, *METER_FAULTS, *LINE_FAULTS, CLEAR)
SCOPES = ("meter", "line", "gateway", "site")
OPTIONS: dict[str, type] = {
    "count": int,
    "delay_s": float,
    "probability": float,
    "function": int,
    "register": int,
    "value": int,
    "amount_fen": int,
    "text": str,
}


@dataclass(slots=True)
class Fault:
    """One fault asked for. `count` exchanges suffer it, 0: until cleared."""

    name: str
    target: str  # meter:SERIAL, line:NAME, gateway:NAME, site
    count: int = 1
    delay_s: float = 1.0
    probability: float = 1.0
    function: int | None = None  # only exchanges with this function code
    register: int | None = None  # only requests that begin at this register
    value: int = 0
    amount_fen: int = 5000
    text: str = "Port already in use\r\n"
    suffered: int = 0

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise BadFault("no_such_fault", fault=self.name, known=", ".join(NAMES))
        scope, _, name = self.target.partition(":")
        if scope not in SCOPES or bool(name) == (scope == "site"):
            raise BadFault("no_such_target", target=self.target)
        if self.name == "drift_clock" and abs(self.value) > DRIFT_S_MAX:
            raise BadFault("bad_option", option="value", value=str(self.value))

    def strikes(self, targets: frozenset[str], function: int, register: int | None) -> bool:
        """Whether it is for an exchange with one of `targets`; `ignore` is of writes only."""
        return (
            self.target in targets
            and self.function in (None, function)
            and self.register in (None, register)
            and (self.name != "ignore" or function in WRITES)
        )

    def request(self) -> dict[str, Any]:
        """What asks a running simulator for this fault."""
        options = {key: getattr(self, key) for key in OPTIONS if getattr(self, key) is not None}
        return {"fault": self.name, "target": self.target, **options}

    @property
    def spent(self) -> bool:
        return 0 < self.count <= self.suffered


def make_fault(target: str, name: str, **options: Any) -> Fault:
    """A fault from what came from outside. Raises BadFault."""
    values: dict[str, Any] = {}
    for key, value in options.items():
        kind = OPTIONS.get(key)
        if kind is None:
            raise BadFault("no_such_option", option=key, known=", ".join(OPTIONS))
        try:
            values[key] = int(value, 0) if kind is int and isinstance(value, str) else kind(value)
        except (TypeError, ValueError):
            raise BadFault("bad_option", option=key, value=str(value)) from None
    return Fault(name, target, **values)


def parse_fault(text: str) -> Fault:
    """`line:L01 late_reply delay_s=2 count=3`. Raises BadFault."""
    target, *rest = text.split()
    if not rest:
        raise BadFault("not_a_fault", text=text)
    name, *pairs = rest
    options = dict(pair.partition("=")[::2] for pair in pairs)
    return make_fault(target, name, **options)


def parse_faults(text: str) -> list[Fault]:
    """Several, separated by `;`."""
    return [parse_fault(part) for part in text.split(";") if part.strip()]


@dataclass(slots=True)
class FaultBook:
    """The wire faults that still wait for their exchange."""

    dice: random.Random
    waiting: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def clear(self, target: str | None = None) -> None:
        """Forget the faults of a target, or all."""
        self.waiting = [each for each in self.waiting if target not in (None, each.target)]

    def strike(
        self, targets: frozenset[str], function: int, register: int | None = None
    ) -> Fault | None:
        """The fault that this exchange with one of `targets` suffers, counted as suffered."""
        for fault in self.waiting:
            if not fault.strikes(targets, function, register):
                continue
            if fault.probability < 1 and self.dice.random() >= fault.probability:
                continue
            fault.suffered += 1
            if fault.spent:
                self.waiting.remove(fault)
            return fault
        return None
