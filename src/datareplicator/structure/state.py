"""What the steps of discovery hand on to each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from datareplicator.structure.encode import Context, EncodedTable
from datareplicator.structure.keys import NaturalKey
from datareplicator.structure.pointers import Pointers
from datareplicator.structure.roles import Roles
from datareplicator.structure.spec import Derivation, ForeignKey, Layout
from datareplicator.structure.subjects import SubjectKey
from datareplicator.study import Study


@dataclass
class State:
    """`members` names the source tables of each logical table, `through` the key by which a table without the subject
    reaches it, `finds` all derivations found so far (several a target), `encoded` the source tables,
    `displaced` those whose dates were moved (see `clocks.py`)."""

    study: Study
    key: SubjectKey
    members: dict[str, tuple[str, ...]]
    pointers: Pointers
    ctx: Context
    encoded: dict[str, EncodedTable]
    through: dict[str, ForeignKey] = field(default_factory=dict)
    foreign: list[ForeignKey] = field(default_factory=list)
    finds: list[Derivation] = field(default_factory=list)
    keys: dict[str, NaturalKey] = field(default_factory=dict)
    roles: dict[str, Roles] = field(default_factory=dict)
    displaced: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def copied(self) -> frozenset[str]:
        """Tables that point into others: neither parents nor children of keys."""
        return frozenset(t for t, layout in self.pointers.layouts.items() if layout != Layout.REFERENCE)
