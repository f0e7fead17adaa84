"""Tables of another form: columns missing, extra, renamed, of another type or length; empty and overfull tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from pydantic import Field

from datareplicator.document import Document
from datareplicator.faults.job import Job
from datareplicator.faults.kind import Family, Scope, Severity, Unit
from datareplicator.faults.layoutchange import added, removed, renamed, retyped
from datareplicator.faults.scene import Piece, edited
from datareplicator.structure.spec import Layout
from datareplicator.study import Column

FAMILY = Family("layout", Scope.STUDY)
POINTING = (Layout.SUPPLEMENT, Layout.RELATION)


def _untouched(piece: Piece, column: str) -> bool:
    """Whether no cell of the column was edited and its layout not changed."""
    return column not in piece.closed and column not in piece._claimed


def _columns(job: Job, fits: Callable[[Piece, str], bool], what: str) -> list[tuple[Piece, str]]:
    """Choose columns, one a fault, at most one a table unless the target names columns."""
    places = [
        (piece, column)
        for piece in job.pieces()
        if len(piece) and (job.fault.target.domain or piece.spec.layout not in POINTING)
        for column in job.columns(piece, piece.columns)
        if _untouched(piece, column) and fits(piece, column)
    ]
    if not job.explicit:
        rng = job.rng("column")
        by_table: dict[str, list[tuple[Piece, str]]] = {}
        for piece, column in places:
            by_table.setdefault(piece.name, []).append((piece, column))
        places = [held[int(rng.integers(len(held)))] for held in by_table.values()]
    wanted = job.ask(len(places), what)
    chosen = np.sort(job.rng("choose").permutation(len(places))[:wanted])
    job.quota.done += len(chosen)
    for k in chosen:
        places[k][0].closed.add(places[k][1])
    return [places[k] for k in chosen]


def _named(piece: Piece) -> set[str | None]:
    return {piece.spec.subject, "STUDYID", "DOMAIN"}


@FAMILY.kind(
    "column-missing",
    "A column is missing.",
    unit=Unit.TABLE,
    severity=Severity.CRITICAL,
    rules="DR1001 DR1002 DR0013",
    spreads=True,
)
def column_missing(job: Job, params: Document) -> None:
    for piece, column in _columns(job, lambda p, c: job.explicit or c not in _named(p), "columns"):
        job.alter(piece, column, *removed())


@FAMILY.kind(
    "column-renamed",
    "A column has another name.",
    unit=Unit.TABLE,
    severity=Severity.CRITICAL,
    rules="DR1001 DR1002 DR0013",
    spreads=True,
)
def column_renamed(job: Job, params: Document) -> None:
    for piece, column in _columns(job, lambda p, c: job.explicit or c not in _named(p), "columns"):
        job.alter(piece, column, *renamed(column, _other_name(piece, column)))


def _other_name(piece: Piece, name: str) -> str:
    """A name that is not taken, of at most eight characters where the old one is so short."""
    most = 8 if len(name) <= 8 else 32
    for mark in "X12345678":
        other = name[: most - 1] + mark
        if other.upper() not in {c.upper() for c in piece.columns}:
            return other
    return name[: most - 2] + "XX"


@FAMILY.kind("column-extra", "A column that nobody knows.", unit=Unit.TABLE, rules="DR0005 DR1002")
def column_extra(job: Job, params: Document) -> None:
    pieces = [p for p in job.pieces() if len(p)]
    wanted = job.ask(len(pieces), "tables with rows")
    for k in np.sort(job.rng("choose").permutation(len(pieces))[:wanted]):
        piece = pieces[k]
        name = _other_name(piece, "EXTRA")
        column = Column(name, "text", "Not in the specification", 8)
        job.alter(piece, name, *added(column, ["X1", "X2", "X3"]))
        piece.closed.add(name)
        job.quota.done += 1


@FAMILY.kind(
    "number-as-text",
    "A column of numbers is delivered as text.",
    unit=Unit.TABLE,
    severity=Severity.MAJOR,
    rules="DR0003 DR1003",
)
def number_as_text(job: Job, params: Document) -> None:
    def fits(piece: Piece, column: str) -> bool:
        numeric = piece.columns[column].type in ("integer", "float")
        return numeric and (job.explicit or column != piece.spec.subject)

    for piece, column in _columns(job, fits, "columns of numbers"):
        old = piece.columns[column]
        job.alter(
            piece, column, *retyped(old, dataclasses.replace(old, type="text", length=16, format="", informat=""))
        )


@FAMILY.kind("length-changed", "A text column is declared longer than before.", unit=Unit.TABLE, rules="DR1003")
def length_changed(job: Job, params: Document) -> None:
    def fits(piece: Piece, column: str) -> bool:
        known = piece.columns[column]
        return known.type == "text" and (known.length or 0) < 200 and known.length is not None

    for piece, column in _columns(job, fits, "text columns of a declared length"):
        old = piece.columns[column]
        job.alter(piece, column, *retyped(old, dataclasses.replace(old, length=200)))


@FAMILY.kind("label-changed", "A column has another label.", unit=Unit.TABLE, rules="DR1003")
def label_changed(job: Job, params: Document) -> None:
    for piece, column in _columns(job, lambda p, c: bool(p.columns[c].label), "columns with a label"):
        old = piece.columns[column]
        label = old.label[:36] + " (2)" if not old.label.isupper() else old.label.capitalize()
        job.alter(piece, column, *retyped(old, dataclasses.replace(old, label=label)))


@FAMILY.kind(
    "table-empty", "A table has no rows.", unit=Unit.TABLE, severity=Severity.CRITICAL, spreads=True, rules="DR0010"
)
def table_empty(job: Job, params: Document) -> None:
    pieces = [
        p for p in job.pieces() if len(p) and p.whole.all() and (p is not job.scene.root or job.fault.target.domain)
    ]
    wanted = job.ask(len(pieces), "tables of which nothing was touched")
    for k in np.sort(job.rng("choose").permutation(len(pieces))[:wanted]):
        rows = np.arange(len(pieces[k]))
        job.delete(pieces[k], rows, np.full(len(rows), job.scene.incidents(1)[0]))
        job.quota.done += 1


class Rows(Document):
    """How many rows."""

    rows: int = Field(10_000, ge=1, le=1_000_000, description="Rows that are added.")


@FAMILY.kind(
    "rows-for-one-subject",
    "One subject has 10,000 rows more in a table.",
    unit=Unit.SUBJECT,
    severity=Severity.MAJOR,
    rules="DR2014 DR1101",
    parameters=Rows,
)
def rows_for_one_subject(job: Job, params: Rows) -> None:
    scene = job.scene
    pieces = [p for p in job.pieces() if p is not scene.root and p.has(p.spec.subject)]
    held = np.zeros(len(scene.subjects) + 1, dtype=bool)
    for piece in pieces:
        held[piece.subject[np.flatnonzero(~piece.deleted)]] = True
    for who in job.choose_subjects(held[:-1], "subjects with rows"):
        piece = max(pieces, key=lambda p: int((~p.deleted & (p.subject == who)).sum()))
        mine = np.flatnonzero(~piece.deleted & (piece.subject == who))
        job.reserve(piece, mine)
        copies = piece.clean.iloc[np.resize(mine, params.rows)].reset_index(drop=True)
        sequence = piece.spec.sequence
        if piece.has(sequence):
            start = int(np.nanmax(np.nan_to_num(piece.number(str(sequence)))))
            copies[sequence] = edited(
                copies[sequence], np.arange(params.rows), list(range(start + 1, start + 1 + params.rows))
            )
        incident = np.full(params.rows, scene.incidents(1)[0])
        job.insert(piece, np.full(params.rows, mine[-1]), copies, incident)
