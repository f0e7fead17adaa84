"""All findings tables of a block together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.below import name_above
from datareplicator.generate.control.applying import change_results
from datareplicator.generate.findings import sample_findings
from datareplicator.generate.results import write_results
from datareplicator.generate.rows import fill_rows
from datareplicator.generate.state import State
from datareplicator.model.context import row_context
from datareplicator.model.fit_findings import as_judged, findings_known, visit_end
from datareplicator.model.stretch import learned_visit
from datareplicator.model.study_model import Findings, StudyModel
from datareplicator.model.timeline import VisitRows
from datareplicator.model.training import day_anchors
from datareplicator.structure.derive import View, apply
from datareplicator.structure.order import judged, needed
from datareplicator.structure.spec import TableSpec


def make_findings(model: StudyModel, tables: list[Findings], state: State, levels: np.ndarray, rows: VisitRows) -> None:
    """Values first, for all tables at once; then each table's other columns."""
    if model.findings is None:
        return
    drawn = sample_findings(
        model.findings,
        state.subjects,
        levels,
        rows,
        state.streams.under("findings"),
        state.request.variation,
        possible=_possible(model, tables, state),
    )
    for table in tables:
        pick = np.flatnonzero((drawn.cell >= table.first) & (drawn.cell < table.first + len(table.cells)))
        cell = drawn.cell[pick] - table.first
        order = np.lexsort((cell, drawn.visit[pick], drawn.subject[pick]))
        pick, cell = pick[order], cell[order]
        _make_table(model, table, state, drawn.subject[pick], drawn.visit[pick], cell, drawn.value[pick])


def _possible(model: StudyModel, tables: list[Findings], state: State) -> np.ndarray:
    """Where findings can be at all: bool (subjects, visits, cells)."""
    assert model.findings is not None
    out = np.zeros((state.subjects.n, model.visits, model.findings.cells), dtype=bool)
    for table in tables:
        here = ~without(model, table.table, state)[:, None] & np.isin(np.arange(model.visits), table.seen)
        out[:, :, table.first : table.first + len(table.cells)] = here[:, :, None]
    return out


def without(model: StudyModel, table: str, state: State) -> np.ndarray:
    """The subjects whose class never has rows in a table: bool a subject."""
    lacking = np.array([table in tables for tables in model.strata], dtype=bool)
    return lacking[state.subjects.stratum]


def _make_table(
    model: StudyModel,
    table: Findings,
    state: State,
    subject: np.ndarray,
    visit: np.ndarray,
    cell: np.ndarray,
    value: np.ndarray,
) -> None:
    spec = model.structure.tables[table.table]
    changed = None
    if state.request.altered is not None and state.visits is not None:
        day = state.visits.at(subject, visit)
        value, changed = change_results(state.request.altered, table.table, cell, value, day)
    frame = pd.DataFrame(index=pd.RangeIndex(len(subject)))
    state.frames[table.table], state.subject[table.table] = frame, subject
    result = table.cells[cell]
    for name, values in _cell_columns(table, spec).items():
        frame[name] = values.take(result)
    if spec.visit is not None and table.visits[0] == 0:
        named = np.where(np.isin(result, table.unnamed), -1, visit)
        frame[spec.visit] = visit_values(model, spec, named)
    like = learned_visit(model.stretch, visit)
    known = findings_known(table.results, table.cells, cell, like, value)
    known |= _judged(model, spec, frame, value)
    ends = visit_end(state.visits, subject, visit)
    anchors = day_anchors(subject, visit, state.visits, state.subjects, ends)
    fill_rows(table.rows, state, row_context(state.context, subject, known), anchors, like, visit)
    for timeline in model.timelines:
        if timeline.table == table.table and timeline.above is not None and table.table in state.above:
            frame[timeline.above.column] = name_above(timeline.above, table.table, state, visit - timeline.base)
    for name in table.single:
        _keep_last(frame, name, subject, result)
    if spec.original is not None:
        collected = np.array([c.collected for c in table.results.cells], dtype=bool)
        state.blank[table.table, spec.original] = ~collected[result]
    unit = pd.Series(frame[spec.unit]) if spec.unit is not None and spec.unit in frame else _unit_of(table, result)
    for name, column in write_results(table.results, result, value, unit, changed).items():
        frame[name] = column.array


def _judged(model: StudyModel, spec: TableSpec, frame: pd.DataFrame, value: np.ndarray) -> dict[str, pd.Series]:
    """What follows from tests and results alone, before the other columns are drawn."""
    columns = judged(model.structure, spec)
    if not columns:
        return {}
    view = View({spec.name: frame.assign(**{str(spec.value): value})})
    for derivation in {d.target: d for c in columns for d in needed(model.structure, spec.name, c)}.values():
        apply(derivation, view)
    return {c: as_judged(pd.Series(view.frames[spec.name][c])) for c in columns}


def _keep_last(frame: pd.DataFrame, name: str, subject: np.ndarray, cell: np.ndarray) -> None:
    """Leave a flag on the last row of each subject's cell that carries it."""
    flagged = np.flatnonzero(frame[name].notna().to_numpy())
    pairs = pd.DataFrame({"s": subject[flagged], "c": cell[flagged]})
    extra = np.zeros(len(frame), dtype=bool)
    extra[flagged[pairs.duplicated(keep="last").to_numpy()]] = True
    if extra.any():
        frame[name] = frame[name].where(~extra)


def _cell_columns(table: Findings, spec: TableSpec) -> dict[str, pd.Categorical | pd.arrays.NumpyExtensionArray]:
    """The test and axis columns of each result cell, in the source's type."""
    cells = table.results.cells
    columns = {spec.test: [c.test for c in cells]} if spec.test else {}
    columns |= {axis: [c.axes[k] for c in cells] for k, axis in enumerate(spec.axes)}
    out = {}
    for name, values in columns.items():
        if spec.column(name).encoding in ("integer", "float"):
            out[name] = pd.array(pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(dtype=float))
        else:
            out[name] = pd.Categorical(values)
    return out


def _unit_of(table: Findings, result: np.ndarray) -> pd.Series | None:
    """Each cell's usual original unit, where the unit column is computed later."""
    usual: dict[int, str | None] = {}
    for scale in table.results.scales:
        usual.setdefault(scale.cell, scale.unit)
    if not usual:
        return None
    names = np.array([usual.get(k) for k in range(len(table.results.cells))], dtype=object)
    return pd.Series(names[result])


def visit_values(model: StudyModel, spec: TableSpec, visit: np.ndarray) -> pd.Series:
    """The visit column of a table from indices in the catalogue (-1 missing), in the source's type."""
    catalogue = model.catalogue
    assert catalogue is not None and spec.visit is not None
    if catalogue.numeric:
        number = np.append(catalogue.number, np.nan)[visit]
        if spec.column(spec.visit).encoding == "text":
            text = pd.Series([f"{v:.10g}" for v in catalogue.number], dtype=object).to_numpy()
            return pd.Series(pd.Categorical.from_codes(visit, categories=pd.Index(text, dtype="str")))
        return pd.Series(number)
    return pd.Series(pd.Categorical.from_codes(visit, categories=pd.Index(catalogue.label, dtype="str")))
