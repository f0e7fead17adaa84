"""How each constraint, rare event and scenario ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from datareplicator.document import Document
from datareplicator.generate.conditions.plan import Plan


class Outcome(Document):
    """How one of the conditions of a run ended, over all subjects.

    kept: nothing was in the way. repaired: `rows` rows were drawn again, `left_out` events left out, `replaced`
    subjects gave their place to others. supplied: what was asked for is there in `subjects` subjects and `rows_shown`
    rows; of them `changed` rows were made from others, and `edited` subjects were made to fit by a scenario's steps.
    """

    condition: str
    outcome: Literal["kept", "repaired", "supplied"]
    rows: int = 0
    left_out: int = 0
    replaced: int = 0
    subjects: int | None = None
    rows_shown: int | None = None
    changed: int = 0
    edited: int = 0

    @property
    def done(self) -> str:
        """What was there or had to be done, in a few words; nothing where all was well by itself."""
        numbers = (
            (self.subjects, "subject", "that show it"),
            (self.rows_shown, "row", "that show it"),
            (self.rows or None, "row", "drawn again"),
            (self.left_out or None, "row", "left out"),
            (self.replaced or None, "subject", "replaced by others that fit"),
            (self.changed or None, "row", "drawn like rows of the event"),
            (self.edited or None, "subject", "edited"),
        )
        parts = [f"{n:,} {what}{'' if n == 1 else 's'} {how}" for n, what, how in numbers if n is not None]
        parts = [part.replace("that show it", "that shows it") if part.startswith("1 ") else part for part in parts]
        return ", ".join(parts)

    @property
    def how(self) -> str:
        """The outcome and what was done, in one line."""
        return f"{self.outcome}: {self.done}" if self.done else self.outcome


IN_ALL = "in all"


@dataclass
class Tally:
    """Counts of one block or of several, by the name of the condition."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, condition: str, **numbers: int) -> None:
        """Count some more."""
        held = self.counts.setdefault(condition, {})
        for name, number in numbers.items():
            held[name] = held.get(name, 0) + int(number)

    def include(self, other: Tally) -> None:
        """Add the counts of another block."""
        for condition, numbers in other.counts.items():
            self.add(condition, **numbers)


def outcomes(plan: Plan, tallies: Iterable[Tally]) -> tuple[Outcome, ...]:
    """How each condition of a plan ended, from the counts of all blocks."""
    total = Tally()
    for tally in tallies:
        total.include(tally)
    out = []
    for rule in plan.rules:
        held = total.counts.get(rule.said, {})
        ended: Literal["kept", "repaired"] = "repaired" if any(held.values()) else "kept"
        out.append(Outcome(condition=rule.said, outcome=ended, **held))
    for quota in plan.quotas:
        none = {"subjects": 0} if quota.scenario else {"subjects": 0, "rows_shown": 0}
        held = none | total.counts.get(quota.said, {})
        out.append(Outcome(condition=quota.said, outcome="supplied", **held))
    return tuple(out)


def in_all(tallies: Iterable[Tally]) -> str:
    """What was done to the subjects of a run for all conditions together, each subject and row counted once."""
    total = Tally()
    for tally in tallies:
        total.include(tally)
    held = total.counts.get(IN_ALL, {})
    done = (
        ("replaced", "subject", "replaced"),
        ("edited", "subject", "edited"),
        ("rows", "row", "drawn again"),
        ("changed", "row", "drawn like rows of an event"),
        ("left_out", "row", "left out"),
    )
    parts = [f"{n:,} {what}{'' if n == 1 else 's'} {how}" for name, what, how in done if (n := held.get(name, 0))]
    untouched = held.get("subjects", 0)
    return ", ".join([*parts, f"{untouched:,} subject{'' if untouched == 1 else 's'} as drawn"])
