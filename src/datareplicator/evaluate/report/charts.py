"""The charts of the report. Source: filled, squares; synthetic: lines, diamonds. Form tells them apart, not colour
alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from markupsafe import Markup

from datareplicator.evaluate.report.svg import (
    drawing,
    line,
    number,
    path,
    percent,
    points,
    rect,
    short,
    text,
)

WIDTH, HEIGHT = 260.0, 132.0
LEFT, RIGHT, TOP, BOTTOM = 34.0, 6.0, 8.0, 18.0
ROW = 19.0
LABEL = 104.0
NAMED = 16


class Frame:
    """The plotting area of a chart and its scales."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], *, height: float = HEIGHT, top: float = TOP):
        self.x0, self.x1 = x if x[1] > x[0] else (x[0] - 0.5, x[0] + 0.5)
        self.y0, self.y1 = y if y[1] > y[0] else (y[0] - 0.5, y[0] + 0.5)
        self.top, self.bottom = top, height - BOTTOM

    def x(self, value: float | np.ndarray) -> np.ndarray:
        return LEFT + (np.asarray(value, dtype=float) - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float | np.ndarray) -> np.ndarray:
        share = (np.asarray(value, dtype=float) - self.y0) / (self.y1 - self.y0)
        return self.bottom - share * (self.bottom - self.top)

    def axes(self, y_labels: Sequence[tuple[float, str]]) -> list[str]:
        """Base line, and a grid line with its label for each of the values."""
        parts = [line(LEFT, self.bottom, WIDTH - RIGHT, self.bottom, "axis")]
        for value, label in y_labels:
            y = float(self.y(value))
            parts += [line(LEFT, y, WIDTH - RIGHT, y, "grid"), text(LEFT - 4, y + 3.2, label, "tick", "end")]
        return parts


def histogram(title: str, unit: str, edges: np.ndarray, shares: np.ndarray, words: str) -> Markup:
    """Shares of two sides over the same bins."""
    top = max(float(np.nanmax(shares)), 1e-9)
    frame = Frame((edges[0], edges[-1]), (0, top * 1.04))
    x, base = frame.x(edges), frame.bottom
    source, made = frame.y(shares[0]), frame.y(shares[1])
    parts = frame.axes([(top, percent(top).replace(".0", ""))])
    parts += [
        rect(x[i] + 0.4, source[i], x[i + 1] - x[i] - 0.8, base - source[i], "s-fill")
        for i in range(len(source))
        if shares[0][i] > 0
    ]
    outline_x = np.repeat(x, 2)[1:-1]
    parts.append(path([x[0], *outline_x, x[-1]], [base, *np.repeat(made, 2), base], "m-line"))
    for value, anchor in ((edges[0], "start"), ((edges[0] + edges[-1]) / 2, "middle"), (edges[-1], "end")):
        label = number(value) + (f" {unit}" if anchor == "end" and unit else "")
        parts.append(text(float(frame.x(value)), HEIGHT - 5, label, "tick", anchor))
    return drawing(WIDTH, HEIGHT, title, words, parts)


def bars(title: str, labels: Sequence[str], shares: np.ndarray, words: str, *, of: float | None = None) -> Markup:
    """Two bars a category: filled source, outlined synthetic; shares stand beside them (source, synthetic)."""
    return _pairs(title, labels, shares, words, of, lambda a, b: f"{_brief(a)} | {_brief(b)} %")


def counts(title: str, labels: Sequence[str], values: np.ndarray, words: str) -> Markup:
    """As `bars`, for means instead of shares."""
    return _pairs(title, labels, values, words, None, lambda a, b: f"{number(a)} | {number(b)}")


def _pairs(
    title: str,
    labels: Sequence[str],
    values: np.ndarray,
    words: str,
    of: float | None,
    note: Callable[[float, float], str],
) -> Markup:
    """Rows of two bars, `values` (2, rows) as parts of `of` or of the highest, each row with its note."""
    top = of or max(float(np.nanmax(values, initial=0)), 1e-9)
    room = WIDTH - LABEL - 66
    parts = []
    for i, (label, source, made) in enumerate(zip(labels, *values, strict=True)):
        y = 3 + i * ROW
        parts += [
            text(LABEL - 5, y + 11, short(label, NAMED), "name", "end"),
            rect(LABEL, y + 1, room * float(np.nan_to_num(source)) / top, 6.5, "s-fill"),
            rect(LABEL, y + 8.5, room * float(np.nan_to_num(made)) / top, 6, "m-bar"),
            text(WIDTH - 1, y + 11, note(source, made), "tick", "end"),
        ]
    return drawing(WIDTH, 6 + ROW * len(labels), title, words, parts)


def _brief(share: float) -> str:
    if not np.isfinite(share):
        return "–"
    return f"{100 * share:.0f}" if share >= 0.095 or share == 0 else f"{100 * share:.1f}"


def course(
    title: str, visits: Sequence[str], source: np.ndarray, made: np.ndarray, limits: tuple[float, float]
) -> Markup:
    """Median and band (10 to 90 %) by visit: `source`, `made` are (visits, 5) as in `Test.course`."""
    frame = Frame((-0.2, len(visits) - 0.8), limits, top=20)
    x = frame.x(np.arange(len(visits)))
    parts = [text(LEFT, 12, short(title, 38), "panel")]
    parts += frame.axes([(limits[0], number(limits[0])), (limits[1], number(limits[1]))])
    known = np.isfinite(source[:, 2])
    band_x = np.concatenate([x[known], x[known][::-1]])
    band_y = np.concatenate([frame.y(source[known, 2]), frame.y(source[known, 4])[::-1]])
    parts += [
        path(band_x, band_y, "s-band", closed=True),
        path(x, frame.y(made[:, 2]), "m-edge"),
        path(x, frame.y(made[:, 4]), "m-edge"),
        path(x, frame.y(source[:, 3]), "s-line"),
        points(x, frame.y(source[:, 3]), "s-mark"),
        path(x, frame.y(made[:, 3]), "m-line"),
        points(x, frame.y(made[:, 3]), "m-mark", diamond=True),
    ]
    step = max(int(np.ceil(len(visits) / 6)), 1)
    for i in range(0, len(visits), step):
        parts.append(text(float(x[i]), HEIGHT - 5, short(visits[i], 8), "tick", "middle"))
    return drawing(WIDTH, HEIGHT, title, _course_words(visits, source, made), parts)


def _course_words(visits: Sequence[str], source: np.ndarray, made: np.ndarray) -> str:
    said = [
        f"{visit}: {number(a)} and {number(b)}"
        for visit, a, b in list(zip(visits, source[:, 3], made[:, 3], strict=True))[:: max(len(visits) // 6, 1)]
    ]
    return "Medians of source and synthetic by visit. " + "; ".join(said)


def retention(title: str, days: np.ndarray, source: np.ndarray, made: np.ndarray) -> Markup:
    """Share of subjects still in the study, by day."""
    frame = Frame((days[0], days[-1]), (0, 1), top=20)
    x = frame.x(days)
    parts = [text(LEFT, 12, short(title, 38), "panel"), *frame.axes([(0.5, "50 %"), (1, "100 %")])]
    area = path([x[0], *x, x[-1]], [frame.bottom, *frame.y(np.nan_to_num(source)), frame.bottom], "s-band", closed=True)
    parts += [area, path(x, frame.y(source), "s-line"), path(x, frame.y(made), "m-line")]
    for value, anchor in ((days[0], "start"), ((days[0] + days[-1]) / 2, "middle"), (days[-1], "end")):
        label = f"day {value:.0f}" if anchor != "middle" else f"{value:.0f}"
        parts.append(text(float(frame.x(value)), HEIGHT - 5, label, "tick", anchor))
    half = len(days) // 2
    words = (
        f"On day {days[half]:.0f} {percent(source[half])} of the source's subjects and {percent(made[half])} of the "
    )
    return drawing(WIDTH, HEIGHT, title, words + "synthetic ones are still in the study.", parts)


def visit_days(visits: Sequence[str], days: np.ndarray, seen: np.ndarray) -> Markup:
    """Days of the visits about the source's median: whiskers 5 to 95 %, boxes 25 to 75 %; `days` (2, visits, 5)."""
    width, label, right, row = 640.0, 170.0, 120.0, 26.0
    off = days - days[:1, :, 2:3]
    held = np.abs(off[np.isfinite(off)])
    reach = max(_reach(held), 1.0)
    scale = (width - label - right) / (2 * reach)
    middle, height = label + (width - label - right) / 2, 40 + row * len(visits)
    parts = [line(middle, 20, middle, height - 18, "grid")]
    parts += [text(width - right + 12, 12, "seen: source | synthetic", "tick")]
    for tick in (-reach, -reach / 2, 0, reach / 2, reach):
        parts.append(text(middle + tick * scale, height - 4, f"{tick:+.0f}" if tick else "0 days", "tick", "middle"))
    for v, name in enumerate(visits):
        y = 24 + row * v
        parts.append(text(label - 10, y + 12, short(f"{name} (day {number(days[0, v, 2])})", 30), "name", "end"))
        parts.append(text(width - right + 12, y + 12, f"{percent(seen[0, v])} | {percent(seen[1, v])}", "tick"))
        for s, (box, whisker) in enumerate((("s-fill", "s-line"), ("m-bar", "m-line"))):
            q, at = middle + np.clip(off[s, v], -reach, reach) * scale, y + 5 + 9 * s
            if np.isfinite(q).all():
                parts += [line(q[0], at, q[4], at, whisker), rect(q[1], at - 3, max(q[3] - q[1], 1.5), 6, box)]
                parts.append(line(q[2], at - 4, q[2], at + 4, "median"))
    words = "Quantiles of the day of each visit about the median of the source; numbers stand in the table."
    return drawing(width, height, "Visit days", words, parts, "wide")


def _reach(held: np.ndarray) -> float:
    """How far a scale goes: to the end, unless single values lie far beyond the rest."""
    if not len(held):
        return 1.0
    most, usual = float(held.max()), 3 * float(np.quantile(held, 0.9))
    return 1.05 * (most if most <= usual or not usual else usual)


def heat(title: str, names: Sequence[str], values: np.ndarray, levels: int = 15) -> Markup:
    """A matrix of correlations as a map of `levels` colours, one path each: small, and sharp at any size."""
    cell, label = 13.0, 84.0
    n = len(names)
    shade = np.clip(np.round((values + 1) / 2 * (levels - 1)), 0, levels - 1)
    parts = []
    for level in range(levels):
        rows, columns = np.nonzero(shade == level)
        cells = "".join(
            f"M{plain_cell(label + c * cell)} {plain_cell(r * cell)}h12v12h-12z"
            for r, c in zip(rows, columns, strict=True)
        )
        parts += [f'<path class="h{level}" d="{cells}"/>'] if cells else []
    parts += [text(label - 4, r * cell + 9.5, short(name, 13), "name", "end") for r, name in enumerate(names)]
    known = values[np.triu(np.isfinite(values), 1)]
    mean = float(np.abs(known).mean()) if len(known) else float("nan")
    words = f"{n} by {n} correlations; the mean absolute one is {number(mean)}."
    return drawing(label + n * cell, n * cell, title, words, parts, "heat")


def plain_cell(value: float) -> str:
    """A whole coordinate."""
    return str(int(value))


def gauge(title: str, value: float, band: tuple[float, float], words: str) -> Markup:
    """A figure on a scale from zero, with the band that chance explains."""
    top = max(value, band[1], 1.0) * 1.25
    room = WIDTH - 20
    parts = [
        line(10, 30, 10 + room, 30, "axis"),
        rect(10 + room * band[0] / top, 20, room * max(band[1] - band[0], 0) / top, 20, "s-fill"),
        line(10 + room * value / top, 18, 10 + room * value / top, 42, "m-line"),
        points([10 + room * value / top], [30], "m-mark", diamond=True),
        text(10 + room * value / top, 14, number(value), "tick", "middle"),
        text(10, 54, "0", "tick"),
        text(
            10 + room * (band[0] + band[1]) / 2 / top, 54, f"{number(band[0])} to {number(band[1])}", "tick", "middle"
        ),
    ]
    return drawing(WIDTH, 60, title, words, parts)
