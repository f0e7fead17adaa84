"""Tables, keys and references."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.structure.logical import locate
from datareplicator.study import Column
from datareplicator.validate.part import Part, of_columns
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.structural.view import STRUCTURAL_RULES, StructuralView


@STRUCTURAL_RULES.rule("DR1001", "A table or column of the structure is absent (row 0 stands for the whole table).")
def absent(view: StructuralView) -> Iterator[Hits]:
    places = dict.fromkeys(view.absent)
    if view.baseline is not None:
        # A table that is one of several of a domain: the structure knows the column from the others.
        known = view.baseline.study.tables.items()
        held = ((name, table, view.study[name].frame) for name, table in known if name in view.study)
        places |= dict.fromkeys((name, c) for name, table, frame in held for c in table.frame if c not in frame)
    for table, column in places:
        frame = pd.DataFrame({"absent": [column or table]})
        part = Part(table, frame, (table,), np.zeros(1, dtype=np.int64), np.full(1, -1, dtype=np.int64))
        yield Hits(part, np.ones(1, dtype=bool), ("absent",), 1, f"({column or table})")
    present = sum(len(spec.columns) for spec, _ in view.tables())
    if present and view.parts:
        part = next(iter(view.parts.values()))
        yield Hits(part, np.zeros(len(part), dtype=bool), (), present)


@STRUCTURAL_RULES.rule("DR1002", "The baseline has no such table or column (row 0 stands for the whole table).")
def extra(view: StructuralView) -> Iterator[Hits]:
    if view.baseline is None:
        return
    known = view.baseline.study
    for name, held in view.study.tables.items():
        names = list(held.frame) if name in known else [name]
        bad = [column not in known[name].frame if name in known else True for column in names]
        yield Hits(of_columns(name, names), np.array(bad, dtype=bool), ("column",), len(names))


@STRUCTURAL_RULES.rule(
    "DR1003", "The column's type, label or length is not that of the baseline.", severity=Severity.WARNING
)
def other_metadata(view: StructuralView) -> Iterator[Hits]:
    if view.baseline is None:
        return
    known = view.baseline.study
    for name, held in view.study.tables.items():
        if name in known:
            shared = [column for column in held.frame if column in known[name].columns and column in held.columns]
            bad = [_differs(held.columns[column], known[name].columns[column]) for column in shared]
            yield Hits(of_columns(name, shared), np.array(bad, dtype=bool), ("column",), len(shared))


def _differs(a: Column, b: Column) -> bool:
    """Whether both declare something, and not the same. Whole numbers may be held as integers or not."""
    both = ((a.label, b.label), (a.length, b.length), (a.type == "text", b.type == "text"))
    return any(one != other for one, other in both if one not in ("", None) and other not in ("", None))


@STRUCTURAL_RULES.rule("DR1101", "The natural key is repeated.", p21="SD1117 SD1201")
def repeated_key(view: StructuralView) -> Iterator[Hits]:
    for spec, part in view.tables():
        if spec.key and part.has(*spec.key):
            yield Hits(part, part.repeated(spec.key), spec.key, len(part), f"({', '.join(spec.key)})")


@STRUCTURAL_RULES.rule("DR1102", "The row number is repeated within the subject.", core="000544", p21="SD0005")
def repeated_number(view: StructuralView) -> Iterator[Hits]:
    for spec, part in view.tables():
        if spec.sequence is not None and part.has(spec.sequence):
            key = [part.subject] if part.subject else list(spec.parent_key.columns) if spec.parent_key else []
            known = part.present(spec.sequence)
            yield Hits(part, part.repeated([*key, spec.sequence], known), (*key, spec.sequence), int(known.sum()))


@STRUCTURAL_RULES.rule("DR1103", "The subject has more than one row in the root table.", core="000351", p21="SD0083")
def repeated_subject(view: StructuralView) -> Iterator[Hits]:
    root = view.root
    if root is not None and root.subject:
        yield Hits(root, root.repeated([root.subject]), (root.subject,), len(root))


@STRUCTURAL_RULES.rule("DR1104", "The subject key is missing.")
def missing_subject(view: StructuralView) -> Iterator[Hits]:
    for spec, part in view.tables():
        if part.subject:
            # Relations between whole datasets carry no subject; what the source leaves empty shows in its rate.
            yield Hits(part, ~part.present(part.subject), (spec.subject or "",), len(part))


@STRUCTURAL_RULES.rule("DR1201", "The reference points at no row.", core="000201", p21="SD0064")
def dangling(view: StructuralView) -> Iterator[Hits]:
    for key in view.structure.foreign_keys:
        child, parent = view.parts.get(key.table), view.parts.get(key.parent)
        if child is None or parent is None or not child.has(*key.columns) or not parent.has(*key.parent_columns):
            continue
        asked = np.all([child.present(name) for name in key.columns], axis=0)
        found = view.view.match(key.table, key.columns, key.parent, key.parent_columns) >= 0
        detail = f"({', '.join(key.columns)} in {key.parent})"
        yield Hits(child, asked & ~found, key.columns, int(asked.sum()), detail)


@STRUCTURAL_RULES.rule("DR1202", "The supplemental row belongs to no row of its parent.", core="000206", p21="SD0077")
def dangling_supplement(view: StructuralView) -> Iterator[Hits]:
    for name in dict.fromkeys(entry.table for entry in view.structure.supplements):
        part = view.members(name)
        entries = [entry for entry in view.structure.supplements if entry.table == name]
        roles = entries[0].columns
        if not part.has(*roles.values()):
            continue
        asked, found = part.present(roles["value"]), np.zeros(len(part), dtype=bool)
        for entry in entries:
            mine = np.ones(len(part), dtype=bool)
            for role, wanted in (("domain", entry.match.get("domain")), ("pointer", entry.pointer)):
                if role in roles and wanted is not None:
                    mine &= part.equals(roles[role], wanted)
            spec = view.structure.tables[entry.parent]
            found[mine] |= locate(view.parts[entry.parent].frame, part.frame[mine], entry, spec.subject) >= 0
        shown = tuple(c for role, c in roles.items() if role != "subject")
        yield Hits(part, asked & ~found, shown, int(asked.sum()))
