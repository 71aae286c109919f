"""A new site: whole or not at all."""

import pytest

from engine import site
from engine.config import Config
from engine.domain.errors import BadName, SiteInUse, WeakPassword
from engine.services import operators
from models import store
from models.enums import Role
from models.sqlite import StoreError

PASSWORD = "correct horse"


def test_a_new_site_has_everything_in_its_place(tmp_path):
    site.init_site(tmp_path / "a" / "site", "管理员", PASSWORD)

    made = tmp_path / "a" / "site"
    assert sorted(path.name for path in made.iterdir()) == [
        "backups", "config.toml", "core.db", "exports", "keys", "log", "maps", "readings.db"
    ]  # fmt: skip
    assert (made / "keys").stat().st_mode & 0o777 == 0o700
    assert (made / "keys" / "chain.key").stat().st_mode & 0o777 == 0o600
    assert made.stat().st_mode & 0o007 == 0
    assert site.load_config(made) == Config()
    with store.opened(made):
        assert operators.sign_in("管理员", PASSWORD).role is Role.ADMINISTRATOR


def test_an_empty_directory_may_become_a_site(tmp_path):
    (tmp_path / "site").mkdir()

    site.init_site(tmp_path / "site", "boss", PASSWORD)

    assert (tmp_path / "site" / "core.db").exists()


def test_two_sites_never_share_a_key(tmp_path):
    for name in ("one", "two"):
        site.init_site(tmp_path / name, "boss", PASSWORD)

    keys = {(tmp_path / name / "keys" / "chain.key").read_bytes() for name in ("one", "two")}
    assert len(keys) == 2


@pytest.mark.parametrize("kind", ["file", "used"])
def test_a_place_in_use_is_refused_and_left_alone(tmp_path, kind):
    place = tmp_path / "site"
    if kind == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "config.toml").write_text("mine")

    with pytest.raises(SiteInUse):
        site.init_site(place, "boss", PASSWORD)

    kept = place if kind == "file" else place / "config.toml"
    assert kept.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize(
    ("admin", "password", "error"),
    [("boss", "too short", WeakPassword), ("", PASSWORD, BadName)],
)
def test_a_refused_operator_leaves_no_half_site(tmp_path, admin, password, error):
    with pytest.raises(error):
        site.init_site(tmp_path / "site", admin, password)

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(StoreError) as caught:
        site.init_site(tmp_path / "file" / "site", "boss", PASSWORD)

    assert caught.value.code == "cannot_write"
