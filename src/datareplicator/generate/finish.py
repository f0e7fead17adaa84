"""The last steps of a block: keys, computed columns, relations, row order, and the source's tables and types again."""

from __future__ import annotations

from collections.abc import Set

import numpy as np
import pandas as pd

from datareplicator.dates import Precision
from datareplicator.errors import ModelError
from datareplicator.generate.chains import name_own_rows
from datareplicator.generate.orders import order_dates
from datareplicator.generate.relations import draw_partners, write_relations
from datareplicator.generate.state import State
from datareplicator.model.reference import restore_reference
from datareplicator.model.relations import mark_name
from datareplicator.model.study_model import DatedFact, SourceTable, StudyModel
from datareplicator.structure.derive import View, apply
from datareplicator.structure.derive.sequence import sort_rows
from datareplicator.structure.logical import from_logical
from datareplicator.structure.order import needed, reads
from datareplicator.structure.spec import Derivation, Structure


def finish(model: StudyModel, state: State) -> dict[str, pd.DataFrame]:
    """All source tables of the block, in the model's order."""
    structure = model.structure
    settle(model, state)
    _leave_out_repeats(model, state)
    _number_rows(structure, state)
    _write_relations(model, state)
    _sort_files(structure, state)
    written = {source.name for source in model.sources}
    kept = {
        name: frame[state.subject[name] < state.block.keep].reset_index(drop=True)
        for name, frame in state.frames.items()
        if written.issuperset(structure.tables[name].members)
    }
    columns = {s.name: [c.name for c in s.columns] for s in model.sources if s.name not in model.reference}
    made = from_logical(kept, structure, columns)
    out = {}
    for source in model.sources:
        if source.name in model.reference:
            frame = restore_reference(model.reference[source.name])
            out[source.name] = frame if state.block.index == 0 else frame.iloc[:0]
        else:
            out[source.name] = typed(made.get(source.name), source)
    return out


def settle(model: StudyModel, state: State, only: Set[tuple[str, str]] | None = None) -> None:
    """Dates in order, keys and computed columns; of the latter those in `only` (table and column), where given."""
    for name in state.frames:
        order_dates(model.structure, name, state)
    _late_times(model, state)
    _write_keys(model, state)
    name_own_rows(model.own_references, state)
    compute_columns(model, state, only)
    name_own_rows(model.own_references, state)


def compute_columns(model: StudyModel, state: State, only: Set[tuple[str, str]] | None = None) -> None:
    """All computed columns of the tables that are there, each after what it rests on.

    Raises ModelError when some rest on each other or on a column that nothing makes.
    """
    view = View(state.frames)
    computed = {(d.table, d.target) for d in model.structure.derivations}
    for fact in model.root.facts:
        if (fact.table, fact.date) not in computed:
            _state_fact(fact, model, state, view)
    left = [d for d in model.structure.derivations if d.table in state.frames]
    if only is not None:
        left = [d for d in left if (d.table, d.target) in only]
    while left:
        postponed: list[Derivation] = []
        for derivation in left:
            read = {(ref.table, ref.column) for ref in reads(derivation)}
            waiting = {(p.table, p.target) for p in postponed}
            there = all(table in view.frames and column in view.frames[table] for table, column in read)
            if there and not read & waiting:
                apply(derivation, view)
                _keep_fixed(derivation, state, view)
                for fact in model.root.facts:
                    if (fact.table, fact.date) == (derivation.table, derivation.target):
                        _state_fact(fact, model, state, view)
            else:
                postponed.append(derivation)
        if len(postponed) == len(left):
            names = ", ".join(f"{d.table}.{d.target}" for d in left[:5])
            raise ModelError(f"these columns cannot be computed, what they rest on is not there: {names}.")
        left = postponed
    state.frames.update(view.frames)
    for (table, column), rows in state.blank.items():
        if rows.any() and table in state.frames and column in state.frames[table]:
            state.frames[table][column] = state.frames[table][column].where(~rows)


def _keep_fixed(derivation: Derivation, state: State, view: View) -> None:
    """Put the values that were set in a computed column back over the computed ones, or where there are none."""
    key = derivation.table, derivation.target
    for store, gaps_only in ((state.fixed, False), (state.stopgap, True)):
        values = store.get(key)
        if values is not None:
            computed = view.frames[key[0]][key[1]]
            keep = values.isna().to_numpy() | (computed.notna().to_numpy() & gaps_only)
            if keep.all():
                continue
            number = pd.api.types.is_numeric_dtype(computed.dtype)
            put = pd.to_numeric(values, errors="coerce") if number else values
            mixed = (computed if number else computed.astype(object)).where(keep, put.to_numpy())
            view.put(*key, mixed if number else mixed.astype("category"))


def _state_fact(fact: DatedFact, model: StudyModel, state: State, view: View) -> None:
    """Date the rows of a fact as the root dates it: the row of a death has the day of the death."""
    root = view.frames[model.root.table]
    frame = view.frames.get(fact.table)
    if frame is None or fact.date not in frame or (model.root.table, fact.root) not in state.days:
        return
    stated = root[fact.root].astype(object).to_numpy()[state.subject[fact.table]]
    rows = (frame[fact.column].astype(object) == fact.code).to_numpy(dtype=bool) & ~pd.isna(stated)
    if rows.any():
        view.put(
            fact.table, fact.date, frame[fact.date].astype(object).where(~rows, pd.Series(stated, index=frame.index))
        )


def _late_times(model: StudyModel, state: State) -> None:
    """An end of participation with a time of day is no earlier than what else is timed on that day."""
    root = model.root.table
    for date in model.root.outcomes.dates:
        own = state.seconds.get((root, date.column))
        if not date.covers or own is None:
            continue
        day, latest = state.days[root, date.column], own.copy()
        for (table, column), second in state.seconds.items():
            if table == root or len(second) != len(state.subject[table]):
                continue
            subject = state.subject[table]
            rows = state.days[table, column] == day[subject]
            np.maximum.at(latest, subject[rows], second[rows])
        precision = np.where(
            latest > 0, np.where(own > 0, int(Precision.MINUTE), int(Precision.DAY)), int(Precision.DAY)
        )
        state.write_date(root, date.column, day, np.where(np.isfinite(day), precision, 0), latest, date.text)


def _write_keys(model: StudyModel, state: State) -> None:
    """The subject key in every table; computed first where the root's is."""
    structure, root = model.structure, model.root.table
    key = structure.tables[root].subject
    if key is None:
        return
    view = View(state.frames)
    for derivation in needed(structure, root, key):
        apply(derivation, view)
    state.frames.update(view.frames)
    values = state.frames[root][key]
    for name, frame in state.frames.items():
        column = structure.tables[name].subject
        if name != root and column is not None:
            codes = state.subject[name]
            if pd.api.types.is_numeric_dtype(values.dtype):
                frame[column] = values.to_numpy()[codes]
            else:
                frame[column] = pd.Categorical.from_codes(codes, categories=pd.Index(values.astype(str), dtype="str"))


def _number_rows(structure: Structure, state: State) -> None:
    """Row numbers of tables whose numbering no derivation gives: in the order of the rows of a subject, or of the row
    above them."""
    for name, frame in state.frames.items():
        spec = structure.tables[name]
        if spec.sequence is None or spec.sequence in frame:
            continue
        above = list(spec.parent_key.columns) if spec.parent_key is not None else []
        within = frame.groupby(above, observed=True).ngroup() if above else pd.Series(state.subject[name])
        frame[spec.sequence] = within.groupby(within.to_numpy()).cumcount().to_numpy() + 1.0


def repeated_rows(model: StudyModel, state: State) -> dict[str, np.ndarray]:
    """By table the rows (bool) that repeat its key by chance, where no other row can point at them."""
    structure, out = model.structure, {}
    pointed = {key.parent for key in structure.foreign_keys} | {model.root.table}
    pointed |= {table for r in model.relations for kind in r.types for table in (kind.driver, kind.partner)}
    for name in state.frames.keys() - pointed:
        spec, frame = structure.tables[name], state.frames[name]
        if not spec.key or spec.sequence in spec.key or not set(spec.key) <= set(frame.columns):
            continue
        again = frame.duplicated(list(spec.key)).to_numpy()
        if again.any():
            out[name] = again
    return out


def _leave_out_repeats(model: StudyModel, state: State) -> None:
    structure = model.structure
    for name, again in repeated_rows(model, state).items():
        state.frames[name] = state.frames[name][~again].reset_index(drop=True)
        state.subject[name] = state.subject[name][~again]
        view = View(state.frames)
        for derivation in structure.derivations:
            if derivation.table == name and derivation.template == "row_number":
                apply(derivation, view)
        state.frames.update(view.frames)


def _write_relations(model: StudyModel, state: State) -> None:
    structure = model.structure
    key = structure.tables[model.root.table].subject
    for relation in model.relations:
        pairs = []
        for k, kind in enumerate(relation.types):
            name = mark_name(relation, k)
            drivers = state.marks.get(name)
            if drivers is None:
                continue
            pairs.append(
                draw_partners(
                    kind,
                    drivers,
                    state.subject[kind.driver],
                    state.frames[kind.partner],
                    state.subject[kind.partner],
                    state.marks.get(f"{kind.partner}/{name}"),
                    state.streams.under(relation.table, str(k)),
                )
            )
        spec = structure.tables[relation.table]
        keys = (
            state.frames[model.root.table][[key]].rename(columns={key: spec.subject})
            if key and spec.subject
            else pd.DataFrame()
        )
        columns = [c.name for c in spec.columns]
        frame, owner = write_relations(relation, pairs, state.frames, state.subject, keys, columns)
        state.frames[relation.table], state.subject[relation.table] = frame, owner
        view = View(state.frames)
        for derivation in structure.derivations:
            if derivation.table == relation.table and derivation.target not in (spec.subject, relation.roles.group):
                apply(derivation, view)
        state.frames.update(view.frames)


def _sort_files(structure: Structure, state: State) -> None:
    """Rows in the order in which the source's files have them."""
    for derivation in structure.derivations:
        if derivation.template != "row_number" or derivation.table not in state.frames:
            continue
        order = derivation.params.get("file_order") or derivation.params.get("order")
        if not order:
            continue
        rows = sort_rows(View(state.frames), derivation.table, derivation.params["by"][:1], order)
        state.frames[derivation.table] = state.frames[derivation.table].iloc[rows].reset_index(drop=True)
        state.subject[derivation.table] = state.subject[derivation.table][rows]


def typed(frame: pd.DataFrame | None, source: SourceTable) -> pd.DataFrame:
    """A table in the source's types; text stays categorical for the writers."""
    if frame is None:
        frame = pd.DataFrame({c.name: pd.Series(dtype="str") for c in source.columns})
    return pd.DataFrame(
        {c.name: cast(frame[c.name], dtype) for c, dtype in zip(source.columns, source.dtypes, strict=True)}
    )


def cast(values: pd.Series, dtype: str) -> pd.Series:
    if dtype in ("str", "object", "string"):
        if isinstance(values.dtype, pd.CategoricalDtype) and pd.api.types.is_string_dtype(values.cat.categories.dtype):
            return values
        return _texts(values)
    if dtype.startswith(("float", "int", "Int")):
        number = (
            pd.to_numeric(values.astype(object), errors="coerce")
            if not pd.api.types.is_numeric_dtype(values.dtype)
            else values
        )
        if dtype.startswith("float"):
            return number.astype("float64")
        whole = number.round() if pd.api.types.is_float_dtype(number.dtype) else number
        return whole.astype("Int64") if whole.isna().any() else whole.astype("int64")
    if dtype == "boolean":
        text = values.astype(object).map({"True": True, "False": False, True: True, False: False})
        return text.astype("boolean")
    return values.astype(dtype)


def _texts(values: pd.Series) -> pd.Series:
    def one(value: object) -> object:
        if value is None or value is pd.NA or value != value:
            return None
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value)

    codes, distinct = pd.factorize(values)
    text = pd.Index([one(v) for v in distinct], dtype="str")
    labels, categories = pd.factorize(text)
    return pd.Series(pd.Categorical.from_codes(np.append(labels, -1)[codes], categories=categories), index=values.index)
