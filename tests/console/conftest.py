"""A console on a small site: believable rows, a clock that stands still, no engine but by hand."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import argon2
import pytest

from console import app as app_module
from console import live, work
from console.app import ConsoleApp
from engine import clock as clock_module
from engine import i18n, security
from engine.config import Config, MoneySection, SiteSection
from engine.domain.counted import PurchaseState, Step
from engine.domain.measurement import MeterReading, MeterSettings
from engine.services import commands, operators, readings
from engine.services.initials import initials
from models import base, store
from models.accounts import Account, Installation
from models.commands import Command, Lease
from models.enums import CommandState, LinkKind, Role
from models.people import Operator
from models.site import Building, Gateway, Line, Meter

MORNING = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)  # 09:00 at the site
EPOCH = 7
FOREVER_BOOT_MS = 10**12
ZONE = dt.timezone(dt.timedelta(hours=8))
ARREARS, ALARM1, ALARM2 = 1 << 5, 1 << 6, 1 << 7
RELAY, PREPAY = 1 << 13, 1 << 3
NOT_OPENED, LOST = 9, 4
STATUS = {1: RELAY | ALARM1, 2: RELAY | ALARM2, 3: ARREARS}
TENANTS = ("张三丰茶馆", "李记面馆", "Ocean Coffee", "王府井大药房连锁有限公司", "陈氏眼镜")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often, but not so often that Pilot never finds the process idle."""
    monkeypatch.setattr(live, "PERIOD_S", 0.1)
    monkeypatch.setattr(app_module, "PERIOD_S", 0.1)
    monkeypatch.setattr(work, "FOLLOW_S", 0.1)
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.004)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 0.0004)
    for name in ("NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    before = i18n.current()
    yield
    i18n.use(before)


@pytest.fixture(scope="session")
def model_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, copied for every test: an operator and thirty meters, one in each state."""
    site = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.clock.now", lambda: MORNING)
        hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(security, "HASHER", hasher)
        security.create_chain_key(site)
        store.create(site)
        with store.opened(site):
            operators.create("李娜", "correct horse", Role.CASHIER, at=MORNING)
            _hold_site()
            _make_meters()
    return site


def _hold_site() -> None:
    with base.write_transaction():
        Lease.create(
            resource="site", holder="here", epoch=EPOCH, expires_boot_ms=FOREVER_BOOT_MS,
            host="h", boot_id=clock_module.boot_id(), pid=1, since=MORNING,
        )  # fmt: skip
    readings.own(EPOCH)


def _make_meters() -> None:
    with base.write_transaction():
        building = Building.create(code="A", name="A 座")
        gateway = Gateway.create(name="W1", building=building, location="1F")
        line = Line.create(
            name="L01", gateway=gateway, link=LinkKind.RTU_TCP, host="10.0.0.5", port=4001
        )
        for number in range(30):
            meter = Meter.create(
                serial=f"2026{number:08d}", model="DDSY1352-NK", line=line, address=number + 1,
                building=building, shop=f"A-{100 + number}", floor="1F",
            )  # fmt: skip
            if number != NOT_OPENED:
                name = TENANTS[number] if number < len(TENANTS) else f"租户{number:02d}"
                account = Account.create(
                    number=f"T{number:04d}", name=name, initials=initials(name), opened_at=MORNING
                )
                Installation.create(meter=meter, account=account, opened_at=MORNING)
    for number, meter in enumerate(Meter.select()):
        if number == LOST:
            for _ in range(3):
                readings.fail(meter.id, MORNING, EPOCH)
        else:
            say(meter, at=MORNING, status=STATUS.get(number, RELAY),
                balance_fen=2340 - number * 100, power_w=100 * number)  # fmt: skip


def say(
    meter: Meter, *, at: dt.datetime, balance_fen: int = 2340, energy_wh: int = 500_000,
    status: int = RELAY, count: int = 4, power_w: int = 1500,
) -> None:  # fmt: skip
    """Store what a meter says."""
    reading = MeterReading(
        energy_wh=energy_wh, energy_by_rate_wh=(0, 0, energy_wh, 0), voltage_mv=(229_500,),
        current_ma=(6_520,), power_factor_pm=(990,), power_w=power_w, balance_fen=balance_fen,
        purchase_count=count, status1=status, status2=PREPAY,
    )  # fmt: skip
    readings.store(meter, reading, at=at, slot_s=1800, raw_frame=b"", epoch=EPOCH, zone=ZONE)


@pytest.fixture
def site_dir(model_site: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_site, tmp_path / "site"))


@pytest.fixture
def operator(db: Path, clock) -> Operator:
    """A cashier, 李娜, whose password is `correct horse`."""
    return Operator.get()


@pytest.fixture
def meters(db: Path, clock) -> list[Meter]:
    return list(Meter.select())


@pytest.fixture
def poll(clock) -> Callable[..., None]:
    """Store what a meter says now."""
    return lambda meter, **said: say(meter, at=clock.at, **said)


@pytest.fixture
def set_prices(clock) -> Callable[[Meter], None]:
    def one(meter: Meter) -> None:
        prices = tuple(Decimal(price) for price in ("1.2", "1.0", "0.5", "0.4"))
        read = MeterSettings(True, prices, 2000, 500, 0, 4, 2340)
        readings.store_settings(meter.id, read, at=clock.at, epoch=EPOCH)

    return one


@pytest.fixture
def make_app(db, operator) -> Callable[..., ConsoleApp]:
    def make(language: str = "zh_CN", **options: object) -> ConsoleApp:
        config = Config(
            site=SiteSection(name="示范商场"),
            money=options.pop("money", MoneySection()),
        )
        return ConsoleApp(db, config, language=language, **options)

    return make


@pytest.fixture
def carry() -> Callable[..., Command]:
    """Do what an engine does with the sale that is queued: mark it sent, settle it."""

    def one(step: Step | None = Step.CONFIRM, reason: str | None = None) -> Command:
        command = Command.get(Command.state == CommandState.QUEUED)
        before = PurchaseState(count=4, balance_fen=2340, energy_wh=500_000)
        sent = commands.mark_sent(command.id, before, EPOCH, "this boot", 1)
        if step is None:
            return sent
        after = None
        if step is Step.CONFIRM:
            after = PurchaseState(5, before.balance_fen + command.amount_fen, 500_000)
        return commands.settle(command.id, step, after, reason, EPOCH, zone=ZONE)

    return one
