"""A new site: its directory with settings, keys and databases, made whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from engine import clock, config, security
from engine.domain.errors import SiteInUse
from engine.services import operators
from models import base, sqlite, store
from models.enums import Role
from models.sqlite import StoreError

EXAMPLE = Path(__file__).with_name("config.example.toml")
FOLDERS = ("exports", "backups", "log", "maps")
CONFIG = "config.toml"


def init_site(directory: Path, admin: str, password: str) -> None:
    """Make `directory` (absent or empty) a site whose first operator, an administrator, is `admin`.

    It is built beside and renamed into place, so a failure leaves nothing behind. Raises
    SiteInUse, BadName, WeakPassword, and StoreError where the place cannot hold a site.
    """
    directory = directory.absolute()
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise SiteInUse(path=str(directory))
        directory.parent.mkdir(parents=True, exist_ok=True)
        sqlite.refuse_network_file_system(directory.parent)
        new = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError as error:
        raise StoreError("cannot_write", path=str(directory), why=error.strerror) from error
    try:
        _fill(new, admin, password)
        new.rename(directory)
    except OSError as error:
        raise StoreError("cannot_write", path=str(directory), why=error.strerror) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)  # it is not there any more where all went well
    base.bind(directory)


def _fill(new: Path, admin: str, password: str) -> None:
    for name in FOLDERS:
        (new / name).mkdir()
    security.create_chain_key(new)
    (new / CONFIG).write_bytes(EXAMPLE.read_bytes())
    store.create(new)
    with store.opened(new):
        operators.create(admin, password, Role.ADMINISTRATOR, at=clock.now())
    new.chmod(0o750)
    descriptor = os.open(new, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_config(site: Path) -> config.Config:
    """The settings of `site`. Raises ConfigError."""
    return config.load(site / CONFIG)
