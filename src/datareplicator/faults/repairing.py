"""The way back: the clean study from the dirty one and its answer key."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from datareplicator.errors import Place, RequestError
from datareplicator.faults.answers import Answers
from datareplicator.faults.layoutchange import undo
from datareplicator.faults.scene import edited
from datareplicator.faults.values import as_text, from_text, typed, typed_column
from datareplicator.study import Column, Study, Table


def repair(dirty: Study, answers: Answers) -> Study:
    """The clean study: values, types, order and what is declared of the columns.

    Raises RequestError where the key does not belong to this study.
    """
    frame = answers.frame[answers.frame["change"] != "file"]
    by_table = {str(name): part for name, part in frame.groupby("table", sort=False)}
    for name in by_table:
        if name not in dirty:
            raise _foreign(name, "the study has no such table")
    tables = {}
    for name, table in dirty.tables.items():
        noted = answers.tables.get(name)
        tables[name] = table if name not in by_table else _repaired(table, by_table[name], noted)
    return Study(tables, dirty.name)


def _foreign(table: str, what: str) -> RequestError:
    return RequestError(
        f"the answer key does not belong to this study: {what}.",
        place=Place(table=table),
        hint="Give the key that `corrupt` wrote beside it.",
    )


def _repaired(table: Table, answers: pd.DataFrame, noted: list[dict] | None) -> Table:
    try:
        for row in answers[answers["change"] == "column"][::-1].itertuples(index=False):
            table = undo(table, row.variable, json.loads(row.old), json.loads(row.new))
        columns = {c["name"]: Column(**c) for c in noted} if noted is not None else dict(table.columns)
        frame = pd.DataFrame({name: _back(table.frame[name], column) for name, column in columns.items()})
    except (KeyError, TypeError, ValueError) as error:
        raise _foreign(table.name, f"the columns are not those that it knows ({error})") from error
    frame = _rows(frame, answers, columns, table.name)
    for name, part in answers[answers["change"] == "cell"].groupby("variable", sort=False):
        rows = part["row_before"].to_numpy(dtype=np.int64) - 1
        column = columns[str(name)]
        _check(frame[str(name)], rows, part, table.name)
        old = from_text([None if pd.isna(v) else v for v in part["old"]], column)
        frame[str(name)] = edited(frame[str(name)], rows, old)
    return Table(table.name, typed(frame, columns), columns, table.label, table.origin)


def _back(values: pd.Series, column: Column) -> pd.Series:
    """A column in its old type, where a file gave it another one."""
    now = "text" if isinstance(values.dtype, pd.StringDtype) else "number"
    if column.type == "text" and now != "text":
        shown = [None if t is None else t.removesuffix(".0") for t in as_text(values)]
        return pd.Series(shown, index=values.index, dtype="str")
    if column.type in ("integer", "float") and now == "text":
        values = pd.to_numeric(values, errors="coerce")  # what is no number now was put there, and is put back below
    if column.type == "integer":
        return values.astype("Int64")
    return typed_column(values, column) if column.type in ("float", "boolean", "text") else values


def _rows(frame: pd.DataFrame, answers: pd.DataFrame, columns: dict[str, Column], table: str) -> pd.DataFrame:
    """The rows of the clean table in its order: put in taken out, dropped put back, moved returned."""
    by = {what: answers[answers["change"] == what] for what in ("insert", "delete", "move")}
    inserted = by["insert"]["row_after"].to_numpy(dtype=np.int64) - 1
    deleted = by["delete"]["row_before"].to_numpy(dtype=np.int64) - 1
    n = len(frame) - len(inserted) + len(deleted)
    moved_to = by["move"]["row_after"].to_numpy(dtype=np.int64) - 1
    moved_from = by["move"]["row_before"].to_numpy(dtype=np.int64) - 1
    cells = answers[answers["change"] == "cell"]
    rows = [inserted, moved_to, cells["row_after"].to_numpy(dtype=np.int64) - 1]
    if any(r.max(initial=-1) >= len(frame) for r in rows) or deleted.max(initial=-1) >= n:
        raise _foreign(table, "it names rows that are not there")
    here = np.ones(len(frame), dtype=bool)
    here[inserted] = False
    here[moved_to] = False
    gone = np.ones(n, dtype=bool)
    gone[deleted] = False
    gone[moved_from] = False
    if here.sum() != gone.sum():
        raise _foreign(table, "the number of rows is another one")
    source = np.full(n, -1, dtype=np.int64)
    source[gone] = np.flatnonzero(here)
    source[moved_from] = moved_to
    if len(deleted):
        lost = [json.loads(text) for text in by["delete"]["old"]]
        back = pd.DataFrame({c.name: _column_of([row[c.name] for row in lost], c) for c in columns.values()})
        source[deleted] = len(frame) + np.arange(len(deleted))
        frame = pd.concat([frame, _alike(back, frame)], ignore_index=True) if len(frame) else back
    return frame.iloc[source].reset_index(drop=True)


def _column_of(texts: list[str | None], column: Column) -> pd.Series:
    values = pd.Series(from_text(texts, column), dtype=object)
    if column.type == "integer":
        return values.astype("Int64")
    if column.type in ("date", "datetime", "time"):
        return pd.Series(pd.to_timedelta(values) if column.type == "time" else pd.to_datetime(values))
    return typed_column(values, column)


def _alike(back: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    return back.astype({name: dtype for name, dtype in frame.dtypes.items() if dtype != back[name].dtype})


def _check(values: pd.Series, rows: np.ndarray, part: pd.DataFrame, table: str) -> None:
    """The dirty values are those of the key, but for what a file format cannot hold."""
    held = as_text(values.iloc[rows])
    told = part["new"].to_numpy(dtype=object)
    equal = sum(h is None or t != t or t is None or _bare(h) == _bare(t) for h, t in zip(held, told, strict=True))
    if len(rows) and equal < 0.5 * len(rows):
        raise _foreign(table, "the values are not those that it knows")


def _bare(text: str) -> str:
    return text.strip().removesuffix(".0")
