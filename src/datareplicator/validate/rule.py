"""What a rule is, and the register of all rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from datareplicator.validate.part import Part


class Severity(StrEnum):
    """How bad it is that a rule is broken: an error is against the standard or the study's own structure."""

    ERROR = "error"
    WARNING = "warning"


class Scope(StrEnum):
    """What a rule speaks of: the standard, the study's own structure, or the run of its numbers."""

    SDTM = "sdtm"
    STRUCTURE = "structure"
    STATISTICS = "statistics"

    @property
    def title(self) -> str:
        return {"sdtm": "SDTM", "structure": "Structure", "statistics": "Statistical detectors"}[self.value]

    @property
    def text(self) -> str:
        return {
            "sdtm": "For tables that look like SDTM.",
            "structure": "For any related tables: what discovery found in the study, or in the baseline.",
            "statistics": "For any study with results, sites or visits. They point at what is unlikely, not at what is "
            "wrong; each states how often it speaks of a study in which nothing is wrong.",
        }[self.value]


@dataclass
class Hits:
    """Rows that break a rule. `bad`: bool, one entry a row of `part`; `checked`: rows that the rule applied to.

    `variables` are shown with their values in each finding; `detail` says what in particular was wrong.
    """

    part: Part
    bad: np.ndarray
    variables: tuple[str, ...]
    checked: int
    detail: str = ""


Check = Callable[[Any], Iterable[Hits]]


@dataclass(frozen=True)
class Rule:
    """One rule. `core` and `p21` are the ids of the CDISC CORE and Pinnacle 21 rules that look at the same thing.

    `check` takes the view of the rule's scope and yields `Hits`. A rule from elsewhere, such as one of the official
    CDISC engine, is a `Rule` whose check asks that engine.
    """

    id: str
    message: str
    severity: Severity
    core: tuple[str, ...]
    p21: tuple[str, ...]
    check: Check
    scope: Scope


class Register:
    """Rules of one scope, in the order of their ids."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._rules: dict[str, Rule] = {}

    def rule(
        self, id: str, message: str, *, core: str = "", p21: str = "", severity: Severity = Severity.ERROR
    ) -> Callable[[Check], Check]:
        """Decorator: enter a check. `core` are the numbers of CORE rules and `p21` the ids, blank-separated."""

        def enter(check: Check) -> Check:
            if id in self._rules:
                raise ValueError(f"the rule {id} is there already")
            numbers = tuple(f"CORE-{number}" for number in core.split())
            self._rules[id] = Rule(id, message, severity, numbers, tuple(p21.split()), check, self.scope)
            return check

        return enter

    def __getitem__(self, id: str) -> Rule:
        return self._rules[id]

    def __iter__(self) -> Iterator[Rule]:
        return iter(sorted(self._rules.values(), key=lambda rule: rule.id))

    def __len__(self) -> int:
        return len(self._rules)
