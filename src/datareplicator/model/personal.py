"""Realistic stand-ins for personal data: never a value of the source, drawn by combining fixed pools.

The pools come from Faker once a process; a call a value would cost some fifty microseconds each. Values are put
together as Arrow text, whole columns at a time, and every kind draws row after row, so that more rows never change
earlier ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

POOL = 1000
NUMBERS = 1000
"""Persons of one name have addresses that end in different numbers."""
_MIXING = 8191


@cache
def _pool(what: str) -> pa.Array:
    from faker import Faker

    source = Faker("en_US")
    source.seed_instance(20_260_101)
    return pa.array([str(getattr(source, what)()) for _ in range(POOL)], pa.large_string())


@cache
def distinct_names(what: str) -> tuple[pa.Array, pa.Array]:
    """The names of a pool, none twice, and how they stand in an address of electronic mail, none twice either."""
    box: dict[str, str] = {}
    for name in _pool(what).to_pylist():
        box.setdefault(re.sub(r"[^a-z]", "", name.lower()), name)
    return pa.array(list(box.values()), pa.large_string()), pa.array(list(box), pa.large_string())


@cache
def three_digits() -> pa.Array:
    """The numbers below a thousand, all in three digits."""
    return pa.array([f"{k:03}" for k in range(NUMBERS)], pa.large_string())


def join(*parts: pa.Array | str) -> pa.Array:
    """Texts put together row by row."""
    scalars = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*scalars, pa.scalar("", pa.large_string()))


def _pick(what: str, n: int, rng: np.random.Generator) -> pa.Array:
    return _pool(what).take(pa.array(rng.integers(0, POOL, n)))


def fill_pattern(pattern: str, n: int, rng: np.random.Generator) -> pa.Array:
    """Texts in which every ``#`` of the pattern is a digit.

    >>> fill_pattern("9#-#", 2, np.random.default_rng(0)).to_pylist()
    ['98-6', '95-2']
    """
    if not n:
        return pa.array([], pa.large_string())
    places = [k for k, piece in enumerate(pattern) if piece == "#"]
    letters = np.tile(np.frombuffer(pattern.encode("utf-32-le"), dtype="<U1"), (n, 1))
    if places:
        letters[:, places] = np.array(list("0123456789"), dtype="<U1")[rng.integers(0, 10, (n, len(places)))]
    return _from_letters(letters)


def _from_letters(letters: np.ndarray) -> pa.Array:
    """Rows of single characters (n, width) as texts."""
    n, width = letters.shape
    if letters.dtype.kind == "U":
        code = np.ascontiguousarray(letters).view("<u4")
        if code.max(initial=0) > 127:
            return pa.array(np.ascontiguousarray(letters).view(f"<U{width}").ravel().tolist(), pa.large_string())
        letters = code.astype(np.uint8)
    ends = np.arange(n + 1, dtype=np.int64) * width
    return pa.LargeStringArray.from_buffers(n, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(letters)))


def _name(n: int, rng: np.random.Generator) -> pa.Array:
    first, last = rng.integers(0, POOL, (n, 2)).T.copy()
    return join(_pool("first_name").take(pa.array(first)), " ", _pool("last_name").take(pa.array(last)))


def _email(n: int, rng: np.random.Generator) -> pa.Array:
    """Addresses at a reserved domain (RFC 2606). No address comes twice in a column."""
    first, last = (distinct_names(what)[1] for what in ("first_name", "last_name"))
    pair, place = scattered(n, len(first) * len(last), NUMBERS, rng)
    return join(
        first.take(pa.array(pair // len(last))),
        ".",
        last.take(pa.array(pair % len(last))),
        three_digits().take(pa.array(place)),
        "@example.org",
    )


def scattered(n: int, many: int, few: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of numbers below `many` and `few` without order and, up to `many * few`, without repetition: the row
    numbers, scrambled by a Feistel network (Luby and Rackoff, 1988), which is one to one."""
    index = np.arange(n, dtype=np.int64)
    left, right = index % many, (index // many) % few
    for _ in range(3):
        to_left, to_right = rng.integers(0, many, few), rng.integers(0, few, _MIXING)
        left = (left + to_left[right]) % many
        right = (right + to_right[left % _MIXING]) % few
    return (left + rng.integers(0, many, few)[right]) % many, right


def _initials(n: int, rng: np.random.Generator) -> pa.Array:
    return _from_letters(np.array(list("ABCDEFGHIJKLMNOPRSTUVW"))[rng.integers(0, 22, (n, 2))])


def _address(n: int, rng: np.random.Generator) -> pa.Array:
    number, street = (rng.random((n, 2)) * [9998, POOL]).astype(np.int64).T.copy()
    return join(pa.array(number + 1).cast(pa.large_string()), " ", _pool("street_name").take(pa.array(street)))


def _card(n: int, rng: np.random.Generator) -> pa.Array:
    """Numbers under a test prefix with a correct check digit (ISO/IEC 7812-1)."""
    digits = np.zeros((n, 16), dtype=np.uint8)
    digits[:, 0], digits[:, 4:15] = 4, rng.integers(0, 10, (n, 11), dtype=np.uint8)
    twice = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], dtype=np.uint8)[digits[:, 0:15:2]]
    digits[:, 15] = -(twice.sum(1, dtype=np.int64) + digits[:, 1:15:2].sum(1, dtype=np.int64)) % 10
    return _from_letters(digits + np.uint8(ord("0")))


def _iban(n: int, rng: np.random.Generator) -> pa.Array:
    """Accounts at a bank that does not exist, with correct check digits (ISO 13616, ISO 7064 MOD 97-10)."""
    bank, account = 99_999_999, rng.integers(0, 10**10, n)
    rest = (bank % 97 * pow(10, 10, 97) + account) % 97
    check = 98 - (rest * pow(10, 6, 97) + 131_400) % 97  # DE00 as numbers: D = 13, E = 14
    middle = np.char.zfill(check.astype(str), 2), np.char.zfill(account.astype(str), 10)
    return join("DE", pa.array(middle[0], pa.large_string()), str(bank), pa.array(middle[1], pa.large_string()))


def _url(n: int, rng: np.random.Generator) -> pa.Array:
    words = distinct_names("last_name")[1]
    word, number = (rng.random((n, 2)) * [len(words), 10**6]).astype(np.int64).T.copy()
    return join("https://example.org/", words.take(pa.array(word)), "/", pa.array(number).cast(pa.large_string()))


def _uuid(n: int, rng: np.random.Generator) -> pa.Array:
    """Random universally unique identifiers (RFC 9562, version 4)."""
    hexadecimal = rng.integers(0, 16, (n, 32))
    hexadecimal[:, 12], hexadecimal[:, 16] = 4, 8 + hexadecimal[:, 16] % 4
    letters = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[hexadecimal]
    return _from_letters(np.insert(letters, [8, 12, 16, 20], ord("-"), axis=1))


def _ip(n: int, rng: np.random.Generator) -> pa.Array:
    """Addresses reserved for documentation (RFC 5737)."""
    return join("192.0.2.", pa.array(rng.integers(1, 255, n)).cast(pa.large_string()))


KINDS: dict[str, Callable[[int, np.random.Generator], pa.Array]] = {
    "email": _email,
    "phone": lambda n, rng: fill_pattern("555-01##-####", n, rng),
    "first_name": lambda n, rng: _pick("first_name", n, rng),
    "last_name": lambda n, rng: _pick("last_name", n, rng),
    "name": _name,
    "initials": _initials,
    "address": _address,
    "postcode": lambda n, rng: fill_pattern("#####", n, rng),
    "national_id": lambda n, rng: fill_pattern("9##-##-####", n, rng),
    "mrn": lambda n, rng: fill_pattern("########", n, rng),
    "card": _card,
    "iban": _iban,
    "ip": _ip,
    "url": _url,
    "uuid": _uuid,
}


LAID_OUT = ("phone", "postcode", "mrn")
"""Kinds whose values keep the layout that the source writes them in."""
_FICTION = re.compile("###")
_COUNTRY = re.compile(r"(?:\+|00)\d{1,3}(?=\D)")


def layout(text: str) -> str:
    """How a value is written: `#` for digits, `A` and `a` for letters; the code of a country stays.

    >>> layout("+49 89 1234-56"), layout("SW1A 1AA")
    ('+49 ## ####-##', 'AA#A #AA')
    """
    country = _COUNTRY.match(text)
    lead = country.group() if country else ""
    rest = re.sub(r"[A-Z]", "A", re.sub(r"[a-z]", "a", text[len(lead) :]))
    return lead + re.sub(r"\d", "#", rest)


def fill_layout(kind: str, pattern: str, n: int, rng: np.random.Generator) -> pa.Array:
    """Values in a layout. Numbers of telephones have 555 where the first three digits stand together: they lead
    nowhere.

    >>> fill_layout("phone", "(###) ###-####", 1, np.random.default_rng(0)).to_pylist()
    ['(555) 865-2300']
    """
    if kind == "phone":
        pattern = _FICTION.sub("555", pattern, count=1)
    if not n:
        return pa.array([], pa.large_string())
    letters = np.tile(np.frombuffer(pattern.encode("utf-32-le"), dtype="<U1"), (n, 1))
    for mark, some in (("#", "0123456789"), ("A", "ABCDEFGHJKLMNPRSTUVWXY"), ("a", "abcdefghjkmnpqrstuvwxy")):
        places = [k for k, piece in enumerate(pattern) if piece == mark]
        if places:
            letters[:, places] = np.array(list(some), dtype="<U1")[rng.integers(0, len(some), (n, len(places)))]
    return _from_letters(letters)


def personal_text(kind: str, n: int, rng: np.random.Generator) -> pa.Array:
    """`n` values of a kind of personal data as Arrow text; an unknown kind gives names."""
    return KINDS.get(kind, _name)(n, rng)


def sample_personal(kind: str, n: int, rng: np.random.Generator, layouts: Sequence[str] = ()) -> np.ndarray:
    """`n` values of a kind of personal data (object array of text); an unknown kind gives names. With `layouts` each
    value is written in one of these, as often as it stands there.

    >>> len(sample_personal("initials", 3, np.random.default_rng(0)))
    3
    """
    if not layouts:
        return np.array(personal_text(kind, n, rng).to_pylist(), dtype=object)
    which = rng.integers(0, len(layouts), n)
    table = np.stack([fill_layout(kind, text, n, rng).to_numpy(zero_copy_only=False) for text in layouts])
    return table[which, np.arange(n)]
