"""A site directory with its two databases, bound for the whole test."""

import pytest

from models import store


@pytest.fixture
def directory(tmp_path):
    """An empty site: both databases, bound, no connection open."""
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "chain.key").write_bytes(bytes(32))
    store.create(tmp_path)
    return tmp_path
