"""The line within one turn: frames out and in, one after the other, each with its evidence."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest

from engine import clock
from engine.bus import frames
from engine.bus.doubts import RUN_STATE, Fence
from engine.bus.errors import BusError, Busy, NoReply, Refused, Unproved
from engine.bus.port import Port
from engine.bus.private import encipher


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on the wire and what came of it: evidence."""

    step: str
    at: dt.datetime
    request: bytes
    reply: bytes | None  # where there is an error: whatever bytes came
    error: str | None  # code of the BusError


class Bus:
    """Use of a line for one turn; exclusive, or between two of its frames others `let_pass`."""

    def __init__(self, port: Port, let_pass: Callable[[], Awaitable[None]] | None = None) -> None:
        self.frames: list[Exchange] = []
        self._port = port
        self._let_pass = let_pass

    async def let_pass(self) -> None:
        """Whoever is of a higher priority goes first, where this turn gives way.

        Done before every read. Never between a write and what allowed it (a lock looked at, a
        clock read): that is for the one who writes, before he looks.
        """
        if self._let_pass is not None:
            await self._let_pass()

    async def request(
        self,
        unit: int,
        pdu: ModbusPDU,
        *,
        step: str,
        write: bool = False,
        cipher_key: bytes | None = None,
        fence: Fence = RUN_STATE,
    ) -> ModbusPDU:
        """Send `pdu` and return the decoded reply. A suspect unit is fenced first.

        Raises NoReply and LineDown (of a write: the outcome is unknown), Refused, Busy,
        NeverSend. A read is tried again `retries` times, each after a fence; a write never.
        """
        write = write or pdu.function_code not in frames.READS
        for left in range(0 if write else self._port.settings.retries, -1, -1):
            try:
                if not write:
                    await self.let_pass()
                while self._port.memory.doubts.suspect(unit):
                    await self._fence(unit, step="fence", fence=fence)
                    if not write:
                        await self.let_pass()  # who may leave the unit suspect again
                return await self._ask(unit, pdu, step, write=write, key=cipher_key, fence=fence)
            except Unproved:
                raise
            except NoReply:
                if not left:
                    raise
        raise AssertionError("a try returns or raises")

    async def fence(
        self, unit: int, *, step: str = "fence", fence: Fence = RUN_STATE
    ) -> int | None:
        """Prove that nothing older of `unit` is under way. Its run state, None for an exception.

        Raises NoReply where no answer comes, Unproved where an older answer could not be told
        from the fence's: with nothing sent, or after an exception that may be an older request's.
        """
        await self.let_pass()
        return await self._fence(unit, step=step, fence=fence)

    async def _fence(self, unit: int, *, step: str, fence: Fence) -> int | None:
        doubts, loop = self._port.memory.doubts, self._port.wire.loop
        if (wait_s := doubts.wait_s(unit, loop.time())) > 0:
            raise Unproved(unit=unit, wait_s=round(wait_s, 3))
        pdu = ReadHoldingRegistersRequest(address=fence.address, count=fence.count)
        own = doubts.exception_proves(unit, loop.time())
        try:
            reply = await self._ask(unit, pdu, step, write=False, key=None, fence=fence)
        except (Refused, Busy):
            if own:
                return None
            doubts.unproved()  # what it proved of the connection is as doubtful
            self._settle_doubt(unit, pdu, fence, answered=False)
            raise Unproved(unit=unit, wait_s=doubts.frame_life_s) from None
        return int(reply.registers[0])

    async def quiet(self, unit: int) -> None:
        """Wait until nothing sent before this connection, or before a lost fence, can still come.

        The unit is then fenced anew by its next request.
        """
        doubts, loop = self._port.memory.doubts, self._port.wire.loop
        now = loop.time()
        young_s = self._port.opened_at + doubts.frame_life_s - now
        wait_s = max(young_s, doubts.wait_s(unit, now))
        if wait_s > 0:
            await asyncio.sleep(wait_s)
            doubts.distrust(unit)

    async def _ask(
        self, unit: int, pdu: ModbusPDU, step: str, *, write: bool, key: bytes | None, fence: Fence
    ) -> ModbusPDU:
        plain = frames.rtu(unit, pdu)
        frame = encipher(plain, key) if key else plain
        at = clock.now()
        reply: bytes | None = None
        error: str | None = "cancelled"
        answered = False
        try:
            found = await self._port.exchange(frame, frames.expected(unit, pdu), write=write)
            reply = found.frame
            decoded = self._port.decoded(found)
            answered, error = True, None
            return decoded
        except (Refused, Busy) as refusal:
            answered, error = True, refusal.code
            raise
        except NoReply as silence:
            error, reply = silence.code, reply or silence.noise or None
            raise
        except BusError as failure:
            error, reply = failure.code, self._port.wire.take() or None
            raise
        finally:
            if self._port.sent_at is not None:
                self._settle_doubt(unit, pdu, fence, answered=answered)
                self.frames.append(Exchange(step, at, frame, reply, error))

    def _settle_doubt(self, unit: int, pdu: ModbusPDU, fence: Fence, *, answered: bool) -> None:
        doubts, sent_at = self._port.memory.doubts, self._port.sent_at
        assert sent_at is not None
        if answered:
            doubts.answered(unit)
            return
        reads = pdu.function_code == ReadHoldingRegistersRequest.function_code
        alike = reads and pdu.count == fence.count
        doubts.lost(unit, sent_at=sent_at, reads=reads, fence_length=alike)
