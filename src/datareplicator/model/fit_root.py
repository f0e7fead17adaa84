"""Learning the table of subjects: allocation, covariates, outcomes, and the flags that links tie to other tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.assigned import fit_assigned, labels
from datareplicator.model.context import MARK
from datareplicator.model.identity import fit_identifier
from datareplicator.model.prepare import Prepared
from datareplicator.model.rows import by_subject, fit_rows, rough_days
from datareplicator.model.study_model import Birth, DatedFact, Flag, RootModel
from datareplicator.model.subject_model import Feature
from datareplicator.model.training import Training, day_anchors
from datareplicator.structure.order import rests_on
from datareplicator.structure.spec import Kind, Link, Ref, Structure

FLAG = "flag:"
CALL = "call:"
SLIP = 3
ROOT_END = "root "


def allocate(prepared: Prepared, column: str | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Index of each subject's value of an allocation column (-1 missing), and the values in order."""
    root = prepared.structure.root or ""
    if column is None:
        return np.zeros(prepared.n, dtype=np.int64), ()
    values = prepared.frames[root][column]
    codes, distinct = pd.factorize(values, sort=True)
    out = np.full(prepared.n, -1, dtype=np.int64)
    index = prepared.subject[root]
    out[index[index >= 0]] = codes[index >= 0]
    return out, tuple(str(d) for d in distinct)


def covariate_frame(prepared: Prepared, names: list[str], births: list[str]) -> pd.DataFrame:
    """The covariates, one row a subject: numbers as floats, the rest as categoricals, births as days (negative)."""
    root = prepared.structure.root or ""
    index = prepared.subject[root]
    order = np.full(prepared.n, -1)
    order[index[index >= 0]] = np.flatnonzero(index >= 0)
    frame = prepared.frames[root].iloc[order].reset_index(drop=True)
    out = {}
    for name in names:
        spec = prepared.structure.tables[root].column(name)
        if spec.kind in (Kind.INTEGER, Kind.DECIMAL) and spec.encoding in ("integer", "float"):
            out[name] = frame[name].to_numpy(dtype=float, na_value=np.nan)
        else:
            out[name] = pd.Categorical(frame[name].astype("str"))
    for name in births:
        out[name] = prepared.days(root, name)[order]
    return pd.DataFrame(out, index=pd.RangeIndex(prepared.n))


def covariate_features(training: Training, names: list[str]) -> list[Feature]:
    """The covariates as features of the subject model."""
    features = []
    for name in names:
        values = training.subjects.covariates[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            codes = values.cat.codes.to_numpy(dtype=float)
            features.append(Feature(name=name, kind="category", values=codes, categories=tuple(values.cat.categories)))
        else:
            features.append(Feature(name=name, kind="number", values=values.to_numpy(dtype=float)))
    return features


def find_flags(training: Training) -> None:
    """Turn the flag links into facts of subjects and marks of rows."""
    prepared = training.prepared
    for link in prepared.structure.links:
        if link.kind != "flag" or link.column is None:
            continue
        subject, frame = prepared.subject[link.table], prepared.frames[link.table]
        rows = (frame[link.column].astype("str") == str(link.code)).to_numpy() & (subject >= 0)
        if not rows.any():
            continue
        name = flag_name(link)
        flagged = np.zeros(prepared.n, dtype=bool)
        flagged[subject[rows]] = True
        training.flagged[name] = training.flagged.get(name, np.zeros(prepared.n, dtype=bool)) | flagged
        training.marks[f"{name}:{link.table}:{link.column}:{link.code}"] = (link.table, rows)


def find_calls(training: Training) -> None:
    """Mark the rows that rows of another table ask for."""
    prepared = training.prepared
    for link in prepared.structure.links:
        if link.kind != "call" or link.column is None or link.by is None:
            continue
        calling = prepared.subject[link.by][_holds(prepared, link.by, link.root, link.value)]
        rows = _holds(prepared, link.table, link.column, link.code) & np.isin(prepared.subject[link.table], calling)
        if rows.any():
            training.marks[call_name(link)] = (link.table, rows)


def _holds(prepared: Prepared, table: str, column: str, value: str | None) -> np.ndarray:
    rows = (prepared.frames[table][column].astype("str") == str(value)).to_numpy(dtype=bool, na_value=False)
    return rows & (prepared.subject[table] >= 0)


def call_name(link: Link) -> str:
    """The mark of rows that rows of another table ask for."""
    return f"{CALL}{link.by}.{link.root}={link.value}:{link.table}.{link.column}={link.code}"


def flag_name(link: Link) -> str:
    """The fact that a flag link speaks of: the root column and its value."""
    return f"{FLAG}{link.root}={link.value}"


def fit_root(training: Training) -> RootModel:
    """Learn the root's columns that come after the timeline, and name the rest."""
    prepared, roles = training.prepared, training.roles
    spec = prepared.structure.tables[prepared.structure.root or ""]
    index = prepared.subject[spec.name]
    safe = np.maximum(index, 0)
    described = _flags(training)
    drawn = [f.name for f in described if f.drawn]
    flags = {name: pd.Series(training.flagged[name][safe]).map({True: "Y", False: "N"}) for name in drawn}
    context = training.row_context(spec, {})
    anchors = day_anchors(index, None, training.visits, training.subjects, {})
    code = training.subjects.stratum[safe]
    rows = fit_rows(
        prepared,
        spec,
        [*roles.outcomes, *roles.personal, *roles.dates],
        context,
        anchors,
        code,
        extra=pd.DataFrame(flags, index=prepared.frames[spec.name].index) if flags else None,
        hard=(MARK + "stratum",),
        ends=training.ends,
        min_subjects=training.min_subjects,
    )
    for date in rows.dates:
        if date.covers:
            training.ends[ROOT_END + date.column] = by_subject(prepared, spec.name, date.column)
    _keep_outcomes(training)
    groups = allocate(prepared, roles.group)[1]
    sites = allocate(prepared, roles.site)[1]
    births = tuple(
        Birth(
            column=b,
            age=age_of(prepared, b, roles.covariates),
            precision=_usual_precision(prepared, spec.name, b),
            text=spec.column(b).encoding == "text",
        )
        for b in roles.births
    )
    known = [c for c in prepared.frames[spec.name].columns if _before_identifiers(prepared, c, roles.identifiers)]
    identifiers = []
    for name in sorted(roles.identifiers, key=lambda c: c == spec.subject):
        frame = prepared.frames[spec.name]
        made = [i.column for i in identifiers if frame[i.column].is_unique]
        identifiers.append(fit_identifier(frame[name], frame[known], unique=made))
        known.append(name)
    return RootModel(
        table=spec.name,
        group=roles.group,
        groups=groups,
        site=roles.site,
        sites=sites,
        assigned=fit_assigned(by_root(prepared, roles.assigned), training.subjects.group, len(groups)),
        covariates=tuple(roles.covariates),
        births=births,
        identifiers=tuple(identifiers),
        flags=described,
        facts=_dated_facts(training),
        outcomes=rows,
    )


def _before_identifiers(prepared: Prepared, column: str, identifiers: list[str]) -> bool:
    """Whether a column of the root is there when its identifiers are made, so that it can be part of them: drawn, or
    a text or whole number computed from what is drawn. A copy of an identifier is not."""
    structure = prepared.structure
    root = structure.tables[structure.root or ""]
    sources = rests_on(structure.derivations, Ref(table=root.name, column=column))
    if column in identifiers or any(s.table != root.name or s.column in identifiers for s in sources):
        return False
    return column not in structure.derived(root.name) or root.column(column).encoding in ("text", "integer")


def by_root(prepared: Prepared, names: list[str]) -> pd.DataFrame:
    """Columns of the root, one row a subject."""
    root = prepared.structure.root or ""
    index = prepared.subject[root]
    order = np.full(prepared.n, -1)
    order[index[index >= 0]] = np.flatnonzero(index >= 0)
    return prepared.frames[root][names].iloc[order].reset_index(drop=True)


def _flags(training: Training) -> tuple[Flag, ...]:
    structure = training.prepared.structure
    root = structure.root or ""
    out = {}
    for link in structure.links:
        name = flag_name(link)
        if link.kind == "flag" and name in training.flagged:
            drawn = not from_root_alone(structure, root, link.root)
            out[name] = Flag(name=name, column=link.root, value=str(link.value), drawn=drawn)
    return tuple(out.values())


def from_root_alone(structure: Structure, root: str, column: str) -> bool:
    """Whether a root column is free or computed from free columns of the root only."""
    made = [d for d in structure.derivations if d.table == root and d.target == column]
    if not made:
        return True
    return all(
        s.table == root and s.column != column and from_root_alone(structure, root, s.column) for s in made[0].sources
    )


def _dated_facts(training: Training) -> tuple[DatedFact, ...]:
    prepared = training.prepared
    root = prepared.structure.root or ""
    flags = {(k.table, k.column, k.code): flag_name(k) for k in prepared.structure.links if k.kind == "flag"}
    out = []
    for link in prepared.structure.links:
        if link.kind != "date" or link.column is None or link.date is None or link.code is None:
            continue
        flag = flags.get((link.table, link.column, link.code))
        out.append(
            DatedFact(
                root=link.root,
                table=link.table,
                column=link.column,
                code=link.code,
                date=link.date,
                flag=flag if flag in training.flagged else None,
                terminal=flag in training.flagged and _terminal(training, root, link.root),
            )
        )
    return tuple(out)


def _terminal(training: Training, root: str, column: str) -> bool:
    """Whether the visits of a subject end with the root's date, for all who have one."""
    prepared = training.prepared
    day, index = prepared.days(root, column), prepared.subject[root]
    end = np.full(prepared.n, np.inf)
    known = (index >= 0) & np.isfinite(day)
    end[index[known]] = day[known]
    if training.visits is None or not known.any():
        return False
    later = np.where(np.isfinite(training.visits.day), training.visits.day, -np.inf).max(axis=1, initial=-np.inf)
    over = (later - end)[np.isfinite(end)]
    # A last visit may be entered a day or two late.
    return bool(np.median(over) <= 0 and over.max() <= SLIP)


def _keep_outcomes(training: Training) -> None:
    """Outcomes and flags become part of the subjects' context from here on."""
    prepared = training.prepared
    columns = {}
    frame = by_root(prepared, [*training.roles.assigned, *training.roles.outcomes])
    for name in frame.columns:
        values = labels(frame[name])
        if values.nunique() <= 60:
            columns[MARK + name] = values
    for name, flag in training.flagged.items():
        columns[MARK + name] = pd.Series(np.where(flag, "Y", "N")).astype("category")
    training.outcomes = pd.DataFrame(columns, index=pd.RangeIndex(prepared.n))


def age_of(prepared: Prepared, birth: str, covariates: list[str]) -> str | None:
    """The covariate that states the age in years belonging to a date of birth, within a year for everybody."""
    root = prepared.structure.root or ""
    years = -rough_days(prepared, root, birth) / 365.25
    for name in covariates:
        column = prepared.frames[root][name]
        if pd.api.types.is_numeric_dtype(column.dtype):
            away = np.abs(years - 0.5 - column.to_numpy(dtype=float, na_value=np.nan))
            if np.isfinite(away).any() and np.nanmax(away) <= 1.1:
                return name
    return None


def _usual_precision(prepared: Prepared, table: str, column: str) -> int:
    precision = prepared.moment(table, column).precision
    precision = precision[precision > 0]
    return int(np.bincount(precision).argmax()) if len(precision) else 10
