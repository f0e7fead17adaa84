"""Changes of a table's layout (columns missing, extra, renamed, of another type or length) and their inverses.

What was done stands in the answer key as JSON: `old` holds all that the way back needs.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pandas as pd

from datareplicator.faults.scene import Change, Piece
from datareplicator.faults.values import as_text, from_text, typed_column
from datareplicator.study import Column, Table


def removed() -> tuple[str, str]:
    """`old` and `new` of a change that takes a column away; the values are added when it is done."""
    return "{}", json.dumps({"do": "remove"})


def added(column: Column, values: list[str | None]) -> tuple[str, str]:
    """`old` and `new` of a change that adds a column; the values are repeated down the table."""
    return "{}", json.dumps({"do": "add", "column": dataclasses.asdict(column), "values": values})


def renamed(old: str, new: str) -> tuple[str, str]:
    """`old` and `new` of a change of a column's name."""
    return json.dumps({"name": old}), json.dumps({"do": "rename", "name": new})


def retyped(old: Column, new: Column) -> tuple[str, str]:
    """`old` and `new` of a change of what is declared of a column: type, length, label, format."""
    return (
        json.dumps({"column": dataclasses.asdict(old)}, ensure_ascii=False),
        json.dumps({"do": "declare", "column": dataclasses.asdict(new)}, ensure_ascii=False),
    )


def apply_layout(table: Table, piece: Piece, changes: list[Change]) -> Table:
    """The table with its layout changed; completes `old` of columns that are taken away."""
    for change in changes:
        if change.what == "column" and change.column is not None and change.new is not None:
            table = _apply(table, change, json.loads(change.new))
    return table


def _apply(table: Table, change: Change, done: dict[str, Any]) -> Table:
    name, frame, columns = str(change.column), table.frame, dict(table.columns)
    if done["do"] == "remove":
        change.old = json.dumps(
            {
                "at": list(columns).index(name),
                "column": dataclasses.asdict(columns[name]),
                "values": as_text(frame[name]).tolist(),
            },
            ensure_ascii=False,
        )
        columns.pop(name)
        frame = frame.drop(columns=name)
    elif done["do"] == "add":
        column = Column(**done["column"])
        values = (done["values"] * (len(frame) // len(done["values"]) + 1))[: len(frame)]
        columns[name] = column
        frame = frame.assign(**{name: typed_column(pd.Series(values, dtype=object), column)})
    elif done["do"] == "rename":
        columns = _rename(columns, name, done["name"])
        frame = frame.rename(columns={name: done["name"]})
    else:
        column = Column(**done["column"])
        if column.type != columns[name].type:
            frame = frame.assign(**{name: pd.Series(_shown(frame[name]), index=frame.index, dtype="str")})
        columns[name] = column
    return Table(table.name, frame, columns, table.label, table.origin)


def undo(table: Table, name: str, old: dict[str, Any], done: dict[str, Any]) -> Table:
    """The table as it was before one change of its layout. KeyError where it does not fit."""
    frame, columns = table.frame, dict(table.columns)
    if done["do"] == "remove":
        column = Column(**old["column"])
        values = typed_column(pd.Series(from_text(old["values"], column), dtype=object), column)
        if column.type in ("date", "datetime", "time"):
            values = pd.Series(from_text(old["values"], column)).astype(_STAMPS[column.type])
        names = list(columns)
        names.insert(old["at"], name)
        frame = pd.DataFrame({n: values.set_axis(frame.index) if n == name else frame[n] for n in names})
        columns = {n: column if n == name else columns[n] for n in names}
    elif done["do"] == "add":
        frame = frame.drop(columns=name)
        columns.pop(name)
    elif done["do"] == "rename":
        frame = frame.rename(columns={done["name"]: name})
        columns = _rename(columns, done["name"], name)
    else:
        column = Column(**old["column"])
        if column.type != columns[name].type:
            back = typed_column(pd.Series(from_text(as_text(frame[name]), column), dtype=object), column)
            frame = frame.assign(**{name: back.set_axis(frame.index)})
        columns[name] = column
    return Table(table.name, frame, columns, table.label, table.origin)


_STAMPS = {"date": "datetime64[us]", "datetime": "datetime64[us]", "time": "timedelta64[us]"}


def _rename(columns: dict[str, Column], old: str, new: str) -> dict[str, Column]:
    return {(new if n == old else n): (dataclasses.replace(c, name=new) if n == old else c) for n, c in columns.items()}


def _shown(values: pd.Series) -> list[str | None]:
    """Numbers as people write them, with all digits."""
    return [None if t is None else t.removesuffix(".0") for t in as_text(values)]
