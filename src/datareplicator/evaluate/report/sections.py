"""What each section of the report shows: drawings, and the numbers beside them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from datareplicator.evaluate.report import charts
from datareplicator.evaluate.report.svg import number, percent
from datareplicator.evaluate.results import Correlations, Events, RuleRate, Test, Variable, Verdict

if TYPE_CHECKING:
    from datareplicator.evaluate.comparing import Comparison

WORST = 8
SEEN = 0.02  # share of an arm seen after the reference start, under which it has no curve (screen failures)
MOST_CHARTS = 160
"""Charts of variables and of tests each; numbers of all stand in the tables."""


@dataclass(frozen=True)
class Card:
    """A headline figure."""

    title: str
    figure: str
    text: str
    verdict: Verdict


@dataclass(frozen=True)
class Figure:
    """A drawing (several, by arm) with its heading and its numbers."""

    title: str
    label: str
    verdict: Verdict
    drawings: tuple[Markup, ...]
    numbers: str


@dataclass(frozen=True)
class Group:
    """The figures of one table."""

    table: str
    label: str
    summary: str
    figures: tuple[Figure, ...]
    tests: tuple[Test, ...] = ()
    variables: tuple[Variable, ...] = ()


def cards(c: Comparison) -> list[Card]:
    """The headline."""
    scores = c.scores
    above = sum(rule.above for rule in c.rules)
    auc = c.indistinct.auc
    found = [
        Card("Subjects", f"{c.subjects[1]:,}", f"learned from {c.subjects[0]:,}", "none"),
        Card("Rows", f"{c.rows[1]:,}", f"{c.rows[0]:,} in the source", "none"),
        Card("Rules checked", f"{len(c.rules):,}", "of the standard and of the study itself", "none"),
        Card(
            "Findings against source",
            f"{above:,}",
            "rules broken more often than in the source",
            scores["rules"].verdict if "rules" in scores else "none",
        ),
        Card("Copies", *_copies(c), scores["copies"].verdict),
        Card(
            "Told apart (C2ST)",
            number(auc, 2) if auc is not None else "–",
            "area under the curve; 0.5 is best" if auc is not None else "too few subjects to say",
            scores["indistinct"].verdict if "indistinct" in scores else "none",
        ),
    ]
    for name, title in (("variables", "Variables as in the source"), ("tests", "Tests as in the source")):
        if name in scores:
            parts = c.variables if name == "variables" else c.tests
            held = sum(part.within_chance for part in parts)
            found.append(
                Card(title, f"{held} of {len(parts)}", "distributed alike, up to chance", scores[name].verdict)
            )
    return found


def _copies(c: Comparison) -> tuple[str, str]:
    p = c.privacy
    of = p.sequences + sum(entry[2] for entry in p.copied_sets)
    among = p.repeated_sequences + sum(entry[3] for entry in p.copied_sets)
    real = p.real_sequences + sum(entry[4] for entry in p.copied_sets)
    text = f"of {of:,} sequences and sets; real subjects repeat each other in {among:,} of {real:,}"
    return f"{p.copies:,}", text


def worst(c: Comparison) -> list[Figure]:
    """The variables and tests that lie furthest beyond chance."""
    parts = [*c.variables, *c.tests]
    beyond = sorted((p for p in parts if not p.within_chance), key=lambda p: p.chance - p.distance)[:WORST]
    return [
        _variable_figure(p, table=True) if isinstance(p, Variable) else _test_figure(p, c.arms, table=True)
        for p in beyond
    ]


def variables(c: Comparison) -> list[Group]:
    """Distributions by table."""
    by_table: dict[str, list[Variable]] = defaultdict(list)
    for v in c.variables:
        by_table[v.table].append(v)
    groups, left = [], MOST_CHARTS
    labels = {t.table: t.label for t in c.tables}
    for table, held in by_table.items():
        figures = tuple(_variable_figure(v) for v in held[: max(left, 0)])
        left -= len(held)
        summary = f"{len(held)} variables, {sum(v.within_chance for v in held)} as in the source up to chance"
        groups.append(Group(table, labels.get(table, ""), summary, figures, variables=tuple(held)))
    return groups


def verdict(part: Variable | Test) -> Verdict:
    """A distance within chance is good, one little beyond it fair."""
    if part.within_chance:
        return "good"
    return "fair" if part.distance <= 1.5 * part.chance + 0.05 else "poor"


def _variable_figure(v: Variable, *, table: bool = False) -> Figure:
    title = f"{v.table}.{v.column}" if table else v.column
    numbers = f"{v.measure} {number(v.distance, 2)}, chance up to {number(v.chance, 2)}"
    if v.missing != (0.0, 0.0):
        numbers += f"; missing {percent(v.missing[0])} | {percent(v.missing[1])}"
    if v.edges is not None and v.median is not None and v.spread is not None:
        words = (
            f"Source: median {number(v.median[0])}, 5 to 95 % {number(v.spread[0][0])} to {number(v.spread[0][1])}. "
            f"Synthetic: median {number(v.median[1])}, {number(v.spread[1][0])} to {number(v.spread[1][1])}."
        )
        numbers = f"median {number(v.median[0])} | {number(v.median[1])}; {numbers}"
        unit = "" if v.kind == "number" else v.kind
        picture = charts.histogram(f"Histogram of {v.column}", unit, v.edges, v.shares, words)
    else:
        said = [f"{a}: {percent(x)} and {percent(y)}" for a, x, y in zip(v.labels, *v.shares, strict=True)]
        words = "Shares of source and synthetic. " + "; ".join(said)
        picture = charts.bars(f"Categories of {v.column}", v.labels, v.shares, words)
    return Figure(title, v.label, verdict(v), (picture,), numbers)


def tests(c: Comparison) -> list[Group]:
    """Courses by table."""
    by_table: dict[str, list[Test]] = defaultdict(list)
    for t in c.tests:
        by_table[t.table].append(t)
    groups, left = [], MOST_CHARTS
    labels = {t.table: t.label for t in c.tables}
    for table, held in by_table.items():
        figures = tuple(f for t in held[: max(left, 0)] if (f := _test_figure(t, c.arms)).drawings)
        left -= len(figures)
        summary = f"{len(held)} tests, {sum(t.within_chance for t in held)} as in the source up to chance"
        groups.append(Group(table, labels.get(table, ""), summary, figures, tests=tuple(held)))
    return groups


def _test_figure(t: Test, arms: tuple[str, ...], *, table: bool = False) -> Figure:
    title = f"{t.table}.{t.test}" if table else t.test
    numbers = (
        f"KS {number(t.distance, 2)}, chance up to {number(t.chance, 2)}; level {t.level:+.2f} SD; "
        f"SD ratio {number(t.spread, 2)}; ICC {number(t.icc[0], 2)} | {number(t.icc[1], 2)}"
    )
    return Figure(title, t.label, verdict(t), tuple(_courses(t, arms)), numbers)


def _courses(t: Test, arms: tuple[str, ...]) -> list[Markup]:
    if len(t.visits) < 2:
        return []
    seen = np.nansum(t.course[0, :, :, 0], axis=1)
    shown = [a for a in range(len(arms)) if seen[a] >= 0.05 * seen.sum() and (t.course[0, a, :, 0] > 0).sum() > 1]
    held = t.course[:, shown][..., 2:] if shown else np.full(1, np.nan)
    if not np.isfinite(held).any():
        return []
    low, high = float(np.nanmin(held)), float(np.nanmax(held))
    return [charts.course(arms[a], t.visits, t.course[0, a], t.course[1, a], (low, high)) for a in shown]


def correlations(c: Comparison) -> list[tuple[Correlations, list[tuple[str, Markup]]]]:
    """Maps of the source, the synthetic study and the difference."""
    return [
        (
            part,
            [
                ("source", charts.heat("Source", part.names, part.source)),
                ("synthetic", charts.heat("Synthetic", part.names, part.synthetic)),
                ("difference", charts.heat("Synthetic less source", part.names, part.synthetic - part.source)),
            ],
        )
        for part in c.correlations
    ]


def events(c: Comparison) -> list[tuple[Events, Markup, Markup | None]]:
    """Counts by arm, and terms, of each table of events."""
    found = []
    for e in c.events:
        means = e.counts[:, :, 0]
        said = [f"{a}: {number(x)} and {number(y)}" for a, x, y in zip(e.arms, *means, strict=True)]
        words = "Rows per subject in source and synthetic. " + "; ".join(said)
        picture = charts.counts(f"Rows per subject of {e.table}", e.arms, means, words)
        terms = None
        if e.terms:
            shares = np.array([[t.share[s] for t in e.terms] for s in (0, 1)])
            said = [f"{t.term}: {percent(t.share[0])} and {percent(t.share[1])}" for t in e.terms]
            words = "Shares of subjects in source and synthetic. " + "; ".join(said)
            terms = charts.bars(f"Terms of {e.table}", [t.term for t in e.terms], shares, words)
        found.append((e, picture, terms))
    return found


def timeline(c: Comparison) -> dict[str, object]:
    """Visit days and retention; None where there are none."""
    line = c.timeline
    visits = None
    if line.days is not None and line.seen is not None:
        visits = charts.visit_days(line.visits, line.days, line.seen)
    curves: list[Markup] = []
    if line.grid is not None and line.retention is not None:
        held = np.nan_to_num(line.retention).max(axis=(0, 2)) > SEEN
        known = np.flatnonzero(held & np.isfinite(line.retention[0]).all(1)).tolist()
        curves = [charts.retention(line.arms[a], line.grid, line.retention[0, a], line.retention[1, a]) for a in known]
    return {"visits": visits, "curves": curves}


def rules(c: Comparison) -> tuple[list[RuleRate], list[RuleRate]]:
    """Rules with findings on either side, the worst first, and the rules that nothing breaks."""
    held = sorted(c.rules, key=lambda r: (not r.above, -(r.rate - (r.source_rate or 0.0))))
    broken = [r for r in held if r.count or r.source_rate]
    return broken, [r for r in held if not (r.count or r.source_rate)]


def nearness(c: Comparison) -> Markup | None:
    """The nearest-neighbour ratio on its scale."""
    p = c.privacy
    if p.nearness is None or p.band is None:
        return None
    words = f"{number(p.nearness)}; halves of the real subjects: {number(p.band[0])} to {number(p.band[1])}."
    return charts.gauge("Distance to the nearest real subject", p.nearness, p.band, words)


def shades(levels: int) -> list[tuple[str, str]]:
    """Colours of the correlation maps, from -1 to 1, for light and dark pages."""

    def mix(a: tuple[int, ...], b: tuple[int, ...], share: float) -> str:
        return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in zip(a, b, strict=True))

    low, high = (33, 102, 172), (178, 24, 43)
    bright_low, bright_high = (86, 180, 233), (255, 120, 90)
    found = []
    for i in range(levels):
        at = 2 * i / (levels - 1) - 1
        end, bright = (low, bright_low) if at < 0 else (high, bright_high)
        found.append((mix((247, 247, 247), end, abs(at)), mix((38, 42, 48), bright, abs(at))))
    return found
