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
    """One rule. `core` and `p21` are the ids of the CDISC CORE and Pinnacle 21 rules that look at the same thing."""

    id: str
    message: str
    severity: Severity
    core: tuple[str, ...]
    p21: tuple[str, ...]
    check: Check


class Register:
    """Rules of one kind of view, in the order of their ids."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}

    def rule(
        self, id: str, message: str, *, core: str = "", p21: str = "", severity: Severity = Severity.ERROR
    ) -> Callable[[Check], Check]:
        """Decorator: enter a check. `core` are the numbers of CORE rules and `p21` the ids, blank-separated."""

        def enter(check: Check) -> Check:
            if id in self._rules:
                raise ValueError(f"the rule {id} is there already")
            numbers = tuple(f"CORE-{number}" for number in core.split())
            self._rules[id] = Rule(id, message, severity, numbers, tuple(p21.split()), check)
            return check

        return enter

    def __getitem__(self, id: str) -> Rule:
        return self._rules[id]

    def __iter__(self) -> Iterator[Rule]:
        return iter(sorted(self._rules.values(), key=lambda rule: rule.id))

    def __len__(self) -> int:
        return len(self._rules)
