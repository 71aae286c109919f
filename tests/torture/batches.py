"""A batch over two meters whose engine is killed: what it did, what is left, what was proved."""

import datetime as dt
from pathlib import Path

from engine.config import Config
from engine.domain.measurement import MeterReading
from engine.domain.selection import Selection
from engine.services import batches
from models import base, store
from models.commands import Command
from models.control import Batch, BatchItem
from models.enums import BatchState, BatchVerb, CommandState, ItemState, Planned
from models.metering import Latest
from models.people import Operator
from models.site import Meter
from tests.torture.cashier import SERIALS
from tests.torture.harness import Meters, Trial

CONFIG = Config()
ENDED = (ItemState.APPLIED, ItemState.REFUSED, ItemState.UNKNOWN, ItemState.SKIPPED)


class BatchTrial(Trial):
    """Holds two meters, or lets them go: whichever the one before has left to be done."""

    def __init__(self, folder: Path, meters: Meters, verb: BatchVerb | None = None) -> None:
        super().__init__(folder, meters, "blind", "transfer")
        held = self.before["blind"]["force_active"]
        self.batch_verb = verb or (BatchVerb.RESUME if held else BatchVerb.HOLD)
        with store.opened(self.site), base.readings_transaction():
            for meter in Meter.select():
                self._remember(meter)

    def _remember(self, meter: Meter) -> None:
        """What the last sweep of an engine of yesterday said."""
        kind = next(kind for kind, serial in SERIALS.items() if serial == meter.serial)
        memory = self.before[kind]
        forced = 1 << 3 | 1 if memory["force_active"] else 0
        reading = MeterReading(
            energy_wh=0, balance_fen=memory["balance_fen"], purchase_count=memory["count"],
            voltage_mv=(230_000,), status1=1 << 13 | forced, status2=8,
        )  # fmt: skip
        now = dt.datetime.now(dt.UTC)
        Latest.create(meter_id=meter.id, rev=1, read_at=now, reading=reading.to_json())

    def ask(self) -> None:
        with store.opened(self.site):
            now = dt.datetime.now(dt.UTC)
            everything = Selection(everything=True)
            plan = batches.plan(self.batch_verb, everything, {}, config=CONFIG, now=now)
            number = len(plan.change)
            batches.start(plan, number, "过夜", Operator.get(), "b1", config=CONFIG)

    def go_on(self) -> bool:
        """As the operator who finds it paused; False where it is not."""
        with store.opened(self.site):
            batch = Batch.get()
            if batch.state is not BatchState.PAUSED:
                return False
            assert batch.stopped == "restarted"
            left = BatchItem.select().where(BatchItem.state == ItemState.WAITING).count()
            batches.resume(batch.id, left, Operator.get(), config=CONFIG)
            return True

    def settled(self) -> bool:
        with store.opened(self.site):
            under_way = any(command.state.open for command in Command.select())
            return not under_way and Batch.get().state is not BatchState.RUNNING

    def prove_batch(self) -> list[ItemState]:
        """Each item has ended, once, and the meters are as their items say."""
        with store.opened(self.site):
            assert Batch.get().state is BatchState.DONE
            items = list(BatchItem.select().where(BatchItem.planned == Planned.CHANGE))
            for item in items:
                self._prove_item(item)
            return [item.state for item in items]

    def _prove_item(self, item: BatchItem) -> None:
        assert item.state in ENDED
        ours = Command.request_id.startswith(f"batch-{item.batch.id}-{item.id}")
        commands = list(Command.select().where(ours, Command.serial == item.serial))
        living = [each for each in commands if each.state is not CommandState.VOIDED]
        assert len(living) <= 1, "a second command of one item"
        if self.batch_verb.switch:
            assert sum(each.writes for each in commands) <= 1, "a switch that was sent twice"
            kind = next(kind for kind, serial in SERIALS.items() if serial == item.serial)
            held = self.meters.memory(kind)["force_active"]
            wanted = self.batch_verb is BatchVerb.HOLD
            assert (held == wanted) == (item.state is ItemState.APPLIED)
