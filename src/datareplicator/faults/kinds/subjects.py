"""Whole subjects: swapped, doubled across sites, without baseline, gone, against the criteria, in the wrong arm."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field

from datareplicator import dates
from datareplicator.document import Document
from datareplicator.faults.job import Job
from datareplicator.faults.kind import Family, Severity, Unit
from datareplicator.faults.scene import Piece, edited
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import Kind, Layout

FAMILY = Family("subjects")


def followed(job: Job, *layouts: Layout) -> list[Piece]:
    """The target's tables with rows of subjects, but the table of subjects."""
    return [p for p in job.pieces(*layouts) if p is not job.scene.root and p.has(p.spec.subject)]


def with_rows(job: Job, rows_of: dict[str, np.ndarray]) -> np.ndarray:
    """bool a subject: has one of these rows. `rows_of`: bool a row by piece."""
    held = np.zeros(len(job.scene.subjects) + 1, dtype=bool)
    for name, rows in rows_of.items():
        held[job.scene.pieces[name].subject[rows]] = True
    return held[:-1]


@FAMILY.kind(
    "swapped-subjects",
    "Two subjects' records of one table are exchanged.",
    unit=Unit.SUBJECT,
    severity=Severity.CRITICAL,
    spreads=True,
    rules="DR0202 DR0406 DR1303",
)
def swapped_subjects(job: Job, params: Document) -> None:
    scene = job.scene
    pieces = [p for p in followed(job) if p.spec.layout in (Layout.FINDINGS, Layout.EVENTS, Layout.VISITS)]
    usable = {p.name: job.rows(p) & p.free([str(p.spec.subject)]) & (p.subject >= 0) for p in pieces}
    held = with_rows(job, usable)
    if held.sum() < 2:
        raise job.nothing("two subjects with records are needed")
    for who in job.choose_subjects(held, "subjects with records in a table of findings or events"):
        rng = job.rng("swap", str(scene.subjects[who]))
        mine = [p for p in pieces if (usable[p.name] & p.free([str(p.spec.subject)]) & (p.subject == who)).any()]
        if not mine:
            job.quota.done -= 1
            continue
        piece = mine[int(rng.integers(len(mine)))]
        column = str(piece.spec.subject)
        free = usable[piece.name] & piece.free([column])
        others = np.setdiff1d(np.unique(piece.subject[free]), [who])
        if not len(others):
            job.quota.done -= 1
            continue
        other = int(others[int(rng.integers(len(others)))])
        incident = scene.incidents(1)[0]
        for one, two in ((who, other), (other, who)):
            rows = np.flatnonzero(free & (piece.subject == one))
            job.edit(piece, column, rows, [scene.subjects[two]] * len(rows), np.full(len(rows), incident))


@FAMILY.kind(
    "duplicate-subject",
    "A subject takes part twice: all its records again, under another key and at another site.",
    unit=Unit.SUBJECT,
    severity=Severity.CRITICAL,
)
def duplicate_subject(job: Job, params: Document) -> None:
    scene, root = job.scene, job.scene.root
    if root is None or root.spec.subject is None:
        raise job.nothing("no table of subjects was found")
    if root.columns[root.spec.subject].type != "text":
        raise job.nothing("the subject key is no text")
    held = with_rows(job, {root.name: root.whole})
    site = scene.structure.site
    known = {str(s) for s in scene.subjects}
    for number, who in enumerate(job.choose_subjects(held, "subjects in the table of subjects")):
        rng = job.rng("double", str(scene.subjects[who]))
        old = str(scene.subjects[who])
        here = plain_text(scene.of_subjects(site)[who]) if site is not None else ""
        sites = sorted({plain_text(s) for s in scene.of_subjects(site) if s is not None} - {here})
        there = sites[int(rng.integers(len(sites)))] if sites else here
        new = _other_key(old, here, there, known, number)
        known.add(new)
        incident = scene.incidents(1)[0]
        for piece in scene.pieces.values():
            if not piece.has(piece.spec.subject):
                continue
            rows = np.flatnonzero(~piece.deleted & (piece.subject == who))
            if len(rows):
                copies = _renamed(piece, rows, old, new, here, there, site if piece is root else None)
                job.reserve(piece, rows)
                after = np.full(len(rows), rows[-1])
                job.insert(piece, after, copies, np.full(len(rows), incident))


def _other_key(old: str, here: str, there: str, known: set[str], number: int) -> str:
    """The key with the other site in it, and a number of its own."""
    base = old.replace(here, there, 1) if here and here in old else old
    for k in range(number + 1, number + 2000):
        name = f"{base[:-3]}{900 + k}" if len(base) > 4 else f"{base}{900 + k}"
        if name not in known:
            return name
    return base + "X"


def _renamed(
    piece: Piece, rows: np.ndarray, old: str, new: str, here: str, there: str, site: str | None
) -> pd.DataFrame:
    """Copies of rows under another key: in every text that ends as the key does, and the site in the root."""
    copies = piece.clean.iloc[rows].reset_index(drop=True)
    every = np.arange(len(rows))
    for column in piece.columns:
        if not piece.is_text(column):
            continue
        texts = copies[column].to_numpy(dtype=object)
        told = {t for t in texts if isinstance(t, str)}
        if column == piece.spec.subject or told == {old}:
            copies[column] = edited(copies[column], every, [new] * len(rows))
        elif len(told) == 1 and len(next(iter(told))) >= 3 and old.endswith(next(iter(told))):
            copies[column] = edited(copies[column], every, [new[-len(next(iter(told))) :]] * len(rows))
        elif column == site and there:
            copies[column] = edited(copies[column], every, [there] * len(rows))
    return copies


@FAMILY.kind(
    "no-baseline",
    "A subject has no baseline in a table of findings: its flagged records are gone, or its first ones.",
    unit=Unit.SUBJECT,
    severity=Severity.MAJOR,
)
def no_baseline(job: Job, params: Document) -> None:
    scene = job.scene
    first: dict[str, np.ndarray] = {}
    for piece in followed(job, Layout.FINDINGS):
        rows = _baseline(piece)
        first[piece.name] = rows & job.rows(piece) & piece.whole
    held = with_rows(job, first)
    for who in job.choose_subjects(held, "subjects with a baseline"):
        mine = [scene.pieces[n] for n, rows in first.items() if (rows & (scene.pieces[n].subject == who)).any()]
        piece = mine[int(job.rng("table", str(scene.subjects[who])).integers(len(mine)))]
        rows = np.flatnonzero(first[piece.name] & (piece.subject == who))
        job.delete(piece, rows, np.full(len(rows), scene.incidents(1)[0]))


def _baseline(piece: Piece) -> np.ndarray:
    """bool a row: the flagged baseline; else the subject's first visit."""
    flags = [c for c in piece.columns if c.upper().endswith(("BLFL", "LOBXFL"))]
    flagged = np.any([piece.present(c) for c in flags], axis=0) if flags else np.zeros(len(piece), dtype=bool)
    if flagged.any():
        return flagged
    visit = piece.spec.visit
    if not piece.has(visit):
        return flagged
    number = pd.factorize(piece.clean[visit], sort=True)[0].astype(float)
    lowest = np.full(piece.subject.max(initial=-1) + 2, np.inf)
    np.minimum.at(lowest, piece.subject, np.where(number < 0, np.inf, number))
    return (number == lowest[piece.subject]) & (piece.subject >= 0)


class Visits(Document):
    """How many visits."""

    visits: int = Field(1, ge=1, description="Visits that are lost.")


@FAMILY.kind(
    "lost-visits",
    "All findings of a subject at a visit are gone.",
    unit=Unit.SUBJECT,
    severity=Severity.MAJOR,
    parameters=Visits,
)
def lost_visits(job: Job, params: Visits) -> None:
    scene, visit = job.scene, job.scene.structure.visit
    pieces = [p for p in followed(job, Layout.FINDINGS) if p.has(visit)]
    usable = {p.name: job.rows(p) & p.whole & p.present(str(visit)) for p in pieces}
    for who in job.choose_subjects(with_rows(job, usable), "subjects with findings at visits"):
        held: set = set()
        for p in pieces:
            held |= set(p.clean[visit][usable[p.name] & (p.subject == who)].unique())
        numbers = sorted(held, key=str)
        lost = job.rng("visits", str(scene.subjects[who])).permutation(len(numbers))[: params.visits]
        gone = {numbers[k] for k in lost}
        incident = scene.incidents(1)[0]
        for p in pieces:
            rows = np.flatnonzero(usable[p.name] & (p.subject == who) & p.clean[visit].isin(gone).to_numpy(dtype=bool))
            job.delete(p, rows, np.full(len(rows), incident))


@FAMILY.kind(
    "dropout",
    "A subject has nothing after a day, and no disposition says so.",
    unit=Unit.SUBJECT,
    severity=Severity.MAJOR,
)
def dropout(job: Job, params: Document) -> None:
    scene = job.scene
    day: dict[str, np.ndarray] = {}
    for piece in followed(job, Layout.FINDINGS, Layout.VISITS, Layout.EVENTS):
        when = piece.spec.date or piece.spec.start
        if piece.has(when):
            known = job.rows(piece) & piece.whole
            day[piece.name] = np.where(known, dates.parse(piece.clean[when]).day, np.nan)
    last, first = (np.full(len(scene.subjects) + 1, side) for side in (-np.inf, np.inf))
    for name, days in day.items():
        who, known = scene.pieces[name].subject, np.isfinite(days)
        np.maximum.at(last, who[known], days[known])
        np.minimum.at(first, who[known], days[known])
    held = np.isfinite(last[:-1]) & (last[:-1] - first[:-1] >= 7)
    for who in job.choose_subjects(held, "subjects with records on more than one week"):
        share = job.rng("day", str(scene.subjects[who])).uniform(0.2, 0.8)
        cut = first[who] + share * (last[who] - first[who])
        incident = scene.incidents(1)[0]
        for name, days in day.items():
            piece = scene.pieces[name]
            rows = np.flatnonzero((piece.subject == who) & (days > cut))
            job.delete(piece, rows, np.full(len(rows), incident))


class Ages(Document):
    """Against which criterion."""

    age: int | None = Field(None, description="The age that is written; else one below the youngest of the study.")


@FAMILY.kind(
    "enrolled-against-criteria",
    "A subject's age is outside what the study admits.",
    unit=Unit.SUBJECT,
    severity=Severity.CRITICAL,
    rules="DR0515 DR0509",
    parameters=Ages,
)
def enrolled_against_criteria(job: Job, params: Ages) -> None:
    root = job.scene.root
    age = next((c for c in root.columns if c.upper() in ("AGE", "AGE_YEARS")), None) if root is not None else None
    if root is None or age is None:
        raise job.nothing("no age was found in the table of subjects")
    x = root.number(age)
    youngest = np.nanmin(x) if np.isfinite(x).any() else 18
    usable = job.rows(root) & root.free([age]) & np.isfinite(x)
    for who in job.choose_subjects(with_rows(job, {root.name: usable}), "subjects with an age"):
        rows = np.flatnonzero(usable & (root.subject == who))[:1]
        below = int(job.rng("age", str(job.scene.subjects[who])).integers(2, 6))
        new = params.age if params.age is not None else max(int(youngest) - below, 1)
        if new == x[rows[0]]:
            new += 1
        job.edit(root, age, rows, [new], job.scene.incidents(1))


@FAMILY.kind(
    "arm-mismatch",
    "The arm that a subject is said to have had is another one than planned, with nothing to explain it.",
    unit=Unit.SUBJECT,
    severity=Severity.CRITICAL,
)
def arm_mismatch(job: Job, params: Document) -> None:
    scene, root, group = job.scene, job.scene.root, job.scene.structure.group
    if root is None or group is None:
        raise job.nothing("no arm was found in the table of subjects")
    pair = _arm_columns(root, group)
    usable = job.rows(root) & root.free(pair) & np.all([root.present(c) for c in pair], axis=0)
    known = (
        root.clean.loc[root.clean[pair].notna().all(axis=1), pair]
        .drop_duplicates()
        .sort_values(pair)
        .to_numpy(dtype=object)
    )
    if len(known) < 2:
        raise job.nothing("the study has one arm only")
    for who in job.choose_subjects(with_rows(job, {root.name: usable}), "subjects with an arm"):
        rows = np.flatnonzero(usable & (root.subject == who))[:1]
        now = tuple(root.clean[c].iloc[rows[0]] for c in pair)
        others = [k for k in known if k[0] != now[0]]
        new = others[int(job.rng("arm", str(scene.subjects[who])).integers(len(others)))]
        incident = scene.incidents(1)
        for column, value in zip(pair, new, strict=True):
            job.edit_where_unlike(root, column, rows, [value], incident)


def _arm_columns(root: Piece, group: str) -> list[str]:
    """The columns of the actual arm; of the planned one where there is no other."""
    actual = [c for c in root.columns if c.upper().startswith(("ACTARM", "TRT01A")) and not c.upper().endswith("UD")]
    named = {c.name for c in root.spec.columns if c.kind in (Kind.CATEGORY, Kind.INTEGER)}
    held = [c for c in actual if c in named]
    return held or [group]
