"""Orders within a row and links between the root and other tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.structure.spec import Link
from datareplicator.validate.part import Part, later
from datareplicator.validate.rule import Hits
from datareplicator.validate.structural.view import STRUCTURAL_RULES, StructuralView, is_value


@STRUCTURAL_RULES.rule("DR1401", "The lower value lies above the higher one.", core="000718", p21="SD0013")
def out_of_order(view: StructuralView) -> Iterator[Hits]:
    for order in view.structure.orders:
        part = view.parts.get(order.table)
        if part is None or not part.has(order.low, order.high):
            continue
        both = part.present(order.low) & part.present(order.high)
        yield Hits(part, _above(part, order.low, order.high), (order.low, order.high), int(both.sum()))


def _above(part: Part, low: str, high: str) -> np.ndarray:
    numeric = [pd.api.types.is_numeric_dtype(part.frame[name].dtype) for name in (low, high)]
    if all(numeric):
        return part.number(low) > part.number(high)
    return later(part.moments(low), part.moments(high))


def _linked(view: StructuralView, kind: str) -> Iterator[tuple[Link, Part, Part, np.ndarray]]:
    """Links of a kind: the link, the root, the other table, and its rows that the link speaks of."""
    root = view.root
    for link in view.structure.links:
        part = view.parts.get(link.table)
        if link.kind != kind or root is None or part is None or not root.has(link.root) or not part.subject:
            continue
        if root.subject and part.has(*(c for c in (link.column, link.date) if c is not None)):
            rows = np.ones(len(part), dtype=bool) if link.column is None else is_value(part, link.column, link.code)
            yield link, root, part, rows


def _having(root: Part, part: Part, rows: np.ndarray) -> np.ndarray:
    """bool a row of the root: the subject has one of these rows."""
    return root.frame[root.subject].isin(part.frame[part.subject][rows]).to_numpy(dtype=bool)


@STRUCTURAL_RULES.rule("DR1501", "The flag of the root does not agree with the rows that it stands for.")
def flag_disagrees(view: StructuralView) -> Iterator[Hits]:
    for link, root, part, rows in _linked(view, "flag"):
        flagged, told = is_value(root, link.root, link.value), _having(root, part, rows)
        detail = f"({link.root} and {link.table}.{link.column} = {link.code})"
        yield Hits(root, flagged != told, (link.root,), int((flagged | told).sum()), detail)


@STRUCTURAL_RULES.rule("DR1502", "The date of the root is not the date of the row that it stands for.")
def date_disagrees(view: StructuralView) -> Iterator[Hits]:
    for link, root, part, rows in _linked(view, "date"):
        if link.date is None:
            continue
        held = pd.DataFrame(
            {"subject": part.frame[part.subject][rows], "day": part.moments(link.date).day[rows]}
        ).dropna()
        day = root.moments(link.root).day
        asked = np.isfinite(day) & root.frame[root.subject].isin(held["subject"]).to_numpy(dtype=bool)
        known = pd.MultiIndex.from_frame(held)
        equal = pd.MultiIndex.from_arrays([root.frame[root.subject], day]).isin(known)
        detail = f"({link.root} and {link.table}.{link.date})"
        yield Hits(root, asked & ~equal, (link.root,), int(asked.sum()), detail)


@STRUCTURAL_RULES.rule("DR1503", "The subject has rows that subjects of its kind do not have.")
def unexpected_rows(view: StructuralView) -> Iterator[Hits]:
    for link, root, part, rows in _linked(view, "presence"):
        kind = is_value(root, link.root, link.value)
        detail = f"({link.root} = {link.value} and {link.table})"
        yield Hits(root, kind & _having(root, part, rows), (link.root,), int(kind.sum()), detail)
