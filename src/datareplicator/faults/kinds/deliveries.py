"""A second delivery of the same study: new, changed, deleted and restated rows, for testing incremental loads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.document import Document
from datareplicator.faults.job import Job, Pool, Values
from datareplicator.faults.kind import Family, Unit
from datareplicator.faults.kinds.codes import other_code
from datareplicator.faults.kinds.pools import numbers, renumbered
from datareplicator.faults.kinds.records import _alterable, _altered, _next_numbers, _whole
from datareplicator.faults.roles import day_columns, event_dates, on, study_days
from datareplicator.faults.scene import Piece, edited

FAMILY = Family("second delivery")


@FAMILY.kind(
    "delivery-new-rows", "A row that the first delivery did not have, some days after a known one.", unit=Unit.ROW
)
def delivery_new_rows(job: Job, params: Document) -> None:
    for pool, rows in job.choose(_whole(job), "records"):
        piece = pool.piece
        job.insert(piece, rows, _later(job, piece, rows), job.scene.incidents(len(rows)))
        job.reserve(piece, rows)


def _later(job: Job, piece: Piece, rows: np.ndarray) -> pd.DataFrame:
    """Copies of rows under the subject's next numbers, with dates a week or more later."""
    rng = job.rng("later", piece.name)
    copies, every = piece.clean.iloc[rows].reset_index(drop=True), np.arange(len(rows))
    if piece.has(piece.spec.sequence):
        copies[piece.spec.sequence] = edited(copies[piece.spec.sequence], every, _next_numbers(piece, rows))
    shift = rng.integers(7, 60, len(rows))
    for column in event_dates(job.scene, piece, text=False):
        days = dates.parse(piece.clean[column]).day[rows] + shift
        known = np.flatnonzero(np.isfinite(days))
        copies[column] = edited(copies[column], known, on(piece, column, rows[known], days[known]))
        for name in day_columns(job.scene, piece, column):
            copies[name] = edited(copies[name], known, study_days(job.scene, piece, rows[known], days[known]))
    return copies


@FAMILY.kind("delivery-changed-values", "A value was corrected since the first delivery.")
def delivery_changed_values(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        x = pool.data["x"][rows]
        return renumbered(pool, rows, x * rng.choice([0.9, 0.95, 1.05, 1.1], len(rows)))

    pools = numbers(job)
    if not any(len(pool.rows) for pool in pools):
        other_code(job, params)
        return
    job.cells(pools, change, "numbers")


@FAMILY.kind("delivery-deleted-rows", "A row of the first delivery is gone.", unit=Unit.ROW)
def delivery_deleted_rows(job: Job, params: Document) -> None:
    for pool, rows in job.choose(_whole(job), "records"):
        job.delete(pool.piece, rows, job.scene.incidents(len(rows)))


@FAMILY.kind(
    "delivery-restated-rows",
    "A row of the first delivery is gone and comes again under another number and with another value.",
    unit=Unit.ROW,
)
def delivery_restated_rows(job: Job, params: Document) -> None:
    pools = [p for p in _whole(job) if _alterable(p.piece)]
    for pool, rows in job.choose(pools, "records with a value that may differ"):
        piece, rng = pool.piece, job.rng("restate", pool.piece.name)
        copies, every = piece.clean.iloc[rows].reset_index(drop=True), np.arange(len(rows))
        if piece.has(piece.spec.sequence):
            copies[piece.spec.sequence] = edited(copies[piece.spec.sequence], every, _next_numbers(piece, rows))
        for column, new in _altered(piece, rows, rng).items():
            copies[column] = edited(copies[column], every, new)
        incidents = job.scene.incidents(len(rows))
        job.delete(piece, rows, incidents)
        job.insert(piece, rows, copies, incidents)
