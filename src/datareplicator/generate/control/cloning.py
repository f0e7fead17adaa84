"""New arms and sites whose subjects are drawn like those of existing ones and named otherwise.

Inside the model nothing is added: a subject of a clone is one of the arm or site that it is like, and only shows
another name. So everything that depends on arm or site is as the source has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from datareplicator.errors import RequestError
from datareplicator.generate.control.asked import Clone, label
from datareplicator.generate.control.variables import (
    ARM,
    SITE,
    Arms,
    Likes,
    arm_frame,
    column_of,
    decided_by,
    evaluate,
    site_frame,
)
from datareplicator.model.assigned import Assigned
from datareplicator.model.reference import ReferenceTable
from datareplicator.model.study_model import StudyModel
from datareplicator.structure.spec import Derivation


def with_clones(model: StudyModel, clones: Sequence[Clone]) -> tuple[StudyModel, Likes]:
    """The model with the new names, and what they are like.

    Raises RequestError for what is unknown or named already, and for columns that need a new value too.
    """
    likes = Likes()
    for clone in clones:
        column = column_of(model, clone.variable)
        by = decided_by(model, column)
        if by not in (ARM, SITE):
            raise RequestError(f"{clone.variable}: only arms and sites can be cloned.")
        model = _with_clone(model, column, by, clone, likes)
    return model, likes


def _with_clone(model: StudyModel, column: str, by: str, clone: Clone, likes: Likes) -> StudyModel:
    root = model.root
    free = root.group if by == ARM else root.site
    values = root.groups if by == ARM else root.sites
    family = _family(model, str(free), by)
    names = {column_of(model, name): text for name, text in clone.names.items()} | {column: clone.name}
    unknown = [name for name in names if name not in family]
    if unknown:
        raise RequestError(f"{clone.variable} = {clone.name}: {unknown[0]} does not name the {by}.")
    place = [k for k, shown in enumerate(family[column]) if shown == clone.like]
    if not place:
        known = ", ".join(repr(v) for v in dict.fromkeys(family[column]))
        raise RequestError(f"there is no {clone.variable} = {clone.like!r} to be cloned.", hint=f"There are {known}.")
    for name, text in names.items():
        if text in family[name] and _one_to_one(family[name]):
            raise RequestError(f"there is a {name} = {text!r} already.")
    needed = [name for name, own in family.items() if name not in names and _one_to_one(own)]
    if needed:
        raise RequestError(
            f"{clone.variable} = {clone.name}: {', '.join(needed)} needs a value of its own too.",
            hint="Give it under `names:`.",
        )
    first = place[0]
    known = likes.arms if by == ARM else likes.sites
    known[len(values)] = known.get(first, first)
    renamed = {name: (family[name][first], text) for name, text in names.items()}
    own = label(values[first])
    new = renamed[str(free)][1] if str(free) in renamed else own
    part: dict[str, Any] = {"groups": (*values, new)} if by == ARM else {"sites": (*values, new)}
    if by == ARM and root.assigned is not None:
        part["assigned"] = _with_assigned(root.assigned, len(values), likes, renamed)
    structure = model.structure.model_copy(
        update={"derivations": tuple(_extended(d, root.table, renamed) for d in model.structure.derivations)}
    )
    reference = {name: _with_rows(model, name, renamed) for name in model.reference}
    return model.model_copy(
        update={"root": root.model_copy(update=part), "structure": structure, "reference": reference}
    )


def _family(model: StudyModel, free: str, by: str) -> dict[str, list[str]]:
    """The columns of the subjects' table that follow from arm or site alone, with their value for each of these."""
    root = model.root
    table = root.table
    columns = [free]
    for d in model.structure.derivations:
        if d.table == table and d.sources and {(s.table, s.column) for s in d.sources} <= {(table, c) for c in columns}:
            columns.append(d.target)
    if by == ARM:
        index = np.arange(len(root.groups))
        frame = arm_frame(model, Arms(index, index, index, index * 0 - 1, index * 0 - 1, index))
    else:
        frame = site_frame(model).iloc[:-1]
    rows = evaluate(model, frame, columns)
    return {column: [row[k] for row in rows] for k, column in enumerate(columns)}


def _one_to_one(values: Sequence[str]) -> bool:
    return len(set(values)) == len(values) and "" not in values


def _with_assigned(assigned: Assigned, arm: int, likes: Likes, renamed: dict[str, tuple[str, str]]) -> Assigned:
    """What goes with the arm, once more under the new names where it names the arm."""
    values, share = list(assigned.values), assigned.share
    for k in np.flatnonzero(share[likes.arms[arm]] > 0):
        own = tuple(_renamed(value, renamed) for value in values[k])
        likes.assigned[arm, int(k)] = len(values) if own != values[k] else int(k)
        if own != values[k]:
            values.append(own)
            share = np.hstack([share, np.zeros((len(share), 1))])
    return assigned.model_copy(update={"values": tuple(values), "share": share})


def _extended(d: Derivation, table: str, renamed: dict[str, tuple[str, str]]) -> Derivation:
    """A table of codes with entries for the new names, also where they go by another column (the actual arm)."""
    if d.template != "lookup":
        return d
    keys, values = [list(k) for k in d.params["keys"]], list(d.params["values"])
    changed = False
    for row in range(len(values)):
        fresh = [_renamed(key[row], renamed) for key in keys]
        if all(new == key[row] for new, key in zip(fresh, keys, strict=True)):
            continue
        for key, new in zip(keys, fresh, strict=True):
            key.append(new)
        values.append(_renamed(values[row], renamed))
        changed = True
    return d.model_copy(update={"params": {**d.params, "keys": keys, "values": values}}) if changed else d


def _renamed(value: Any, renamed: dict[str, tuple[str, str]]) -> Any:
    for old, new in renamed.values():
        if value is not None and label(value) == old:
            return new if isinstance(value, str) else float(new)
    return value


def _with_rows(model: StudyModel, name: str, renamed: dict[str, tuple[str, str]]) -> ReferenceTable:
    """A table without subjects (a plan of arms) with the rows of the cloned one again, under the new names; what other
    tables know too (the elements of the arm) stays."""
    table = model.reference[name]
    here = {column: pair for column, pair in renamed.items() if column in table.values}
    rows = len(next(iter(table.values.values()), ()))
    again = [k for k in range(rows) if any(label(table.values[n][k]) == old for n, (old, _) in here.items())]
    if not again:
        return table
    elsewhere = {column.name for source in model.sources if source.name != name for column in source.columns}

    def cell(column: str, value: Any) -> Any:
        if column in here:
            return _renamed(value, {column: here[column]})
        return value if column in elsewhere else _told(value, here)

    values = {c: (*held, *(cell(c, held[k]) for k in again)) for c, held in table.values.items()}
    return table.model_copy(update={"values": values})


def _told(value: Any, renamed: dict[str, tuple[str, str]]) -> Any:
    """A text that names the arm in words ("Randomised to Placebo"), under the new name; codes within words stay."""
    if isinstance(value, str):
        for old, new in renamed.values():
            value = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _, new=new: new, value)
    return value
