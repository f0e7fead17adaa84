"""What changes mean for a model: rates are set in the model itself, values are changed once they are drawn."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import numpy as np

from datareplicator.errors import RequestError
from datareplicator.generate.control.altered import Altered, Shape, shape_of
from datareplicator.generate.control.asked import Change
from datareplicator.model.counts import CountModel
from datareplicator.model.study_model import Events, Findings, StudyModel
from datareplicator.structure.spec import Kind, TableSpec

MOST_MISSING = 0.98


def with_changes(model: StudyModel, changes: Sequence[Change]) -> tuple[StudyModel, Altered | None]:
    """The model with other rates, and how values change. Raises RequestError for what the study does not have."""
    if not changes:
        return model, None
    altered = Altered({}, {}, {}, {})
    for change in changes:
        spec = _table(model, change)
        if change.events != 1.0:
            model = _with_events(model, spec, change)
        if change.model_fields_set & {"shift", "scale", "drift", "missing"}:
            model = _with_values(model, spec, change, altered)
    return model, altered


def _near(name: str, known: Iterable[str]) -> str:
    plain = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(name.casefold(), plain, n=1)
    return f"Did you mean {plain[near[0]]}?" if near else f"There are {', '.join(sorted(plain.values())[:40])}."


def _table(model: StudyModel, change: Change) -> TableSpec:
    name = change.domain or str(change.variable).partition(".")[0]
    tables = model.structure.tables
    members = {member.casefold(): spec for spec in tables.values() for member in (*spec.members, spec.name)}
    if name.casefold() not in members:
        raise RequestError(
            f"variation: there is no table {name!r}.", hint=_near(name, (s.name for s in tables.values()))
        )
    return members[name.casefold()]


def _with_events(model: StudyModel, spec: TableSpec, change: Change) -> StudyModel:
    """Rows in another number: the rates of the counts are multiplied, their spread follows."""
    found = [t for t in model.tables if isinstance(t, Events) and t.table == spec.name]
    if not found:
        events = [t.table for t in model.tables if isinstance(t, Events)]
        raise RequestError(
            f"variation: {spec.name} has no rows in varying number.",
            hint=f"Events are in {', '.join(events) or 'none'}.",
        )
    table = found[0]
    parts = {part: _times(getattr(table.model, part), change.events) for part in ("on", "before")}
    new = table.model_copy(update={"model": table.model.model_copy(update=parts)})
    return model.model_copy(update={"tables": tuple(new if t is table else t for t in model.tables)})


def _times(counts: CountModel, times: float) -> CountModel:
    return counts.model_copy(
        update={
            "rate": counts.rate * times,
            "most": int(np.ceil(counts.most * max(times, 1.0))),
            "even": np.floor(counts.even * times + 0.5).astype(np.int64),
        }
    )


def _with_values(model: StudyModel, spec: TableSpec, change: Change, altered: Altered) -> StudyModel:
    findings = next((t for t in model.tables if isinstance(t, Findings) and t.table == spec.name), None)
    results = [c for c in (spec.value, spec.text, spec.original) if c is not None] if findings is not None else []
    column = results[0] if change.domain is not None and results else None
    if change.variable is not None:
        wanted = change.variable.partition(".")[2]
        names = {c.name.casefold(): c.name for c in spec.columns}
        if wanted.casefold() not in names:
            raise RequestError(f"variation: {spec.name} has no column {wanted!r}.", hint=_near(wanted, names.values()))
        column = names[wanted.casefold()]
    if column is None:
        raise RequestError(f"variation: {change.said}: name the variable; {spec.name} has no results of tests.")
    if results and column in results:
        if column != results[0]:
            raise RequestError(f"variation: {column} is written from {results[0]}.", hint=f"Change {results[0]}.")
        assert findings is not None
        return _with_results(model, findings, change, altered)
    if change.test is not None:
        raise RequestError(f"variation: {column} is no result of a test.")
    _free(model, spec, column)
    if change.model_fields_set & {"shift", "scale", "drift"}:
        _number(model, spec, column, change, altered)
    if change.missing != 1.0:
        _missing(model, spec, column, change, altered)
    return model


def _free(model: StudyModel, spec: TableSpec, column: str) -> None:
    """Refuse columns that follow from others or tell which row it is."""
    made = [d for d in model.structure.derivations if (d.table, d.target) == (spec.name, column)]
    if made:
        sources = ", ".join(dict.fromkeys(s.column for s in made[0].sources)) or "the study"
        raise RequestError(f"variation: {spec.name}.{column} follows from {sources}.", hint="Change these instead.")
    named = {spec.subject, spec.sequence, spec.test, spec.visit, spec.unit, *spec.axes, *spec.key}
    if column in named or spec.column(column).kind == Kind.IDENTIFIER:
        raise RequestError(f"variation: {spec.name}.{column} says which row it is and cannot change.")


def _number(model: StudyModel, spec: TableSpec, column: str, change: Change, altered: Altered) -> None:
    own = spec.column(column)
    if own.kind not in (Kind.INTEGER, Kind.DECIMAL) or own.encoding not in ("integer", "float"):
        raise RequestError(f"variation: {spec.name}.{column} holds no numbers that can be shifted or scaled.")
    if change.drift:
        raise RequestError(f"variation: {spec.name}.{column}: only results of tests can drift.")
    if spec.name == model.root.table and column in model.root.covariates:
        by_arm = [number.marginals for number in model.possible.by_arm if number.column == column]
        feature = next(f for f in model.subjects.features if f.name == column)
        marginals = [by_arm[0][-1]] * len(feature.marginals) if by_arm else feature.marginals
        altered.covariates[column] = tuple(shape_of(m, change.shift, change.scale, 0.0) for m in marginals)
    else:
        altered.numbers[spec.name, column] = change.shift, change.scale, own.decimals


def _missing(model: StudyModel, spec: TableSpec, column: str, change: Change, altered: Altered) -> None:
    own = spec.column(column)
    if own.missing <= 0 and change.missing > 1:
        raise RequestError(f"variation: {spec.name}.{column} is never missing in the study.")
    allotted = (model.root.group, model.root.site, *(model.root.assigned.columns if model.root.assigned else ()))
    if spec.name == model.root.table and column in allotted:
        raise RequestError(f"variation: {column} goes with the allocation.", hint="Use counts.")
    if own.kind == Kind.DATE and change.missing < 1:
        raise RequestError(f"variation: {spec.name}.{column}: dates can be missing more often, not less.")
    altered.missing[spec.name, column] = own.missing, change.missing


def _with_results(model: StudyModel, table: Findings, change: Change, altered: Altered) -> StudyModel:
    """Results of a table, of one test or of all that are numbers."""
    assert model.findings is not None
    tests = [table.results.cells[k].test for k in table.cells]
    if change.test is not None and change.test not in tests:
        known = [t for t in dict.fromkeys(tests) if t is not None]
        raise RequestError(f"variation: {table.table} has no test {change.test!r}.", hint=_near(change.test, known))
    mine = np.array([change.test is None or t == change.test for t in tests])
    if change.model_fields_set & {"shift", "scale", "drift"}:
        numbers = np.array([table.results.cells[k].kind == "number" for k in table.cells])
        if not (mine & numbers).any():
            raise RequestError(f"variation: {change.said}: the results are no numbers.")
        for k in np.flatnonzero(mine & numbers):
            marginal = model.findings.marginals[table.first + k]
            altered.results[table.table, int(k)] = shape_of(marginal, change.shift, change.scale, change.drift)
    return model if change.missing == 1.0 else _with_unknown(model, table, mine, change)


def _with_unknown(model: StudyModel, table: Findings, mine: np.ndarray, change: Change) -> StudyModel:
    """Results that are missing at another rate: rows without a result where the study has such, else rows that are not
    there."""
    assert model.findings is not None
    presence = model.findings.presence
    cells = table.first + np.flatnonzero(mine)
    unknown, absent = presence.unknown.copy(), presence.absent.copy()
    if change.missing > 1 and not unknown[:, cells].any() and not absent[cells].any():
        raise RequestError(f"variation: {change.said}: results are never missing in the study.")
    unknown[:, cells] = np.minimum(unknown[:, cells] * change.missing, MOST_MISSING)
    absent[cells] = np.minimum(absent[cells] * change.missing, MOST_MISSING)
    parts = presence.model_copy(update={"unknown": unknown, "absent": absent})
    return model.model_copy(update={"findings": model.findings.model_copy(update={"presence": parts})})


__all__ = ["Shape", "with_changes"]
