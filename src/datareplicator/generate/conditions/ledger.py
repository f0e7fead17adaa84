"""What a block owes, and what was done in it to get there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from datareplicator.generate.conditions.outcome import IN_ALL, Tally
from datareplicator.generate.conditions.pairing import Standing
from datareplicator.generate.conditions.plan import Plan, Rule
from datareplicator.generate.request import BLOCK, Block

NEARLY = 0.02
"""Share of the rows of an event by which a block may miss the factor that is asked for."""


def _untouched() -> dict[str, np.ndarray]:
    return {name: np.zeros(BLOCK, dtype=bool) for name in ("replaced", "edited", "repaired")}


@dataclass
class Ledger:
    """The accounts of one block of a run of `subjects` subjects.

    `goals`: by quota, how many subjects (or rows, of `times`) the block owes, which follows from its place alone;
    `touched`: bool a subject, by what was done to it or to rows of it.
    """

    plan: Plan
    block: Block
    subjects: int
    tally: Tally = field(default_factory=Tally)
    goals: dict[int, int] = field(default_factory=dict)
    touched: dict[str, np.ndarray] = field(default_factory=_untouched)

    def __post_init__(self) -> None:
        first = self.block.first
        for k, quota in enumerate(self.plan.quotas):
            if quota.subjects is not None:
                done = quota.subjects * first // self.subjects
                self.goals[k] = quota.subjects * min(first + self.block.keep, self.subjects) // self.subjects - done

    @property
    def kept(self) -> np.ndarray:
        """bool a subject: part of the output."""
        return np.arange(BLOCK) < self.block.keep

    def by_rows(self, goals: Mapping[int, int]) -> frozenset[int]:
        """The quotas among those given that count rows."""
        return frozenset(k for k in goals if self.plan.quotas[k].times is not None)

    def lacks(
        self,
        standing: Standing,
        goals: Mapping[int, int] | None = None,
        places: np.ndarray | None = None,
        whole: frozenset[int] | None = None,
    ) -> dict[int, int]:
        """By quota, how many subjects or rows are missing (below zero: too many, where a factor or an exact number is
        asked for). `whole`: the quotas that can be told in full; of others nobody is too many."""
        goals = self.goals if goals is None else goals
        places = self.kept if places is None else places
        fine, by_rows = places & ~standing.bad, self.by_rows(goals)
        exact = {k for k in goals if self.plan.quotas[k].exact and (whole is None or k in whole)}
        return {
            k: _beyond(goal - int(standing.rows[k][places].sum()), goal)
            if k in by_rows
            else max(0 if k not in exact else -BLOCK, goal - int((standing.shows[k] & fine).sum()))
            for k, goal in goals.items()
        }

    def repaired(self, subjects: np.ndarray, **rows: int) -> None:
        """Rows of some subjects were drawn again, changed or left out."""
        self.touched["repaired"][subjects] = True
        self.tally.add(IN_ALL, **rows)

    def replaced(self, mine: Standing, rules: Sequence[Rule], pairs: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        """Subjects gave their places: for a rule those who broke it, for a quota those who came for its sake."""
        slots, _, why = pairs
        self.touched["replaced"][slots] = True
        for rule, broken in zip(rules, mine.broken[:, slots].sum(axis=1), strict=True):
            self.tally.add(rule.said, replaced=int(broken))
        for k, number in zip(*np.unique(why[why >= 0], return_counts=True), strict=True):
            self.tally.add(self.plan.quotas[k].said, replaced=int(number))

    def close(self, standing: Standing) -> None:
        """Count what the finished block shows."""
        for k, quota in enumerate(self.plan.quotas):
            self.tally.add(quota.said, subjects=int((standing.shows[k] & self.kept).sum()))
            if not quota.scenario:
                self.tally.add(quota.said, rows_shown=int(standing.rows[k][self.kept].sum()))
        own = {name: subjects & self.kept for name, subjects in self.touched.items()}
        any_of = np.any(list(own.values()), axis=0)
        self.tally.add(
            IN_ALL,
            replaced=int(own["replaced"].sum()),
            edited=int((own["edited"] & ~own["replaced"]).sum()),
            subjects=int((self.kept & ~any_of).sum()),
        )


def _beyond(lack: int, goal: int) -> int:
    """How many rows are missing, where these are more than can be told from as many times as asked for."""
    return lack if abs(lack) > NEARLY * goal else 0
