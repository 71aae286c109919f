"""The line within one turn: frames out and in, one after the other, each with its evidence."""

import asyncio
import datetime as dt
from dataclasses import dataclass

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest

from engine import clock
from engine.bus import frames
from engine.bus.doubts import RUN_STATE, Doubts, Fence
from engine.bus.errors import BusError, Busy, LineDown, NoReply, Refused, Unproved
from engine.bus.health import LineCounters, ReplyTimes
from engine.bus.private import Decoder, encipher
from engine.bus.transport import LineSettings, Wire

ACKNOWLEDGE, BUSY = 5, 6
GATEWAY_SILENCE = (10, 11)  # a gateway's way of saying that the meter did not answer
HUNG_S, HUNG_REQUESTS = 20.0, 5  # so long, and so often asked, without a single byte: hung


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on the wire and what came of it: evidence."""

    step: str
    at: dt.datetime
    request: bytes
    reply: bytes | None  # where there is an error: whatever bytes came
    error: str | None  # code of the BusError


@dataclass(frozen=True, slots=True)
class _Sent:
    wanted: frames.Expected
    at: float
    deadline: float
    write: bool


class Port:
    """One connection of a line and all that is known of it; turns come and go on it."""

    def __init__(
        self, settings: LineSettings, wire: Wire, doubts: Doubts, health: LineCounters
    ) -> None:
        self.settings = settings
        self.wire = wire
        self.doubts = doubts
        self.health = health
        self.times = ReplyTimes()
        self.opened_at = wire.loop.time()
        self.fruitful = False  # a good reply has come on this connection
        self.sent_at: float | None = None  # of the exchange under way; None: not sent yet
        self._decoder = Decoder(is_server=False)
        self._unfinished: _Sent | None = None  # still owed a reply, or its time-out
        self._late: _Sent | None = None  # the last to have had its time-out
        self._unheard = 0  # requests since the last byte came
        self._unheard_since = 0.0

    @property
    def hung(self) -> bool:
        """Requests leave and not a single byte comes back: the gateway sleeps."""
        silent_s = self.wire.loop.time() - self._unheard_since
        return self._unheard >= HUNG_REQUESTS and silent_s > HUNG_S

    async def exchange(self, frame: bytes, wanted: frames.Expected, *, write: bool) -> frames.Found:
        """Send `frame` and wait for the reply. Raises NoReply or LineDown.

        Half duplex: never before the reply to the frame before it, or that one's time-out, and a
        gap of silence.
        """
        self.sent_at = None
        await self._settle()
        await self._gap()
        self._discard(self.wire.take())
        sent = self._send(frame, wanted, write=write)
        try:
            found = await self.wire.reply(wanted, sent.deadline)
        finally:
            self.health.wire_s += self.wire.loop.time() - sent.at
        self._unfinished = None
        if found is None:
            raise self._nothing(sent)
        self._good(found, None if write else self.wire.loop.time() - sent.at)
        return found

    def decoded(self, found: frames.Found) -> ModbusPDU:
        """The reply as a PDU. Raises Refused, Busy, or NoReply where a gateway says so."""
        if not found.is_exception:
            reply = self._decoder.decode(found.frame[1:-2])
            if reply is None:
                raise NoReply(undecodable=found.frame.hex())
            return reply
        code = found.frame[2]
        if code in GATEWAY_SILENCE:
            raise NoReply(gateway_code=code)
        raise Busy(code) if code in (ACKNOWLEDGE, BUSY) else Refused(code)

    def _send(self, frame: bytes, wanted: frames.Expected, *, write: bool) -> _Sent:
        now = self.wire.loop.time()
        sent = _Sent(wanted, now, now + self._timeout_s(frame, wanted, write=write), write)
        self.wire.send(frame)
        self.sent_at, self._unfinished = now, sent
        self.health.requests += 1
        if not self._unheard:
            self._unheard_since = now
        self._unheard += 1
        return sent

    def _timeout_s(self, frame: bytes, wanted: frames.Expected, *, write: bool) -> float:
        timing = self.settings.timing
        if write:
            return timing.write_timeout_s
        return timing.timeout_s(len(frame), wanted.size_max, slowest_s=self.times.slowest_s)

    async def _settle(self) -> None:
        """Wait for what a cancelled turn left unfinished: its reply, or its time-out."""
        if (sent := self._unfinished) is None:
            return
        await self.wire.reply(sent.wanted, sent.deadline)
        self._unfinished, self._late = None, sent
        self._discard(self.wire.take())

    async def _gap(self) -> None:
        """The silence that RTU wants between frames (3.5 characters, or the line's own)."""
        free_at = self.wire.last_byte_at + self.settings.timing.gap_s
        if (pause_s := free_at - self.wire.loop.time()) > 0:
            await asyncio.sleep(pause_s)

    def _good(self, found: frames.Found, took_s: float | None) -> None:
        self.fruitful = True
        self._unheard = 0
        self.health.last_good_at = clock.now()
        if took_s is not None:
            self.times.add(took_s)
        self._discard(self.wire.take(found.before))
        self.wire.take(len(found.frame))

    def _nothing(self, sent: _Sent) -> BusError:
        """The time-out: what did come instead is counted, and words of a gateway are believed."""
        self.health.timeouts += 1
        noise = self.wire.take()
        try:
            self._discard(noise)
        except LineDown as error:
            return error
        self._late = sent
        return NoReply(noise=noise.hex())

    def _discard(self, stale: bytes) -> None:
        """Bytes nobody waits for. Raises LineDown where they are a gateway's words."""
        if not stale:
            return
        self._unheard = 0
        if text := frames.gateway_text(stale):
            self.wire.close("gateway_says", text)
            raise LineDown("gateway_says", text)
        late = self._late
        if late and not late.write and frames.find_reply(stale, late.wanted):
            self.times.add(self.wire.heard_at - late.at)  # wait longer from now on
            self._late = None
        good, lost = frames.count_frames(stale)
        self.health.foreign_frames += good
        self.health.crc_errors += bool(lost)


class Bus:
    """Exclusive use of a line for one turn."""

    def __init__(self, port: Port) -> None:
        self.frames: list[Exchange] = []
        self._port = port

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
                if self._port.doubts.suspect(unit):
                    await self.fence(unit, fence=fence)
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
        doubts, loop = self._port.doubts, self._port.wire.loop
        if (wait_s := doubts.wait_s(unit, loop.time())) > 0:
            raise Unproved(unit=unit, wait_s=round(wait_s, 3))
        pdu = ReadHoldingRegistersRequest(address=fence.address, count=fence.count)
        own = doubts.exception_proves(unit, loop.time())
        try:
            reply = await self._ask(unit, pdu, step, write=False, key=None, fence=fence)
        except (Refused, Busy):
            if own:
                return None
            self._settle_doubt(unit, pdu, fence, answered=False)
            raise Unproved(unit=unit, wait_s=doubts.frame_life_s) from None
        return int(reply.registers[0])

    async def quiet(self, unit: int) -> None:
        """Wait until nothing sent before this connection, or before a lost fence, can still come.

        The unit is then fenced anew by its next request.
        """
        doubts, loop = self._port.doubts, self._port.wire.loop
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
        except BusError as failure:
            error = failure.code
            reply = reply or bytes.fromhex(str(failure.params.get("noise", ""))) or None
            raise
        finally:
            if self._port.sent_at is not None:
                self._settle_doubt(unit, pdu, fence, answered=answered)
                self.frames.append(Exchange(step, at, frame, reply, error))

    def _settle_doubt(self, unit: int, pdu: ModbusPDU, fence: Fence, *, answered: bool) -> None:
        doubts, sent_at = self._port.doubts, self._port.sent_at
        assert sent_at is not None
        if answered:
            doubts.answered(unit)
            return
        reads = pdu.function_code == ReadHoldingRegistersRequest.function_code
        alike = reads and pdu.count == fence.count
        doubts.lost(unit, sent_at=sent_at, reads=reads, fence_length=alike)
