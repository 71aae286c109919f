"""A prepaid meter as a state and the passing of time: energy, deduction, alarms, relay."""

from dataclasses import dataclass, field, fields
from typing import Any

from engine.bus.simulator import tou
from engine.bus.simulator.trades import Load, noise

MS_A_MINUTE = 60_000
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
class Overload:
    """Load control (负控) of the whole meter."""

    enabled: bool = False
    limit_w: int = 0
    recovery_min: int = 5
    trips: int = 0
    trips_max: int = 10
    recover_at_ms: int | None = None  # tripped until then; with no trips left, until reset

    @property
    def locked_out(self) -> bool:
        return self.trips >= self.trips_max > 0


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
    clock_offset_ms: int = 8 * 3_600_000  # its wall clock less Unix time
    schedule: tou.Schedule = tou.DEFAULT
    demand_w: int = 0
    demand_minute: int = 0  # its wall clock, minutes since 1970
    load_w: int | None = None  # draws this instead of what its shop would

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
        return (self.at_ms + self.clock_offset_ms) // MS_A_MINUTE

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
    def limit_w(self) -> int:
        """Load control knows nothing of ratios: what it is set to is secondary (inferred)."""
        return self.overload.limit_w * self.pt_ratio * self.ct_ratio

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
        """The load and the rate change with the minute, the relay when it is due."""
        local_ms = self.at_ms + self.clock_offset_ms
        change_ms = self.at_ms + MS_A_MINUTE - local_ms % MS_A_MINUTE
        due = [at for at in (self.close_at_ms, self.overload.recover_at_ms) if at is not None]
        return min([change_ms, *(at for at in due if at > self.at_ms)])

    def _live_until(self, end_ms: int) -> None:
        self._relay_due()
        power_w = self.power_w
        if power_w and self._trips_on(power_w):
            power_w = 0
        if power_w:
            end_ms = self._consume(power_w, end_ms)
        self.at_ms = end_ms
        self._relay_due()

    def _consume(self, power_w: int, end_ms: int) -> int:
        """Draw `power_w` up to `end_ms`, or up to the instant the money ends; which is returned."""
        minute = self.local_minute
        rate = tou.by_minute(self.schedule)[minute % 1440] if self.run_state & 1 else tou.FLAT
        cost = power_w * self.prices[rate]  # owed a millisecond
        if self.money_control and not self.force_active and cost:
            left = (self.balance_fen + self.overdraft_fen) * OWED_A_FEN - self.owed
            end_ms = min(end_ms, self.at_ms + max(0, -(-left // cost)))
        used = power_w * (end_ms - self.at_ms)
        self.energy_wms += used
        self.rate_wms[rate] += used
        if self.money_control:
            fen, self.owed = divmod(self.owed + used * self.prices[rate], OWED_A_FEN)
            self.balance_fen -= fen
        if power_w > self.demand_w:
            self.demand_w, self.demand_minute = power_w, minute
        self.decide_at(end_ms)
        return end_ms

    @property
    def _may_close(self) -> bool:
        """Who decides, in this order: force, load control, money (reference section 7)."""
        if self.force_active:
            return not self.force_trip
        return not self.tripped and not self.arrears

    def decide_at(self, at_ms: int) -> None:
        """Open the relay if it must be open; have it close soon if it may."""
        if not self._may_close:
            self.relay_closed, self.close_at_ms = False, None
        elif not self.relay_closed and self.close_at_ms is None:
            wait_ms = noise(self.plate.seed, at_ms) % (CLOSE_MS_MAX + 1)
            self.close_at_ms = at_ms if self.force_active else at_ms + wait_ms
            self._relay_due()

    def decide(self) -> None:
        self.decide_at(self.at_ms)

    def _relay_due(self) -> None:
        recover_at_ms = None if self.overload.locked_out else self.overload.recover_at_ms
        if recover_at_ms is not None and recover_at_ms <= self.at_ms:
            self.overload.recover_at_ms = None
            self.decide()
        if self.close_at_ms is not None and self.close_at_ms <= self.at_ms:
            self.relay_closed, self.close_at_ms = True, None

    def _trips_on(self, power_w: int) -> bool:
        if not self.overload.enabled or power_w <= self.limit_w or self.force_active:
            return False
        self.overload.trips += 1
        self.overload.recover_at_ms = self.at_ms + self.overload.recovery_min * MS_A_MINUTE
        self.decide()
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
        kept["overload"] = {
            each.name: getattr(self.overload, each.name) for each in fields(Overload)
        }
        return kept

    def remember(self, kept: dict[str, Any]) -> None:
        """Take back what `memory()` gave, also after a way through JSON (tuples come as lists)."""
        for name, value in kept.items():
            setattr(self, name, value)
        self.overload = Overload(**kept["overload"])
        self.purchases = [(count, amount_fen) for count, amount_fen in kept["purchases"]]
        self.schedule = tuple((rate, start) for rate, start in kept["schedule"])
