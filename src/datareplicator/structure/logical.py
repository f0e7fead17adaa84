"""Between the tables as they lie in files and the logical tables that everything else works on.

Split domains (one domain in several tables) become one table with the column `MEMBER`; supplemental qualifiers
become columns ``SUPP.QNAM`` of their parent. `from_logical` undoes both, in the source's column order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from datareplicator.structure.clocks import moved
from datareplicator.structure.encode import plain_text
from datareplicator.structure.spec import MEMBER, SUPPLEMENT, Kind, Layout, Structure, Supplement, TableSpec
from datareplicator.study import Study


def to_logical(study: Study, structure: Structure) -> dict[str, pd.DataFrame]:
    """The logical frames by table name; supplemental tables are pivoted and absent.

    Rows keep the source's order, member after member; a joined table with a row number is sorted by subject (in
    order of appearance) and that number, where that leaves the order within each member as it is.
    """
    pivoted = {s.table for s in structure.supplements}
    study = _on_one_clock(study, structure)
    frames = {name: _join(study, spec) for name, spec in structure.tables.items() if name not in pivoted}
    for supplement in structure.supplements:
        source = concat({m: study[m].frame for m in supplement.members if m in study})
        subject = structure.tables[supplement.parent].subject
        frames[supplement.parent] = _pivot(frames[supplement.parent], source, supplement, subject)
    return frames


def _on_one_clock(study: Study, structure: Structure) -> Study:
    """The study with the dates of displaced tables on the clock of the others."""
    tables = dict(study.tables)
    for name, days in structure.displaced.items():
        if name in tables:
            tables[name] = replace(tables[name], frame=moved(tables[name].frame, _dates_of(structure, name), -days))
    return replace(study, tables=tables) if structure.displaced else study


def _dates_of(structure: Structure, member: str) -> list[str]:
    return [c.name for t in structure.tables.values() if member in t.members for c in t.columns if c.kind == Kind.DATE]


def concat(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Frames below each other with the union of their columns and the column `MEMBER` (text).

    A column of two types becomes text where one of them is, unless that one is all missing.
    """
    names = dict.fromkeys(c for frame in frames.values() for c in frame.columns)
    parts = {}
    for name in names:
        held = [f[name] for f in frames.values() if name in f and f[name].notna().any()]
        text = any(pd.api.types.is_string_dtype(s.dtype) for s in held)
        if text and not all(pd.api.types.is_string_dtype(s.dtype) for s in held):
            parts[name] = pd.concat([_as_text(_column(f, name)) for f in frames.values()], ignore_index=True)
        else:
            dtype = held[0].dtype if held else "str"
            parts[name] = pd.concat([_column(f, name, dtype) for f in frames.values()], ignore_index=True)
    member = np.repeat(np.array(list(frames), dtype=object), [len(f) for f in frames.values()])
    return pd.DataFrame({**parts, MEMBER: pd.Series(member, dtype="str")})


def _column(frame: pd.DataFrame, name: str, dtype: object = "str") -> pd.Series:
    if name in frame and frame[name].notna().any():
        return frame[name]
    if pd.api.types.is_integer_dtype(dtype):
        dtype = "Int64"
    elif pd.api.types.is_bool_dtype(dtype):
        dtype = "boolean"
    return pd.Series(None, index=frame.index, dtype=dtype)


def _as_text(values: pd.Series) -> pd.Series:
    if pd.api.types.is_string_dtype(values.dtype):
        return values
    codes, distinct = pd.factorize(values)
    text = np.array([*(plain_text(v) for v in distinct), np.nan], dtype=object)
    return pd.Series(text[codes], index=values.index, dtype="str")


def _join(study: Study, spec: TableSpec) -> pd.DataFrame:
    if spec.members == (spec.name,) or len(spec.members) == 1:
        return study[spec.members[0]].frame
    frame = concat({m: study[m].frame for m in spec.members if m in study})
    # Rows of a damaged table stay as they lie.
    if spec.subject not in frame or spec.sequence not in frame:
        return frame
    subject, member = pd.factorize(frame[spec.subject])[0], pd.factorize(frame[MEMBER])[0]
    number = pd.to_numeric(frame[spec.sequence], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    order = np.lexsort((number, subject))
    by_member = order[np.argsort(member[order], kind="stable")]
    return frame.iloc[order].reset_index(drop=True) if (np.diff(by_member) > 0).all() else frame


def _pivot(parent: pd.DataFrame, source: pd.DataFrame, supplement: Supplement, subject: str | None) -> pd.DataFrame:
    roles = supplement.columns
    source = source[source[roles["value"]].notna() & source[roles["name"]].isin(supplement.qualifiers)]
    if "domain" in roles and "domain" in supplement.match:
        source = source[source[roles["domain"]] == supplement.match["domain"]]
    if supplement.pointer is not None:
        source = source[source[roles["pointer"]] == supplement.pointer]
    position = locate(parent, source, supplement, subject)
    found, frame = position >= 0, parent.copy()
    names = source[roles["name"]].to_numpy(dtype=object)
    values = _as_text(source[roles["value"]]).to_numpy(dtype=object)
    for qualifier in supplement.qualifiers:
        rows = np.flatnonzero(found & (names == qualifier))[::-1]
        column = np.full(len(parent), np.nan, dtype=object)
        column[position[rows]] = values[rows]
        frame[SUPPLEMENT + qualifier] = _merge(frame.get(SUPPLEMENT + qualifier), pd.Series(column, dtype="str"))
    return frame


def _merge(old: pd.Series | None, new: pd.Series) -> pd.Series:
    return new if old is None else old.where(old.notna(), new)


def locate(parent: pd.DataFrame, source: pd.DataFrame, supplement: Supplement, subject: str | None) -> np.ndarray:
    """For each row of a supplemental table the position of its parent row, -1 where there is none."""
    roles = supplement.columns
    keys, wanted = [], []
    if subject is not None and "subject" in roles:
        keys.append(_as_text(parent[subject]).to_numpy(dtype=object))
        wanted.append(_as_text(source[roles["subject"]]).to_numpy(dtype=object))
    if supplement.pointer is not None:
        keys.append(_as_text(parent[supplement.pointer]).str.strip().to_numpy(dtype=object))
        pointed = _as_text(source[roles["value_of_pointer"]])
        wanted.append(pointed.map(plain_number, na_action="ignore").to_numpy(dtype=object))
    if not keys:
        return np.full(len(source), -1, dtype=np.int64)
    cells = _cells([np.concatenate(pair) for pair in zip(keys, wanted, strict=True)])
    held, asked = cells[: len(parent)], cells[len(parent) :]
    first = np.full(int(cells.max(initial=-1)) + 1, -1, dtype=np.int64)
    rows = np.flatnonzero(held >= 0)[::-1]
    first[held[rows]] = rows
    return np.where(asked >= 0, np.append(first, -1)[asked], -1)


def _cells(columns: list[np.ndarray]) -> np.ndarray:
    """One integer for each combination of values; -1 where any is missing."""
    cell = np.zeros(len(columns[0]), dtype=np.int64)
    missing = np.zeros(len(cell), dtype=bool)
    for values in columns:
        codes, distinct = pd.factorize(values)
        missing |= codes < 0
        cell = pd.factorize(cell * (len(distinct) + 1) + codes)[0]
    return np.where(missing, -1, cell)


def plain_number(text: str) -> str:
    """Pointer text as a plain number where it is one: `` 3.0`` is ``3``."""
    text = str(text).strip()
    head, point, tail = text.partition(".")
    return head if point and not tail.strip("0") and head.lstrip("+-").isdigit() else text


def from_logical(
    frames: Mapping[str, pd.DataFrame], structure: Structure, study_columns: Mapping[str, Iterable[str]]
) -> dict[str, pd.DataFrame]:
    """Source tables again. `study_columns` gives the column names of every source table, in order.

    Supplemental rows stand in the order of their parent's rows, and exist only where the value is present.
    """
    result: dict[str, pd.DataFrame] = {}
    for name, frame in frames.items():
        spec = structure.tables[name]
        for member in spec.members:
            part = frame if len(spec.members) == 1 else frame[(frame[MEMBER] == member).to_numpy()]
            result[member] = _select(part, study_columns[member])
            if member in structure.displaced:
                result[member] = moved(result[member], _dates_of(structure, member), structure.displaced[member])
    for name, spec in structure.tables.items():
        entries = [s for s in structure.supplements if s.table == name]
        if entries and spec.layout == Layout.SUPPLEMENT:
            result.update(_unpivot(frames, structure, entries, study_columns))
    return {name: result[name] for name in study_columns if name in result}


def _select(frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    missing = pd.Series(np.nan, index=frame.index, dtype="str")
    parts = {c: frame.get(c, missing) for c in columns}
    return pd.DataFrame(parts, index=frame.index).reset_index(drop=True)


def _unpivot(
    frames: Mapping[str, pd.DataFrame],
    structure: Structure,
    entries: list[Supplement],
    study_columns: Mapping[str, Iterable[str]],
) -> dict[str, pd.DataFrame]:
    parts: dict[str, list[pd.DataFrame]] = {member: [] for member in entries[0].members}
    written: set[tuple[str, str]] = set()
    for entry in entries:
        fresh = [q for q in entry.qualifiers if (entry.parent, q) not in written]
        written.update((entry.parent, q) for q in fresh)
        rows = _rows(frames[entry.parent], entry, fresh, structure.tables[entry.parent].subject)
        for member, part in parts.items():
            here = rows[(rows[MEMBER] == member).to_numpy()] if len(parts) > 1 else rows
            if len(here):
                part.append(_select(here, study_columns[member]))
    empty = {member: pd.DataFrame({c: pd.Series(dtype="str") for c in study_columns[member]}) for member in parts}
    return {m: pd.concat(part, ignore_index=True) if part else empty[m] for m, part in parts.items()}


def _rows(parent: pd.DataFrame, entry: Supplement, qualifiers: list[str], subject: str | None) -> pd.DataFrame:
    """The rows of one supplement, in the order of the parent's rows and then of the qualifiers."""
    names = [q for q in qualifiers if SUPPLEMENT + q in parent]
    present = [parent[SUPPLEMENT + q].notna().to_numpy() for q in names]
    row, which = np.nonzero(np.column_stack(present)) if names else (np.empty(0, np.int64), np.empty(0, np.int64))
    value = np.empty(len(row), dtype=object)
    for i, q in enumerate(names):
        value[which == i] = _as_text(parent[SUPPLEMENT + q]).to_numpy(dtype=object)[row[which == i]]
    roles, above = entry.columns, parent.iloc[row].reset_index(drop=True)
    rows = pd.DataFrame(index=above.index)
    for column in dict.fromkeys(c for q in names for c in entry.attributes.get(q, {})):
        text = np.array([entry.attributes.get(q, {}).get(column) for q in names] + [None], dtype=object)
        rows[column] = above[column] if column in above else pd.Series(text[which], dtype="str")
    if "subject" in roles and subject is not None:
        rows[roles["subject"]] = above[subject]
    if "pointer" in roles:
        rows[roles["pointer"]] = pd.Series(entry.pointer, index=above.index, dtype="str")
        pointed = pd.Series(np.nan, index=above.index, dtype="str")
        rows[roles["value_of_pointer"]] = pointed if entry.pointer is None else _as_text(above[entry.pointer])
    rows[roles["name"]] = pd.Series(np.array([*names, None], dtype=object)[which], dtype="str")
    rows[roles["value"]] = pd.Series(value, dtype="str")
    rows[MEMBER] = _members(above, entry)
    return rows


def _members(above: pd.DataFrame, entry: Supplement) -> pd.Series:
    if MEMBER not in above:
        return pd.Series(entry.members[0], index=above.index, dtype="str")
    return above[MEMBER].astype("str").map(entry.member_of).fillna(entry.members[0]).astype("str")
