"""What two persons look at before they decide: values, frames, the books. Changes nothing."""

import dataclasses
import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from engine.domain.measurement import MeterReading, MeterSettings
from engine.domain.units import cost_fen_max
from engine.services import ledger, meters
from models.cases import Decision
from models.commands import Attempt, Command
from models.enums import AccountKind, EventKind
from models.ledger import DayFreeze
from models.metering import Latest, MeterEvent
from models.site import Meter

EVENTS_SHOWN = 10
TELLING = (EventKind.FOREIGN_PURCHASE, EventKind.SUSPENSE, EventKind.DRIFT, EventKind.OTHER_METER)


@dataclass(frozen=True, slots=True)
class Values:
    """What a meter said at one moment; None: it did not say."""

    count: int | None = None
    balance_fen: int | None = None
    energy_wh: int | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One exchange on the wire, in hex. No reply: None, and `error` says why."""

    at: dt.datetime
    step: str
    request: str
    reply: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Event:
    kind: EventKind
    at: dt.datetime
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A decision that was made before."""

    verdict: str | None
    why: str
    operator: str
    approver: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one command, or (`command` None) of a meter whose sales are stopped."""

    serial: str
    command: int | None
    before: Values  # before the first write
    after: Values  # at the last read-back that had an answer
    newest: Values  # the last accepted reading
    expected: Values  # what the meter shows if the command is in it, less what was used
    expected_count: int | None  # by the books
    meter_credit_fen: int
    difference_fen: int | None  # what the meter holds beyond what the books and its use explain
    in_flight_fen: int
    suspense_fen: int
    frames: tuple[Frame, ...]
    events: tuple[Event, ...]
    decisions: tuple[Told, ...]

    def as_json(self, zone: dt.tzinfo = dt.UTC) -> dict[str, object]:
        """Plain values only; instants are ISO 8601 in `zone`."""

        def plain(value: object) -> object:
            if isinstance(value, dt.datetime):
                return value.astimezone(zone).isoformat()
            if isinstance(value, dict):
                return {key: plain(each) for key, each in value.items()}
            if isinstance(value, list | tuple):
                return [plain(each) for each in value]
            return value

        shown = plain(dataclasses.asdict(self))
        assert isinstance(shown, dict)
        return shown


def of_command(command: Command) -> Evidence:
    """All that is known of `command` and its meter."""
    before = Values(
        command.base_count, command.base_balance_fen, command.base_energy_wh, command.sent_at
    )
    after = Values(
        command.after_count,
        command.after_balance_fen,
        command.after_energy_wh,
        command.finished_at if command.after_count is not None else None,
    )
    return _evidence(command.meter, command, before, after)


def of_meter(meter: Meter) -> Evidence:
    """All that is known of a meter whose sales are stopped."""
    return _evidence(meter, None, Values(), Values())


def text(evidence: Evidence) -> str:
    """As a Decision keeps it."""
    return json.dumps(evidence.as_json(), sort_keys=True, ensure_ascii=False)


def newest_of(meter: Meter) -> Values:
    """The last accepted reading; empty where the meter was never read."""
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    if latest is None or latest.reading is None:
        return Values()
    reading = MeterReading.from_json(latest.reading)
    return Values(reading.purchase_count, reading.balance_fen, reading.energy_wh, latest.read_at)


def difference_fen(meter: Meter) -> int | None:
    """What the meter holds beyond what the books and its use explain; None: never read.

    Use since the last freeze is no difference, but revenue to come. It lies between the energy at
    the lowest and at the highest price read back; where the drift lies in between too, it is the
    better word. Where the energy or the prices are not known all of it is difference.
    """
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    if latest is None or latest.reading is None:
        return None
    reading = MeterReading.from_json(latest.reading)
    if reading.balance_fen is None:
        return None
    whole_fen = reading.balance_fen - ledger.balance_at(AccountKind.METER_CREDIT, meter.serial)
    least_fen, most_fen = _use_fen(meter, reading, latest)
    return unexplained_fen(whole_fen, least_fen, most_fen, latest.drift_fen)


def unexplained_fen(whole_fen: int, least_fen: int, most_fen: int, drift_fen: int | None) -> int:
    """Of a difference, what use between `least_fen` and `most_fen` leaves over, near to 0."""
    low, high = whole_fen + least_fen, whole_fen + most_fen
    if drift_fen is not None and low <= drift_fen <= high:
        return drift_fen
    if low <= 0 <= high:
        return 0
    return low if low > 0 else high


def _use_fen(meter: Meter, reading: MeterReading, latest: Latest) -> tuple[int, int]:
    """What the energy since the last freeze, or since the tenant came, can have cost."""
    installation = meters.installation_of(meter)
    if installation is None or latest.settings is None:
        return 0, 0
    freeze = (
        DayFreeze.select(DayFreeze.energy_wh)
        .where(DayFreeze.installation == installation)
        .order_by(DayFreeze.id.desc())
        .first()
    )
    since_wh = freeze.energy_wh if freeze else installation.first_energy_wh
    if since_wh is None:
        return 0, 0
    used_wh = max(0, reading.energy_wh - since_wh)
    settings = MeterSettings.from_json(latest.settings)
    most_fen = cost_fen_max(used_wh + reading.energy_step_wh, settings.price_max) + 1
    return int(used_wh * min(settings.prices) / 10), most_fen


def _evidence(meter: Meter, command: Command | None, before: Values, after: Values) -> Evidence:
    return Evidence(
        serial=meter.serial,
        command=command.id if command else None,
        before=before,
        after=after,
        newest=newest_of(meter),
        expected=_expected(command),
        expected_count=meter.mirror_count,
        meter_credit_fen=ledger.balance_at(AccountKind.METER_CREDIT, meter.serial),
        difference_fen=difference_fen(meter),
        in_flight_fen=ledger.balance_at(AccountKind.IN_FLIGHT, meter.serial),
        suspense_fen=ledger.balance_at(AccountKind.SUSPENSE, meter.serial),
        frames=_frames(command),
        events=_events(meter),
        decisions=_decisions(meter, command),
    )


def _expected(command: Command | None) -> Values:
    if command is None or command.base_balance_fen is None:
        return Values()
    if command.kind.raises:
        return Values(command.seq, command.base_balance_fen + command.amount_fen)
    return Values(command.base_count, command.target_fen)


def _frames(command: Command | None) -> tuple[Frame, ...]:
    if command is None:
        return ()
    rows = Attempt.select().where(Attempt.command == command).order_by(Attempt.id)
    return tuple(
        Frame(
            row.at,
            row.step,
            bytes(row.request).hex(),
            None if row.reply is None else bytes(row.reply).hex(),
            row.error,
        )
        for row in rows
    )


def _events(meter: Meter) -> tuple[Event, ...]:
    rows = (
        MeterEvent.select()
        .where(MeterEvent.meter_id == meter.id, MeterEvent.kind.in_(TELLING))
        .order_by(MeterEvent.id.desc())
        .limit(EVENTS_SHOWN)
    )
    return tuple(Event(row.kind, row.at, json.loads(row.detail)) for row in rows)


def _decisions(meter: Meter, command: Command | None) -> tuple[Told, ...]:
    chosen = Decision.command == command if command else Decision.meter == meter
    rows = Decision.select().where(chosen).order_by(Decision.id)
    return tuple(
        Told(row.verdict, row.why, row.operator.name, row.approver.name, row.at) for row in rows
    )
