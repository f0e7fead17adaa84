"""Learning all findings tables together: cells and replicates first, then each table's other columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.model.anchors import AT_END
from datareplicator.model.context import VisitDays
from datareplicator.model.findings.digests import sequence_digests
from datareplicator.model.findings.fit import fit_findings
from datareplicator.model.findings.grid import Observations
from datareplicator.model.findings.model import Cell, Effects, FindingsModel
from datareplicator.model.results import ResultModel, fit_results, result_columns
from datareplicator.model.rows import fit_rows
from datareplicator.model.study_model import Findings
from datareplicator.model.training import Training, day_anchors
from datareplicator.structure.order import judged
from datareplicator.structure.spec import Kind, TableSpec

FINDINGS = "findings"
REPLICATES = 0.005
"""Share of rows that repeat a cell at a visit from which on repeats are cells of their own."""


@dataclass
class TableCells:
    """One findings table in training: `cell` per row (index in the study's list, -1 unused), `number` and `result`
    (the table's own cell, whether used or not) per row, and for each of the table's cells the result cell and the
    replicate."""

    spec: TableSpec
    results: ResultModel
    first: int
    of: np.ndarray
    replicate: np.ndarray
    cell: np.ndarray
    number: np.ndarray
    visits: tuple[int, int]
    result: np.ndarray


def fit_all_findings(
    training: Training, tables: list[tuple[TableSpec, tuple[int, int]]], visit_day: np.ndarray
) -> tuple[FindingsModel | None, Callable[[], Effects | None], list[TableCells]]:
    """Learn the values of all findings tables. `tables`: each with the range of its visits in the joint list of
    visits, `visit_day` the days of that list. What is known of the subjects' levels is learned when it is asked for,
    where the model itself is taken over from an earlier one."""
    made: list[TableCells] = []
    cells: list[Cell] = []
    tests: dict[tuple[str, str | None], int] = {}
    for spec, visits in tables:
        part = _cells_of(training, spec, visits, len(cells), tests)
        made.append(part)
        cells.extend(_as_cells(part, tests))
    if not cells:
        return None, lambda: None, made
    observed = [_observations(training, part) for part in made]
    together = Observations(
        *(np.concatenate([getattr(o, f) for o in observed]) for f in ("subject", "visit", "cell", "day", "value"))
    )
    inputs = (together, cells, training.subjects, len(visit_day), visit_day)
    whole = [digest for part in made for digest in _whole_sequences(training, part)]
    parts = training.prepared.parts
    if parts.same(FINDINGS, *inputs, whole):
        return parts.held(FINDINGS), lambda: fit_findings(*inputs)[1], made
    model, effects = fit_findings(*inputs)
    both = [np.union1d(known, more) for known, more in zip(model.digests, whole, strict=True)]
    return model.model_copy(update={"digests": both}), lambda: effects, made


def _whole_sequences(training: Training, part: TableCells) -> list[np.ndarray]:
    """Digests of each cell's sequences as they stand in the table, with the visits that are not learned."""
    prepared, name = training.prepared, part.spec.name
    subject = prepared.subject[name]
    day = np.zeros(len(subject))
    if part.spec.date is not None:
        moment = prepared.moment(name, part.spec.date)
        day = moment.day + np.nan_to_num(moment.second) / 86_400
    order = np.lexsort((training.visit[name], day, subject))
    order = order[np.isfinite(part.number[order]) & (subject[order] >= 0)]
    out = []
    for k, replicate in zip(part.of, part.replicate, strict=True):
        rows = order[part.result[order] == k] if replicate == 0 else order[:0]
        out.append(np.unique(sequence_digests(part.number[rows], subject[rows])[1]))
    return out


def _cells_of(
    training: Training, spec: TableSpec, visits: tuple[int, int], first: int, tests: dict[tuple[str, str | None], int]
) -> TableCells:
    frame = training.prepared.frames[spec.name]
    results, cell, number = fit_results(spec, frame, 0)
    subject, visit = training.prepared.subject[spec.name], training.visit[spec.name]
    usable = (subject >= 0) & (visit >= 0)
    place = pd.DataFrame({"s": subject, "v": visit, "c": cell})
    repeat = np.where(usable, place.groupby(["s", "v", "c"]).cumcount().to_numpy(), 0)
    if (repeat > 0).sum() <= REPLICATES * max(usable.sum(), 1):
        usable &= repeat == 0
        repeat = np.zeros_like(repeat)
    pairs = pd.DataFrame({"c": cell, "r": repeat})
    distinct = pairs[usable].drop_duplicates().sort_values(["c", "r"], ignore_index=True)
    index = pd.MultiIndex.from_frame(distinct).get_indexer(pd.MultiIndex.from_frame(pairs))
    for k in distinct["c"].unique():
        tests.setdefault((spec.name, results.cells[int(k)].test), len(tests))
    return TableCells(
        spec=spec,
        results=results,
        first=first,
        of=distinct["c"].to_numpy(),
        replicate=distinct["r"].to_numpy(),
        cell=np.where(usable, index + first, -1),
        number=number,
        visits=visits,
        result=cell,
    )


def _as_cells(part: TableCells, tests: dict[tuple[str, str | None], int]) -> list[Cell]:
    out = []
    for k, r in zip(part.of, part.replicate, strict=True):
        made = part.results.cells[int(k)]
        axes = (*(a or "" for a in made.axes), str(int(r)))
        test = tests[part.spec.name, made.test]
        out.append(Cell(table=part.spec.name, test=made.test or "", axes=axes, kind=made.kind, group_of_test=test))
    return out


def _observations(training: Training, part: TableCells) -> Observations:
    name = part.spec.name
    use = part.cell >= 0
    subject, visit = training.prepared.subject[name][use], training.visit[name][use]
    day = training.visits.at(subject, visit) if training.visits is not None else np.full(use.sum(), np.nan)
    return Observations(subject=subject, visit=visit, cell=part.cell[use], day=day, value=part.number[use])


def fit_findings_rows(training: Training, part: TableCells) -> Findings:
    """Learn the other columns of one findings table."""
    prepared, spec = training.prepared, part.spec
    subject, visit = prepared.subject[spec.name], training.visit[spec.name]
    made = {spec.test, *spec.axes, spec.visit, *result_columns(spec)}
    columns = [c for c in prepared.structure.free(spec.name) if c not in made]
    known = findings_known(part.results, part.of, np.maximum(part.cell - part.first, 0), visit, part.number)
    known |= {c: as_judged(prepared.frames[spec.name][c]) for c in judged(prepared.structure, spec)}
    anchors = day_anchors(
        subject, visit, training.visits, training.subjects, visit_end(training.visits, subject, visit)
    )
    rows = fit_rows(
        prepared,
        spec,
        columns,
        training.row_context(spec, known),
        anchors,
        visit,
        rows=part.cell >= 0,
        hard=("@measured",),
        visit=visit,
        ends=training.ends,
        min_subjects=training.min_subjects,
    )
    return Findings(
        table=spec.name,
        results=part.results,
        first=part.first,
        cells=part.of,
        replicate=part.replicate,
        visits=part.visits,
        seen=np.unique(visit[part.cell >= 0]),
        single=_single_flags(training, part, columns),
        unnamed=_unnamed(training, part),
        rows=rows,
    )


def visit_end(visits: VisitDays | None, subject: np.ndarray, visit: np.ndarray) -> dict[str, np.ndarray]:
    """The last day of each row's visit as a candidate for its dates, where visits of the study last."""
    if visits is None or not np.isfinite(visits.end).any():
        return {}
    return {AT_END: visits.last(np.maximum(subject, 0), visit)}


def _unnamed(training: Training, part: TableCells) -> np.ndarray:
    """The result cells most of whose rows name no visit."""
    column, use = part.spec.visit, part.cell >= 0
    if column is None or not use.any():
        return np.empty(0, dtype=np.int64)
    result = part.of[part.cell[use] - part.first]
    missing = training.prepared.frames[part.spec.name][column].isna().to_numpy()[use]
    rows = np.bincount(result)
    return np.flatnonzero(np.bincount(result, missing) > 0.5 * np.maximum(rows, 1))


def _single_flags(training: Training, part: TableCells, columns: list[str]) -> tuple[str, ...]:
    """Flags of one value that no two rows of a subject's cell carry (a baseline)."""
    frame, subject = training.prepared.frames[part.spec.name], training.prepared.subject[part.spec.name]
    out = []
    for name in columns:
        spec = part.spec.column(name)
        if spec.kind != Kind.FLAG or spec.distinct != 1:
            continue
        rows = frame[name].notna().to_numpy() & (part.cell >= 0)
        pairs = pd.DataFrame({"s": subject[rows], "c": part.cell[rows]})
        if len(pairs) and not pairs.duplicated().any():
            out.append(name)
    return tuple(out)


def as_judged(values: pd.Series) -> pd.Series:
    """What a result was judged to be as context of the other columns: nothing is a judgement too."""
    return values.astype(object).where(values.notna(), "").map(str).astype("category").reset_index(drop=True)


def findings_known(
    results: ResultModel, of: np.ndarray, cell: np.ndarray, visit: np.ndarray, number: np.ndarray
) -> dict[str, pd.Series | np.ndarray]:
    """What is known of findings rows: test, cell, visit, and whether there is a result. `cell` counts from the
    table's first."""
    result = of[cell] if len(of) else np.zeros(len(cell), dtype=np.int64)
    names = sorted({c.test or "" for c in results.cells})
    test = np.array([names.index(c.test or "") for c in results.cells], dtype=np.int64)
    return {
        "test": pd.Series(pd.Categorical.from_codes(test[result], categories=names))
        if names
        else pd.Series(dtype="str"),
        "cell": pd.Series(result).astype(str).astype("category"),
        "visit": pd.Series(visit).astype(str).astype("category"),
        "measured": pd.Series(np.where(np.isfinite(number), "Y", "N")).astype("category"),
    }
