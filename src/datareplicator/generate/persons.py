"""Made-up persons, and their names as a column writes them: the given name goes with the sex, and name, initials and
address of electronic mail are those of one person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datareplicator.model.personal import NUMBERS, join, scattered, three_digits
from datareplicator.model.taken import free_names

USUAL = {"name": "{First} {Last}", "first_name": "{First}", "last_name": "{Last}", "initials": "{F}{L}"}
"""How a kind is written where the source does not say."""
_PART = re.compile(r"\{(\w+)\}")
_BY_SEX = {"F": "first_name_female", "M": "first_name_male"}


@dataclass(frozen=True)
class Persons:
    """Persons as places in pools of names, each with how the names stand in an address; `number` ends the address.
    What a column shows of them is put together when it is asked for."""

    given_names: tuple[pa.Array, pa.Array]
    family_names: tuple[pa.Array, pa.Array]
    given: np.ndarray
    second: np.ndarray
    family: np.ndarray
    number: np.ndarray

    def __len__(self) -> int:
        return len(self.family)

    @property
    def first(self) -> pa.Array:
        """Given names, as Arrow text."""
        return self.given_names[0].take(pa.array(self.given))

    @property
    def middle(self) -> pa.Array:
        """Second given names."""
        return self.given_names[0].take(pa.array(self.second))

    @property
    def last(self) -> pa.Array:
        """Family names."""
        return self.family_names[0].take(pa.array(self.family))

    @property
    def box(self) -> pa.Array:
        """Addresses of electronic mail."""
        given, family = self.given_names[1].take(pa.array(self.given)), self.family_names[1].take(pa.array(self.family))
        return join(given, ".", family, three_digits().take(pa.array(self.number)), "@example.org")


def draw_persons(n: int, rng: np.random.Generator, sex: np.ndarray | None = None, taken: Iterable[int] = ()) -> Persons:
    """Draw `n` persons; without `sex` no address comes twice.

    `sex`: "F", "M" or anything else for each; `taken`: digests of names that nobody may have (see `model.taken`).
    """
    families = free_names("last_name", taken)
    pools = [free_names(what, taken) for what in ("first_name", *(_BY_SEX.values() if sex is not None else ()))]
    size = len(pools[0][0])
    pair, number = scattered(n, size * len(families[0]), NUMBERS, rng)
    given, family = pair // len(families[0]), pair % len(families[0])
    second = (given + 1 + family) % size
    at = size
    for code, (names, _) in zip(_BY_SEX, pools[1:], strict=False):
        given = np.where(sex == code, at + pair // len(families[0]) % len(names), given)
        second = np.where(sex == code, at + (pair + number) % len(names), second)
        at += len(names)
    names, boxes = (pa.concat_arrays([pool[side] for pool in pools]) for side in (0, 1))
    places = (part.astype(np.int32) for part in (given, second, family, number))
    return Persons((names, boxes), families, *places)


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
