"""The columns that a kind of fault works on, by the part that they play in their table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.faults.scene import Piece, Scene, virtual
from datareplicator.structure.names import same_stem
from datareplicator.structure.spec import ColumnSpec, Kind, Layout

FEW = 20  # distinct values up to which a column's values are taken for a list of codes


def _named(piece: Piece) -> set[str]:
    """The columns that name or number rows, and those that findings are told apart by."""
    spec = piece.spec
    roles = {spec.subject, spec.sequence, spec.visit, spec.test, *spec.key, *spec.axes}
    if spec.parent_key is not None:
        roles |= set(spec.parent_key.columns)
    return {name for name in roles if name is not None}


def _specs(piece: Piece, *kinds: Kind, derived: bool = False) -> list[ColumnSpec]:
    return [
        c
        for c in piece.spec.columns
        if c.kind in kinds and c.name in piece.columns and not virtual(c.name)
        and (derived or c.name not in piece.derived)
    ]  # fmt: skip


def code_columns(piece: Piece) -> list[str]:
    """Text columns of a few coded values that follow from nothing else and name no row."""
    spec = piece.spec
    results = {spec.original, spec.text, spec.value, spec.unit}
    skip = _named(piece) | results
    listed = [
        c.name
        for c in _specs(piece, Kind.CATEGORY, Kind.FLAG)
        if c.encoding == "text" and 2 <= c.distinct <= FEW and not c.numeric_text and c.name not in skip
    ]
    if piece.spec.layout in (Layout.SUPPLEMENT, Layout.RELATION):
        return []
    return listed


def text_columns(piece: Piece) -> list[str]:
    """Text columns whose wording may be harmed: terms and free text, not codes of rows, flags or numbers."""
    skip = _named(piece) | {piece.spec.original, piece.spec.text, piece.spec.unit, piece.spec.status}
    if piece.spec.layout in (Layout.SUPPLEMENT, Layout.RELATION):
        return []
    return [
        c.name
        for c in _specs(piece, Kind.CATEGORY, Kind.TEXT, derived=True)
        if c.encoding == "text" and c.distinct >= 2 and not c.numeric_text and c.name not in skip and not c.pii
    ]


def sparse_columns(piece: Piece) -> list[str]:
    """Columns whose values may go missing: what was collected, but for what names the row."""
    skip = _named(piece)
    kinds = (Kind.CATEGORY, Kind.FLAG, Kind.INTEGER, Kind.DECIMAL, Kind.TEXT, Kind.DATE)
    constant = {c.name for c in piece.spec.columns if c.distinct < 2}
    return [c.name for c in _specs(piece, *kinds) if c.name not in skip | constant]


def numeric_columns(piece: Piece) -> list[str]:
    """Columns of measured or counted numbers outside results: doses, ages."""
    skip = _named(piece) | {piece.spec.original, piece.spec.text}
    return [c.name for c in _specs(piece, Kind.INTEGER, Kind.DECIMAL) if c.encoding != "text" and c.name not in skip]


def date_columns(piece: Piece, *, text: bool = True) -> list[str]:
    """Columns of dates; `text`: only those that hold ISO 8601 text, not true dates."""
    return [
        c.name
        for c in _specs(piece, Kind.DATE, derived=True)
        if (c.encoding == "text" or (not text and c.encoding in ("date", "datetime")))
    ]


def event_dates(scene: Scene, piece: Piece, *, text: bool = True) -> list[str]:
    """The dates of what happened: not those of the table of subjects, which others count from."""
    if piece is scene.root:
        return []
    roles = (piece.spec.date, piece.spec.start, piece.spec.end)
    known = date_columns(piece, text=text)
    return [name for name in dict.fromkeys(roles) if name in known] or known


def birth_column(scene: Scene) -> str | None:
    """The date of birth in the table of subjects: the date long before all others."""
    root = scene.root
    if root is None:
        return None
    days = {c: dates.parse(root.clean[c]).year for c in date_columns(root, text=False)}
    middle = {c: np.nanmedian(y) for c, y in days.items() if np.isfinite(y).any()}
    if len(middle) < 2:
        return None
    first, second = sorted(middle, key=lambda c: middle[c])[:2]
    return first if middle[second] - middle[first] > 5 else None


def death_column(scene: Scene) -> str | None:
    """The date of death in the table of subjects, by the links that were found, else by name."""
    for link in scene.structure.links:
        if link.kind == "date" and (link.code or "").upper() in ("DEATH", "FATAL", "DIED"):
            return link.root
    root = scene.root
    return "DTHDTC" if root is not None and root.has("DTHDTC") else None


def subject_days(scene: Scene, column: str | None) -> np.ndarray:
    """float a subject: a date of the table of subjects in days since 1970-01-01, NaN where there is none."""
    if column is None or not len(scene.subjects):
        return np.full(len(scene.subjects), np.nan)
    return dates.parse(pd.Series(scene.of_subjects(column)).infer_objects()).day


def day_columns(scene: Scene, piece: Piece, date: str) -> list[str]:
    """The study days that follow from a date by the subject's anchor."""
    return [
        d.target
        for d in scene.structure.derivations
        if d.table == piece.spec.name and d.template == "study_day" and d.target in piece.columns
        and d.sources[0].column == date and d.sources[-1].column == scene.structure.anchor
    ]  # fmt: skip


def study_days(scene: Scene, piece: Piece, rows: np.ndarray, days: np.ndarray) -> list[float | int | None]:
    """Study days of rows whose date now is `days` (days since 1970-01-01)."""
    anchor = np.append(subject_days(scene, scene.structure.anchor), np.nan)[piece.subject[rows]]
    return [None if np.isnan(d) else int(d) for d in dates.study_day(days, anchor)]


def on(piece: Piece, column: str, rows: np.ndarray, days: np.ndarray) -> list[object]:
    """Dates in the form that the column's cells have: true dates, or text as fine as before."""
    if not piece.is_text(column):
        return [None if np.isnan(d) else pd.Timestamp(0) + pd.Timedelta(days=float(d)) for d in days]
    texts = piece.texts(column, rows)
    shown = np.datetime_as_string(np.nan_to_num(days).astype("int64").astype("datetime64[D]"), unit="D")
    return [
        None if np.isnan(d) else f"{s}{t[10:]}" if t is not None and len(t) > 10 else s
        for d, s, t in zip(days, shown, texts, strict=True)
    ]


@dataclass
class Results:
    """The results of a table of findings, one entry a row. `number` is the standard number, `slope` and `intercept`
    lead from the collected number to it; `columns` are those that carry the result."""

    piece: Piece
    number: np.ndarray
    collected: np.ndarray
    slope: np.ndarray
    intercept: np.ndarray
    group: np.ndarray

    @property
    def columns(self) -> tuple[str, ...]:
        spec = self.piece.spec
        return tuple(c for c in (spec.original, spec.text, spec.value) if self.piece.has(c))

    @property
    def main(self) -> str:
        """The column that the fault is named after: the collected result, else the standard one."""
        return self.columns[0]

    def values(self, rows: np.ndarray, collected: np.ndarray, decimals: int | None = None) -> dict[str, list[object]]:
        """All columns of the result for new collected numbers, in the form that the cells had."""
        spec, piece = self.piece.spec, self.piece
        standard = collected * self.slope[rows] + self.intercept[rows]
        result: dict[str, list[object]] = {}
        told: list[object] = []
        if piece.has(spec.original):
            result[spec.original] = shown = _like(piece, spec.original, rows, collected, decimals)
            told = shown
        alike = (self.slope[rows] == 1) & (self.intercept[rows] == 0)
        if piece.has(spec.text):
            shown = _like(piece, spec.text, rows, standard, decimals)
            result[spec.text] = [
                t if same and told else s for t, s, same in zip(told or shown, shown, alike, strict=True)
            ]
            told = result[spec.text]
        if piece.has(spec.value):
            read = [float(t) for t in told] if told else standard.tolist()
            whole = piece.columns[spec.value].type == "integer"
            result[spec.value] = [round(v) if whole else v for v in read]
        return result


def results(piece: Piece) -> Results | None:
    """The results of a table of findings with numbers; None for other tables."""
    spec = piece.spec
    if not piece.has(spec.value):
        return None
    number = piece.number(spec.value)
    collected = piece.number(spec.original) if piece.has(spec.original) else number.copy()
    names = [c for c in (spec.test, spec.unit, *spec.axes) if piece.has(c)]
    group = _codes(piece, names[:2])
    slope, intercept = np.ones(len(piece)), np.zeros(len(piece))
    usable = np.isfinite(number) & np.isfinite(collected)
    for g in np.unique(group[usable]):
        rows = np.flatnonzero(usable & (group == g))
        x, y = collected[rows], number[rows]
        if np.array_equal(x, y):
            continue
        low, high = int(np.argmin(x)), int(np.argmax(x))
        if x[high] > x[low]:
            a = (y[high] - y[low]) / (x[high] - x[low])
            slope[rows], intercept[rows] = a, y[low] - a * x[low]
        elif x[low]:
            slope[rows] = y[low] / x[low]
    return Results(piece, number, collected, slope, intercept, _codes(piece, [c for c in (spec.test,) if piece.has(c)]))


def _codes(piece: Piece, names: Sequence[str]) -> np.ndarray:
    """int64 a row, equal for rows that agree in these columns."""
    group = np.zeros(len(piece), dtype=np.int64)
    for name in names:
        codes = pd.factorize(piece.frame[name])[0].astype(np.int64) + 1
        group = pd.factorize(group * (int(codes.max(initial=0)) + 1) + codes)[0].astype(np.int64)
    return group


def decimals_of(text: object) -> int:
    """Digits after the point.

    >>> decimals_of("1.50"), decimals_of(2.0), decimals_of("7")
    (2, 0, 0)
    """
    return len(str(text).removesuffix(".0").partition(".")[2])


def _like(
    piece: Piece, column: str, rows: np.ndarray, numbers: np.ndarray, decimals: int | None = None
) -> list[object]:
    """Numbers in the form that the cells have: as many decimals as before, text where it was text."""
    old = piece.texts(column, rows)
    kind = piece.columns[column].type
    usual = {c.name: c.decimals for c in piece.spec.columns}.get(column, 0)
    places = [decimals_of(t) if decimals is None else decimals for t in old]
    if kind == "text":
        return [f"{n:.{min(max(d, 0), 9)}f}" for n, d in zip(numbers, places, strict=True)]
    if kind == "integer":
        return [round(float(n)) for n in numbers]
    least = usual if decimals is None else 0
    return [round(float(n), max(d, least)) for n, d in zip(numbers, places, strict=True)]


def code_pairs(piece: Piece) -> list[tuple[str, str]]:
    """Pairs of a code and its text of one thing, by name: LBTESTCD and LBTEST, VISITNUM and VISIT, ARMCD and ARM."""
    names = [c for c in piece.columns if c not in (piece.spec.subject, piece.spec.sequence)]
    texts = {c.name for c in piece.spec.columns if c.kind in (Kind.CATEGORY, Kind.TEXT) and c.encoding == "text"}
    pairs = []
    for left in names:
        for right in names:
            shorter = left != right and same_stem(left, right) and right in texts and len(left) > len(right)
            if shorter and (left in texts or not piece.is_text(left)):
                pairs.append((left, right))
    return pairs


def earlier(piece: Piece, by: Sequence[str], date: str) -> np.ndarray:
    """int64 a row: the row before it in time among rows that agree in `by`; -1 for the first."""
    moments = dates.parse(piece.clean[date])
    at = np.nan_to_num(moments.day * 86400 + moments.second, nan=np.inf)
    group = _codes(piece, by)
    order = np.lexsort((np.arange(len(piece)), at, group))
    before = np.full(len(piece), -1, dtype=np.int64)
    same = group[order[1:]] == group[order[:-1]]
    before[order[1:][same]] = order[:-1][same]
    return before
