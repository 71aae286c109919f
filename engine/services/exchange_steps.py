"""What each step of a meter exchange (换表) does by itself, and what it waits for.

Every step is derived from the rows: what was begun by somebody else, or before a crash, is gone
on with. A command is asked for first and noted second, under ids that name exchange and step.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from engine import clock
from engine.config import Config
from engine.domain.errors import DomainError, NotExchangeable, NotTransferable
from engine.domain.measurement import MeterReading, MeterSettings
from engine.domain.units import cost_fen_max, kwh_text, yuan_text
from engine.services import (
    audit,
    commands,
    downloads,
    exchange_rows,
    ledger,
    meters,
    newest,
    transferring,
)
from engine.services.exchange_install import install
from engine.services.exchange_naming import Naming, name_new
from models.base import begins_with, write_transaction
from models.cases import Exchange
from models.commands import Command, Transfer
from models.enums import CommandState, ExchangeStep, TransferPurpose
from models.metering import Latest
from models.people import Operator
from models.site import Meter

FRESH = dt.timedelta(minutes=5)  # an older reading does not say what the meter holds now
FAILED = (CommandState.REFUSED, CommandState.VOIDED)
EXPIRED = "expired"  # of a read that no engine was there for: asked again by itself
NO_CREDIT = ("nothing_left",)  # why a first leg was refused: look again what the meter holds
UNPROVABLE = ("too_little",)  # a few fen that no read-back can tell from use: rounded


@dataclass(frozen=True)
class Waits:
    """What must happen before the exchange goes on. Text: `exchange.waits.<code>`."""

    code: str
    params: dict[str, str] = field(default_factory=dict)
    error: DomainError | None = None  # of `rule`: what the rules say against it now

    @property
    def for_engine(self) -> bool:
        """By itself, as soon as an engine and the line allow it."""
        return self.code in ("command", "unknown")


@dataclass(frozen=True)
class Progress:
    exchange: Exchange
    waits: Waits


class Run:
    """One go at an exchange: step after step, until one of them has to wait."""

    def __init__(self, exchange_id: int, by: Operator, config: Config, *, again: bool) -> None:
        self.exchange = exchange_rows.get(exchange_id)
        self._by = by
        self._config = config
        self._again = again
        self._steps: dict[ExchangeStep, Callable[[], Waits | None]] = {
            ExchangeStep.FINAL_READ: self._final_read,
            ExchangeStep.CLEAR_OLD: self._clear_old,
            ExchangeStep.IDENTITY: self._identity,
            ExchangeStep.TRANSFER: self._transfer,
            ExchangeStep.DOWNLOAD: self._download,
            ExchangeStep.READ_BACK: self._read_back,
            ExchangeStep.DONE: lambda: Waits("done"),
            ExchangeStep.CANCELLED: lambda: Waits("cancelled"),
        }

    def go(self) -> Progress:
        while (waits := self._steps[self.exchange.step]()) is None:
            self.exchange = exchange_rows.get(self.exchange.id)
        return Progress(exchange_rows.get(self.exchange.id), waits)

    # -- the steps: None when there is more to do at once

    def _final_read(self) -> Waits | None:
        command = self._current("final", self._ask_read(self.exchange.old))
        if waits := _waiting_for(command):
            return waits
        if _is_stale(command):
            return self._note(command=None)
        reading = _newest(self.exchange.old)
        return self._note(
            step=ExchangeStep.CLEAR_OLD,
            final_energy_wh=reading.energy_wh,
            final_balance_fen=reading.balance_fen or 0,
            final_at=command.finished_at,
            command=None,
        )

    def _clear_old(self) -> Waits | None:
        exchange = self.exchange
        balance_fen = exchange.final_balance_fen or 0
        if exchange.transfer is None:
            if balance_fen < 0:
                return Waits("arrears", {"balance": yuan_text(balance_fen)})
            if balance_fen == 0:
                return self._note(step=ExchangeStep.IDENTITY, command=None)
            return self._begin_transfer()
        leg = exchange.command
        assert leg is not None, exchange.id
        if leg.state is CommandState.APPLIED:
            return self._note(
                step=ExchangeStep.IDENTITY,
                final_energy_wh=_last_wh(leg),
                final_balance_fen=leg.base_balance_fen,
                final_at=leg.finished_at,
                command=None,
            )
        if leg.state in FAILED and leg.reason in UNPROVABLE:
            return self._note(step=ExchangeStep.IDENTITY, transfer=None, command=None)
        if leg.state in FAILED and (self._takes_again() or leg.reason in NO_CREDIT):
            return self._note(step=ExchangeStep.FINAL_READ, transfer=None, command=None)
        return _waiting_for(leg)

    def _begin_transfer(self) -> Waits | None:
        """The first leg, whole: what the old meter holds when the engine has it in hand."""
        exchange = self.exchange
        name = f"exchange:{exchange.id}:out:"
        before = list(Transfer.select().where(begins_with(Transfer.request_id, name)))
        begun = next((each for each in before if each.finished_at is None), None)
        try:
            transfer = begun or transferring.begin(
                exchange.old.serial,
                None,
                None,
                exchange.why,
                self._by,
                f"{name}{len(before)}",
                money=self._config.money,
                purpose=TransferPurpose.EXCHANGE,
            )
        except NotTransferable:  # used up meanwhile
            return self._note(step=ExchangeStep.FINAL_READ, command=None)
        leg = transferring.legs_of(transfer)[0]
        return self._note(transfer=transfer, command=leg)

    def _identity(self) -> Waits | None:
        exchange = self.exchange
        if exchange.new is None:
            return self._name_planned() if exchange.plan else Waits("new_meter")
        command = self._current("identity", self._ask_read(exchange.new))
        if command.state in FAILED and command.reason == "other_meter":
            return Waits("other_meter", {"serial": exchange.new.serial, **_seen(exchange.new)})
        if waits := _waiting_for(command):
            return waits
        if _is_stale(command):
            return self._note(command=None)
        reading = _newest(exchange.new)
        if reading.balance_fen is None or reading.purchase_count is None:
            return Waits("no_purchase", {"serial": exchange.new.serial})
        if meters.installation_of(exchange.new) is not None:  # by an import, meanwhile
            error = NotExchangeable(serial=exchange.new.serial, why="in_use")
            return Waits("rule", error=error)
        with write_transaction():
            install(exchange, reading, self._by, self._config.site.zone)
        return None

    def _name_planned(self) -> Waits | None:
        """The meter that was said at the beginning, if it still may be."""
        try:
            name_new(self.exchange.id, Naming.from_json(self.exchange.plan), self._by)
        except NotExchangeable as error:
            return Waits("rule", error=error)
        return None

    def _transfer(self) -> Waits | None:
        """The second leg; finished when clearing is empty."""
        exchange = self.exchange
        transfer, new = exchange.transfer, exchange.new
        assert new is not None, exchange.id
        leg = transferring.second_of(transfer) if transfer else None
        if transfer is None or Transfer.get_by_id(transfer.id).finished_at is not None:
            return self._note(step=ExchangeStep.DOWNLOAD, command=None)
        if leg is not None and not (leg.state in FAILED and self._takes_again()):
            if exchange.command != leg:
                self._note(command=leg)
            return _waiting_for(leg) or Waits("unfinished", {"transfer": str(transfer.id)})
        try:
            transferring.aim(transfer.id, new.serial, self._by, money=self._config.money)
        except DomainError as error:  # frozen, say, or somebody's sale is under way to it
            return Waits("rule", error=error)
        return None

    def _download(self) -> Waits | None:
        new = self.exchange.new
        assert new is not None, self.exchange.id

        def ask(request_id: str) -> Command:
            with write_transaction():
                return downloads.request_within(
                    new.serial, self._by, request_id, config=self._config
                )

        command = self._current("download", ask)
        return _waiting_for(command) or self._note(step=ExchangeStep.READ_BACK, command=None)

    def _read_back(self) -> Waits | None:
        exchange = self.exchange
        assert exchange.new is not None, exchange.id
        command = self._current("read_back", self._ask_read(exchange.new))
        if waits := _waiting_for(command):
            return waits
        if disagreement := _disagreement(exchange):
            return (
                None if self._takes_again() and self._note(command=None) is None else disagreement
            )
        with write_transaction():
            if exchange_rows.change(
                exchange, step=ExchangeStep.DONE, finished_at=clock.now(), command=None
            ):
                detail = {"exchange": exchange.id, "new": exchange.new.serial}
                audit.write(self._by.name, "exchange_done", exchange.old.serial, detail)
        return None

    # -- what they share

    def _note(self, **values: object) -> Waits | None:
        """Write down how far it is; nothing to wait for, so far."""
        with write_transaction():
            exchange_rows.change(self.exchange, **values)
        self.exchange = exchange_rows.get(self.exchange.id)
        return None

    def _takes_again(self) -> bool:
        """Once a go: what was refused is asked for anew."""
        asked, self._again = self._again, False
        return asked

    def _current(self, name: str, ask: Callable[[str], Command]) -> Command:
        """The command of this step: asked for when first needed, anew where told `again`."""
        command = self.exchange.command
        failed = command is not None and command.state in FAILED
        if command is None or (failed and (command.reason == EXPIRED or self._takes_again())):
            begun = f"exchange:{self.exchange.id}:{name}:"
            number = Command.select().where(begins_with(Command.request_id, begun)).count()
            command = ask(f"{begun}{number}")
            self._note(command=command)
        return command

    def _ask_read(self, meter: Meter) -> Callable[[str], Command]:
        return lambda request_id: commands.request_read(meter.serial, request_id, self._by)


def _waiting_for(command: Command) -> Waits | None:
    """None where it is done."""
    params = {"command": str(command.id), "serial": command.serial}
    match command.state:
        case CommandState.APPLIED:
            return None
        case CommandState.UNKNOWN | CommandState.SUSPENSE:
            return Waits(command.state.value, params)
        case CommandState.QUEUED | CommandState.SENT:
            return Waits("command", params)
    return Waits("refused", {**params, "why": command.reason or ""})


def _last_wh(leg: Command) -> int | None:
    """The old meter's total when it was emptied; where two persons decided that, the one before."""
    return leg.base_energy_wh if leg.after_energy_wh is None else leg.after_energy_wh


def _is_stale(command: Command) -> bool:
    assert command.finished_at is not None, command.id
    return bool(clock.now() - command.finished_at > FRESH)


def _newest(meter: Meter) -> MeterReading:
    reading = newest.reading_in(Latest.get(Latest.meter_id == meter.id))
    assert reading is not None, "a read that was carried out is stored"
    return reading


def _seen(meter: Meter) -> dict[str, str]:
    latest = Latest.get_or_none(Latest.meter_id == meter.id)
    return {"found": (latest.seen_serial if latest else None) or "?"}


def _disagreement(exchange: Exchange) -> Waits | None:
    """Does the new meter hold what the books say, less what was used since it was put in?"""
    new = exchange.new
    assert new is not None, exchange.id
    latest = Latest.get(Latest.meter_id == new.id)
    reading = _newest(new)
    books_fen = ledger.balance_of(ledger.meter_credit(new.serial))
    used_wh = max(0, reading.energy_wh - (exchange.first_energy_wh or 0))
    settings = MeterSettings.from_json(latest.settings) if latest.settings else None
    step_wh = reading.energy_step_wh
    slack_fen = cost_fen_max(used_wh + step_wh, settings.price_max) + 1 if settings else 1
    balance_fen = reading.balance_fen or 0
    count = Meter.get_by_id(new.id).mirror_count
    if reading.purchase_count == count and books_fen - slack_fen <= balance_fen <= books_fen:
        return None
    return Waits(
        "disagrees",
        {
            "serial": new.serial,
            "balance": yuan_text(balance_fen),
            "books": yuan_text(books_fen),
            "energy": kwh_text(reading.energy_wh),
        },
    )
