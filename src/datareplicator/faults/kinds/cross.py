"""Tables that contradict each other: deaths, withdrawals, exposure, visits, supplements and relations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.document import Document
from datareplicator.faults.job import Job, Pool, Values
from datareplicator.faults.kind import Family, Severity, Unit
from datareplicator.faults.kinds.subjects import followed, with_rows
from datareplicator.faults.roles import day_columns, death_column, on, study_days
from datareplicator.faults.scene import Piece
from datareplicator.structure.spec import Layout

FAMILY = Family("across tables")


@FAMILY.kind(
    "fatal-event-without-death",
    "An adverse event is fatal, but the table of subjects knows of no death.",
    severity=Severity.CRITICAL,
    rules="DR0602 DR1501",
    unit=Unit.ROW,
)
def fatal_event_without_death(job: Job, params: Document) -> None:
    scene, died = job.scene, death_column(job.scene)
    dead = np.array([v is not None for v in scene.of_subjects(died)] + [False], dtype=bool)
    flagged = np.array([v is not None for v in scene.of_subjects(_death_flag(job))] + [False], dtype=bool)
    pools = []
    for piece in _domain(job, "AE"):
        if piece.has("AEOUT"):
            rows = job.rows(piece) & piece.free(["AEOUT"]) & piece.present("AEOUT")
            pools.append(Pool(piece, np.flatnonzero(rows & ~(dead | flagged)[piece.subject]), "AEOUT"))
    job.cells(pools, lambda pool, rows, rng: {"AEOUT": ["FATAL"] * len(rows)}, "adverse events of living subjects")


def _death_flag(job: Job) -> str | None:
    for link in job.scene.structure.links:
        if link.kind == "flag" and link.root.upper().startswith(("DTH", "DEATH")):
            return link.root
    root = job.scene.root
    return "DTHFL" if root is not None and root.has("DTHFL") else None


def _domain(job: Job, code: str) -> list[Piece]:
    allowed = {p.name for p in job.pieces()}
    return [p for p in job.scene.domain(code) if p.name in allowed]


@FAMILY.kind(
    "death-flag-missing",
    "A subject who died has lost the flag of death.",
    unit=Unit.SUBJECT,
    severity=Severity.CRITICAL,
    rules="DR0601 DR0602 DR0604 DR1501",
)
def death_flag_missing(job: Job, params: Document) -> None:
    root, flag = job.scene.root, _death_flag(job)
    if root is None or flag is None or not root.has(flag):
        raise job.nothing("no flag of death was found")
    rows = job.rows(root) & root.free([flag]) & root.present(flag)
    job.cells(
        [Pool(root, np.flatnonzero(rows), flag)],
        lambda pool, rows, rng: {flag: [None] * len(rows)},
        "subjects with a flag of death",
    )


@FAMILY.kind(
    "withdrawal-without-disposition",
    "The drug was withdrawn for an adverse event, but no disposition says so.",
    unit=Unit.ROW,
    severity=Severity.MAJOR,
    rules="DR0706",
)
def withdrawal_without_disposition(job: Job, params: Document) -> None:
    scene = job.scene
    told = np.zeros(len(scene.subjects) + 1, dtype=bool)
    for piece in scene.domain("DS"):
        if piece.has("DSDECOD"):
            # Whoever died of an event has the death for a disposition.
            said = (
                piece.clean["DSDECOD"].astype("str").str.upper().isin(("ADVERSE EVENT", "DEATH")).to_numpy(dtype=bool)
            )
            told[piece.subject[said]] = True
    pools = []
    for piece in _domain(job, "AE"):
        if piece.has("AEACN"):
            rows = job.rows(piece) & piece.free(["AEACN"]) & piece.present("AEACN") & ~told[piece.subject]
            pools.append(Pool(piece, np.flatnonzero(rows), "AEACN"))
    job.cells(
        pools,
        lambda pool, rows, rng: {"AEACN": ["DRUG WITHDRAWN"] * len(rows)},
        "adverse events of subjects without such a disposition",
    )


@FAMILY.kind(
    "no-disposition",
    "A subject has no disposition at all.",
    unit=Unit.SUBJECT,
    severity=Severity.MAJOR,
    rules="DR0506 DR0524",
    spreads=True,
)
def no_disposition(job: Job, params: Document) -> None:
    usable = {p.name: job.rows(p) & p.whole for p in _domain(job, "DS")}
    _drop_all(job, usable, "subjects with dispositions")


@FAMILY.kind(
    "no-exposure",
    "A treated subject has no exposure.",
    unit=Unit.SUBJECT,
    severity=Severity.CRITICAL,
    rules="DR0502",
    spreads=True,
)
def no_exposure(job: Job, params: Document) -> None:
    usable = {p.name: job.rows(p) & p.whole for p in _domain(job, "EX")}
    _drop_all(job, usable, "subjects with exposure")


def _drop_all(job: Job, usable: dict[str, np.ndarray], what: str) -> None:
    """Drop all of a subject's rows in these tables; of subjects alone whose rows are all untouched."""
    spoilt = {name: ~rows & (job.scene.pieces[name].subject >= 0) for name, rows in usable.items()}
    held = with_rows(job, usable) & ~with_rows(job, spoilt)
    for who in job.choose_subjects(held, what):
        incident = job.scene.incidents(1)[0]
        for name in usable:
            piece = job.scene.pieces[name]
            rows = np.flatnonzero(piece.subject == who)
            job.delete(piece, rows, np.full(len(rows), incident))


@FAMILY.kind(
    "exposure-after-discontinuation",
    "Treatment goes on after the subject's last disposition.",
    unit=Unit.ROW,
    severity=Severity.CRITICAL,
    rules="DR0510",
)
def exposure_after_discontinuation(job: Job, params: Document) -> None:
    scene = job.scene
    last = np.full(len(scene.subjects) + 1, -np.inf)
    for piece in scene.domain("DS"):
        start = piece.spec.start or piece.spec.date
        if piece.has(start):
            day = dates.parse(piece.clean[start]).day
            known = np.isfinite(day)
            np.maximum.at(last, piece.subject[known], day[known])
    last[-1] = -np.inf
    pools = []
    for piece in _domain(job, "EX"):
        start, end = piece.spec.start, piece.spec.end
        if not piece.has(start):
            continue
        columns = [c for c in (start, end) if piece.has(c)]
        follow = [d for c in columns for d in day_columns(scene, piece, str(c))]
        rows = job.rows(piece) & piece.free([*map(str, columns), *follow]) & piece.present(str(start))
        rows &= np.isfinite(last[piece.subject])
        also = tuple(str(c) for c in [*columns[1:], *follow])
        pools.append(Pool(piece, np.flatnonzero(rows), str(start), also))

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        piece, begin = pool.piece, last[pool.piece.subject[rows]] + rng.integers(1, 15, len(rows))
        days = {str(pool.column): begin, str(piece.spec.end): begin + rng.integers(1, 15, len(rows))}
        values: Values = {}
        for column, new in days.items():
            if column == pool.column or column in pool.also:
                values[column] = on(piece, column, rows, new)
                values |= {d: study_days(scene, piece, rows, new) for d in day_columns(scene, piece, column)}
        return values

    job.cells(pools, change, "exposure of subjects with a dated disposition")


@FAMILY.kind(
    "exposure-disagrees",
    "The first exposure in the table of subjects is another day than in the exposure.",
    unit=Unit.SUBJECT,
    severity=Severity.MAJOR,
    rules="DR0511 DR0512 DR1302",
)
def exposure_disagrees(job: Job, params: Document) -> None:
    root = job.scene.root
    names = [c for c in ("RFXSTDTC", "RFXENDTC") if root is not None and root.has(c)]
    if root is None or not names:
        raise job.nothing("the table of subjects has no date of exposure (RFXSTDTC)")
    pools = []
    for column in job.columns(root, names[:1]):
        day = dates.parse(root.clean[column]).day
        rows = job.rows(root) & root.free([column]) & np.isfinite(day)
        pools.append(Pool(root, np.flatnonzero(rows), column, (), {"day": day}))

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        shift = rng.integers(1, 8, len(rows))
        return {str(pool.column): on(pool.piece, str(pool.column), rows, pool.data["day"][rows] + shift)}

    job.cells(pools, change, "subjects with a date of exposure")


@FAMILY.kind(
    "supplement-dangling",
    "A supplemental qualifier points at a record that does not exist.",
    unit=Unit.ROW,
    severity=Severity.MAJOR,
    rules="DR0801 DR1202",
)
def supplement_dangling(job: Job, params: Document) -> None:
    pools = []
    for piece in job.pieces():
        for entry in (s for s in job.scene.structure.supplements if s.table == piece.spec.name):
            column = entry.columns.get("value_of_pointer")
            if column is None or entry.pointer is None or not piece.has(column):
                continue
            rows = job.rows(piece) & piece.free([column]) & piece.present(column)
            if "pointer" in entry.columns:
                rows &= (piece.clean[entry.columns["pointer"]] == entry.pointer).to_numpy(dtype=bool)
            pools.append(Pool(piece, np.flatnonzero(rows), column))
    job.cells(_once(pools), _nowhere, "supplemental qualifiers of records")


def _once(pools: list[Pool]) -> list[Pool]:
    """Each row in the first pool that holds it."""
    seen: dict[str, np.ndarray] = {}
    for pool in pools:
        taken = seen.setdefault(pool.piece.name, np.zeros(len(pool.piece), dtype=bool))
        pool.rows = pool.rows[~taken[pool.rows]]
        taken[pool.rows] = True
    return pools


def _nowhere(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
    column = str(pool.column)
    numbers = rng.integers(90_000, 99_999, len(rows))
    as_text = pool.piece.is_text(column)
    return {column: [str(n) if as_text else int(n) for n in numbers]}


@FAMILY.kind(
    "relation-dangling",
    "A related record points at a record that does not exist.",
    unit=Unit.ROW,
    severity=Severity.MAJOR,
    rules="DR0802",
)
def relation_dangling(job: Job, params: Document) -> None:
    pools = []
    for piece in job.pieces(Layout.RELATION):
        if piece.has("IDVARVAL"):
            rows = job.rows(piece) & piece.free(["IDVARVAL"]) & piece.present("IDVARVAL")
            pools.append(Pool(piece, np.flatnonzero(rows), "IDVARVAL"))
    job.cells(pools, _nowhere, "related records")


@FAMILY.kind(
    "relation-half",
    "One side of a relation is gone.",
    unit=Unit.ROW,
    rules="DR0806",
    spreads=True,
)
def relation_half(job: Job, params: Document) -> None:
    pools = []
    for piece in job.pieces(Layout.RELATION):
        by = [c for c in ("USUBJID", "RELID") if piece.has(c)]
        if "RELID" in by:
            group = piece.clean.groupby(by, dropna=False)["RELID"]
            rows = job.rows(piece) & piece.whole & (group.transform("size") == 2).to_numpy(dtype=bool)
            rows &= (group.cumcount() == 0).to_numpy(dtype=bool)
            pools.append(Pool(piece, np.flatnonzero(rows)))
    for pool, rows in job.choose(pools, "relations of two records"):
        job.delete(pool.piece, rows, job.scene.incidents(len(rows)))


@FAMILY.kind(
    "visit-without-data",
    "A visit took place, but nothing was recorded at it.",
    unit=Unit.ROW,
    severity=Severity.MAJOR,
    rules="DR0408",
    spreads=True,
)
def visit_without_data(job: Job, params: Document) -> None:
    scene, visit = job.scene, job.scene.structure.visit
    table = scene.structure.visit_table
    pieces = [p for p in followed(job) if p.has(visit) and p.spec.name != table]
    visits = [p for p in scene.members(table or "") if p.has(visit)]
    if not visits:
        raise job.nothing("no table of visits was found")
    whole, spoilt = [], []
    for p in pieces:
        at = pd.MultiIndex.from_arrays([p.subject, p.clean[visit]])
        whole.append(at[p.whole & job.rows(p)])
        spoilt.append(at[~p.whole])
    held, taken = whole[0].append(whole[1:]), spoilt[0].append(spoilt[1:]) if spoilt else None
    pools = []
    for p in visits:
        at = pd.MultiIndex.from_arrays([p.subject, p.clean[visit]])
        rows = job.rows(p) & at.isin(held) & ~(at.isin(taken) if taken is not None and len(taken) else False)
        pools.append(Pool(p, np.flatnonzero(rows)))
    for pool, rows in job.choose(pools, "visits with data"):
        incidents = scene.incidents(len(rows))
        chosen = pd.MultiIndex.from_arrays([pool.piece.subject[rows], pool.piece.clean[visit].iloc[rows]])
        for p in pieces:
            at = pd.MultiIndex.from_arrays([p.subject, p.clean[visit]])
            found = chosen.get_indexer(at) if chosen.is_unique else np.full(len(at), -1)
            gone = np.flatnonzero((found >= 0) & p.whole)
            job.delete(p, gone, incidents[found[gone]])


@FAMILY.kind(
    "data-without-visit",
    "There are data of a visit that the table of visits does not know.",
    unit=Unit.ROW,
    severity=Severity.MAJOR,
    rules="DR0401 DR1201",
    spreads=True,
)
def data_without_visit(job: Job, params: Document) -> None:
    scene, visit = job.scene, job.scene.structure.visit
    pools = []
    data = [p for p in followed(job) if p.has(visit) and p.spec.name != scene.structure.visit_table]
    for piece in scene.members(scene.structure.visit_table or ""):
        if not piece.has(visit):
            continue
        at = pd.MultiIndex.from_arrays([piece.subject, piece.clean[visit]])
        used = np.zeros(len(piece), dtype=bool)
        for p in data:
            used |= at.isin(pd.MultiIndex.from_arrays([p.subject, p.clean[visit]]))
        pools.append(Pool(piece, np.flatnonzero(used & piece.whole & job.rows(piece))))
    for pool, rows in job.choose(pools, "visits with data"):
        job.delete(pool.piece, rows, scene.incidents(len(rows)))


@FAMILY.kind(
    "serious-without-criterion",
    "A serious adverse event meets no criterion of seriousness.",
    unit=Unit.ROW,
    severity=Severity.MAJOR,
    rules="DR0701",
)
def serious_without_criterion(job: Job, params: Document) -> None:
    criteria = [f"AES{name}" for name in ("CAN", "CONG", "DISAB", "DTH", "HOSP", "LIFE", "MIE", "OD")]
    pools = []
    for piece in _domain(job, "AE"):
        held = [c for c in criteria if piece.has(c)]
        if piece.has("AESER") and held:
            met = np.any([(piece.frame[c].astype("str") == "Y").to_numpy(dtype=bool) for c in held], axis=0)
            rows = job.rows(piece) & piece.free(["AESER", *held]) & ~met & (piece.texts("AESER") != "Y")
            pools.append(Pool(piece, np.flatnonzero(rows), "AESER"))
    job.cells(pools, lambda pool, rows, rng: {"AESER": ["Y"] * len(rows)}, "adverse events that are not serious")


@FAMILY.kind(
    "resolved-without-end",
    "An adverse event is resolved, but has no end.",
    unit=Unit.ROW,
    rules="DR0704",
)
def resolved_without_end(job: Job, params: Document) -> None:
    pools = []
    for piece in _domain(job, "AE"):
        end = piece.spec.end
        if end is not None and piece.has("AEOUT", end):
            outcome = piece.clean["AEOUT"].astype("str")
            said = outcome.str.startswith("RECOVERED") & ~outcome.str.contains("SEQUELAE")
            resolved = said.to_numpy(dtype=bool)
            follow = tuple(day_columns(job.scene, piece, end))
            rows = job.rows(piece) & piece.free([end, "AEOUT", *follow]) & resolved & piece.present(end)
            pools.append(Pool(piece, np.flatnonzero(rows), end, follow))

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return {c: [None] * len(rows) for c in (str(pool.column), *pool.also)}

    job.cells(pools, change, "resolved adverse events with an end")
