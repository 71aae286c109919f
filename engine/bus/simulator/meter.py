"""A prepaid meter as a state and the passing of time: energy, deduction, alarms, relay."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from engine.bus.simulator import load_control, tou
from engine.bus.simulator.load_control import Overload, PhaseLoad
from engine.bus.simulator.time_control import PhaseTimes, next_change
from engine.bus.simulator.trades import Load, noise
from engine.bus.simulator.wall_clock import WallClock

MS_A_MINUTE = 60_000
MINUTES_A_DAY = 1440
WMS_A_WH = 3_600_000  # watt-milliseconds
OWED_A_FEN = 360_000_000_000  # watt-milliseconds times price (0.0001 yuan/kWh)
CLOSE_MS_MAX = 3_000  # a relay closes 0 to 3 s after the money came (reference Q13)
DEFAULT_KEY = "616372656C333231"


@dataclass(frozen=True, slots=True)
class Nameplate:
    """What does not change while a meter hangs there."""

    serial: str
    address: int
    model: str
    model_code: int
    phases: int
    load: Load
    seed: int


@dataclass(slots=True)
class SimMeter:
    """One meter's memory. Every change goes through `advance(now)` first: the past is settled."""

    plate: Nameplate
    at_ms: int  # simulated Unix time it has been brought to
    number: str  # 表号
    energy_wms: int = 0
    rate_wms: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    base_energy_wh: int = 0
    balance_fen: int = 0
    owed: int = 0  # consumed and not yet a whole fen
    count: int = 0
    purchases: list[tuple[int, int]] = field(default_factory=list)  # (count, amount_fen) accepted
    checked: bool = True  # refuses a purchase count that is not stored + 1
    money_control: bool = False
    prices: list[int] = field(default_factory=lambda: [12000, 10000, 7000, 4000])
    alarm1_fen: int = 2000
    alarm2_fen: int = 500
    overdraft_fen: int = 0
    force_active: bool = False
    force_trip: bool = False
    relay_closed: bool = True
    close_at_ms: int | None = None
    run_state: int = 0x41  # multi-rate, DDSY
    key: str = DEFAULT_KEY
    pt_ratio: int = 1
    ct_ratio: int = 1
    overload: Overload = field(default_factory=Overload)
    times: list[PhaseTimes] = field(default_factory=lambda: [PhaseTimes()])
    time_cut: bool = False  # time control (时控) lets the relay not be closed
    clock: WallClock = field(default_factory=WallClock)
    schedule: tou.Schedule = tou.DEFAULT  # daily schedule 1
    schedule2: tou.Schedule = tou.DEFAULT
    zones: tou.Zones = tou.DEFAULT_ZONES
    unnamed_0418: int = 0
    demand_w: int = 0
    demand_minute: int = 0  # its wall clock, minutes since 1970
    load_w: int | None = None  # draws this instead of what its shop would

    def __post_init__(self) -> None:
        """As many phases as the meter has, each as the first."""
        while len(self.overload.phases) < self.plate.phases:
            self.overload.phases.append(PhaseLoad(**asdict(self.overload.phases[0])))
        while len(self.times) < self.plate.phases:
            self.times.append(PhaseTimes(**asdict(self.times[0])))

    @property
    def energy_wh(self) -> int:
        return self.energy_wms // WMS_A_WH

    @energy_wh.setter
    def energy_wh(self, value: int) -> None:
        self.energy_wms = value * WMS_A_WH

    @property
    def rate_wh(self) -> list[int]:
        return [each // WMS_A_WH for each in self.rate_wms]

    @property
    def local_minute(self) -> int:
        return self.clock.local_ms(self.at_ms) // MS_A_MINUTE

    @property
    def schedule_today(self) -> tou.Schedule:
        """The schedule in force on its own clock's date; with one rate it changes nothing."""
        number = tou.in_force(self.zones, self.local_minute // MINUTES_A_DAY)
        return self.schedule if number == 1 else self.schedule2

    @property
    def demanded_w(self) -> int:
        """What the shop wants now, whether or not the relay lets it have it."""
        if self.load_w is not None:
            return self.load_w
        return self.plate.load.power_w(self.local_minute)

    @property
    def power_w(self) -> int:
        return self.demanded_w if self.relay_closed else 0

    @property
    def arrears(self) -> bool:
        return self.money_control and self.balance_fen <= -self.overdraft_fen

    @property
    def alarm1(self) -> bool:
        return self.money_control and self.balance_fen <= self.alarm1_fen

    @property
    def alarm2(self) -> bool:
        return self.money_control and self.balance_fen <= self.alarm2_fen

    @property
    def tripped(self) -> bool:
        return self.overload.recover_at_ms is not None

    @property
    def cipher_on(self) -> bool:
        return bool(self.run_state & 0x20)

    def advance(self, now_ms: int) -> None:
        """Live until `now_ms`: consume, deduct, trip and close as it would have."""
        self.decide()
        while self.at_ms < now_ms:
            self._live_until(min(now_ms, self._next_change_ms()))

    def _next_change_ms(self) -> int:
        """When a rate, a slot of time control or a day begins, or the relay is due."""
        minute = next_change(self.local_minute, self.schedule_today, self.times)
        change_ms = self.clock.when(minute * MS_A_MINUTE)
        for due_ms in (self.close_at_ms, self.overload.recover_at_ms):
            if due_ms is not None and self.at_ms < due_ms < change_ms:
                change_ms = due_ms
        return change_ms

    def _live_until(self, end_ms: int) -> None:
        """Up to `end_ms`, over which neither rate nor time control change, or less."""
        self._relay_due()
        self.at_ms = self._draw(end_ms) if self.relay_closed else end_ms
        self.decide()
        self._relay_due()

    def _draw(self, end_ms: int) -> int:
        """Consume up to `end_ms`, or to the instant of a trip or of the money's end: returned.

        A shop's load changes with the minute, one that is set does not.
        """
        rate = tou.FLAT
        if self.run_state & 1:
            rate = tou.by_minute(self.schedule_today)[self.local_minute % MINUTES_A_DAY]
        at_ms, minute, step_ms = self.at_ms, self.local_minute, end_ms
        while at_ms < end_ms:
            power_w = self.load_w
            if power_w is None:
                power_w = self.plate.load.power_w(minute)
                step_ms = min(end_ms, self.clock.when((minute + 1) * MS_A_MINUTE))
            if power_w:
                if self._trips_on(power_w, at_ms):
                    return at_ms
                until_ms = self._consume(power_w, rate, at_ms, step_ms)
                if power_w > self.demand_w:
                    self.demand_w, self.demand_minute = power_w, minute
                if until_ms < step_ms:
                    return until_ms
            at_ms, minute = step_ms, minute + 1
        return end_ms

    def _consume(self, power_w: int, rate: int, at_ms: int, end_ms: int) -> int:
        """Count and deduct `power_w` until `end_ms`, or until the money ends; which is returned."""
        cost = power_w * self.prices[rate]  # owed a millisecond
        if self.money_control and not self.force_active and cost:
            left = (self.balance_fen + self.overdraft_fen) * OWED_A_FEN - self.owed
            end_ms = min(end_ms, at_ms + max(0, -(-left // cost)))
        used = power_w * (end_ms - at_ms)
        self.energy_wms += used
        self.rate_wms[rate] += used
        if self.money_control:
            fen, self.owed = divmod(self.owed + used * self.prices[rate], OWED_A_FEN)
            self.balance_fen -= fen
        return end_ms

    @property
    def _may_close(self) -> bool:
        """Who decides, in this order: force, load control, money, time (reference section 7)."""
        if self.force_active:
            return not self.force_trip
        return not (self.tripped or self.arrears or self.time_cut)

    def decide(self) -> None:
        """Open the relay if it must be open; have it close soon if it may."""
        minute = self.local_minute
        was_cut, self.time_cut = self.time_cut, not all(each.lets(minute) for each in self.times)
        if not self._may_close:
            self.relay_closed, self.close_at_ms = False, None
        elif not self.relay_closed and self.close_at_ms is None:
            at_once = self.force_active or (was_cut and not self.time_cut)
            wait_ms = 0 if at_once else noise(self.plate.seed, self.at_ms) % (CLOSE_MS_MAX + 1)
            self.close_at_ms = self.at_ms + wait_ms
            self._relay_due()

    def _relay_due(self) -> None:
        recover_at_ms = None if self.overload.locked_out else self.overload.recover_at_ms
        if recover_at_ms is not None and recover_at_ms <= self.at_ms:
            self.overload.recover_at_ms = None
            self.decide()
        if self.close_at_ms is not None and self.close_at_ms <= self.at_ms:
            self.relay_closed, self.close_at_ms = True, None

    def _trips_on(self, power_w: int, at_ms: int) -> bool:
        if self.force_active or not self.overload.enabled:
            return False
        over = self.overload.over(power_w, self.pt_ratio * self.ct_ratio, self.plate.seed)
        if over is None:
            return False
        self.overload.trips += 1
        self.overload.recover_at_ms = at_ms + over.recovery_min * MS_A_MINUTE
        return True

    def purchase(self, amount_fen: int, count: int) -> bool:
        """Add credit and store the new count; a checked meter refuses any but the next count."""
        if self.checked and count != self.count + 1:
            return False
        self.balance_fen += amount_fen
        self.count = count
        self.purchases.append((count, amount_fen))
        self.decide()
        return True

    def memory(self) -> dict[str, Any]:
        """Everything but the nameplate, as JSON can hold it."""
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        del kept["plate"]
        kept["overload"] = asdict(self.overload)
        kept["times"] = [asdict(each) for each in self.times]
        kept["clock"] = asdict(self.clock)
        return kept

    def remember(self, kept: dict[str, Any]) -> None:
        """Take back what `memory()` gave, also after a way through JSON (tuples come as lists).

        What an older memory does not tell stays as it is.
        """
        kept = dict(kept)
        offset_ms = kept.pop("clock_offset_ms", self.clock.offset_ms)  # of an older memory
        self.clock = WallClock(**kept.pop("clock", {"offset_ms": offset_ms}))
        self.overload = load_control.remembered(kept.pop("overload"), self.plate.phases)
        self.times = [PhaseTimes(**each) for each in kept.pop("times", map(asdict, self.times))]
        self.purchases = [(count, amount_fen) for count, amount_fen in kept.pop("purchases")]
        for name in ("schedule", "schedule2", "zones"):
            setattr(self, name, tuple(map(tuple, kept.pop(name, getattr(self, name)))))
        for name, value in kept.items():
            setattr(self, name, value)
