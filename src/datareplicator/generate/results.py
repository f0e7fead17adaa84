"""From one number per cell back to the result columns, as the source writes them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.results import ResultCell, ResultModel, UnitScale, plain


def write_results(
    model: ResultModel,
    cell: np.ndarray,
    number: np.ndarray,
    unit: pd.Series | None,
    changed: np.ndarray | None = None,
) -> dict[str, pd.Series]:
    """The result columns of rows of one table.

    `cell`: int, counted from the model's first; `number`: float, NaN for rows without a result; `unit`: the original
    unit of each row; `changed`: bool a row, numbers that need not be among the source's. Where a column is derived from
    another one, what is written here is computed again later.
    """
    names = [c for c in (model.original, model.text, model.value) if c is not None]
    own = cell - model.first
    out = {name: np.full(len(cell), np.nan, dtype=object) for name in names}
    level, exact = _levels(model, own, number)
    for name in names:
        out[name][exact] = _level_table(model, name)[level[exact]]
    open_rows = np.isfinite(number) & ~exact
    if model.original is not None and model.value is not None:
        _write_scaled(model, own, number, unit, open_rows, out, changed)
    else:
        _write_plain(names, model.value, number, open_rows, out)
    _cut_texts(model, own, open_rows, out)
    return {name: _typed(out[name], name == model.value) for name in names}


def _levels(model: ResultModel, own: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of each row's level in the table of all levels, and which rows have one.

    Cells whose numbers are all known take the nearest level; other cells only on exact agreement.
    """
    level = np.full(len(own), -1)
    exact = np.zeros(len(own), dtype=bool)
    order = np.argsort(own, kind="stable")
    bounds = np.searchsorted(own[order], np.arange(len(model.cells) + 1))
    base = 0
    for k, made in enumerate(model.cells):
        rows = order[bounds[k] : bounds[k + 1]]
        rows = rows[np.isfinite(number[rows])]
        if len(made.levels) and len(rows):
            x = number[rows]
            near = _nearest(made.levels, x)
            hit = _known(made, x, near)
            level[rows[hit]], exact[rows[hit]] = base + near[hit], True
        base += len(made.levels)
    return level, exact


def _known(made: ResultCell, x: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Which numbers of a cell stand at one of its levels."""
    if made.kind != "number":
        return np.ones(len(x), dtype=bool)
    hit = made.levels[near] == x
    if made.floor is not None:
        hit |= x <= made.floor
    if made.ceiling is not None:
        hit |= x >= made.ceiling
    return hit


def _nearest(levels: np.ndarray, x: np.ndarray) -> np.ndarray:
    right = np.clip(np.searchsorted(levels, x), 0, len(levels) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(levels[left] - x) <= np.abs(levels[right] - x), left, right)


def _level_table(model: ResultModel, name: str) -> np.ndarray:
    cells = [np.array(c.columns[name], dtype=object) for c in model.cells]
    table = np.concatenate(cells) if cells else np.empty(0, dtype=object)
    return np.where(pd.isna(table), np.nan, table) if len(table) else table


def _write_plain(names: list[str], value: str | None, number: np.ndarray, rows: np.ndarray, out: dict) -> None:
    for name in names:
        out[name][rows] = number[rows] if name == value else plain(number[rows])


def _cut_texts(model: ResultModel, own: np.ndarray, rows: np.ndarray, out: dict) -> None:
    """End the texts of numbers where the source's column ends, though never before the point."""
    for k, made in enumerate(model.cells):
        if made.width is None or model.text is None:
            continue
        here = np.flatnonzero(rows & (own == k))
        texts = out[model.text][here]
        out[model.text][here] = [_shortened(t, made.width) if isinstance(t, str) else t for t in texts]


def _shortened(text: str, width: int) -> str:
    return text[:width].rstrip(".") if "." in text[: width + 1] and len(text) > width else text


def _write_scaled(
    model: ResultModel,
    own: np.ndarray,
    number: np.ndarray,
    unit: pd.Series | None,
    rows: np.ndarray,
    out: dict,
    changed: np.ndarray | None,
) -> None:
    scales = {(s.cell, s.unit or ""): s for s in model.scales}
    usual = {}
    for scale in model.scales:
        usual.setdefault(scale.cell, scale)
    units = (
        np.full(len(own), "", dtype=object) if unit is None else unit.astype(object).where(unit.notna(), "").to_numpy()
    )
    at = np.flatnonzero(rows)
    groups = pd.DataFrame({"cell": own[at], "unit": units[at].astype(str)}).groupby(["cell", "unit"], sort=False)
    for key, index in groups.indices.items():
        k, name = key  # type: ignore[misc]
        scale = scales.get((int(k), name)) or usual.get(int(k))
        here = at[index]
        if scale is None:
            names = [c for c in out if c != model.original or model.cells[int(k)].collected]
            _write_plain(names, model.value, number, _mask(len(own), here), out)
            continue
        original, text = _original(scale, number[here], changed[here] if changed is not None else None)
        if model.cells[int(k)].collected:
            out[model.original][here] = text
        value = scale.slope * original + scale.intercept
        out[model.value][here] = value if scale.value_decimals < 0 else np.round(value, scale.value_decimals)
        if model.text is not None:
            out[model.text][here] = plain(out[model.value][here].astype(float))


def _mask(n: int, rows: np.ndarray) -> np.ndarray:
    mask = np.zeros(n, dtype=bool)
    mask[rows] = True
    return mask


def _original(scale: UnitScale, number: np.ndarray, changed: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Results in the unit as collected: numbers and texts; on the source's lattice but for those that changed."""
    x = np.round((number - scale.intercept) / scale.slope, scale.decimals)
    if len(scale.lattice):
        near = scale.lattice[_nearest(scale.lattice, x)]
        x = near if changed is None else np.where(changed, x, near)
    codes, distinct = pd.factorize(x)
    pattern = f"%.{scale.decimals}f"
    text = np.array([pattern % v if scale.fixed else f"{v:.{scale.decimals}f}" for v in distinct], dtype=object)
    if not scale.fixed and scale.decimals:
        text = np.array([t.rstrip("0").rstrip(".") for t in text], dtype=object)
    return x, text[codes]


def _typed(values: np.ndarray, number: bool) -> pd.Series:
    if number:
        return pd.Series(pd.to_numeric(pd.Series(values), errors="coerce"), dtype=float)
    text = pd.Series(values, dtype=object)
    return text.where(text.isna(), text.map(lambda v: v if isinstance(v, str) else f"{v:.10g}")).astype("category")
