"""What can be asked of a model, and how its subjects are to be shown: tables and columns, with the values it knows."""

from __future__ import annotations

from datareplicator.document import Document
from datareplicator.generate.conditions.learned import known_values
from datareplicator.generate.conditions.names import COPIED
from datareplicator.model.study_model import StudyModel
from datareplicator.profile.roles import Roles, roles_of
from datareplicator.structure.spec import Ref, TableSpec

MOST_VALUES = 200
"""Values of a column that are listed: nobody picks from more."""


class KnownValue(Document):
    """A value that a column can have."""

    value: str


class KnownColumn(Document):
    """One column: its kind and type as in a profile, how it is computed, the values (`categories`) or the range
    (`reach`) that the model knows of it."""

    name: str
    label: str
    kind: str
    type: str
    computed: str | None
    categories: tuple[KnownValue, ...] | None
    reach: tuple[float, float] | None


class KnownTable(Document):
    """One table that is drawn."""

    name: str
    label: str
    layout: str
    columns: tuple[KnownColumn, ...]


class Vocabulary(Document):
    """The tables that a model draws; the columns of arm and site in the `root`, the table of subjects, and their
    values; `roles`: which columns say when something was."""

    root: str
    subject_key: str | None
    reference_start: str | None
    arm: str | None
    arms: tuple[KnownValue, ...]
    site: str | None
    sites: tuple[KnownValue, ...]
    tables: tuple[KnownTable, ...]
    roles: tuple[Roles, ...]


def vocabulary(model: StudyModel) -> Vocabulary:
    """What can be said of the subjects of a model."""
    labels = {source.name: source.label or "" for source in model.sources}
    drawn = [spec for spec in model.structure.tables.values() if spec.layout not in COPIED]
    return Vocabulary(
        root=model.root.table,
        subject_key=model.structure.subject,
        reference_start=model.structure.anchor,
        arm=model.root.group,
        arms=tuple(KnownValue(value=value) for value in model.root.groups),
        site=model.root.site,
        sites=tuple(KnownValue(value=value) for value in model.root.sites),
        tables=tuple(
            KnownTable(
                name=spec.name,
                label=next((labels[member] for member in spec.members if labels.get(member)), ""),
                layout=spec.layout.value,
                columns=_columns(model, spec),
            )
            for spec in drawn
        ),
        roles=tuple(
            roles_of(model.structure, {s.name: (s.label or "", [c.name for c in s.columns]) for s in model.sources})
        ),
    )


def _columns(model: StudyModel, spec: TableSpec) -> tuple[KnownColumn, ...]:
    labels = {c.name: c.label or "" for source in model.sources if source.name in spec.members for c in source.columns}
    computed = {d.target: d.template for d in model.structure.derivations if d.table == spec.name}
    out = []
    for column in spec.columns:
        known = known_values(model, Ref(table=spec.name, column=column.name))
        texts = sorted(known.texts)[:MOST_VALUES] if known.texts else None
        out.append(
            KnownColumn(
                name=column.name,
                label=labels.get(column.name, ""),
                kind=column.kind.value,
                type=column.encoding,
                computed=computed.get(column.name),
                categories=None if texts is None else tuple(KnownValue(value=text) for text in texts),
                reach=(known.low, known.high) if known.ranged else None,
            )
        )
    return tuple(out)
