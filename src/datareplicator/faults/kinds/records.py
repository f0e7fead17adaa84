"""Whole records: repeated, dropped, orphaned, renumbered, out of order, under another subject."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from datareplicator.document import Document
from datareplicator.faults.job import Job, NoPlace, Pool, Values
from datareplicator.faults.kind import Family, Severity, Unit
from datareplicator.faults.roles import code_columns, results
from datareplicator.faults.scene import Piece, edited
from datareplicator.structure.spec import Layout

FAMILY = Family("records")
POINTING = (Layout.SUPPLEMENT, Layout.RELATION, Layout.COMMENT, Layout.REFERENCE)


def _whole(job: Job, *, pointing: bool = False, root: bool = False) -> list[Pool]:
    """Rows of which nothing was touched, of tables with subjects; not the table of subjects, unless named."""
    pools = []
    for piece in job.pieces():
        named = bool(job.fault.target.domain)
        if not named and ((piece is job.scene.root and not root) or (piece.spec.layout in POINTING and not pointing)):
            continue
        pools.append(Pool(piece, np.flatnonzero(job.rows(piece) & piece.whole)))
    return pools


@FAMILY.kind(
    "exact-duplicate", "A record stands twice.", unit=Unit.ROW, severity=Severity.MAJOR, rules="DR0104 DR1101 DR1102"
)
def exact_duplicate(job: Job, params: Document) -> None:
    for pool, rows in job.choose(_whole(job), "records"):
        job.reserve(pool.piece, rows)
        job.insert(pool.piece, rows, pool.piece.clean.iloc[rows], job.scene.incidents(len(rows)))


@FAMILY.kind(
    "duplicate-in-root",
    "A subject stands twice in the table of subjects.",
    unit=Unit.ROW,
    severity=Severity.CRITICAL,
    rules="DR0102 DR1103",
    spreads=True,
)
def duplicate_in_root(job: Job, params: Document) -> None:
    root = job.scene.root
    if root is None:
        raise job.nothing("no table of subjects was found")
    pool = Pool(root, np.flatnonzero(job.rows(root) & root.whole))
    for held, rows in job.choose([pool], "subjects"):
        job.reserve(held.piece, rows)
        job.insert(held.piece, rows, held.piece.clean.iloc[rows], job.scene.incidents(len(rows)))


@FAMILY.kind(
    "near-duplicate",
    "A record stands twice, with another number and one other value.",
    unit=Unit.ROW,
    severity=Severity.MAJOR,
    rules="DR0114 DR0115 DR0107 DR1101",
)
def near_duplicate(job: Job, params: Document) -> None:
    pools = [p for p in _whole(job) if _alterable(p.piece)]
    for pool, rows in job.choose(pools, "records with a value that may differ"):
        piece, rng = pool.piece, job.rng("near", pool.piece.name)
        copies = piece.clean.iloc[rows].reset_index(drop=True)
        every = np.arange(len(rows))
        if piece.has(piece.spec.sequence):
            copies[piece.spec.sequence] = edited(copies[piece.spec.sequence], every, _next_numbers(piece, rows))
        for column, new in _altered(piece, rows, rng).items():
            copies[column] = edited(copies[column], every, new)
        job.reserve(piece, rows)
        job.insert(piece, rows, copies, job.scene.incidents(len(rows)))


def _alterable(piece: Piece) -> bool:
    return results(piece) is not None or bool(code_columns(piece))


def _altered(piece: Piece, rows: np.ndarray, rng: np.random.Generator) -> Values:
    """Another value of one column, or of a result: that of another row."""
    held = results(piece)
    columns = list(held.columns) if held is not None else code_columns(piece)[:1]
    donors = rng.integers(0, len(piece), len(rows))
    if held is not None:
        order = np.argsort(held.group, kind="stable")
        place = np.empty(len(piece), dtype=np.int64)
        place[order] = np.arange(len(piece))
        donors = order[(place[rows] + 1) % len(piece)]  # the next row of the same test
    return {c: piece.texts(c, donors).tolist() for c in columns}


def _next_numbers(piece: Piece, rows: np.ndarray) -> list[object]:
    """Row numbers beyond the last of each subject, further ones for further rows of the same subject."""
    number = piece.number(str(piece.spec.sequence))
    top = np.zeros(piece.subject.max(initial=-1) + 2)
    np.maximum.at(top, piece.subject, np.nan_to_num(number))
    seen: dict[int, int] = {}
    result: list[object] = []
    for who in piece.subject[rows]:
        seen[who] = seen.get(who, 0) + 1
        result.append(int(top[who]) + seen[who])
    return result


@FAMILY.kind("dropped-record", "A record is gone.", unit=Unit.ROW, severity=Severity.MAJOR, spreads=True)
def dropped_record(job: Job, params: Document) -> None:
    for pool, rows in job.choose(_whole(job), "records"):
        job.delete(pool.piece, rows, job.scene.incidents(len(rows)))


@FAMILY.kind(
    "orphan-record",
    "A record of a subject that does not exist.",
    unit=Unit.ROW,
    severity=Severity.MAJOR,
    rules="DR0101 DR1201",
    spreads=True,
)
def orphan_record(job: Job, params: Document) -> None:
    pools = []
    for pool in _whole(job, pointing=True):
        subject = pool.piece.spec.subject
        if subject is not None and pool.piece.has(subject) and pool.piece is not job.scene.root:
            rows = pool.rows[(pool.piece.free([subject]) & pool.piece.present(subject))[pool.rows]]
            pools.append(Pool(pool.piece, rows, subject))

    known = {str(s) for s in job.scene.subjects}

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        numbers = pool.piece.columns[str(pool.column)].type in ("integer", "float")
        old = pool.piece.texts(str(pool.column), rows)
        return {
            str(pool.column): [
                _nobody(v, known, r, numbers) for v, r in zip(old, rng.integers(0, 10**6, len(rows)), strict=True)
            ]
        }

    job.cells(pools, change, "records that name a subject")


def _nobody(subject: object, known: set[str], draw: int, number: bool) -> object:
    """A key like a subject's that belongs to nobody."""
    while True:
        draw += 1
        name = str(900_000_000 + draw) if number else f"{str(subject)[:-3]}{draw % 1000:03d}X"
        if name not in known:
            return int(name) if number else name


@FAMILY.kind("sequence-duplicated", "A row number of the subject stands twice.", unit=Unit.ROW, rules="DR0104 DR1102")
def sequence_duplicated(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        before = pool.data["before"][rows]
        return {column: pool.piece.texts(column, before).tolist()}

    pools = _numbered(job)
    for pool in pools:
        order = np.lexsort((pool.piece.number(str(pool.column)), pool.piece.subject))
        before = np.full(len(pool.piece), -1, dtype=np.int64)
        same = pool.piece.subject[order[1:]] == pool.piece.subject[order[:-1]]
        before[order[1:][same]] = order[:-1][same]
        pool.data["before"] = before
        # Neighbours are not renumbered both: of each pair every second row is a place.
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        pool.rows = pool.rows[(before[pool.rows] >= 0) & (rank[pool.rows] % 2 == 1)]
    job.cells(pools, change, "records with a row number and another one of the subject before")


def _numbered(job: Job) -> list[Pool]:
    pools = []
    for piece in job.pieces():
        sequence = piece.spec.sequence
        if sequence is not None and piece.has(sequence, piece.spec.subject):
            rows = job.rows(piece) & piece.free([sequence]) & piece.present(sequence) & (piece.subject >= 0)
            pools.append(Pool(piece, np.flatnonzero(rows), sequence))
    return pools


@FAMILY.kind("sequence-missing", "A row number is missing.", unit=Unit.ROW, rules="DR0105")
def sequence_missing(job: Job, params: Document) -> None:
    job.cells(
        _numbered(job), lambda pool, rows, rng: {str(pool.column): [None] * len(rows)}, "records with a row number"
    )


@FAMILY.kind("shuffled-order", "Records stand in another order.", unit=Unit.ROW, rules="DR0112")
def shuffled_order(job: Job, params: Document) -> None:
    for pool, rows in job.choose(_whole(job, pointing=True), "records"):
        if len(rows) < 2:
            raise NoPlace("at least two records of a table are needed for another order.")
        rng = job.rng("shuffle", pool.piece.name)
        ring = rng.permutation(len(rows))
        position = np.empty(len(rows))
        position[ring] = pool.piece.position[rows[np.roll(ring, 1)]]  # a ring moves every row
        job.move(pool.piece, rows, position, job.scene.incidents(len(rows)))


class Merging(Document):
    """How much of a subject is merged."""

    share: float = Field(1.0, gt=0, le=1, description="Share of the subject's records in each table that move over.")


@FAMILY.kind(
    "merged-subjects",
    "Records of one subject stand under another one.",
    unit=Unit.SUBJECT,
    severity=Severity.CRITICAL,
    rules="DR0104 DR1101 DR1102 DR0202 DR0210 DR0214 DR1303",
    spreads=True,
    parameters=Merging,
)
def merged_subjects(job: Job, params: Merging) -> None:
    scene = job.scene
    pieces = [
        p for p in job.pieces() if p is not scene.root and p.has(p.spec.subject) and p.spec.layout != Layout.REFERENCE
    ]
    held = np.zeros(len(scene.subjects), dtype=bool)
    for piece in pieces:
        held[
            piece.subject[np.flatnonzero(job.rows(piece) & piece.free([piece.spec.subject]) & (piece.subject >= 0))]
        ] = True
    if held.sum() < 2:
        raise job.nothing("two subjects with records are needed")
    for who in job.choose_subjects(held, "subjects with records"):
        others = np.flatnonzero(job.subjects())
        others = others[others != who]
        rng = job.rng("merge", str(scene.subjects[who]))
        other = scene.subjects[others[int(rng.integers(len(others)))]]
        incident = scene.incidents(1)[0]
        for piece in pieces:
            column = str(piece.spec.subject)
            rows = np.flatnonzero(job.rows(piece) & piece.free([column]) & (piece.subject == who))
            rows = np.sort(rng.permutation(rows)[: int(np.ceil(params.share * len(rows)))])
            job.edit(piece, column, rows, [other] * len(rows), np.full(len(rows), incident))
