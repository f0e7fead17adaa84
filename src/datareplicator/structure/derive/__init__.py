"""Templates of computed columns: `mine_formulas` finds them in a study, `compute` makes the column for new subjects."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from datareplicator.structure.derive import (
    arithmetic,
    baseline,
    children,
    copies,
    cuts,
    dateparts,
    days,
    factors,
    formula,
    intervals,
    items,
    limits,
    lookup,
    occurrence,
    pointed,
    repeated,
    results,
    rollup,
    sequence,
    series,
    texts,
    units,
)
from datareplicator.structure.derive.bits import BITS
from datareplicator.structure.derive.choice import choose
from datareplicator.structure.derive.outcome import as_series, text_of_numbers
from datareplicator.structure.derive.scene import Scene
from datareplicator.structure.derive.view import View, key_array, level_index
from datareplicator.structure.encode import Context
from datareplicator.structure.spec import Derivation, ForeignKey

__all__ = ["TEMPLATES", "View", "apply", "choose", "compute", "mine_formulas", "mine_totals"]

_MODULES = (
    copies,
    texts,
    sequence,
    results,
    units,
    arithmetic,
    days,
    dateparts,
    cuts,
    limits,
    baseline,
    intervals,
    children,
    pointed,
    items,
    occurrence,
    rollup,
    series,
    repeated,
    lookup,
    formula,
)

TEMPLATES: dict[str, Callable[[View, Derivation], pd.Series | np.ndarray]] = {
    name: function for module in _MODULES for name, function in module.TEMPLATES.items()
}
"""Every template by name. A template reads the derivation's sources from the view and returns one value a row."""


def compute(derivation: Derivation, frames: Mapping[str, pd.DataFrame] | View) -> pd.Series:
    """The column that a derivation makes, aligned with the frame of its table (plain index).

    `frames` are logical frames by table name; a `View` keeps encodings over several calls. Numbers are float64 (copies
    keep their type), texts categorical. Outside its scope a column is missing: params ``only`` name a column and the
    values within the scope, null among them for missing, null alone for any. A partial derivation (params
    ``partial``) is missing on all rows that it does not speak of: `apply` keeps what stands there.
    """
    view = frames if isinstance(frames, View) else View(frames)
    result = as_series(TEMPLATES[derivation.template](view, derivation))
    if "bits" in derivation.params:
        result = pd.Series(BITS[derivation.params["bits"]](result.to_numpy(dtype=float, na_value=np.nan)))
    if "text" in derivation.params:
        result = text_of_numbers(result.to_numpy(dtype=float, na_value=np.nan), **derivation.params["text"])
    only = derivation.params.get("only")
    if only is not None:
        values = view.values(derivation.table, only["column"])
        inside = values.present
        if only["values"] is not None:
            known = [v for v in only["values"] if v is not None]
            inside = np.append(level_index(values, key_array(known)) >= 0, None in only["values"])[values.codes]
        result = result.where(inside)
    return result


def apply(derivation: Derivation, view: View) -> None:
    """Compute a derivation and set the column in the view's frames; a partial one leaves the other rows alone."""
    frame = view.frames[derivation.table]
    result = compute(derivation, view).set_axis(frame.index)
    if derivation.params.get("partial") and derivation.target in frame:
        old = frame[derivation.target]
        result = overlay(old, result)
    view.put(derivation.table, derivation.target, result)


def overlay(old: pd.Series, new: pd.Series) -> pd.Series:
    """`new` where it is present, else `old`; texts come as a categorical over the values of both."""
    if not isinstance(old.dtype, pd.CategoricalDtype) and not isinstance(new.dtype, pd.CategoricalDtype):
        return old.where(new.isna(), new)
    both = [s if isinstance(s.dtype, pd.CategoricalDtype) else s.astype("category") for s in (old, new)]
    levels = both[0].cat.categories.union(both[1].cat.categories)
    first, second = (s.cat.set_categories(levels) for s in both)
    return first.where(second.isna(), second)


def mine_formulas(ctx: Context) -> list[Derivation]:
    """All derivations that hold, each with its agreement: several a target, in circles too. `choose` keeps one a
    target; the order in which they can be computed is for the caller.

    Agreement is the share of rows that `compute` reproduces among the rows where the source or the computed value is
    present; missing in both places proves nothing.
    """
    return [d for step in mine_steps(ctx) for d in step]


def mine_steps(
    ctx: Context, held: Sequence[Sequence[Derivation]] = (), only: Container[str] | None = None
) -> list[list[Derivation]]:
    """As `mine_formulas`, by steps. `held`: what was found before, by steps; then what tables show by themselves is
    looked for in those of `only`, and what they show of each other in all."""
    scene = Scene(ctx, compute, only if held else None)
    place = {name: k for k, name in enumerate(scene.tables)}
    made: list[list[Derivation]] = []

    def own(found: list[Derivation]) -> list[Derivation]:
        kept = [d for d in held[len(made)] if d.table not in scene.targets] if held else []
        made.append(sorted([*found, *kept], key=lambda d: place.get(d.table, -1)) if kept else found)
        return made[-1]

    def so_far() -> list[Derivation]:
        return [d for step in made for d in step]

    made.append(copies.mine(scene))
    own(texts.mine(scene))
    own(results.mine(scene))
    own(results.mine_texts(scene, own(units.mine(scene))))
    steps: Iterable[tuple[Callable[[Scene], list[Derivation]], bool]] = (
        (sequence.mine, True),
        (days.mine, False),
        (dateparts.mine, True),
        (arithmetic.mine, True),
        (cuts.mine, True),
        (limits.mine, True),
        (baseline.mine, True),
        (intervals.mine, False),
        (copies.mine_by_key, False),
        (children.mine, False),
        (pointed.mine, False),
        (items.mine, True),
        (series.mine, True),
    )
    for step, alone in steps:
        if alone:
            own(step(scene))
        else:
            made.append(step(scene))
    own(factors.mine(scene, so_far()))
    known = so_far()
    own(occurrence.mine(scene, known))
    own(repeated.mine(scene, known))
    return made


def mine_totals(ctx: Context, keys: Iterable[ForeignKey]) -> list[Derivation]:
    """Numbers that total the rows below, by the references `keys` between tables."""
    return rollup.mine_totals(Scene(ctx, compute), keys)
