"""Tables that point into others by the name of a dataset: supplemental qualifiers, relations, comments.

Recognised by content: one column's values are names of datasets or domains, another's are names of columns there (or
it is empty, for the subject's table), and a third one finds rows. Names (QNAM, RELID, COVAL) tell the three apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.structure.domains import domain_of
from datareplicator.structure.encode import EncodedTable
from datareplicator.structure.logical import concat, locate
from datareplicator.structure.spec import MEMBER, Layout, Supplement
from datareplicator.structure.subjects import SubjectKey

WIDEST = 16  # columns of a pointing table at most: comments have the most
RESOLVED = 0.5  # share of supplemental rows that must find their parent for a pivot


@dataclass
class Pointers:
    """What was found: `supplements` to pivot, `layouts` of pointing tables, `notes` for the user."""

    supplements: list[Supplement] = field(default_factory=list)
    layouts: dict[str, Layout] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def find_pointers(tables: Mapping[str, EncodedTable], members: dict[str, tuple[str, ...]], key: SubjectKey) -> Pointers:
    """Look at every small table for a column of dataset names and one of column names."""
    found, datasets = Pointers(), _datasets(tables, members)
    for name, parts in members.items():
        if not any(tables[p].n for p in parts):
            continue
        roles = _roles([tables[p] for p in parts], datasets, tables, members, key)
        if roles is None:
            continue
        if "name" in roles and "value" in roles:
            _supplement(found, name, roles, tables, members, datasets, key)
        elif "comment" in roles:
            found.layouts[name] = Layout.COMMENT
        elif "pointer" in roles:
            _relation(found, name, roles, tables[parts[0]])
    return found


def _datasets(tables: Mapping[str, EncodedTable], members: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Dataset and domain names in upper case -> logical table."""
    names = {}
    for logical, parts in members.items():
        domain = domain_of(tables[parts[0]])
        if domain is not None and "DOMAIN" in {c.upper() for c in tables[parts[0]].columns}:
            names.setdefault(domain, logical)
    return names | {p.upper(): logical for logical, parts in members.items() for p in (*parts, logical)}


def _roles(
    parts: list[EncodedTable],
    datasets: dict[str, str],
    tables: Mapping[str, EncodedTable],
    members: dict[str, tuple[str, ...]],
    key: SubjectKey,
) -> dict[str, str] | None:
    columns = [c for c in parts[0].columns if all(c in p for p in parts)]
    upper = {c.upper(): c for c in columns}
    if len(columns) > WIDEST:
        return None
    domain = next((c for c in columns if c.upper() != "DOMAIN" and _subset(parts, c, set(datasets))), None)
    if domain is None:
        domain = upper.get("RDOMAIN")
    if domain is None:
        return None
    known = {c for logical in datasets.values() for p in members[logical] for c in tables[p].columns}
    fits = [c for c in columns if c != domain and _subset(parts, c, known)]
    pointer = upper.get("IDVAR") or next(iter(fits), None)
    roles = {"domain": domain}
    if key.columns.get(parts[0].name):
        roles["subject"] = key.columns[parts[0].name]
    if pointer is not None:
        value = upper.get("IDVARVAL") or _after(columns, pointer)
        roles |= {"pointer": pointer, "value_of_pointer": value} if value else {}
    for role, name in (("name", "QNAM"), ("value", "QVAL"), ("comment", "COVAL")):
        if name in upper:
            roles[role] = upper[name]
    return roles if pointer is not None or "name" in roles or "comment" in roles else None


def _subset(parts: list[EncodedTable], column: str, names: set[str]) -> bool:
    values = {str(v).strip().upper() for p in parts for v in p[column].texts}
    return bool(values) and values <= {n.upper() for n in names}


def _after(columns: list[str], column: str) -> str | None:
    position = columns.index(column) + 1
    return columns[position] if position < len(columns) else None


def _relation(found: Pointers, name: str, roles: dict[str, str], table: EncodedTable) -> None:
    subject = roles.get("subject")
    if subject is None or not table[subject].present.any():
        found.layouts[name] = Layout.REFERENCE
        found.notes.append(f"{name}: relates whole datasets, not rows of subjects; copied unchanged")
    else:
        found.layouts[name] = Layout.RELATION


def _supplement(
    found: Pointers,
    name: str,
    roles: dict[str, str],
    tables: Mapping[str, EncodedTable],
    members: dict[str, tuple[str, ...]],
    datasets: dict[str, str],
    key: SubjectKey,
) -> None:
    frame = concat({p: tables[p].frame for p in members[name]})
    values = frame[frame[roles["value"]].notna()]
    entries, lost = [], 0
    pointers = values[roles["pointer"]] if "pointer" in roles else pd.Series(np.nan, index=values.index, dtype="str")
    for (domain, pointer), rows in values.groupby([values[roles["domain"]], pointers.fillna("")], sort=False):
        parent = datasets.get(str(domain).strip().upper())
        entry = None
        if parent is not None and parent != name:
            entry = _entry(name, roles, rows, (str(domain), str(pointer) or None), parent, tables, members, key)
        if entry is None:
            lost += len(rows)
        else:
            entries.append(entry)
    if lost > (1 - RESOLVED) * len(values) or not entries:
        found.notes.append(f"{name}: its rows point at nothing in this study; treated as a table of its own")
        return
    if lost:
        found.notes.append(f"{name}: {lost} of {len(values)} rows point at nothing in this study and are left out")
    found.supplements += entries
    found.layouts[name] = Layout.SUPPLEMENT


def _entry(
    name: str,
    roles: dict[str, str],
    rows: pd.DataFrame,
    place: tuple[str, str | None],
    parent: str,
    tables: Mapping[str, EncodedTable],
    members: dict[str, tuple[str, ...]],
    key: SubjectKey,
) -> Supplement | None:
    domain, pointer = place
    above = concat({p: tables[p].frame for p in members[parent]})
    subject = key.columns.get(members[parent][0])
    if (pointer is not None and pointer not in above) or "subject" not in roles or subject is None:
        return None
    qualifiers = tuple(str(q) for q in pd.unique(rows[roles["name"]].dropna()))
    used = roles if "pointer" in roles else {r: c for r, c in roles.items() if r != "value_of_pointer"}
    entry = Supplement(
        table=name,
        members=members[name],
        parent=parent,
        pointer=pointer,
        columns=used,
        qualifiers=qualifiers,
        attributes=_attributes(rows, used, qualifiers),
        match={"domain": domain},
    )
    position = locate(above, rows, entry, subject)
    if (position >= 0).mean() < RESOLVED:
        return None
    return entry.model_copy(update={"member_of": _members(above, rows, position)})


def _attributes(
    rows: pd.DataFrame, roles: dict[str, str], qualifiers: tuple[str, ...]
) -> dict[str, dict[str, str | None]]:
    taken = {c for role, c in roles.items() if role != "domain"} | {MEMBER}
    names, result = rows[roles["name"]], {}
    for qualifier in qualifiers:
        mine = rows[(names == qualifier).to_numpy()]
        result[qualifier] = {c: _mode(mine[c]) for c in rows.columns if c not in taken}
    return result


def _mode(values: pd.Series) -> str | None:
    counts = values.value_counts(dropna=False)
    top = counts.index[0] if len(counts) else None
    return None if top is None or pd.isna(top) else str(top)


def _members(above: pd.DataFrame, rows: pd.DataFrame, position: np.ndarray) -> dict[str, str]:
    """For each member of the parent, the supplemental member that most of its rows stand in."""
    found = position >= 0
    pairs = pd.DataFrame(
        {
            "parent": above[MEMBER].to_numpy()[position[found]],
            "mine": rows[MEMBER].to_numpy()[found],
        }
    )
    return {str(p): str(mine.mode().iloc[0]) for p, mine in pairs.groupby("parent")["mine"]}
