"""Small vector drawings. Colours come from the page's style sheet by class, so that one drawing fits light, dark and
print; every drawing has a title and a description for readers who do not see it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup, escape

_numbers = itertools.count()


def drawing(width: float, height: float, title: str, text: str, parts: Iterable[str], css: str = "") -> Markup:
    """An svg element. `title` and `text` are escaped here, `parts` are markup."""
    number = next(_numbers)
    return Markup(
        f'<svg viewBox="0 0 {plain(width)} {plain(height)}" role="img" class="{css}" '
        f'aria-labelledby="t{number} d{number}"><title id="t{number}">{escape(title)}</title>'
        f'<desc id="d{number}">{escape(text)}</desc>{"".join(parts)}</svg>'
    )


def restart() -> None:
    """Number the drawings of a page from the beginning, so that the same comparison gives the same bytes."""
    global _numbers
    _numbers = itertools.count()


def plain(number: float) -> str:
    """A coordinate with one decimal.

    >>> plain(3.0), plain(2.46)
    ('3', '2.5')
    """
    return f"{number:.1f}".removesuffix(".0")


def rect(x: float, y: float, width: float, height: float, css: str) -> str:
    """A rectangle."""
    size = f'width="{plain(max(width, 0))}" height="{plain(max(height, 0))}"'
    return f'<rect class="{css}" x="{plain(x)}" y="{plain(y)}" {size}/>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<path class="{css}" d="M{plain(x1)} {plain(y1)}L{plain(x2)} {plain(y2)}"/>'


def path(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, css: str, *, closed: bool = False) -> str:
    """A line through points; it breaks where one is unknown."""
    steps, new = [], True
    for a, b in zip(x, y, strict=True):
        if not np.isfinite(b):
            new = True
            continue
        steps.append(f"{'M' if new else 'L'}{plain(a)} {plain(b)}")
        new = False
    return f'<path class="{css}" d="{"".join(steps)}{"Z" if closed and steps else ""}"/>' if steps else ""


def points(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, css: str, *, diamond: bool = False) -> str:
    """Marks at points, as one path: squares, or diamonds."""
    shape = "m-2.6 0l2.6 -2.6 2.6 2.6 -2.6 2.6z" if diamond else "m-1.9 -1.9h3.8v3.8h-3.8z"
    marks = [f"M{plain(a)} {plain(b)}{shape}" for a, b in zip(x, y, strict=True) if np.isfinite(b)]
    return f'<path class="{css}" d="{"".join(marks)}"/>' if marks else ""


def text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> str:
    """Text, escaped; `anchor`: start, middle or end."""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    style = f' class="{css}"' if css else ""
    return f'<text x="{plain(x)}" y="{plain(y)}"{where}{style}>{escape(words)}</text>'


def short(words: str, most: int) -> str:
    """Words cut to a number of characters.

    >>> short("HEADACHE", 5)
    'HEAD…'
    """
    return words if len(words) <= most else words[: most - 1] + "…"


def number(value: float | None, digits: int = 3) -> str:
    """A number for people: few significant digits, never an exponent for usual sizes.

    >>> number(1234.5), number(0.012345), number(float("nan"))
    ('1,234', '0.0123', '–')
    """
    if value is None or not np.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 1e7 or abs(value) < 1e-4:
        return f"{value:.2g}"
    decimals = max(digits - 1 - int(np.floor(np.log10(abs(value)))), 0)
    whole = f"{value:,.{decimals}f}"
    return whole.rstrip("0").rstrip(".") if "." in whole else whole


def fixed(value: float | None, decimals: int = 2) -> str:
    """A number with its decimals all there, for columns of numbers.

    >>> fixed(0.5), fixed(-12.345, 1), fixed(None)
    ('0.50', '−12.3', '–')
    """
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if not float(text.replace(",", "")) else text.replace("-", "−")


def percent(share: float | None) -> str:
    """A share in percent.

    >>> percent(0.1234), percent(0.00001), percent(0.0)
    ('12.3 %', '<0.1 %', '0 %')
    """
    if share is None or not np.isfinite(share):
        return "–"
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    return "<0.1 %" if 0 < share < 0.0005 else f"{share:.1%}".replace("%", " %")
