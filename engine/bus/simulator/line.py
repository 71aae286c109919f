"""One RS485 line behind a serial server: requests in order, one at a time, at the line's pace."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.bus.private import IDENTIFY
from engine.bus.simulator import framing
from engine.bus.simulator.faults import Fault, FaultBook
from engine.bus.simulator.framing import Request
from engine.bus.simulator.spoiling import spoil_reply
from engine.bus.simulator.unit import Unit

log = logging.getLogger(__name__)

SILENCE_S = 0.05  # a frame that stands still this long will not be completed
BUFFER_MAX = 4096  # what a serial server holds for its line
UNHEARD = ("lost_request", "bad_request")  # a meter stays silent on a bad checksum
REFUSALS = {"busy": 6, "refuse": 4}  # fault: exception code


class Client(Protocol):
    """Whoever is at the other end of the serial server: a socket or a serial device."""

    def write(self, data: bytes) -> None: ...

    def abort(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How a line takes its time. `fragment`: replies leave in pieces of so many bytes."""

    baud: int = 9600
    bits: int = 10  # of a character: start, 8 data, parity if any, stop
    turnaround_s: float = 0.02
    fragment: int | None = None
    paced: bool = True

    def wire_s(self, count: int) -> float:
        return count * self.bits / self.baud if self.paced else 0.0

    @property
    def answer_s(self) -> float:
        return self.turnaround_s if self.paced else 0.0


class SimLine:
    """The bus: bytes in, replies out to whoever is connected when they are ready."""

    def __init__(
        self,
        name: str,
        gateway: str,
        units: Mapping[int, Unit],
        *,
        pace: Pace,
        book: FaultBook,
        keep: Callable[[], None],
    ) -> None:
        self.name = name
        self.targets = frozenset({f"line:{name}", f"gateway:{gateway}", "site"})
        self.units = dict(units)
        self.pace = pace
        self.client: Client | None = None
        self.exchanges = 0
        self._book = book
        self._keep = keep  # the state file, before the reply to a write leaves
        self._buffer = bytearray()
        self._came = asyncio.Event()
        self._free_at = 0.0  # loop time until which the wire is in use

    def feed(self, data: bytes) -> None:
        """Bytes from the client. A serial server that is full drops what comes."""
        self._buffer += data[: BUFFER_MAX - len(self._buffer)]
        self._came.set()

    async def run(self) -> None:
        """Answer requests in turn until cancelled."""
        while True:
            await self._exchange(await self._next_request())

    async def _next_request(self) -> Request:
        while True:
            self._came.clear()
            buffer = bytes(self._buffer)
            if request := framing.first_request(buffer, self._decipher):
                del self._buffer[: request.taken]
                return request
            if not buffer:
                await self._came.wait()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SILENCE_S):
                    await self._came.wait()
                continue
            self._buffer.clear()
            if framing.good(buffer):  # whole, but no request these meters know
                return Request(buffer, len(buffer))

    def _decipher(self, frame: bytes) -> bytes | None:
        """The bus carries a ciphered frame to all: each meter that has the cipher on tries."""
        return next((got for unit in self.units.values() if (got := unit.decipher(frame))), None)

    async def _exchange(self, request: Request) -> None:
        loop = asyncio.get_running_loop()
        self.exchanges += 1
        unit = self.units.get(request.frame[0])
        targets = self.targets | {unit.target} if unit else self.targets
        fault = self._book.strike(targets, request.frame[1], _register(request.frame))
        if fault and fault.name == "late_request":
            await asyncio.sleep(fault.delay_s)
        start = max(loop.time(), self._free_at)
        heard_at = start + self.pace.wire_s(request.taken)
        self._free_at = heard_at
        reply = self._reply(unit, request, fault)
        if reply is None:
            await _until(heard_at)
            return
        late_s = fault.delay_s if fault and fault.name == "late_reply" else 0.0
        await self._send(reply, heard_at + self.pace.answer_s + late_s, fault)

    def _reply(self, unit: Unit | None, request: Request, fault: Fault | None) -> bytes | None:
        """What goes back over the wire, faults included; None: silence."""
        if unit is None or (fault and fault.name in UNHEARD):
            return None
        if fault and fault.name in REFUSALS:
            reply = unit.exception(request.frame, REFUSALS[fault.name])
        elif fault and fault.name == "ignore":
            reply = unit.echo(request.frame)
        else:
            reply = unit.answer(request.frame, ciphered=request.ciphered)
            if unit.take_changed():
                self._keep()
        return spoil_reply(fault, reply)

    async def _send(self, reply: bytes, at: float, fault: Fault | None) -> None:
        """Put `reply` on the wire from `at` on; the client gets it as a serial server passes it."""
        piece = 1 if fault and fault.name == "split" else self.pace.fragment or len(reply)
        breaks = fault is not None and fault.name == "drop_connection"
        if breaks:
            reply = reply[: len(reply) // 2]
        for sent in range(0, len(reply), piece):
            end = min(sent + piece, len(reply))
            self._free_at = at + self.pace.wire_s(end)
            await _until(self._free_at)
            if self.client:
                self.client.write(reply[sent:end])
        if breaks:
            self.disconnect()

    def disconnect(self) -> None:
        if self.client:
            self.client.abort()
            self.client = None


def _register(frame: bytes) -> int | None:
    """Where a read or a write begins; None for what has no register."""
    return int.from_bytes(frame[2:4]) if len(frame) >= 8 and frame[1] != IDENTIFY else None


async def _until(at: float) -> None:
    """Sleep until a loop time; with no pace only let the others run."""
    await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
