"""From latent scores to the values of one column: a maker for each type of column, filled part by part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import ndtr, ndtri

from datareplicator.errors import ModelError
from datareplicator.generate.persons import Persons, draw_persons, write_persons
from datareplicator.generate.single.inverse import Guide, Reader
from datareplicator.model import names
from datareplicator.model.identity import sample_identifier
from datareplicator.model.personal import fill_pattern, personal_text
from datareplicator.model.single import document as parts
from datareplicator.seeds import Streams

DAY = 86_400_000_000
YEARS = (18, 90)
"""Ages for dates of birth of which the model says nothing."""
KINDS = {"ssn": "national_id", "credit_card": "card"}
"""Names of kinds of personal data in `model.personal`, where they differ from those of the document."""
_TIMED = re.compile(r"(timestamp|duration|time32|time64)\[(s|ms|us|ns)(?:, tz=(.+))?\]")
_DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), (\d+)\)")


def arrow_type(text: str, path: str) -> pa.DataType:
    """The Arrow type of a name such as ``int64`` or ``timestamp[us, tz=UTC]``. Raises ModelError naming `path`."""
    try:
        if timed := _TIMED.fullmatch(text):
            make = getattr(pa, timed[1])
            return make(timed[2], timed[3]) if timed[3] else make(timed[2])
        if decimal := _DECIMAL.fullmatch(text):
            return getattr(pa, f"decimal{decimal[1]}")(int(decimal[2]), int(decimal[3]))
        return pa.type_for_alias(re.sub(r"\[day\]|\[ms\]", "", text) if text.startswith("date") else text)
    except (ValueError, TypeError, pa.ArrowException) as error:
        raise ModelError(f"{path}.params.dtype: {text!r} is no type of Arrow.") from error


class NumberMaker:
    """Numbers and moments (microseconds): `value` holds them as float64, NaN where not yet made."""

    def __init__(self, column: Any, path: str, n: int, streams: Streams, normal: bool, made: int) -> None:
        self.column, self.params, self.name = column, column.params, column.name
        self.value = np.empty(n)
        self.clock = streams.get(column.name, "clock")
        self.extra = streams.get(column.name, "beyond")
        self.is_moment = not isinstance(column, parts.NumericalColumn)
        self.low, self.high = self._bounds(made)
        p = self.params
        self.read = None if normal or p.marginal is None else Reader(p.marginal)
        self.read_gap = None if normal or p.gap is None else Reader(p.gap)
        clock = None if normal else getattr(p, "clock", None)
        self.read_clock = None if clock is None else Reader(clock)
        dtype = self.params.dtype or ("timestamp[us]" if self.is_moment else "double")
        self.kind = arrow_type(dtype, path)

    def _bounds(self, made: int) -> tuple[float, float]:
        if isinstance(self.column, parts.PiiColumn):
            if self.params.marginal is not None:
                return -np.inf, np.inf
            return (made - YEARS[1] * 365.25 * DAY, made - YEARS[0] * 365.25 * DAY)
        bounds = self.column.constraints
        if self.is_moment:
            low, high = (None if text is None else float(parts.moment(text)) for text in (bounds.min, bounds.max))
        else:
            low, high = bounds.min, bounds.max
        return (-np.inf if low is None else low, np.inf if high is None else high)

    def fill(self, lo: int, hi: int, score: np.ndarray, below: np.ndarray | None) -> None:
        """Rows lo..hi of scores; `below`: values of the column that this one never falls below."""
        p, out = self.params, self._plain(score)
        if below is not None and p.gap is not None and self.read_gap is not None:
            lowest = float(p.gap.values[0])
            above = below + self.read_gap(score)
            room = self.high - below
            fits = (above <= self.high) | (room < 0)
            within = below + np.where(room > 0, room, 0) * self.extra.random(len(score))[: len(above)]
            above = np.maximum(self._on_grid(np.where(fits, above, within)), self.low)
            out = np.where(np.isfinite(below), np.maximum(above, below) if lowest >= 0 else above, out)
        self.value[lo:hi] = out[: hi - lo]

    def _plain(self, score: np.ndarray) -> np.ndarray:
        p = self.params
        if self.read is not None:
            out = self.read(score)
            if self.read_clock is not None:
                out = np.floor(out / DAY) * DAY + self.read_clock(self.clock.standard_normal(len(score)))
        elif self.is_moment:
            out = self.low + ndtr(score) * (self.high - self.low)
            if self.params.dtype is None or self.params.step is not None:
                usual = DAY if isinstance(self.column, parts.PiiColumn) else 1_000_000
                step = self.params.step or usual
                out = np.floor(out / step) * step
        else:
            out = p.mean + (p.std or 0.0) * score
        return np.clip(self._on_grid(out), self.low, self.high)

    def _on_grid(self, value: np.ndarray) -> np.ndarray:
        p = self.params
        if p.step is not None:
            value = np.round(value / p.step) * p.step
        return np.round(value, p.decimals) if p.decimals is not None else value

    def finish(self, missing: np.ndarray | None) -> pa.Array:
        """The column in its own type."""
        kind, gone = self.kind, ~np.isfinite(self.value)
        gone = gone if missing is None else gone | missing
        mask = gone if gone.any() else None
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return self._as_text(mask)
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return pa.array(self.value, pa.float64(), mask=mask).cast(kind, safe=False)
        filled = self.value if mask is None else np.where(mask, 0, self.value)
        whole = np.round(filled).astype(np.int64)
        if pa.types.is_integer(kind):
            limit = np.iinfo(kind.to_pandas_dtype())
            return pa.array(np.clip(whole, limit.min, limit.max), mask=mask).cast(kind, safe=False)
        if self.is_moment:
            return _as_moments(pa.array(whole, mask=mask), kind)
        return pa.array(whole, mask=mask).cast(pa.int32() if pa.types.is_time32(kind) else pa.int64()).cast(kind)

    def _as_text(self, mask: np.ndarray | None) -> pa.Array:
        layout = self.params.format or ""
        if self.is_moment:
            stamps = pa.array(np.round(np.nan_to_num(self.value)).astype(np.int64), mask=mask).cast(pa.timestamp("us"))
            if "%f" in layout:
                return pa.array(stamps.to_pandas().dt.strftime(layout), pa.large_string(), from_pandas=True)
            short = stamps.cast(pa.timestamp("s"), safe=False)
            return pc.strftime(short, format=layout or "%Y-%m-%d %H:%M:%S").cast(pa.large_string())
        found = re.fullmatch(r"\.(\d{1,2})f", layout)
        digits = int(found[1]) if found else 0
        scaled = pa.array(np.nan_to_num(self.value), mask=mask)
        if digits == 0:
            return scaled.cast(pa.int64(), safe=False).cast(pa.large_string())
        return scaled.cast(pa.decimal128(38, digits), safe=False).cast(pa.string()).cast(pa.large_string())


def _as_moments(micro: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_date(kind):
        return micro.cast(pa.timestamp("us")).cast(kind, safe=False)
    shown = micro.cast(pa.timestamp("us"))
    if kind.tz is not None:
        # An hour that the clock skips or shows twice: the earlier moment.
        shown = pc.assume_timezone(shown, kind.tz, ambiguous="earliest", nonexistent="earliest")
    return shown.cast(kind, safe=False)


class CategoryMaker:
    """Categories by their codes."""

    def __init__(self, column: parts.CategoricalColumn, path: str, n: int) -> None:
        self.name, self.params, self.path = column.name, column.params, path
        share = np.array(list(self.params.weights.values()), dtype=np.float64)
        total = share.sum()
        self.guide = Guide(ndtri(np.clip(np.cumsum(share)[:-1] / total, 0, 1))) if total > 0 else None
        self.last = int(np.flatnonzero(share).max()) if total > 0 else -1
        self.code = np.full(n, self.last, dtype=np.int32)

    def fill(self, lo: int, hi: int, score: np.ndarray, below: np.ndarray | None) -> None:
        """Rows lo..hi of scores."""
        if self.guide is not None:
            self.code[lo:hi] = np.minimum(self.guide.place(score), self.last)

    def finish(self, missing: np.ndarray | None) -> pa.Array:
        """The column in its own type: text is taken from a dictionary, a pandas categorical stays one."""
        keys = list(self.params.weights)
        kind = arrow_type(self.params.dtype, self.path) if self.params.dtype else pa.large_string()
        if not keys:
            return pa.nulls(len(self.code), kind)
        try:
            values = pa.array(keys, pa.large_string()).cast(kind)
        except pa.ArrowException as error:
            raise ModelError(f"{self.path}.params.weights: a category is no {kind}.") from error
        codes = pa.array(self.code, mask=missing)
        if self.params.pandas_dtype == "category":
            return pa.DictionaryArray.from_arrays(codes, values)
        return values.take(codes)


class Crowd:
    """The persons of a table's rows, drawn once each."""

    def __init__(self, columns: Iterable[parts.Column], n: int, streams: Streams) -> None:
        self._n, self._streams, self._drawn = n, streams, dict[str, Persons]()
        self._taken: dict[str, set[int]] = {}
        for column in columns:
            if isinstance(column, parts.PiiColumn) and column.params.person is not None:
                self._taken.setdefault(column.params.person, set()).update(column.params.taken or ())

    def person(self, name: str) -> Persons:
        """One person a row."""
        if name not in self._drawn:
            self._drawn[name] = draw_persons(
                self._n, self._streams.get("person", name), taken=self._taken.get(name, ())
            )
        return self._drawn[name]


class TextMaker:
    """Personal data and identifiers, which hang together with nothing."""

    def __init__(self, column: Any, path: str, n: int, streams: Streams, crowd: Crowd) -> None:
        self.name, self.params, self.path, self.n, self.crowd = column.name, column.params, path, n, crowd
        self.streams = streams.under(column.name, "personal")

    def fill(self, lo: int, hi: int, score: np.ndarray, below: np.ndarray | None) -> None:
        """Nothing: the whole column is made at the end."""

    def finish(self, missing: np.ndarray | None) -> pa.Array:
        """The column: identifiers count on, the rest is drawn."""
        kind = arrow_type(self.params.dtype, self.path) if self.params.dtype else None
        identifier = self.params.identifier
        if identifier is not None:
            made = sample_identifier(identifier, np.arange(self.n), pd.DataFrame())
            text = pa.array(made, from_pandas=True)
        elif self.params.pii_type == "identifier":
            text = fill_pattern("########", self.n, self.streams.get("digits"))
        else:
            text = self._personal()
        if kind is not None and pa.types.is_integer(kind) and not pa.types.is_integer(text.type):
            text = pc.replace_substring_regex(text, r"\D", "").cast(pa.int64())
        if kind is not None and pa.types.is_integer(kind) and len(text):
            limit = np.iinfo(kind.to_pandas_dtype()).max
            kind = kind if (pc.max(text).as_py() or 0) <= limit else text.type  # unique values go before narrow ones
        text = text.cast(kind if kind is not None else pa.large_string(), safe=False)
        if isinstance(text, pa.ChunkedArray):
            text = text.combine_chunks()
        return text if missing is None else pc.if_else(pa.array(missing), pa.scalar(None, text.type), text)

    def _personal(self) -> pa.Array:
        kind = KINDS.get(self.params.pii_type, self.params.pii_type)
        layouts = self.params.patterns
        if self.params.person is not None and kind in names.KINDS:
            return self._named(kind, layouts or {})
        if not layouts:
            return personal_text(kind, self.n, self.streams.get(kind))
        share = np.cumsum(list(layouts.values()))
        draw = self.streams.get("layout").random(self.n)
        which = np.minimum(np.searchsorted(share / share[-1], draw, side="right"), len(share) - 1)
        made = [self._laid_out(kind, layout) for layout in layouts]
        if len(made) == 1:
            return made[0]
        return pc.choose(pa.array(which), *made)

    def _named(self, kind: str, shares: Mapping[str, float]) -> pa.Array:
        """Names of the row's person, in the forms of the model."""
        for text in shares:
            if re.fullmatch(names.FORM, text) is None:
                raise ModelError(
                    f"{self.path}.params.patterns: {text!r} is no form of a name, such as '{{Last}}, {{F}}.'."
                )
        total = sum(shares.values())
        times = [max(round(names.TWENTIETHS * share / total), 1) for share in shares.values()]
        forms = [text for text, n in zip(shares, times, strict=True) for _ in range(n)]
        return write_persons(self.crowd.person(self.params.person), kind, forms, self.streams.get("form"))

    def _laid_out(self, kind: str, layout: str) -> pa.Array:
        if kind == "card" and layout.count("#") == 16:
            plain = personal_text(kind, self.n, self.streams.get(layout))
            groups = re.findall(r"#+|[^#]+", layout)
            at, pieces = 0, []
            for group in groups:
                if group[0] == "#":
                    pieces.append(pc.utf8_slice_codeunits(plain, at, at + len(group)))
                    at += len(group)
                else:
                    pieces.append(pa.scalar(group, pa.large_string()))
            return pc.binary_join_element_wise(*pieces, pa.scalar("", pa.large_string()))
        return fill_pattern(_reserved(kind, layout), self.n, self.streams.get(layout))


def _reserved(kind: str, layout: str) -> str:
    """A layout whose first digits make sure that nobody has the number: area 9.. of social security numbers, the
    exchange 555-01 of telephone numbers."""
    places = [k for k, letter in enumerate(layout) if letter == "#"]
    text = list(layout)
    if kind == "national_id" and places:
        text[places[0]] = "9"
    if kind == "phone" and len(places) >= 7:
        start = len(places) - 7 if len(places) in (7, 10, 11) else 0
        for k, digit in enumerate("55501"):
            text[places[start + k]] = digit
        if start >= 3:
            text[places[start - 3]] = "2"
        if len(places) == 11:
            text[places[0]] = "1"
    return "".join(text)
