"""Columns in local forms: ISO 8601 text and numbers in the study, as the source writes them in files.

Whoever learns, checks or compares sees one form of dates and numbers only, whatever the files hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from datareplicator.errors import Place, WriteError
from datareplicator.formats.localforms import (
    DIGITS,
    PARTIAL,
    date_layouts,
    is_number_form,
    number_form,
    read_date,
    read_number,
    write_date,
    write_number,
)
from datareplicator.study import Column, Table

DIGITS_AS_NUMBER = f"{DIGITS} as a number"
_SAMPLE = 50
_NOT_LOCAL = re.compile(r".*(?:DTC|ID|Id|KEY|Key|_id|_key)|id|key")
_MAYBE = re.compile(r"[+-]?\d+(?:,\d+)?|.*\d ?%|\d{1,4}([./-])\d{1,2}\1\d{1,4}.*|\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{4}.*")


def localise(tables: Mapping[str, Table]) -> tuple[dict[str, Table], tuple[str, ...]]:
    """The tables with their local dates and numbers as ISO 8601 text and numbers, and notes on what was assumed.

    `Column.written` keeps the layout. Where day and month of a column can be read either way round, the other columns
    of its table and then of the study decide; where none does, months come first between strokes and days first
    else. SDTM's ``--DTC`` are never touched (ISO 8601 there by standard: another form is an error to be found), nor
    are identifiers by name.
    """
    found = {(t, c): layouts for t, table in tables.items() for c, layouts in _layouts(table).items()}
    sure = {where: layouts[0] for where, layouts in found.items() if len(layouts) == 1}
    notes: list[str] = []
    for (table, column), layouts in found.items():
        if len(layouts) == 1:
            continue
        near = [layout for (t, _), layout in sure.items() if t == table] + list(sure.values())
        firsts = [_day_first(layout) for layout in near if _day_first(layout) is not None]
        default = next((layout for layout in layouts if _day_first(layout) != ("/" in layout)), layouts[0])
        chosen = next((layout for layout in layouts if firsts and _day_first(layout) == firsts[0]), default)
        found[table, column] = (chosen,)
        why = "as the other dates" if firsts else "nothing tells which"
        notes.append(f"{table}: {column} can be read day first or month first; read as {chosen} ({why})")
    out = {}
    for name, table in tables.items():
        written = {column: layouts[0] for (t, column), layouts in found.items() if t == name}
        out[name] = _localised(table, written) if written else table
    return out, tuple(notes)


def _day_first(layout: str) -> bool | None:
    """Whether the day is before the month, None where no numbers could be mistaken."""
    order = re.match(r"(D{1,2}|M{1,2})[./-](D{1,2}|M{1,2})(?![A-Za-z])", layout)
    return None if order is None else order[1].startswith("D")


def _layouts(table: Table) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, column in table.columns.items():
        if column.written or _NOT_LOCAL.fullmatch(name):
            continue
        values = table.frame[name]
        if column.type == "text":
            layouts = _of_text(values)
        elif column.type == "integer":
            layouts = _of_integers(values)
        else:
            continue
        if layouts:
            found[name] = layouts
    return found


def _of_text(values: pd.Series) -> tuple[str, ...]:
    present = values.dropna()
    sample = present.iloc[:_SAMPLE].tolist()
    if not sample or sum(
        (_MAYBE.fullmatch(text) or PARTIAL.fullmatch(text)) is not None for text in sample
    ) < 0.5 * len(sample):
        return ()
    distinct = present.unique().tolist()
    layouts = date_layouts(distinct)
    if layouts:
        return layouts
    form = number_form(distinct)
    return (form,) if form else ()


def _of_integers(values: pd.Series) -> tuple[str, ...]:
    """Whole numbers that are days written YYYYMMDD, every one."""
    present = values.dropna()
    if not len(present) or present.min() < 1900_01_01 or present.max() > 2100_12_31:
        return ()
    distinct = [str(int(value)) for value in present.unique()]
    sure = date_layouts(distinct) == (DIGITS,) and all(read_date(DIGITS, text) for text in distinct)
    return (DIGITS_AS_NUMBER,) if sure else ()


def _localised(table: Table, written: Mapping[str, str]) -> Table:
    frame, columns = table.frame.copy(deep=False), dict(table.columns)
    for name, layout in written.items():
        number = is_number_form(layout)
        frame[name] = _numbers(frame[name]) if number else _iso(frame[name], layout)
        columns[name] = replace(columns[name], type="float" if number else "text", written=layout)
    return replace(table, frame=frame, columns=columns)


def _numbers(values: pd.Series) -> pd.Series:
    return _mapped(values, lambda text: read_number(str(text))).astype("float64")


def _iso(values: pd.Series, layout: str) -> pd.Series:
    layout = DIGITS if layout == DIGITS_AS_NUMBER else layout
    return _mapped(values, lambda value: read_date(layout, str(value)) or str(value)).astype("str")


def _mapped(values: pd.Series, one: Callable[[object], object]) -> pd.Series:
    """Each distinct value once; missing stays missing."""
    codes, distinct = pd.factorize(values)
    made = np.array([*(one(value) for value in distinct), np.nan], dtype=object)
    return pd.Series(made[codes], index=values.index)


def as_written(columns: Mapping[str, Column]) -> dict[str, Column]:
    """The columns as the files hold them: local dates and numbers are text, days of eight digits whole numbers."""
    return {
        name: replace(c, type="integer" if c.written == DIGITS_AS_NUMBER else "text", written="") if c.written else c
        for name, c in columns.items()
    }


def write_back(frame: pd.DataFrame, columns: Mapping[str, Column], table: str) -> pd.DataFrame:
    """The frame with its local dates and numbers in the source's layouts.

    Raises `WriteError` where a day that the source writes as a whole number is none.
    """
    local = {name: column.written for name, column in columns.items() if column.written}
    if not local:
        return frame
    out = frame.copy(deep=False)
    for name, layout in local.items():
        if layout == DIGITS_AS_NUMBER:
            out[name] = _whole_numbers(frame[name], table)
        elif is_number_form(layout) and pd.api.types.is_numeric_dtype(frame[name].dtype):
            out[name] = _mapped(frame[name], lambda value, form=layout: write_number(form, float(value))).astype("str")
        elif not is_number_form(layout):
            out[name] = _mapped(frame[name], lambda value, form=layout: write_date(form, str(value))).astype("str")
    return out


def _whole_numbers(values: pd.Series, table: str) -> pd.Series:
    digits = _mapped(values, lambda value: write_date(DIGITS, str(value)))
    try:
        return digits.astype("Int64") if digits.isna().any() else digits.astype("int64")
    except (TypeError, ValueError) as error:
        raise WriteError(
            "the source writes days as numbers of eight digits, and a value is no whole date.",
            place=Place(table=table, column=str(values.name)),
        ) from error
