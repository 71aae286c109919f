"""A site in a fresh directory, with a clock that stands still and one of everything."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import argon2
import pytest

from engine import security
from engine.services import operators
from models import base, store
from models.accounts import Account, Installation
from models.enums import LinkKind, Role
from models.people import Operator
from models.site import Building, Gateway, Line, Meter

MORNING = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)  # 09:00 at the site


class StandingClock:
    """Stands in for `engine.clock.now`: time passes only when a test says so."""

    def __init__(self) -> None:
        self.at = MORNING

    def __call__(self) -> dt.datetime:
        return self.at

    def advance(self, **duration: float) -> dt.datetime:
        self.at += dt.timedelta(**duration)
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StandingClock:
    standing = StandingClock()
    monkeypatch.setattr("engine.clock.now", standing)
    return standing


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2id, with the smallest parameters: the cost is not what tests are about."""
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(security, "HASHER", hasher)


@pytest.fixture(scope="session")
def new_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Databases and chain key of a new site, made once: tests get copies."""
    directory = tmp_path_factory.mktemp("new_site")
    security.create_chain_key(directory)
    store.create(directory)
    return directory


@pytest.fixture
def site_dir(new_site: Path, tmp_path: Path) -> Path:
    """The directory of a new site: databases and chain key, nothing in them."""
    directory = tmp_path / "site"
    shutil.copytree(new_site, directory)
    return directory


@pytest.fixture
def db(site_dir: Path) -> Iterator[Path]:
    """Both databases of a new site, open for the test's thread."""
    with store.opened(site_dir):
        yield site_dir


@pytest.fixture
def line(db: Path) -> Line:
    with base.write_transaction():
        building = Building.create(code="A", name="A 座")
        gateway = Gateway.create(name="W1", building=building)
        return Line.create(name="L01", gateway=gateway, link=LinkKind.RTU_TCP)


@pytest.fixture
def add_meter(line: Line, clock: StandingClock) -> Callable[..., Meter]:
    """Make a meter; `tenant` "" leaves it not opened (未开户)."""

    def add(serial: str = "202611230001", tenant: str = "张三丰茶馆", **fields: object) -> Meter:
        with base.write_transaction():
            meter = Meter.create(
                serial=serial,
                model="DDSY1352-NK",
                line=line,
                address=Meter.select().count() + 1,
                building=line.gateway.building,
                shop="A-101",
                **fields,
            )
            if tenant:
                account = Account.create(number=f"T{meter.id:04d}", name=tenant, opened_at=clock.at)
                Installation.create(meter=meter, account=account, opened_at=clock.at)
        return meter

    return add


@pytest.fixture
def meter(add_meter: Callable[..., Meter]) -> Meter:
    """A prepaid meter, opened for a tenant."""
    return add_meter()


@pytest.fixture
def operator(db: Path, clock: StandingClock) -> Operator:
    """A cashier, 李娜, whose password is `correct horse`."""
    return operators.create("李娜", "correct horse", Role.CASHIER, at=clock.at)
