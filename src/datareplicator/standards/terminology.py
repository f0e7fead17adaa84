"""CDISC controlled terminology: the code lists that the rules look at, as published by NCI EVS."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class CodeList:
    """One list. `terms`: submission value to concept; `synonyms`: other words for a term, to the term.

    `extensible`: a sponsor may add terms. `source`: where the list comes from, for messages.
    """

    name: str
    terms: dict[str, str]
    extensible: bool
    synonyms: dict[str, str] = field(default_factory=dict)
    source: str = "CDISC"

    def meant(self, value: str) -> str | None:
        """The term that a value stands for: written in another case, with other blanks, or by a synonym."""
        return self._folded.get(fold(value))

    @property
    def _folded(self) -> dict[str, str]:
        held = self.__dict__.get("_by_fold")
        if held is None:
            held = {fold(word): term for word, term in self.synonyms.items()} | {fold(t): t for t in self.terms}
            self.__dict__["_by_fold"] = held
        return held


def fold(value: str) -> str:
    """Case and blanks folded away: what two ways of writing one term share.

    >>> fold(" Not  Done ")
    'not done'
    """
    return " ".join(value.split()).casefold()


@cache
def terminology() -> dict[str, CodeList]:
    """The packaged lists by name.

    >>> terminology()["SEX"].extensible, "F" in terminology()["SEX"].terms
    (False, True)
    """
    text = files("datareplicator.standards").joinpath("terminology.json").read_text(encoding="utf-8")
    return {
        name: CodeList(name, held["terms"], held["extensible"], held["synonyms"])
        for name, held in json.loads(text)["lists"].items()
    }
