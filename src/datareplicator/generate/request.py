"""What a caller asks of the generator, and the plan of blocks that follows from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from datareplicator.errors import RequestError
from datareplicator.generate.conditions.asked import Conditions
from datareplicator.generate.control.altered import Altered
from datareplicator.generate.control.asked import Change, Clone, Enrolment, FollowUp
from datareplicator.generate.control.quota import Quota

if TYPE_CHECKING:
    from datareplicator.generate.conditions.plan import Plan

BLOCK = 128
"""Subjects in a block. Part of the result: another size gives other numbers, so it never changes within a version."""

MOST_SUBJECTS = 10_000_000
QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True)
class GenerateRequest:
    """`subjects` new subjects from `seed`; `variation` scales the spread (0 central subjects, 1 as learned).

    `stratified`: spread the subjects evenly over the learned distributions. Cohorts then differ less from seed to
    seed than real ones would; turn it off to simulate trials.

    `counts`: exact numbers in the form of the run document (see `control/asked.py`); `clones`: new sites and arms;
    `enrolment`: the days between which subjects enter; `study`: the study identifier; `identifiers`: patterns by
    column. `changes`: other levels, spreads and rates; `follow_up`: more planned visits. `quota`, `altered`: what
    `settle` makes of these. `conditions`: constraints, rare events and scenarios, and `plan` what `settle` makes of
    them.
    """

    subjects: int
    seed: int = 0
    variation: float = 1.0
    stratified: bool = True
    counts: Mapping[str, Any] = field(default_factory=dict)
    clones: tuple[Clone, ...] = ()
    enrolment: Enrolment | None = None
    study: str | None = None
    identifiers: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    follow_up: FollowUp | None = None
    quota: Quota | None = None
    altered: Altered | None = None
    conditions: Conditions = field(default_factory=Conditions)
    plan: Plan | None = None

    @property
    def controlled(self) -> bool:
        """Whether another study is asked for than more subjects of the source's: its summary has to tell of it."""
        asked = (self.counts, self.clones, self.identifiers, self.quota, self.enrolment, self.study, self.follow_up)
        return any(bool(part) if isinstance(part, (Mapping, tuple)) else part is not None for part in asked)

    @property
    def new_texts(self) -> frozenset[str]:
        """Texts that are asked for by name and that the source need not have: of the study, of clones, of what the
        steps of scenarios set."""
        texts = {text for clone in self.clones for text in (clone.name, *clone.names.values())}
        texts |= {self.study} if self.study is not None else set()
        for wanted in self.conditions.scenarios:
            given = {**wanted.unit.parameters, **wanted.scenario.values}
            texts |= {value for value in given.values() if isinstance(value, str)}
            set_to = [value for edit in wanted.unit.edits for value in edit.values.values()]
            texts |= {text for value in set_to for text in QUOTED.findall(value)}
        return frozenset(texts)

    @property
    def window(self) -> tuple[int, int] | None:
        """First and last day of enrolment as days since 1970-01-01."""
        if self.enrolment is None:
            return None
        epoch = date(1970, 1, 1)
        return (self.enrolment.first - epoch).days, (self.enrolment.last - epoch).days

    def __post_init__(self) -> None:
        if isinstance(self.subjects, bool) or not isinstance(self.subjects, int):
            raise RequestError(f"the number of subjects must be a whole number, not {self.subjects!r}.")
        if not 1 <= self.subjects <= MOST_SUBJECTS:
            raise RequestError(f"the number of subjects must be from 1 to {MOST_SUBJECTS:,}, not {self.subjects:,}.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise RequestError(f"the seed must be a whole number from 0 on, not {self.seed!r}.")
        if not 0 <= self.variation <= 10:
            raise RequestError(f"the variation must be from 0 to 10, not {self.variation!r}.")


@dataclass(frozen=True)
class Block:
    """One block of the plan: it makes `BLOCK` subjects and keeps the first `keep`."""

    index: int
    keep: int

    @property
    def first(self) -> int:
        """Number of the block's first subject in the whole request, from 0."""
        return self.index * BLOCK


def plan_blocks(subjects: int) -> list[Block]:
    """The blocks that a number of subjects takes, in order.

    >>> [(b.index, b.keep) for b in plan_blocks(300)]
    [(0, 128), (1, 128), (2, 44)]
    """
    return [Block(k, min(BLOCK, subjects - k * BLOCK)) for k in range(-(-subjects // BLOCK))]
