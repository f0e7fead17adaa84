"""One derivation a target: the better agreement, then the more telling template, then the same stem, then more rows."""

from __future__ import annotations

from collections.abc import Iterable

from datareplicator.structure.derive.scene import stem
from datareplicator.structure.spec import Derivation

RANKS = (
    ("constant", "copy_subject", "same", "same_day"),
    ("concat", "row_number", "offset"),
    ("linear",),
    ("parse",),
    ("text_of_number",),
    ("series",),
    ("round", "arithmetic"),
    ("study_day", "date_part"),
    ("date_parts",),
    ("date_difference", "age", "date_plus"),
    ("cuts",),
    ("limits",),
    ("baseline_value", "baseline_flag", "compare", "occurrence"),
    ("interval",),
    ("copy_by_key",),
    ("lookup",),
    ("rollup",),
    ("present", "exists"),
    ("event_date", "aggregate"),
)
RANK = {template: i for i, group in enumerate(RANKS) for template in group}


def preference(d: Derivation) -> tuple:
    """Sort key, best first."""
    same = bool(d.sources) and stem(d.table, d.target) == stem(d.sources[0].table, d.sources[0].column)
    same |= bool(d.sources) and d.sources[0].column == d.target
    return (-round(d.agreement, 2), RANK.get(d.template, len(RANK)), not same, -round(d.agreement, 4), -d.rows)


def choose(candidates: Iterable[Derivation]) -> list[Derivation]:
    """The best derivation of each target, in the order of first appearance. Partial ones stand beside the others.

    >>> from datareplicator.structure.spec import Ref
    >>> source = (Ref(table="T", column="A"),)
    >>> make = lambda t, a: Derivation(table="T", target="X", template=t, sources=source, agreement=a)
    >>> [d.template for d in choose([make("aggregate", 1.0), make("study_day", 0.999)])]
    ['study_day']
    """
    best: dict[tuple[str, str, bool], Derivation] = {}
    for d in candidates:
        key = (d.table, d.target, bool(d.params.get("partial")))
        if key not in best or preference(d) < preference(best[key]):
            best[key] = d
    return list(best.values())
