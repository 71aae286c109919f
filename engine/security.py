"""Password hashes, and the key under which the books are chained and receipts are signed."""

import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path

import argon2

from models import base
from models.sqlite import StoreError

CHAIN_KEY_BYTES = 32
HASHER = argon2.PasswordHasher()  # argon2id, the library's defaults: about 0.2 s a try


def hash_password(password: str) -> str:
    """An argon2id hash with its salt and parameters, as one text."""
    return HASHER.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Is it the password of that hash? None (no such operator) takes as long, and never is."""
    try:
        HASHER.verify(password_hash or _hash_of_nobody(), password)
    except argon2.exceptions.VerificationError:
        return False
    return password_hash is not None


@cache
def _hash_of_nobody() -> str:
    return HASHER.hash(secrets.token_urlsafe())


def chain_key_path(site: Path) -> Path:
    return site / "keys" / "chain.key"


def create_chain_key(site: Path) -> None:
    """A fresh key for a new site, readable by the owner of the files only. Never overwrites one."""
    path = chain_key_path(site)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(CHAIN_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())


def load_chain_key(site: Path) -> bytes:
    """The key of `site`. Raises StoreError `no_chain_key`: missing, unreadable or cut short."""
    return read_chain_key(chain_key_path(site))


def read_chain_key(path: Path) -> bytes:
    """The key in the file `path`. Raises StoreError `no_chain_key`, as `load_chain_key`."""
    try:
        key = path.read_bytes()
    except OSError as error:
        raise StoreError("no_chain_key", path=str(path), why=str(error)) from None
    if len(key) != CHAIN_KEY_BYTES:
        raise StoreError("no_chain_key", path=str(path), why=f"{len(key)} != {CHAIN_KEY_BYTES}")
    return key


def chain_key() -> bytes:
    """The key of the site whose core.db is bound.

    Found beside the database itself, so no caller can forget it, or chain one site's books with
    the key of another.
    """
    return _key_of(Path(base.core.obj.database).parent)


def derive(key: bytes, purpose: str) -> bytes:
    """32 bytes of `key` for one purpose alone: HKDF-SHA256 (RFC 5869) without salt."""
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), key, hashlib.sha256)
    return hmac.digest(extracted, purpose.encode() + b"\x01", hashlib.sha256)


def receipt_key(chain_key: bytes) -> bytes:
    """What signs the codes on receipts: whoever learns it cannot forge the books."""
    return derive(chain_key, "voltill receipt code")


@cache
def _key_of(site: Path) -> bytes:
    return load_chain_key(site)
