"""Amounts that are drawn by their ratio to another number: a cumulative dose by the dose a day.

Where a column is the ratio of two others (an average daily dose), and varies far less than the amount above the line
does, the amount is what follows: drawn for itself it would fit any duration, and give daily doses that nobody had. The
unrounded ratio is learned as a number of its own, the amount computed from it, and the ratio's column from both.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.prepare import Prepared
from datareplicator.structure.derive.outcome import decimals_of
from datareplicator.structure.order import rests_on
from datareplicator.structure.spec import ColumnSpec, Derivation, Kind, Ref, Structure

STEADY = 0.25
"""Variance of the log ratio, as a share of that of the log amount, up to which the ratio is the steadier one."""
LEAST_ROWS = 5


def draw_by_ratio(prepared: Prepared) -> Structure:
    """The structure with amounts of the table of subjects that follow from their ratio, whose column is added to the
    frame. Nothing changes where there are none."""
    structure = prepared.structure
    root = structure.root
    if root is None:
        return structure
    frame = prepared.frames[root].copy(deep=False)
    columns, derivations = list(structure.tables[root].columns), list(structure.derivations)
    for ratio in [d for d in derivations if d.table == root and d.params.get("op") == "ratio"]:
        made = _amount(frame, structure, ratio)
        if made is None:
            continue
        values, amount = made
        name = amount.sources[0].column
        frame[name] = values
        columns.append(
            ColumnSpec(
                name=name,
                kind=Kind.DECIMAL,
                encoding="float",
                decimals=decimals_of(values),
                distinct=len(np.unique(values[np.isfinite(values)])),
                missing=float(np.isnan(values).mean()),
            )
        )
        derivations = _placed(derivations, amount)
    if len(columns) == len(structure.tables[root].columns):
        return structure
    prepared.frames[root] = frame
    tables = {**structure.tables, root: structure.tables[root].model_copy(update={"columns": tuple(columns)})}
    return structure.model_copy(update={"tables": tables, "derivations": tuple(derivations)})


def _amount(frame: pd.DataFrame, structure: Structure, ratio: Derivation) -> tuple[np.ndarray, Derivation] | None:
    """The unrounded ratio of each row, and how the amount follows from it; None where the amount is drawn as well."""
    above, below = ratio.sources[:2]
    if above.column not in structure.free(ratio.table) or above in rests_on(structure.derivations, below):
        return None
    x, y = (pd.to_numeric(frame[s.column], errors="coerce").to_numpy(dtype=float) for s in (above, below))
    usable = (x > 0) & (y > 0)
    if usable.sum() < LEAST_ROWS or not (y[np.isfinite(x)] > 0).all() or (x < 0).any():
        return None
    log_x, log_ratio = np.log(x[usable]), np.log(x[usable] / y[usable])
    if np.var(log_ratio) > STEADY * np.var(log_x):
        return None
    name = f"{above.column} / {below.column}"
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.round(x / y, 9)
    amount = Derivation(
        table=ratio.table,
        target=above.column,
        template="arithmetic",
        sources=(Ref(table=ratio.table, column=name), below),
        params={"op": "product", "decimals": decimals_of(x)},
        rows=int(np.isfinite(values).sum()),
    )
    return values, amount


def _placed(derivations: list[Derivation], amount: Derivation) -> list[Derivation]:
    """The derivations in computing order with one more: it and what rests on it stand after what it reads."""
    target = Ref(table=amount.table, column=amount.target)
    after = [d for d in derivations if target in rests_on(derivations, Ref(table=d.table, column=d.target))]
    names = {(d.table, d.target) for d in after}
    before = [d for d in derivations if (d.table, d.target) not in names]
    return [*before, amount, *after]


__all__ = ["draw_by_ratio"]
