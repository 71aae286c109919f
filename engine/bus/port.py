"""One connection of a line: a frame out, its reply in, and everything else counted and left."""

import asyncio
from dataclasses import dataclass

from pymodbus.pdu import ModbusPDU

from engine import clock
from engine.bus import frames
from engine.bus.doubts import Doubts
from engine.bus.errors import BusError, Busy, LineDown, NoReply, Refused
from engine.bus.health import LineCounters, ReplyTimes
from engine.bus.private import Decoder
from engine.bus.transport import LineSettings, Wire

ACKNOWLEDGE, BUSY = 5, 6
GATEWAY_SILENCE = (10, 11)  # a gateway's way of saying that the meter did not answer
HUNG_S, HUNG_REQUESTS = 20.0, 5  # so long, and so often asked, without a single byte: hung


@dataclass(frozen=True, slots=True)
class _Sent:
    wanted: frames.Expected
    at: float
    deadline: float
    write: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a line whatever becomes of its connections."""

    doubts: Doubts
    health: LineCounters
    times: ReplyTimes


class Port:
    """Sends and listens on one connection; turns come and go on it."""

    def __init__(self, settings: LineSettings, wire: Wire, memory: Memory) -> None:
        self.settings = settings
        self.wire = wire
        self.memory = memory
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
            self.memory.health.wire_s += self.wire.loop.time() - sent.at
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
        self.memory.health.requests += 1
        if not self._unheard:
            self._unheard_since = now
        self._unheard += 1
        return sent

    def _timeout_s(self, frame: bytes, wanted: frames.Expected, *, write: bool) -> float:
        timing = self.settings.timing
        if write:
            return timing.write_timeout_s
        return timing.timeout_s(len(frame), wanted.size_max, slowest_s=self.memory.times.slowest_s)

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
        self.memory.health.last_good_at = clock.now()
        if took_s is not None:
            self.memory.times.add(took_s)
        self._count(self.wire.take(found.before))
        self.wire.take(len(found.frame))

    def _nothing(self, sent: _Sent) -> BusError:
        """The time-out: what did come instead is counted, and words of a gateway are believed."""
        self.memory.health.timeouts += 1
        noise = self.wire.take()
        try:
            self._discard(noise)
        except LineDown as error:
            return error
        self._late = sent
        return NoReply(noise=noise)

    def _discard(self, stale: bytes) -> None:
        """Bytes nobody waits for. Raises LineDown where they are a gateway's words."""
        if text := frames.gateway_text(stale):
            self.wire.close("gateway_says", text)
            raise LineDown("gateway_says", text)
        self._count(stale)

    def _count(self, stale: bytes) -> None:
        if not stale:
            return
        self._unheard = 0
        late = self._late
        if late and not late.write and frames.find_reply(stale, late.wanted):
            self.memory.times.add(self.wire.heard_at - late.at)  # wait longer from now on
            self._late = None
        good, lost = frames.count_frames(stale)
        self.memory.health.foreign_frames += good
        self.memory.health.crc_errors += bool(lost)
