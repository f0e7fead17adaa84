"""Made-up persons, and their names as a column writes them: the given name goes with the sex, and name, initials and
address of electronic mail are those of one person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datareplicator.model.personal import NUMBERS, join, scattered
from datareplicator.model.taken import free_names

USUAL = {"name": "{First} {Last}", "first_name": "{First}", "last_name": "{Last}", "initials": "{F}{L}"}
"""How a kind is written where the source does not say."""
_PART = re.compile(r"\{(\w+)\}")
_BY_SEX = {"F": "first_name_female", "M": "first_name_male"}


@dataclass(frozen=True)
class Persons:
    """Persons: `first`, `middle` and `last` names and as they stand in an address (`box`), Arrow text each."""

    first: pa.Array
    middle: pa.Array
    last: pa.Array
    box: pa.Array

    def __len__(self) -> int:
        return len(self.last)


def draw_persons(n: int, rng: np.random.Generator, sex: np.ndarray | None = None, taken: Iterable[int] = ()) -> Persons:
    """Draw `n` persons; without `sex` no address comes twice.

    `sex`: "F", "M" or anything else for each; `taken`: digests of names that nobody may have (see `model.taken`).
    """
    last, last_box = free_names("last_name", taken)
    first, first_box = free_names("first_name", taken)
    pair, number = scattered(n, len(first) * len(last), NUMBERS, rng)
    one, other = pair // len(last), pa.array(pair % len(last))
    middle = first.take(pa.array(rng.integers(0, len(first), n)))
    given, given_box = first.take(pa.array(one)), first_box.take(pa.array(one))
    for code, what in _BY_SEX.items() if sex is not None else ():
        pool, pool_box = free_names(what, taken)
        mine, own = pa.array(sex == code), pa.array(one % len(pool))
        given = pc.if_else(mine, pool.take(own), given)
        given_box = pc.if_else(mine, pool_box.take(own), given_box)
    digits = pa.array(np.char.zfill(number.astype(str), 3), pa.large_string())
    address = join(given_box, ".", last_box.take(other), digits, "@example.org")
    return Persons(given, middle, last.take(other), address)


def write_persons(persons: Persons, kind: str, forms: Sequence[str], rng: np.random.Generator) -> pa.Array:
    """The persons as a column of a kind writes them, each in one of the forms.

    >>> people = draw_persons(1, np.random.default_rng(0))
    >>> given, family = people.first[0].as_py(), people.last[0].as_py()
    >>> write_persons(people, "name", ("{LAST}, {F}.",), np.random.default_rng(0)).to_pylist() == [
    ...     f"{family.upper()}, {given[0]}."
    ... ]
    True
    """
    if kind == "email":
        return persons.box
    forms = forms or (USUAL[kind],)
    distinct = list(dict.fromkeys(forms))
    made = [_written(persons, form) for form in distinct]
    if len(made) == 1:
        return made[0]
    place = np.array([distinct.index(form) for form in forms])[rng.integers(0, len(forms), len(persons))]
    return pc.choose(pa.array(place), *made)


def _written(persons: Persons, form: str) -> pa.Array:
    parts: list[pa.Array | str] = [pa.array([""] * len(persons), pa.large_string())]
    for k, piece in enumerate(_PART.split(form)):
        parts.append(_part(persons, piece) if k % 2 else piece)
    return join(*parts)


def _part(persons: Persons, label: str) -> pa.Array:
    """A part of a name: whole or as one letter, in the case of the label."""
    name = {"f": persons.first, "m": persons.middle, "l": persons.last}[label[0].lower()]
    if len(label) == 1:
        name = pc.utf8_slice_codeunits(name, 0, 1)
    return pc.utf8_upper(name) if label.isupper() else pc.utf8_lower(name) if label.islower() else name
