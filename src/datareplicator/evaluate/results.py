"""What a comparison holds, as data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from datareplicator.document import Document, Floats

ROUNDING = 1e-9
Verdict = Literal["good", "fair", "poor", "none"]


class Score(Document):
    """One figure of the comparison: what it is, in a sentence, and how it is to be judged ("none": not at all)."""

    title: str
    value: float | None
    sentence: str
    verdict: Verdict = "none"


class Size(Document):
    """Rows of a table, and rows per subject, on both sides (source, synthetic). `distance` and `chance` as in
    `Variable`."""

    table: str
    label: str = ""
    layout: str
    rows: tuple[int, int]
    mean: tuple[float, float] | None = None
    sd: tuple[float, float] | None = None
    none: tuple[float, float] | None = None  # share of subjects without a row
    distance: float | None = None
    chance: float | None = None


class Variable(Document):
    """One column compared. `measure`: KS or TVD; `chance`: what the distance stays under in 95 % of pairs of studies
    of these sizes that are drawn from the source's own subjects. `labels` with `shares` (source, synthetic) for
    categories, `edges` with `shares` for numbers, the last bin closed; `median` and `spread` (5, 95 %) for numbers."""

    table: str
    column: str
    label: str = ""
    kind: str
    measure: str
    distance: float
    chance: float
    missing: tuple[float, float]
    rows: tuple[int, int]
    labels: tuple[str, ...] = ()
    edges: Floats | None = None
    shares: Floats
    median: tuple[float, float] | None = None
    spread: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def within_chance(self) -> bool:
        """Whether chance explains the distance."""
        return self.distance <= self.chance + ROUNDING


class Test(Document):
    """One test of a findings table. `course`: (sides, arms, visits, 5): subjects, mean, quantiles at 10, 50 and 90 %
    of the subjects' values at a visit. `level`: difference of overall means in standard deviations of the source."""

    table: str
    test: str
    label: str = ""
    rows: tuple[int, int]
    distance: float
    chance: float
    level: float
    spread: float  # ratio of standard deviations
    icc: tuple[float | None, float | None]
    lag: tuple[float | None, float | None]
    digits: float | None = None
    visits: tuple[str, ...] = ()
    course: Floats

    @property
    def within_chance(self) -> bool:
        """Whether chance explains the distance."""
        return self.distance <= self.chance + ROUNDING


class Correlations(Document):
    """Spearman correlations of the source and the synthetic study, (names, names) each. `worst`: pairs that differ
    most: two names, source, synthetic. `mean`: mean absolute difference; `chance`: the same for two studies of these
    sizes from the source's subjects."""

    kind: str
    names: tuple[str, ...]
    source: Floats
    synthetic: Floats
    mean: float
    chance: float | None = None
    worst: tuple[tuple[str, str, float, float], ...] = ()


class Term(Document):
    """Share of subjects with an event, source and synthetic."""

    term: str
    share: tuple[float, float]


class Events(Document):
    """Rows per subject of a table of events, by arm: (sides, arms, 3): mean, variance over mean, share without one."""

    table: str
    label: str = ""
    arms: tuple[str, ...]
    counts: Floats
    terms: tuple[Term, ...] = ()
    coded: str | None = None
    new_terms: int = 0


class Timeline(Document):
    """Visits: share of subjects seen, (sides, visits), and quantiles (5, 25, 50, 75, 95 %) of the day, (sides, visits,
    5). `retention`: share of an arm's subjects still in the study on `days`, (sides, arms, days)."""

    visits: tuple[str, ...] = ()
    seen: Floats | None = None
    days: Floats | None = None
    arms: tuple[str, ...] = ()
    grid: Floats | None = None
    retention: Floats | None = None
    stay: tuple[float, float] | None = None  # median days
    distance: float | None = None
    chance: float | None = None


class RuleRate(Document):
    """One rule's rate of findings on both sides; `above`: more than the source's own rate lets expect."""

    rule: str
    severity: str
    message: str
    checked: int
    count: int
    rate: float
    source_rate: float | None
    above: bool


class Privacy(Document):
    """Copies and nearness. Each figure stands beside the same figure among real subjects.

    `copied_sequences`: synthetic sequences of at least four values that a real subject has; `copied_sets`: by table,
    synthetic subjects whose rows all equal those of a real one. `nearness`: median distance of a synthetic subject to
    the nearest real one, over that among real ones; `band`: 5 to 95 % of it when one half of the real subjects plays
    the synthetic study. `membership`: area under the curve of guessing who was in the source, with a holdout.
    """

    identifiers: tuple[tuple[str, float], ...] = ()
    sequences: int = 0
    copied_sequences: int = 0
    repeated_sequences: int = 0  # of real sequences, those that another real subject has too
    real_sequences: int = 0
    copied_sets: tuple[tuple[str, int, int, int, int], ...] = ()  # table, copied, of, repeated among real, of
    nearness: float | None = None
    band: tuple[float, float] | None = None
    membership: float | None = None

    @property
    def copies(self) -> int:
        """Copied sequences and sets together, those beyond what real subjects share by chance not taken off."""
        return self.copied_sequences + sum(copied for _, copied, *_ in self.copied_sets)


class Indistinct(Document):
    """Can a classifier tell synthetic subjects from real ones? `auc` 0.5: no. `features`: what tells them apart best:
    name, area under its own curve."""

    auc: float | None = None
    error: float | None = None
    subjects: int = 0
    features: int = 0
    telling: tuple[tuple[str, float], ...] = ()


class Content(Document):
    """All parts of a comparison."""

    name: str
    subjects: tuple[int, int]
    rows: tuple[int, int]
    tables: tuple[Size, ...]
    variables: tuple[Variable, ...]
    tests: tuple[Test, ...]
    correlations: tuple[Correlations, ...]
    events: tuple[Events, ...]
    timeline: Timeline
    rules: tuple[RuleRate, ...]
    privacy: Privacy
    indistinct: Indistinct
    arms: tuple[str, ...]
    notes: tuple[str, ...] = ()
    made: dict[str, dict[str, str]] = Field(default_factory=dict)
