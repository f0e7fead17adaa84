"""Usual names of persons in some languages, by which a name is told from other words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module

LOCALES = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "sv_SE", "pl_PL")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
TITLE = re.compile(r"(?:dr|mr|mrs|ms|miss|prof|professor|doctor|nurse)\.?", re.IGNORECASE)


@cache
def _names(part: str) -> frozenset[str]:
    found: set[str] = set()
    for locale in LOCALES:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        found |= {str(name).casefold() for name in getattr(provider, part, ())}
    return frozenset(name for name in found if len(name) > 1)


def is_first_name(word: str) -> bool:
    """Whether a word is a usual given name.

    >>> is_first_name("Sarah"), is_first_name("Placebo")
    (True, False)
    """
    return word.casefold() in _names("first_names")


def is_last_name(word: str) -> bool:
    """Whether a word is a usual family name."""
    return word.casefold() in _names("last_names")


def is_full_name(text: str) -> bool:
    """Whether a text is a given and a family name, in either order, with or without a title and initials.

    >>> is_full_name("Dr. Sarah J. Miller"), is_full_name("MILLER, SARAH"), is_full_name("Red Chair")
    (True, True, False)
    """
    words = [w for w in _WORD.findall(text) if len(w) > 1 and not TITLE.fullmatch(w)]
    if not 2 <= len(words) <= 4 or any(c.isdigit() for c in text):
        return False
    one, other = words[0], words[-1]
    return (is_first_name(one) and is_last_name(other)) or ("," in text and is_last_name(one) and is_first_name(other))


def share_of_names(values: Sequence[str], *, single: bool = False) -> float:
    """Share of texts that are full names, or with `single` also single given or family names."""
    if not values:
        return 0.0
    alone = [single and (is_first_name(v.strip()) or is_last_name(v.strip())) for v in values]
    return sum(is_full_name(v) or one for v, one in zip(values, alone, strict=True)) / len(values)
