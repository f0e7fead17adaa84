"""Several tables that refer to each other by foreign keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datareplicator.errors import Place, RequestError
from datareplicator.model.single.columns import plain
from datareplicator.model.single.document import Variable
from datareplicator.model.single.joint import Scores
from datareplicator.model.single.marginals import fit_marginal, scores_of
from datareplicator.model.single.profile import TableProfile, profile_table
from datareplicator.model.single.source import SourceColumn, SourceTable
from datareplicator.model.single.within import learn_within

ForeignKeys = Mapping[str, Mapping[str, str]]
MOST_GIVEN = 40


def split_target(target: str) -> tuple[str, str]:
    """Table and column of "table.column"; the table's own name may hold points.

    >>> split_target("customers.id")
    ('customers', 'id')
    """
    table, _, column = target.rpartition(".")
    return table, column


def leading(keys: Mapping[str, str], table: str) -> str | None:
    """The foreign key by which a table's rows are made: the first one that leads to another table."""
    return next((column for column, target in keys.items() if split_target(target)[0] != table), None)


def parents_first(tables: list[str], foreign_keys: ForeignKeys) -> list[str]:
    """The tables so that each comes behind those it refers to. Raises RequestError where they refer in a circle."""
    needs = {t: {split_target(x)[0] for x in foreign_keys.get(t, {}).values()} - {t} for t in tables}
    done: list[str] = []
    while len(done) < len(tables):
        ready = [t for t in tables if t not in done and needs[t] <= set(done)]
        if not ready:
            circle = ", ".join(t for t in tables if t not in done)
            raise RequestError(f"foreign_keys: the tables {circle} refer to each other in a circle.")
        done += ready
    return done


def check_keys(columns: Mapping[str, list[str]], foreign_keys: ForeignKeys) -> None:
    """Raise RequestError where a foreign key names what is not there."""
    for table, keys in foreign_keys.items():
        if table not in columns:
            raise RequestError(f"foreign_keys.{table}: there is no such table.", hint=f"There are {_list(columns)}.")
        for column, target in keys.items():
            path, (parent, there) = f"foreign_keys.{table}.{column}", split_target(target)
            if column not in columns[table]:
                raise RequestError(f"{path}: {table} has no such column.", hint=f"There are {_list(columns[table])}.")
            if parent not in columns or there not in columns[parent]:
                raise RequestError(f'{path}: there is no {target}; a key is written "table.column".')


def _list(names: Any) -> str:
    return ", ".join(names)


def profile_related(sources: Mapping[str, SourceTable], foreign_keys: ForeignKeys) -> dict[str, Any]:
    """Learn all tables: the `tables` of the document, in the order of the sources. Raises RequestError."""
    check_keys({name: list(source.columns) for name, source in sources.items()}, foreign_keys)
    keys = {t: frozenset(c for p, c in _targets(foreign_keys) if p == t) for t in sources}
    places = {
        (table, column): _places(sources, table, column, target)
        for table, entries in foreign_keys.items()
        for column, target in entries.items()
    }
    found: dict[str, TableProfile] = {}
    for name in parents_first(list(sources), foreign_keys):
        found[name] = _profile(name, sources, foreign_keys, keys[name], places, found)
    return {name: {"rows": sources[name].rows, **found[name].part} for name in sources}


def _targets(foreign_keys: ForeignKeys) -> list[tuple[str, str]]:
    return [split_target(target) for keys in foreign_keys.values() for target in keys.values()]


def _places(sources: Mapping[str, SourceTable], table: str, column: str, target: str) -> np.ndarray:
    """The parent's row of each row, -1 where it has none."""
    parent, there = split_target(target)
    here, above = (_decoded(sources[t].columns[c]) for t, c in ((table, column), (parent, there)))
    place = Place(table=parent, column=there)
    if above.null_count or pc.count_distinct(above).as_py() != len(above):
        raise RequestError("rows are referred to by this column, but its values are not unique.", place=place)
    try:
        here = here.cast(above.type)
    except pa.ArrowException as error:
        raise RequestError(
            f"{table}.{column} holds {here.type}, {target} {above.type}.", place=Place(table=table, column=column)
        ) from error
    return np.asarray(pc.index_in(here, value_set=above, skip_nulls=True).fill_null(-1)).astype(np.int64)


def _decoded(column: SourceColumn) -> pa.Array:
    data = column.data
    if pa.types.is_dictionary(data.type):
        data = data.cast(data.type.value_type)
    return data.cast(pa.large_string()) if pa.types.is_string(data.type) else data


def _profile(
    name: str,
    sources: Mapping[str, SourceTable],
    foreign_keys: ForeignKeys,
    referred: frozenset[str],
    places: dict[tuple[str, str], np.ndarray],
    found: dict[str, TableProfile],
) -> TableProfile:
    own = foreign_keys.get(name, {})
    lead = leading(own, name)
    counts = {
        (child, column): np.bincount(place[place >= 0], minlength=sources[name].rows).astype(float)
        for (child, column), place in places.items()
        if split_target(foreign_keys[child][column])[0] == name
    }
    source, given, above, group = sources[name], None, None, None
    if lead is not None:
        group = places[name, lead]
        order = np.argsort(group, kind="stable")
        group = group[order]
        source = _sorted(source, order)
        counts = {key: count[order] for key, count in counts.items()}
        parent = split_target(own[lead])[0]
        given = _given(parent, found[parent], group)
        above = _above(found[parent], group)
    profile = profile_table(
        source,
        keys=referred,
        apart=frozenset(own),
        given=given,
        counted=_counted(counts, foreign_keys, name),
        above=above,
        table=name,
        whole=True,
    )
    if group is not None and "correlation" in profile.part:
        matrix = np.array(profile.part["correlation"]["matrix"])
        within = learn_within(profile.variables, profile.scores, matrix, group, None, ordered=False)
        profile.part["within"] = within
        back = np.argsort(order)
        profile.scores = profile.scores[back]
        for learned in profile.columns:
            if learned.detected.number is not None:
                learned.detected.number = learned.detected.number[back]
    profile.part["links"] = [
        _link(name, column, target, places, sources, column == lead) for column, target in own.items()
    ]
    for column in own:
        orphans = float((places[name, column] < 0).mean()) if sources[name].rows else 0.0
        entry = next(c.entry for c in profile.columns if c.name == column)
        entry["params"]["nan_probability"] = orphans
    return profile


def _sorted(source: SourceTable, order: np.ndarray) -> SourceTable:
    at = pa.array(order)
    columns = {
        n: SourceColumn(n, c.data.take(at), c.pandas_dtype, c.categories, c.ordered) for n, c in source.columns.items()
    }
    return SourceTable(columns, source.rows, source.frame)


def _given(parent: str, profile: TableProfile, group: np.ndarray) -> Scores | None:
    """The scores of the parent's values, seen from its children."""
    own = [k for k, v in enumerate(profile.variables) if v.table is None and v.part == "value"][:MOST_GIVEN]
    if not own:
        return None
    scores = np.vstack([profile.scores[:, own], np.full(len(own), np.nan)])[group]
    return Scores([Variable(column=profile.variables[k].column, table=parent) for k in own], scores)


def _above(profile: TableProfile, group: np.ndarray) -> dict[str, np.ndarray]:
    dates = [c for c in profile.columns if c.entry["type"] == "datetime" and c.detected.number is not None]
    return {c.name: np.append(c.detected.number, np.nan)[group] for c in dates if c.detected.number is not None}


def _counted(counts: dict[tuple[str, str], np.ndarray], foreign_keys: ForeignKeys, name: str) -> Scores | None:
    """Scores of the numbers of children, of those keys by which children are made."""
    variables, scores = [], []
    for (child, column), count in counts.items():
        if child != name and leading(foreign_keys[child], child) == column and len(np.unique(count)) > 1:
            variables.append(Variable(column=column, part="count", table=child))
            scores.append(scores_of(fit_marginal(np.sort(count), 0), count))
    return Scores(variables, np.column_stack(scores)) if scores else None


def _link(
    name: str, column: str, target: str, places: dict, sources: Mapping[str, SourceTable], lead: bool
) -> dict[str, Any]:
    parent, there = split_target(target)
    place = places[name, column]
    count = np.sort(np.bincount(place[place >= 0], minlength=max(sources[parent].rows, 1))).astype(float)
    counts = plain(fit_marginal(count, 0))
    return {"column": column, "parent": parent, "parent_column": there, "counts": counts, "leading": lead}
