"""Edge cases: right values that systems stumble over. Nothing is wrong with them, so no rule should fire."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.document import Document
from datareplicator.faults.job import Job, Pool, Values
from datareplicator.faults.kind import Family, Unit
from datareplicator.faults.kinds.pools import filled, numbers, renumbered, spread
from datareplicator.faults.kinds.subjects import followed, with_rows
from datareplicator.faults.roles import code_columns, event_dates, text_columns

FAMILY = Family("edge cases")


@FAMILY.kind("edge-minimum", "A number is the lowest of its test.")
def edge_minimum(job: Job, params: Document) -> None:
    job.cells(numbers(job), lambda p, rows, rng: renumbered(p, rows, spread(p)[0][rows]), "numbers above the lowest")


@FAMILY.kind("edge-maximum", "A number is the highest of its test.")
def edge_maximum(job: Job, params: Document) -> None:
    job.cells(numbers(job), lambda p, rows, rng: renumbered(p, rows, spread(p)[1][rows]), "numbers below the highest")


@FAMILY.kind("edge-zero", "A number is 0.")
def edge_zero(job: Job, params: Document) -> None:
    job.cells(numbers(job), lambda p, rows, rng: renumbered(p, rows, np.zeros(len(rows))), "numbers other than 0")


@FAMILY.kind("edge-longest-text", "A text is as long as its column allows, 200 characters where nothing is declared.")
def edge_longest_text(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        most = min(pool.piece.columns[column].length or 200, 200)
        old = pool.piece.texts(column, rows)
        return {column: [((t + " ") * (most // (len(t) + 1) + 1))[: most - 1].rstrip() + "X" for t in old]}

    job.cells(filled(job, text_columns, text=True), change, "texts")


@FAMILY.kind("edge-one-letter", "A text is a single letter.")
def edge_one_letter(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        return {column: [str(t).strip()[:1] for t in pool.piece.texts(column, rows)]}

    job.cells(filled(job, text_columns, text=True), change, "texts of more than one letter")


@FAMILY.kind("edge-rare-category", "A coded value is the rarest of its list.")
def edge_rare_category(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        counts = pool.piece.clean[column].value_counts()
        rarest = min((str(v) for v in counts.index[counts == counts.min()]), default="")
        return {column: [rarest] * len(rows)}

    job.cells(filled(job, code_columns, text=True), change, "coded values that are not the rarest")


@FAMILY.kind(
    "edge-subject-without-rows", "A subject has a row in the table of subjects and nothing else.", unit=Unit.SUBJECT
)
def edge_subject_without_rows(job: Job, params: Document) -> None:
    pieces = [p for p in job.scene.pieces.values() if p is not job.scene.root and p.has(p.spec.subject)]
    spoilt = with_rows(job, {p.name: ~p.whole & (p.subject >= 0) for p in pieces})
    held = with_rows(job, {p.name: p.subject >= 0 for p in followed(job)}) & ~spoilt
    for who in job.choose_subjects(held, "subjects with rows"):
        incident = job.scene.incidents(1)[0]
        for piece in pieces:
            rows = np.flatnonzero(piece.subject == who)
            job.delete(piece, rows, np.full(len(rows), incident))


@FAMILY.kind("edge-oldest-date", "A date is 1900-01-01, which old systems write for what they do not know.")
def edge_oldest_date(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        stamp: object = "1900-01-01" if pool.piece.is_text(column) else pd.Timestamp("1900-01-01")
        return {column: [stamp] * len(rows)}

    job.cells(filled(job, lambda piece: event_dates(job.scene, piece, text=False)), change, "dates")
