"""A pretend meter alone on a bench: no sockets, its time moved by hand."""

from typing import Any

from engine.bus.registers import MeterMap, load_maps
from engine.bus.simulator.framing import sealed
from engine.bus.simulator.meter import Nameplate, SimMeter
from engine.bus.simulator.trades import Load, trade_of
from engine.bus.simulator.unit import Unit

MIDNIGHT_MS = 1_784_044_800_000  # Wednesday 2026-07-15 00:00 in China
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
MAPS = load_maps()
RESTAURANT = Load(trade_of("临江火锅"), 6000, 7)
MAIN = "01 03 02 00 00 30"


class LoneMeter:
    """Unit 1, opened, 1,000 yuan in it; draws what `load_w` says, None: what a restaurant does."""

    def __init__(
        self,
        model: str = "DDSY1352-NK",
        *,
        at_ms: int = MIDNIGHT_MS,
        meter_map: MeterMap | None = None,
        **memory: Any,
    ) -> None:
        meter_map = meter_map or MAPS[model]
        plate = Nameplate(
            serial="202106250001",
            address=1,
            model=model,
            model_code=min(meter_map.model_codes),
            phases=meter_map.phases,
            load=RESTAURANT,
            seed=99,
        )
        start = {"money_control": True, "balance_fen": 100_000, "count": 5, "load_w": 1000}
        self.meter = SimMeter(plate, at_ms=at_ms, number=plate.serial, **{**start, **memory})
        self.meter.decide()
        self.now_ms = at_ms
        self._unit = Unit(self.meter, meter_map, now_ms=lambda: self.now_ms)

    def live(self, ms: int) -> None:
        """Let so much time pass."""
        self.now_ms += ms
        self.meter.advance(self.now_ms)

    def live_until(self, at_ms: int) -> None:
        self.live(at_ms - self.now_ms)

    def ask(self, frame: str) -> bytes:
        """The reply to a frame in hex; one without a checksum gets it."""
        asked = bytes.fromhex(frame)
        body = asked[:-2] if sealed(asked[:-2]) == asked else asked
        return self._unit.answer(sealed(body))

    def read(self, register: int, count: int) -> bytes:
        """The data of a block."""
        frame = bytes((1, 3)) + register.to_bytes(2) + count.to_bytes(2)
        reply = self.ask(frame.hex())
        assert reply[1] == 3, reply.hex(" ")
        return reply[3:-2]

    def write(self, function: int, register: int, data: bytes | str) -> bytes:
        """The reply to a write of `data`."""
        data = bytes.fromhex(data) if isinstance(data, str) else data
        head = bytes((1, function)) + register.to_bytes(2) + (len(data) // 2).to_bytes(2)
        return self.ask((head + bytes([len(data)]) + data).hex())

    @property
    def status(self) -> tuple[int, int]:
        """Registers 0224 and 0225."""
        main = self.read(0x0200, 48)
        return int.from_bytes(main[72:74]), int.from_bytes(main[74:76])
