"""Numbers and their texts: a number parsed from a result text, the standard text of a number, id offsets."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.outcome import text_decimals, text_of_numbers
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.units import convert, group_columns
from datareplicator.structure.derive.view import Values, View, number_text
from datareplicator.structure.spec import Derivation, Kind

BOUND = re.compile(r"^\s*([<>]=?|[≤≥])\s*([+-]?\d*\.?\d+)\s*$")
"""A result beyond the limit of quantification."""


def parse(view: View, d: Derivation) -> np.ndarray:
    """The number in the text of sources[0]. params: ``bounds``, what ``<5`` gives: "drop" (missing) or "keep" (5)."""
    return parsed(view.values(d.table, d.sources[0].column), keep=d.params["bounds"] == "keep")


def parsed(values: Values, *, keep: bool) -> np.ndarray:
    """Numbers a row; with `keep` the limit itself stands for a result beyond it."""
    if not keep:
        return values.number
    numbers = values.level_numbers.copy()
    for i in np.flatnonzero(np.isnan(numbers)):
        bound = BOUND.match(str(values.levels[i]))
        if bound:
            numbers[i] = float(bound[2])
    return np.append(numbers, np.nan)[values.codes]


def text(view: View, d: Derivation) -> pd.Series:
    """The text of the number sources[0], with ``decimals`` digits (null: shortest form).

    Where the number is missing, the text of sources[1] (the result as collected) is repeated where there is such a
    source: qualitative results. With ``linear`` (params of that template, whose group columns are the remaining
    sources) the limit in ``<5`` is converted too.
    """
    numbers = text_of_numbers(view.values(d.table, d.sources[0].column).number, d.params["decimals"])
    if len(d.sources) < 2:
        return numbers
    other = Values(_qualitative(view, d))
    written = Values(numbers)
    labels, distinct = pd.factorize(np.append(written.levels, other.text_levels))
    here, there = labels[: len(written.levels)], labels[len(written.levels) :]
    codes = np.where(written.codes >= 0, np.append(here, -1)[written.codes], np.append(there, -1)[other.codes])
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(distinct, dtype="str")))


def _qualitative(view: View, d: Derivation) -> pd.Series:
    """The collected result as text, limits beyond quantification converted."""
    source = view.values(d.table, d.sources[1].column)
    series = view.frames[d.table][d.sources[1].column].reset_index(drop=True)
    bounds = [BOUND.match(str(level)) for level in source.levels] if not source.stored_number else []
    if "linear" not in d.params or not any(bounds):
        return series
    marks = np.array([m[1] if m else None for m in bounds] + [None], dtype=object)[source.codes]
    limits = np.append([float(m[2]) if m else np.nan for m in bounds], np.nan)[source.codes]
    rows = np.flatnonzero(np.isfinite(limits))
    converted = convert(view, d.table, [s.column for s in d.sources[2:]], d.params["linear"], limits)[rows]
    result = series.astype(object).to_numpy(copy=True)
    result[rows] = [
        f"{marks[r]}{number_text(x)}" if np.isfinite(x) else result[r]
        for r, x in zip(rows, converted.tolist(), strict=True)
    ]
    return pd.Series(result, dtype="str")


def offset(view: View, d: Derivation) -> np.ndarray | pd.Series:
    """sources[0] plus the whole number ``add``, in integers (ids of 17 digits stay exact)."""
    series = view.frames[d.table][d.sources[0].column].reset_index(drop=True)
    return series + d.params["add"]


TEMPLATES = {"parse": parse, "text_of_number": text, "offset": offset}


def mine(scene: Scene) -> list[Derivation]:
    """Parsed numbers and id offsets of all tables."""
    found: list[Derivation] = []
    for table in scene.targets:
        found += _parses(scene, table) + _offsets(scene, table)
    return found


def _parses(scene: Scene, table: str) -> list[Derivation]:
    found = []
    numbers = [c for c in scene.numbers(table) if scene.values(table, c).stored_number]
    texts = scene.select(
        table, lambda v: not v.stored_number and not v.is_date and bool(np.isfinite(v.level_numbers).sum() >= 3)
    )
    rows = scene.sample(table)
    for target in numbers:
        x = scene.values(table, target).number[rows]
        for source in texts:
            y = scene.values(table, source).number[rows]
            if not np.isfinite(x).any() or np.mean(np.isclose(x, y, equal_nan=True)) < 0.9:
                continue
            for bounds in ("drop", "keep"):
                one = scene.judge(
                    0.98,
                    table=table,
                    target=target,
                    template="parse",
                    sources=ref(table, source),
                    params={"bounds": bounds},
                )
                if one:
                    found.append(one)
                    break
    return found


def _offsets(scene: Scene, table: str) -> list[Derivation]:
    names = [
        c
        for c in scene.candidates(table)
        if pd.api.types.is_integer_dtype(scene.view.frames[table][c].dtype)
        and scene.values(table, c).distinct > 20
        and scene.ctx.tables[table][c].kind in (Kind.IDENTIFIER, Kind.INTEGER)
        and scene.view.frames[table][c].notna().all()
    ]
    found = []
    for i, target in enumerate(names):
        for source in names[:i]:
            gap = scene.view.frames[table][target].astype("int64") - scene.view.frames[table][source].astype("int64")
            if gap.iloc[0] != 0 and (gap == gap.iloc[0]).all():
                one = scene.judge(
                    1.0,
                    table=table,
                    target=target,
                    template="offset",
                    sources=ref(table, source),
                    params={"add": int(gap.iloc[0])},
                )
                found += [one] if one else []
    return found


def mine_texts(scene: Scene, linears: list[Derivation]) -> list[Derivation]:
    """Standard texts of numbers, with the collected result where the number is missing.

    `linears` are the unit conversions already found: their parameters convert limits beyond quantification.
    """
    found = []
    for table in scene.targets:
        numbers = [c for c in scene.numbers(table) if scene.values(table, c).stored_number]
        texts = scene.select(
            table, lambda v: not v.stored_number and not v.is_date and bool(np.isfinite(v.level_numbers).sum() >= 3)
        )
        rows = scene.sample(table)
        for target in texts:
            values = scene.values(table, target)
            decimals = text_decimals(values.levels, values.level_numbers)
            if decimals == -1:
                continue
            for source in numbers:
                x, y = scene.values(table, source).number[rows], values.number[rows]
                both = np.isfinite(x)
                if both.sum() < 5 or np.mean(np.isclose(x[both], y[both])) < 0.98:
                    continue
                found += _text_of(scene, table, target, source, decimals, texts, linears)
    return found


def _text_of(
    scene: Scene,
    table: str,
    target: str,
    source: str,
    decimals: int | None,
    texts: list[str],
    linears: list[Derivation],
) -> list[Derivation]:
    base: dict[str, Any] = {"table": table, "target": target, "template": "text_of_number"}
    best = scene.judge(0.5, scope=False, sources=ref(table, source), params={"decimals": decimals}, **base)
    if best is None:
        return []
    if best.agreement < 1:
        for original in scene.candidates(table):
            if (
                original in (target, source)
                or scene.values(table, original).is_date
                or scene.values(table, original).stored_number
            ):
                continue
            if not np.isfinite(scene.values(table, original).level_numbers).any():
                continue
            linear = next(
                (d for d in linears if (d.table, d.target, d.sources[0].column) == (table, source, original)), None
            )
            extra = {"linear": linear.params} if linear else {}
            columns = group_columns(linear) if linear else ()
            one = scene.judge(
                0.5,
                scope=False,
                sources=ref(table, source, original, *columns),
                params={"decimals": decimals, **extra},
                **base,
            )
            if one and one.agreement > best.agreement:
                best = one
    return [best] if best.agreement >= 0.98 else []
