"""When conditions can be looked at: the tables of a block are drawn one after another, findings last, and what few
tables decide need not wait for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from datareplicator.generate.blocks import drawn_before_findings
from datareplicator.generate.conditions.condition import Condition
from datareplicator.generate.conditions.plan import Part, Plan, Quota, Rule
from datareplicator.model.study_model import StudyModel, TableModel
from datareplicator.structure.spec import Ref


@dataclass(frozen=True)
class Stage:
    """A block of which the table of subjects and the drawn tables before place `tables` are there.

    `rules`: those that are decided by then, `new` those of them that were not before; `quotas`: by number, the parts
    that are decided, of quotas that are looked at here; `whole`: those of them of which all parts are.
    """

    tables: int
    rules: tuple[Rule, ...]
    new: tuple[Rule, ...]
    quotas: dict[int, tuple[Part, ...]]
    whole: frozenset[int]

    @property
    def path(self) -> tuple[str, ...]:
        """Where the streams of its spare subjects are."""
        return (f"with {self.tables} tables",) if self.tables else ()


def stages(model: StudyModel, plan: Plan, *, changed: bool) -> tuple[Stage, ...]:
    """The stages at which something is decided, that of the subjects alone first and always there.

    `changed`: values of the block are changed once all tables are drawn, so that before nothing but what the table of
    subjects holds can be told.
    """
    drawn = drawn_before_findings(model)
    place = {model.root.table: 0} | {table.table: k for k, table in enumerate(drawn, 1)}
    late = _named_later(model, drawn, place)

    def decided(condition: Condition) -> int | None:
        if condition.early:
            return 0
        if changed or (condition.reads | condition.free) & late or not condition.needs <= place.keys():
            return None
        return max(place[table] for table in condition.needs)

    rules = {rule.number: decided(rule.condition) for rule in plan.rules}
    quotas = {k: _searched(quota, [decided(p.condition) for p in quota.parts]) for k, quota in enumerate(plan.quotas)}
    out, before = [], -1
    for at in sorted({0} | {p for p in (*rules.values(), *quotas.values()) if p is not None}):
        held = tuple(r for r in plan.rules if _by(rules[r.number], at))
        new = tuple(r for r in held if not _by(rules[r.number], before))
        looked = {k: q.parts if _by(quotas[k], at) else q.early for k, q in enumerate(plan.quotas)}
        whole = frozenset(k for k, parts in looked.items() if len(parts) == len(plan.quotas[k].parts))
        out.append(Stage(at, held, new, {k: parts for k, parts in looked.items() if parts}, whole))
        before = at
    return tuple(out)


def _by(place: int | None, at: int) -> bool:
    return place is not None and place <= at


def _searched(quota: Quota, places: list[int | None]) -> int | None:
    """From where on subjects of a quota are searched for. Rows reach a factor and steps an event that never comes by
    itself: neither is searched for, but what the table of subjects tells."""
    known = [p for p in places if p is not None]
    if len(known) < len(places) or not known:
        return None
    return max(known) if max(known) == 0 or (quota.times is None and (quota.known or not quota.steps)) else None


def _named_later(model: StudyModel, drawn: tuple[TableModel, ...], place: dict[str, int]) -> set[Ref]:
    """The columns that name rows of tables drawn later, and are written when all are there."""
    return {
        Ref(table=table.table, column=reference.column)
        for table in drawn
        for reference in table.rows.references
        if place.get(reference.parent, len(place)) > place[table.table]
    }
