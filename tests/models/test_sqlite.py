"""Which SQLite is trusted with money, and where its files may lie."""

import io
from pathlib import Path

import pytest

from models import sqlite
from models.sqlite import StoreError


@pytest.mark.parametrize(
    ("version", "fixed"),
    [
        ((3, 40, 1), False),  # the WAL-reset corruption: 3.7.0 to 3.51.2
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 9), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_only_versions_free_of_the_wal_corruption_are_fixed(version, fixed):
    assert sqlite.is_fixed(version) is fixed


def test_the_library_in_use_is_fixed():
    assert sqlite.is_fixed(sqlite.library_version())


def test_a_library_that_corrupts_is_refused_before_a_file_is_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "library_version", lambda: (3, 40, 1))

    with pytest.raises(StoreError) as caught:
        sqlite.make_database(tmp_path / "core.db", synchronous="full")

    assert (caught.value.code, caught.value.params) == ("sqlite_too_old", {"found": "3.40.1"})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def mounts(monkeypatch):
    """Pretend that this is /proc/mounts."""

    def pretend(text: str) -> None:
        monkeypatch.setattr(Path, "read_text", lambda *_, **__: io.StringIO(text).read())

    return pretend


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_site_on_a_network_mount_is_refused(tmp_path, mounts, kind):
    mounts(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {tmp_path} {kind} rw 0 0\n")

    with pytest.raises(StoreError) as caught:
        sqlite.refuse_network_file_system(tmp_path / "site")

    assert (caught.value.code, caught.value.params["kind"]) == ("network_file_system", kind)


def test_a_local_mount_inside_a_network_mount_is_local(tmp_path, mounts):
    mounts(f"server:/x / nfs rw 0 0\n/dev/sda1 {tmp_path} ext4 rw 0 0\n")

    sqlite.refuse_network_file_system(tmp_path / "site")


def test_a_mount_with_a_space_in_its_name_is_understood(tmp_path, mounts):
    mounts(f"/dev/sda1 / ext4 rw 0 0\nserver:/x {tmp_path}/a\\040b nfs rw 0 0\n")

    with pytest.raises(StoreError):
        sqlite.refuse_network_file_system(tmp_path / "a b" / "site")
