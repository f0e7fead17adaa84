"""Keys for separate purposes, derived from the one secret key, and what is done with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from datareplicator.server.settings import Settings


class SealBroken(Exception):
    """A sealed text was changed, is too old, or was sealed with another key."""


def derived_key(settings: Settings, purpose: str) -> bytes:
    """32 bytes for one purpose (HKDF, RFC 5869)."""
    return _derived(settings.key(), purpose)


@lru_cache(maxsize=64)
def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)


def seal(settings: Settings, purpose: str, text: str) -> str:
    """Encrypt a text that is to be stored or sent through a browser; `unseal` gives it back."""
    return _fernet(settings, purpose).encrypt(text.encode()).decode()


def unseal(settings: Settings, purpose: str, token: str, *, seconds: int | None = None) -> str:
    """The text that was sealed for this purpose, at most `seconds` ago; SealBroken otherwise."""
    try:
        return _fernet(settings, purpose).decrypt(token.encode(), ttl=seconds).decode()
    except InvalidToken as error:
        raise SealBroken from error


def fingerprint(settings: Settings, purpose: str, text: str) -> str:
    """A keyed digest: the same text gives the same 64 digits, and nobody without the key can try texts."""
    return hmac.new(derived_key(settings, purpose), text.encode(), hashlib.sha256).hexdigest()


def digest(token: str) -> str:
    """How a long random token is stored (SHA-256): it cannot be guessed, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _fernet(settings: Settings, purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key(settings, purpose)))
