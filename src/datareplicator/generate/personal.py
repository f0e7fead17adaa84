"""Realistic stand-ins for personal data: never a value of the source, drawn by combining fixed pools.

The pools come from Faker once a process; a call a value would cost some fifty microseconds each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

POOL = 1000


@cache
def _pool(what: str) -> np.ndarray:
    from faker import Faker

    source = Faker("en_US")
    source.seed_instance(20_260_101)
    return np.array([str(getattr(source, what)()) for _ in range(POOL)], dtype=object)


def _pick(what: str, n: int, rng: np.random.Generator) -> np.ndarray:
    return _pool(what)[rng.integers(0, POOL, n)]


def _digits(pattern: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Texts in which every ``#`` is a digit."""
    out = np.full(n, "", dtype=object)
    for piece in pattern:
        out = out + (rng.integers(0, 10, n).astype(str).astype(object) if piece == "#" else piece)
    return out


def _name(n: int, rng: np.random.Generator) -> np.ndarray:
    return _pick("first_name", n, rng) + " " + _pick("last_name", n, rng)


def _email(n: int, rng: np.random.Generator) -> np.ndarray:
    names = _pick("first_name", n, rng) + "." + _pick("last_name", n, rng)
    local = np.array([name.lower().replace(" ", "").replace("'", "") for name in names], dtype=object)
    return local + _digits("###", n, rng) + "@example.org"


def _initials(n: int, rng: np.random.Generator) -> np.ndarray:
    letters = np.array(list("ABCDEFGHIJKLMNOPRSTUVW"), dtype=object)
    return letters[rng.integers(0, len(letters), n)] + letters[rng.integers(0, len(letters), n)]


def _address(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(1, 9999, n).astype(str).astype(object) + " " + _pick("street_name", n, rng)


def _card(n: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers under a test prefix with a correct check digit (ISO/IEC 7812-1)."""
    digits = np.concatenate([np.tile([4, 0, 0, 0], (n, 1)), rng.integers(0, 10, (n, 11))], axis=1)
    doubled = digits.copy()
    doubled[:, ::2] *= 2
    check = -np.where(doubled > 9, doubled - 9, doubled).sum(1) % 10
    return np.array(["".join(map(str, row)) + str(c) for row, c in zip(digits, check, strict=True)], dtype=object)


KINDS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "email": _email,
    "phone": lambda n, rng: _digits("555-01##-####", n, rng),
    "first_name": lambda n, rng: _pick("first_name", n, rng),
    "last_name": lambda n, rng: _pick("last_name", n, rng),
    "name": _name,
    "initials": _initials,
    "address": _address,
    "postcode": lambda n, rng: _digits("#####", n, rng),
    "national_id": lambda n, rng: _digits("9##-##-####", n, rng),
    "mrn": lambda n, rng: _digits("########", n, rng),
    "card": _card,
    "ip": lambda n, rng: "192.0.2." + rng.integers(1, 255, n).astype(str).astype(object),
}


def sample_personal(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` values of a kind of personal data (object array of text); an unknown kind gives names.

    >>> len(sample_personal("initials", 3, np.random.default_rng(0)))
    3
    """
    return KINDS.get(kind, _name)(n, rng)
