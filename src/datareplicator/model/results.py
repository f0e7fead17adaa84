"""Results of findings: between what stands in the files (text as collected, unit, standard text, number) and one number
per cell, which is what the statistics work on.

A *cell* is a test under its axes (systolic pressure, standing, after 3 minutes). Cells with text results are coded by
category; cells with few distinct numbers keep the result columns that belong to each number; the rest go through the
unit's linear conversion and the source's own decimals.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Exact, Floats
from datareplicator.model.coding import scalar
from datareplicator.structure.spec import TableSpec

FEW = 60
"""Up to this many distinct numbers a cell keeps the texts that belong to each."""

Text = str | None


class ResultCell(Document):
    """One cell. `levels`: its known numbers in order (category codes, or distinct numbers when few), else empty;
    `columns`: for each result column the text or number at each level; levels that stand for texts beyond
    the measurable (``<5``) in a numeric cell are levels too. Numbers at or under `floor` (at or over `ceiling`) take
    the nearest of those. `collected` is False where the result stands without an original (a derived total). Texts of
    numbers are cut at `width` characters, where the source's are."""

    table: str
    test: Text
    axes: tuple[Text, ...]
    kind: Literal["number", "ordinal", "category"]
    levels: Exact
    columns: dict[str, tuple[str | float | None, ...]]
    floor: float | None = None
    ceiling: float | None = None
    collected: bool = True
    width: int | None = None

    @model_validator(mode="after")
    def _one_length(self) -> ResultCell:
        if any(len(column) != len(self.levels) for column in self.columns.values()):
            raise ValueError("levels and columns differ in length")
        return self


class UnitScale(Document):
    """`value = slope * original + intercept` for one cell and original unit.

    `decimals` of the original text, all written (`fixed`) or trimmed; `value_decimals`: those of the value, -1 where
    it is not rounded; `lattice`: the originals in use where they cover nearly all rows, else empty.
    """

    cell: int
    unit: Text
    slope: float
    intercept: float
    decimals: int
    fixed: bool
    value_decimals: int
    lattice: Floats


class ResultModel(Document):
    """The results of one table; `cells` are numbered from `first` in the study's list of cells."""

    table: str
    first: int
    cells: tuple[ResultCell, ...]
    scales: tuple[UnitScale, ...]
    value: Text
    text: Text
    original: Text
    unit: Text


def plain(number: np.ndarray) -> np.ndarray:
    """Shortest text of numbers, whole ones without a point.

    >>> plain(np.array([2.0, 0.25])).tolist()
    ['2', '0.25']
    """
    codes, distinct = pd.factorize(number)
    text = np.array([f"{v:.10g}" for v in distinct], dtype=object)
    return np.append(text, np.nan)[codes]


def result_columns(spec: TableSpec) -> list[str]:
    """The columns that carry the result itself, the collected first."""
    return [c for c in (spec.original, spec.text, spec.value) if c is not None]


def fit_results(spec: TableSpec, frame: pd.DataFrame, first: int) -> tuple[ResultModel, np.ndarray, np.ndarray]:
    """Learn a table's cells.

    Returns the model, each row's cell (int, counted from `first`) and each row's number (NaN without a result).
    """
    keys = [c for c in (spec.test, *spec.axes) if c is not None]
    labels = frame[keys].astype("str").astype(object) if keys else pd.DataFrame({"all": np.zeros(len(frame))})
    cell = labels.groupby(list(labels.columns), sort=True, dropna=False).ngroup().to_numpy()
    number = np.full(len(frame), np.nan)
    cells: list[ResultCell] = []
    order = np.argsort(cell, kind="stable")
    bounds = np.searchsorted(cell[order], np.arange(cell.max(initial=-1) + 2))
    for k in range(len(bounds) - 1):
        rows = order[bounds[k] : bounds[k + 1]]
        part = frame.iloc[rows]
        labelled = labels.iloc[rows[0]]
        names = [None if pd.isna(labelled[c]) else str(labelled[c]) for c in keys]
        made, number[rows] = _fit_cell(spec, part, names)
        cells.append(made)
    scales = _fit_scales(spec, frame, cell, cells) if spec.original and spec.value else ()
    model = ResultModel(
        table=spec.name,
        first=first,
        cells=tuple(cells),
        scales=scales,
        value=spec.value,
        text=spec.text,
        original=spec.original,
        unit=spec.unit,
    )
    return model, cell + first, number


def _fit_cell(spec: TableSpec, part: pd.DataFrame, names: list[Text]) -> tuple[ResultCell, np.ndarray]:
    test = names[0] if spec.test else None
    axes = tuple(names[1:]) if spec.test else tuple(names)
    columns = result_columns(spec)
    value = _numbers(part, spec)
    texts = [c for c in (spec.text, spec.original) if c is not None]
    has_text = part[texts].notna().any(axis=1).to_numpy() if texts else np.isfinite(value)
    numeric = np.isfinite(value)
    if has_text.any() and numeric.sum() < 0.5 * (has_text | numeric).sum():
        codes, levels = _categories(part[columns], has_text | numeric)
        kept = {c: tuple(scalar(v) for v in levels[c]) for c in columns}
        index = np.arange(len(levels), dtype=float)
        return ResultCell(table=spec.name, test=test, axes=axes, kind="category", levels=index, columns=kept), codes
    value = _beyond(part, texts, value, has_text & ~numeric)
    distinct = np.unique(value[np.isfinite(value)])
    special = np.unique(value[np.isfinite(value) & ~numeric])
    # A number stands for one text in one unit only.
    units = part[spec.unit][numeric].nunique() if spec.unit is not None else 0
    few = len(distinct) <= FEW and units <= 1 and _one_to_one(part, columns, value)
    levels_kept = distinct if few else special
    kept = {c: _at_levels(part[c], value, levels_kept) for c in columns}
    whole = few and len(distinct) <= 12 and bool(np.all(distinct == np.round(distinct)))
    kind: Literal["number", "ordinal"] = "ordinal" if whole else "number"
    measured = value[numeric]
    floor, ceiling = _limits(special, measured)
    collected = spec.original is None or bool(part[spec.original].notna().to_numpy()[numeric].mean() >= 0.5)
    made = ResultCell(
        table=spec.name,
        test=test,
        axes=axes,
        kind=kind,
        levels=levels_kept,
        columns=kept,
        floor=floor,
        ceiling=ceiling,
        collected=collected,
        width=_width(part[spec.text][numeric], value[numeric]) if spec.text is not None else None,
    )
    return made, value


def _width(text: pd.Series, value: np.ndarray) -> int | None:
    """Characters after which the texts of numbers are cut off, None where none is."""
    known = text.notna().to_numpy()
    pairs = pd.DataFrame({"text": text[known].astype(str).to_numpy(), "full": plain(value[known])}).drop_duplicates()
    short = pairs[pairs["text"] != pairs["full"]]
    cut = [full.startswith(text) for text, full in zip(short["text"], short["full"], strict=True)]
    return int(pairs["text"].str.len().max()) if cut and all(cut) else None


def _limits(special: np.ndarray, measured: np.ndarray) -> tuple[float | None, float | None]:
    """The numbers from which on a result is beyond the measurable."""
    middle = float(np.median(measured)) if len(measured) else 0.0
    low, high = special[special < middle], special[special >= middle]
    return (float(low.max()) if len(low) else None), (float(high.min()) if len(high) else None)


def _numbers(part: pd.DataFrame, spec: TableSpec) -> np.ndarray:
    column = spec.value or spec.text or spec.original
    if column is None:
        return np.full(len(part), np.nan)
    return pd.to_numeric(part[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _categories(results: pd.DataFrame, present: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """Code the joint results by frequency, so that neighbours on the latent scale are alike in weight."""
    joint = results[present].astype(object).where(results[present].notna(), None)
    counts = joint.value_counts(dropna=False, sort=True).reset_index()
    levels = counts[list(results.columns)].sort_values(
        list(results.columns), kind="stable", key=lambda s: s.astype(str)
    )
    levels = levels.reset_index(drop=True)
    merged = pd.MultiIndex.from_frame(levels.astype(str)).get_indexer(pd.MultiIndex.from_frame(joint.astype(str)))
    codes = np.full(len(results), np.nan)
    codes[present] = merged
    return codes, levels


def _beyond(part: pd.DataFrame, texts: list[str], value: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Numbers just below or above the limit for ``<5`` and ``>1000`` in a numeric cell; other texts stay missing."""
    if not rows.any():
        return value
    text = part[texts[0]].where(part[texts[0]].notna(), part[texts[-1]]) if texts else pd.Series(dtype="str")
    found = text[rows].astype("str").str.extract(r"^\s*(?P<sign>[<>])=?\s*(?P<limit>\d+(?:\.\d+)?)\s*$")
    limit = pd.to_numeric(found["limit"], errors="coerce").to_numpy(dtype=float)
    step = np.maximum(np.abs(limit) * 1e-3, 1e-6)
    out = value.copy()
    out[rows] = np.where(found["sign"].to_numpy(dtype=object) == "<", limit - step, limit + step)
    return out


def _one_to_one(part: pd.DataFrame, columns: list[str], value: np.ndarray) -> bool:
    known = np.isfinite(value)
    table = part[known][columns].astype(object).assign(_value=value[known])
    return len(table.drop_duplicates()) == table["_value"].nunique()


def _at_levels(column: pd.Series, value: np.ndarray, levels: np.ndarray) -> tuple[str | float | None, ...]:
    known = np.isfinite(value)
    first = pd.Series(np.flatnonzero(known)).groupby(value[known]).first()
    return tuple(scalar(column.iloc[first[level]]) for level in levels)


def _fit_scales(
    spec: TableSpec, frame: pd.DataFrame, cell: np.ndarray, cells: list[ResultCell]
) -> tuple[UnitScale, ...]:
    unit = frame[spec.unit].astype(object) if spec.unit else pd.Series(None, index=frame.index, dtype=object)
    text = frame[spec.original]
    original = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    value = _numbers(frame, spec)
    good = np.isfinite(original) & np.isfinite(value)
    group = pd.DataFrame({"cell": cell, "unit": unit.where(unit.notna(), "").astype(str)})[good]
    out = []
    for key, rows in group.groupby(["cell", "unit"], sort=True).indices.items():
        k, name = key  # type: ignore[misc]
        at = np.flatnonzero(good)[rows]
        slope, intercept = _line(original[at], value[at])
        decimals, fixed = _decimals(text.iloc[at])
        out.append(
            UnitScale(
                cell=int(k),
                unit=name or None,
                slope=slope,
                intercept=intercept,
                decimals=decimals,
                fixed=fixed,
                value_decimals=_rounding(value[at]),
                lattice=_lattice(original[at], frame, spec, at),
            )
        )
    return tuple(out)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    ratio = y[x != 0] / x[x != 0]
    if len(ratio) and np.ptp(ratio) <= 0.02 * abs(np.median(ratio)):
        weight = np.abs(x[x != 0])
        return float(np.average(ratio, weights=weight)) or 1.0, 0.0
    if len(np.unique(x)) < 2:
        return 1.0, float(np.median(y - x))
    slope, intercept = np.polyfit(x, y, 1)
    return (float(slope), float(intercept)) if slope != 0 else (1.0, 0.0)


def _decimals(text: pd.Series) -> tuple[int, bool]:
    distinct = pd.Series(text.dropna().unique()).astype(str)
    tail = distinct.str.extract(r"\.(\d*)\s*$")[0]
    digits = tail.str.len().fillna(0).astype(int)
    return int(digits.max()) if len(digits) else 0, bool(tail.str.endswith("0").any())


def _rounding(value: np.ndarray) -> int:
    """Decimals that nearly all values are rounded to, -1 when there are more than six."""
    for decimals in range(7):
        if np.mean(np.abs(np.round(value, decimals) - value) < 1e-9) > 0.98:
            return decimals
    return -1


def _lattice(original: np.ndarray, frame: pd.DataFrame, spec: TableSpec, rows: np.ndarray) -> np.ndarray:
    """Originals seen in two subjects or more, where they make up nearly all rows."""
    subject = frame[spec.subject].to_numpy()[rows] if spec.subject else rows
    seen = pd.DataFrame({"x": original, "s": pd.factorize(subject)[0]}).drop_duplicates().groupby("x").size()
    shared = seen.index[seen >= 2].to_numpy(dtype=float)
    covered = np.isin(original, shared).mean() if len(original) else 0.0
    return np.sort(shared) if covered > 0.85 and len(shared) < 0.35 * len(original) else np.empty(0)
