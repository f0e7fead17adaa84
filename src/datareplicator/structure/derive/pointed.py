"""Dates and numbers of a row that another table's row stands behind: a time to an event and the event.

A table of one row a subject may name a row of another one by its number (ADaM's SRCDOM, SRCVAR and SRCSEQ) and take
its date: of the first event of a kind, which a flag marks there. Subjects without such a row take a date of their own
instead, at which they are censored.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.children import LEAST, aggregate_rows
from datareplicator.structure.derive.outcome import date_column
from datareplicator.structure.derive.scene import Scene
from datareplicator.structure.derive.view import View, json_levels
from datareplicator.structure.spec import Derivation, Ref


def event_date(view: View, d: Derivation) -> pd.Series | np.ndarray:
    """The date of sources[0] in the subject's first row with a flag, else the subject's own date sources[1].

    params: ``keys`` (pairs of column names, to the flagged table), ``where`` (column and value of the flag), ``own``
    (the pairs to the subject's table), ``stored`` (how the target stores dates).
    """
    event, own = d.sources
    rows = aggregate_rows(view, d)
    day = np.append(view.values(event.table, event.column).day, np.nan)[rows]
    here, there = ([pair[k] for pair in d.params["own"]] for k in (0, 1))
    at = view.match(d.table, here, own.table, there)
    other = np.append(view.values(own.table, own.column).day, np.nan)[at]
    return date_column(np.where(rows >= 0, day, other), d.params["stored"])


TEMPLATES = {"event_date": event_date}


def mine(scene: Scene) -> list[Derivation]:
    """Numbers of flagged rows and the dates that go with them, in tables of one row a subject but the subjects' own."""
    found: list[Derivation] = []
    for table in scene.tables:
        if table == scene.ctx.root or not scene.keyed(table) or scene.repeated(table):
            continue
        for other in scene.tables:
            number = scene.ctx.sequence.get(other)
            if other == table or number is None or not scene.keyed(other) or not scene.repeated(other):
                continue
            for target in scene.numbers(table):
                rows = _named_rows(scene, table, target, other, number)
                where = None if rows is None else _flag(scene, other, rows, table)
                if rows is None or where is None:
                    continue
                params = {"keys": scene.pair(table, other), "how": "first", "where": where}
                one = scene.judge(
                    1.0,
                    scope=False,
                    table=table,
                    target=target,
                    template="aggregate",
                    sources=(Ref(table=other, column=number),),
                    params=params,
                )
                found += [one, *_dates(scene, table, other, rows, params)] if one else []
    return found


def _named_rows(scene: Scene, table: str, target: str, other: str, number: str) -> np.ndarray | None:
    """For each row of a table the row of another one whose number it names, -1 for none; None where it names none."""
    mine, theirs = scene.ctx.subject_codes[table], scene.ctx.subject_codes[other]
    value = scene.values(table, target).number
    known = np.isfinite(value) & (mine >= 0)
    if known.sum() < LEAST or scene.values(table, target).distinct < 3:
        return None
    index = pd.MultiIndex.from_arrays([theirs, scene.values(other, number).number])
    if not index.is_unique:
        return None
    at = index.get_indexer(pd.MultiIndex.from_arrays([mine[known], value[known]]))
    if (at < 0).any():
        return None
    rows = np.full(len(mine), -1)
    rows[known] = at
    return rows


def _flag(scene: Scene, other: str, rows: np.ndarray, table: str) -> dict[str, Any] | None:
    """The column and value that exactly the named rows have, as the first of their subject."""
    named = rows[rows >= 0]
    theirs = scene.ctx.subject_codes[other]
    known = set(scene.ctx.subject_codes[table].tolist())
    for column in scene.categories(other, 60, 1):
        values = scene.values(other, column)
        for level, name in enumerate(json_levels(values.levels)):
            held = np.flatnonzero((values.codes == level) & np.isin(theirs, list(known)))
            first = held[np.unique(theirs[held], return_index=True)[1]]
            # A flag marks some of the rows only: what all first rows have says nothing.
            if np.array_equal(np.sort(first), np.sort(named)) and len(held) < 0.9 * (theirs >= 0).sum():
                return {"column": column, "value": name}
    return None


def _dates(scene: Scene, table: str, other: str, rows: np.ndarray, params: dict[str, Any]) -> list[Derivation]:
    """The dates of a table that are those of the named rows, and a date of the subject's for the others."""
    root, found = scene.ctx.root, []
    named = rows >= 0
    for target in scene.dates(table):
        values = scene.values(table, target)
        stored = "datetime" if values.stored_time else "text"
        for source in scene.dates(other):
            if not np.array_equal(values.day[named], scene.values(other, source).day[rows[named]]):
                continue
            base = {"table": table, "target": target}
            if named.all() or root is None:
                continue
            for own in scene.dates(root):
                one = scene.judge(
                    1.0,
                    scope=False,
                    template="event_date",
                    sources=(Ref(table=other, column=source), Ref(table=root, column=own)),
                    params={**params, "own": scene.pair(table, root), "stored": stored},
                    **base,
                )
                if one:
                    found.append(one)
                    break
            else:
                day = Derivation(
                    template="aggregate",
                    sources=(Ref(table=other, column=source),),
                    params={**params, "stored": stored, "partial": True},
                    rows=int(named.sum()),
                    **base,
                )
                found.append(day)
            break
    return found
