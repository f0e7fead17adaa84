"""What one study shows over time, by arm and between measurements: for people who look at it before they generate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datareplicator.document import Document
from datareplicator.evaluate.correlations import LEAST_SUBJECTS, chosen_tests, covariates, label_of, subject_means
from datareplicator.evaluate.correlations import spearman as ranked
from datareplicator.evaluate.courses import LEAST_VALUES, Findings, by_visit, read_findings, seen_often
from datareplicator.evaluate.distances import count
from datareplicator.evaluate.events import COUNTED, TERMS, rows_per_subject
from datareplicator.evaluate.pair import Pair
from datareplicator.model.prepare import prepare
from datareplicator.profile.description import RARE
from datareplicator.profile.labels import labels_of, visit_labels
from datareplicator.profile.roles import Roles, roles_of
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Structure, TableSpec
from datareplicator.study import Study

DIGITS = 4
"""Significant ones."""

Numbers = tuple[float | None, ...]


class Course(Document):
    """One test over the visits: by arm and visit the subjects with a value, and the quantiles of their values at 10,
    50 and 90 %. Cells of fewer than three subjects have no quantiles."""

    table: str
    test: str
    label: str
    visits: tuple[str, ...]
    n: tuple[tuple[int, ...], ...]
    low: tuple[Numbers, ...]
    middle: tuple[Numbers, ...]
    high: tuple[Numbers, ...]


class TermByArm(Document):
    """The share of each arm's subjects with a term."""

    term: str
    shares: Numbers


class EventsByArm(Document):
    """A table of events: by arm the mean number of rows of a subject, the share of subjects with any, and the terms
    that most subjects have."""

    table: str
    label: str
    rows: Numbers
    any: Numbers
    terms: tuple[TermByArm, ...]


class CorrelationMap(Document):
    """Rank correlations between subjects: of their numbers and of their means of tests. Null where unknown."""

    names: tuple[str, ...]
    values: tuple[Numbers, ...]


class Patterns(Document):
    """Courses, events by arm, correlations; `subjects` of each arm."""

    roles: tuple[Roles, ...] = ()
    arms: tuple[str, ...] = ()
    subjects: tuple[int, ...] = ()
    courses: tuple[Course, ...] = ()
    events: tuple[EventsByArm, ...] = ()
    correlations: CorrelationMap | None = None


def patterns(study: Study, structure: Structure) -> Patterns:
    """What a study shows. Empty where it has no subjects; nothing that fewer than three subjects show is told."""
    roles = tuple(roles_of(structure, {t.name: (t.label, t.columns) for t in study.tables.values()}))
    if structure.root is None:
        return Patterns(roles=roles)
    alone = prepare(study, structure)
    pair = Pair(structure, alone, alone, ())
    findings = read_findings(pair)
    arm = pair.arm[0]
    sizes = np.bincount(arm[arm >= 0], minlength=len(pair.arms))
    names = {plain_text(visit): name for visit, name in visit_labels(alone.frames, structure).items()}
    return Patterns(
        roles=roles,
        arms=pair.arms,
        subjects=tuple(sizes.tolist()),
        courses=tuple(course for found in findings for course in _courses(pair, found, names)),
        events=tuple(
            _events(pair, spec, study, sizes) for spec in structure.tables.values() if _is_counted(pair, spec)
        ),
        correlations=_correlations(pair, findings),
    )


def _courses(pair: Pair, found: Findings, names: dict[str, str]) -> list[Course]:
    cells, result = found.sides[0], []
    labels = labels_of(pair.source.frames[found.spec.name], found.spec, found.spec.test or "")
    held = np.bincount(cells.test, minlength=len(found.tests))
    for test in np.flatnonzero(held >= LEAST_VALUES).tolist():
        own = cells.of(test)
        kept, where = seen_often(own, len(found.visits))
        table = by_visit(own, pair.arm[0][own.subject], where[own.visit], len(pair.arms), len(kept))
        n = table[:, :, 0].astype(int)
        low, middle, high = (np.where(n >= RARE, table[:, :, i], np.nan) for i in (2, 3, 4))
        name = found.tests[test]
        visits = [plain_text(found.visits[i]) for i in kept]
        result.append(
            Course(
                table=found.spec.name,
                test=plain_text(name),
                label=labels.get(name, ""),
                visits=tuple(names.get(visit, visit) for visit in visits),
                n=tuple(map(tuple, n.tolist())),
                low=_rows(low),
                middle=_rows(middle),
                high=_rows(high),
            )
        )
    return result


def _is_counted(pair: Pair, spec: TableSpec) -> bool:
    return spec.layout in COUNTED and spec.name in pair.source.frames and spec.name in pair.source.subject


def _events(pair: Pair, spec: TableSpec, study: Study, sizes: np.ndarray) -> EventsByArm:
    arm, rows = pair.arm[0], rows_per_subject(pair, spec)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(arm[arm >= 0], rows[arm >= 0], minlength=len(sizes)) / sizes
        some = np.bincount(arm[(arm >= 0) & (rows > 0)], minlength=len(sizes)) / sizes
    member = next((m for m in spec.members if m in study), None)
    return EventsByArm(
        table=spec.name,
        label=study[member].label if member else "",
        rows=_numbers(mean),
        any=_numbers(some),
        terms=_terms(pair, spec, sizes),
    )


def _terms(pair: Pair, spec: TableSpec, sizes: np.ndarray) -> tuple[TermByArm, ...]:
    if spec.code is None:
        return ()
    code, _, values = pair.codes(spec.name, spec.code)
    has = count(pair.source.subject[spec.name], code, pair.source.n, len(values)) > 0
    subjects = has.sum(0)
    top = [i for i in np.argsort(-subjects, kind="stable")[:TERMS] if subjects[i] >= RARE]
    arm = pair.arm[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = {i: np.bincount(arm[(arm >= 0) & has[:, i]], minlength=len(sizes)) / sizes for i in top}
    return tuple(TermByArm(term=plain_text(values[i]), shares=_numbers(share[i])) for i in top)


def _correlations(pair: Pair, findings: Sequence[Findings]) -> CorrelationMap | None:
    names = chosen_tests(pair, findings)
    columns, labels = covariates(pair)
    values = np.hstack([columns[0], subject_means(pair, findings, names, 0)])
    labels = [*labels, *(label_of(findings, table, test) for table, test in names)]
    if len(labels) < 2 or len(values) < LEAST_SUBJECTS:
        return None
    return CorrelationMap(names=tuple(labels), values=_rows(ranked(values)))


def _rows(values: np.ndarray) -> tuple[Numbers, ...]:
    return tuple(_numbers(row) for row in values)


def _numbers(values: np.ndarray) -> Numbers:
    """Rounded to significant digits; None where unknown.

    >>> _numbers(np.array([0.123456, np.nan]))
    (0.1235, None)
    """
    return tuple(float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in values.tolist())
