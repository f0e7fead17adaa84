"""Domains that lie in several tables (LB in lbch, lbhe, lbur) and their supplements: which tables belong together."""

from __future__ import annotations

import pandas as pd

from datareplicator.structure.encode import EncodedTable
from datareplicator.structure.names import bare
from datareplicator.structure.subjects import SubjectKey

COPIED = 0.5  # share of a part's rows that stand in another part too, from which one is a copy of the other


def domain_of(table: EncodedTable) -> str | None:
    """The value of a constant DOMAIN (or RDOMAIN) column that the table's own names confirm, in upper case.

    A copied DOMAIN value is common in practice, so it counts only where the columns or the table's name carry it.
    """
    for column in ("DOMAIN", "domain", "RDOMAIN", "rdomain"):
        if column not in table or len(table[column].distinct) != 1:
            continue
        value = str(table[column].distinct[0]).strip().upper()
        mine = sum(c.upper().startswith(value) for c in table.columns) >= 3
        named = bare(table.name).upper().removeprefix("SUPP").removeprefix("SQ").startswith(value)
        if (column.upper() == "DOMAIN" and mine and named) or (column.upper() == "RDOMAIN" and named):
            return value
    return None


def join_parts(tables: dict[str, EncodedTable], key: SubjectKey) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Logical names and their source tables, in the source's order, and notes on what was not joined."""
    groups: dict[tuple, list[str]] = {}
    for name, table in tables.items():
        domain = domain_of(table)
        if domain is not None and table.n and name in key.columns:
            supplement = bare(name).startswith(("supp", "sq")) and "DOMAIN" not in table
            groups.setdefault((supplement, domain, key.columns[name]), []).append(name)
    joined, notes = {}, []
    for (supplement, domain, column), names in groups.items():
        parts = _without_copies(tables, names, column, notes)
        if len(parts) > 1:
            label = ("SUPP" if supplement else "") + domain
            lower = names[0] == names[0].lower()
            joined[label.lower() if lower else label] = tuple(parts)
    owner = {part: label for label, parts in joined.items() for part in parts}
    taken = set(tables) - set(owner)
    members: dict[str, tuple[str, ...]] = {}
    for name in tables:
        label = owner.get(name, name)
        if name in owner and label in taken:
            label = f"{label} (joined)"
        members.setdefault(label, joined[owner[name]] if name in owner else (name,))
    return members, notes


def _without_copies(tables: dict[str, EncodedTable], names: list[str], subject: str, notes: list[str]) -> list[str]:
    kept: list[str] = []
    for name in sorted(names, key=lambda n: -tables[n].n):
        whole = next((other for other in kept if _copy(tables[name], tables[other], subject)), None)
        if whole is None:
            kept.append(name)
        else:
            notes.append(f"{name}: most rows stand in {whole} too; treated as a table of its own")
    return [name for name in names if name in kept]


def _copy(part: EncodedTable, whole: EncodedTable, subject: str) -> bool:
    """Compared on the rows of a few subjects: enough to tell, and cheap."""
    shared = [c for c in part.frame.columns if c in whole.frame and part.frame[c].dtype == whole.frame[c].dtype]
    few = part[subject].distinct[:5]
    rows = [t.frame.loc[t.frame[subject].isin(few), shared] for t in (part, whole)]
    hashes = [pd.util.hash_pandas_object(r, index=False) for r in rows]
    return bool(len(hashes[0]) and hashes[0].isin(hashes[1]).mean() >= COPIED)
