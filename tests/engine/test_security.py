"""Password hashes and the file of the chain key."""

import pytest

from engine import security
from models import store
from models.sqlite import StoreError


def test_a_chain_key_is_readable_by_its_owner_only(tmp_path):
    security.create_chain_key(tmp_path)

    path = tmp_path / "keys" / "chain.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(path.read_bytes()) == 32


def test_two_sites_have_two_keys(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        security.create_chain_key(tmp_path / name)

    assert security.load_chain_key(tmp_path / "a") != security.load_chain_key(tmp_path / "b")


def test_a_key_that_is_there_is_never_overwritten(tmp_path):
    security.create_chain_key(tmp_path)
    key = security.load_chain_key(tmp_path)

    with pytest.raises(FileExistsError):
        security.create_chain_key(tmp_path)

    assert security.load_chain_key(tmp_path) == key


@pytest.mark.parametrize("spoil", ["unlink", "cut"])
def test_a_key_that_is_missing_or_cut_short_is_named(tmp_path, spoil):
    security.create_chain_key(tmp_path)
    path = security.chain_key_path(tmp_path)
    path.unlink() if spoil == "unlink" else path.write_bytes(b"short")

    with pytest.raises(StoreError) as caught:
        security.load_chain_key(tmp_path)

    assert (caught.value.code, caught.value.params["path"]) == ("no_chain_key", str(path))


def test_the_key_in_use_is_that_of_the_site_whose_books_are_open(site_dir):
    with store.opened(site_dir):
        assert security.chain_key() == security.load_chain_key(site_dir)


def test_only_the_right_password_fits():
    password_hash = security.hash_password("correct horse")

    assert security.password_fits(password_hash, "correct horse")
    assert not security.password_fits(password_hash, "correct hors")


def test_no_password_fits_an_operator_who_is_not_there():
    assert not security.password_fits(None, "correct horse")


def test_the_same_password_has_another_hash_each_time():
    assert security.hash_password("correct horse") != security.hash_password("correct horse")


def test_a_derived_key_is_that_of_rfc_5869_as_others_compute_it():
    from Crypto.Hash import SHA256  # noqa: PLC0415 (this test only)
    from Crypto.Protocol.KDF import HKDF  # noqa: PLC0415

    master = bytes(range(32))
    theirs = HKDF(master, 32, b"", SHA256, context=b"voltill receipt code")

    assert security.receipt_key(master) == theirs
    assert security.receipt_key(master) != master
