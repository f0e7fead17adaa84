"""The entry of one column in the document, and its latent scores."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from datareplicator.model.identity import fit_identifier
from datareplicator.model.marginals import Marginal
from datareplicator.model.quantiles import count_decimals
from datareplicator.model.single.detect import Detected
from datareplicator.model.single.marginals import fit_marginal
from datareplicator.model.single.source import SourceColumn, keys_of

LARGEST = (2_147_483_647.0, 9_007_199_254_740_991.0, float(2**63))
"""Largest 32-bit integer, the largest up to which floating numbers are exact, and the end of 64-bit integers."""
DAY = 86_400_000_000
STEPS = (DAY, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1)
"""Microseconds: moments lie on the coarsest grid that holds all of them."""
LONG = 60 * DAY
"""Span from which days and times of the day are learned apart."""
LAID_OUT = frozenset({"phone", "ssn", "credit_card", "postcode", "national_id", "mrn"})
RARE = 0.02


@dataclass
class Learned:
    """A column's entry and what the joint model needs of it. `number`: as detected, dates cut to days where `clock`
    holds the rest. `codes`: categories a row, `distinct` of them."""

    entry: dict[str, Any]
    detected: Detected
    number: np.ndarray | None = None
    marginal: Marginal | None = None
    decimals: int = 0
    codes: np.ndarray | None = None
    keys: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.entry["name"]

    @property
    def params(self) -> dict[str, Any]:
        return self.entry["params"]


def plain(marginal: Marginal) -> dict[str, Any]:
    """A distribution as JSON values; scores at 9 digits as in every document, values exactly."""
    return marginal.model_dump(mode="json")


def learn_column(column: SourceColumn, detected: Detected) -> Learned:
    """The entry of one column."""
    present = detected.present
    share = float(1 - present.mean()) if len(present) else 1.0
    params: dict[str, Any] = {"nan_probability": share}
    entry = {"name": column.name, "type": detected.type, "params": params, "constraints": {}}
    learned = Learned(entry, detected)
    extra = dict(detected.extra)
    unique_rows = extra.pop("identifier", False)
    params.update(extra)
    if detected.type == "numerical":
        _numerical(learned, column, unique_rows)
    elif detected.type == "categorical":
        _categorical(learned, column)
    elif detected.number is not None:
        _moments(learned)
    elif detected.type == "pii":
        _personal(learned, unique_rows)
    kind = column.data.type
    learned.params["dtype"] = str(kind.value_type if pa.types.is_dictionary(kind) else kind)
    if column.pandas_dtype is not None:
        learned.params["pandas_dtype"] = column.pandas_dtype
    return learned


def _numerical(learned: Learned, column: SourceColumn, unique_rows: bool) -> None:
    number, params = learned.detected.number, learned.params
    assert number is not None
    ordered = np.sort(number[np.isfinite(number)])
    mean, spread = _moments_of(ordered)
    head = {"mean": mean, "std": spread}
    learned.entry["params"] = {**head, **params}
    params = learned.params
    if unique_rows:
        whole = pd.Series(np.asarray(column.data.cast(pa.int64(), safe=False)), name=column.name)
        model = fit_identifier(whole, pd.DataFrame(index=whole.index))
        params["identifier"] = model.model_dump(mode="json")
        top = next(limit for limit in LARGEST if model.start < limit / 2 or limit == LARGEST[-1])
        learned.entry["constraints"] = {"min": float(model.start), "max": top}
        return
    learned.entry["constraints"] = {"min": float(ordered[0]), "max": float(ordered[-1])}
    learned.decimals = _decimals(ordered, column)
    if learned.decimals <= 18:
        params["decimals"] = learned.decimals
    if learned.decimals == 0:
        step = _whole_step(ordered)
        if step > 1:
            params["step"] = step
    learned.number, learned.marginal = number, fit_marginal(ordered, learned.decimals)
    params["marginal"] = plain(learned.marginal)


def _moments_of(ordered: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation; scaled before they are squared, so that the largest floats do not overflow."""
    if ordered[0] == ordered[-1]:
        return float(ordered[0]), 0.0
    scale = float(np.abs(ordered[[0, -1]]).max())
    unit = ordered / scale
    return float(unit.mean() * scale), float(min(unit.std(ddof=1) * scale, np.finfo(float).max))


def _decimals(ordered: np.ndarray, column: SourceColumn) -> int:
    """Digits after the point; for numbers with no such limit so many that nothing is lost."""
    kind = column.data.type
    if pa.types.is_integer(kind):
        return 0
    if pa.types.is_decimal(kind):
        return kind.scale
    sample = ordered[:: max(len(ordered) // 2000, 1)]
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        short = np.float32 if pa.types.is_float32(kind) else np.float16
        sample = np.array([float(str(short(v))) for v in sample[:: max(len(sample) // 200, 1)]])
    found = count_decimals(sample)
    if found < 9:
        return found
    largest = float(np.abs(ordered[[0, -1]]).max())
    return int(np.clip(15 - np.floor(np.log10(largest)), 0, 290)) if largest > 0 else 15


def _whole_step(ordered: np.ndarray) -> float:
    """The largest step on which all whole numbers lie (1 where there is none, or few values)."""
    if abs(ordered[0]) > LARGEST[1] or abs(ordered[-1]) > LARGEST[1] or ordered[0] == ordered[-1]:
        return 1.0
    return float(np.gcd.reduce(np.abs(ordered.astype(np.int64)))) if len(ordered) >= 20 else 1.0


def _categorical(learned: Learned, column: SourceColumn) -> None:
    codes, distinct = learned.detected.codes, learned.detected.distinct
    assert codes is not None and distinct is not None
    keys = keys_of(distinct)
    count = np.bincount(codes[codes >= 0], minlength=len(keys))
    order = sorted(range(len(keys)), key=lambda k: (-count[k], keys[k])) if len(keys) <= 1000 else None
    order = np.array(order if order is not None else np.lexsort((np.array(keys, dtype=object), -count)), dtype=np.int64)
    rank = np.empty(len(keys) + 1, dtype=np.int64)
    rank[order], rank[-1] = np.arange(len(keys)), -1
    learned.codes, learned.keys = rank[codes], [keys[k] for k in order]
    set_weights(learned, count[order])
    learned.params["unique_count"] = len(keys)
    if column.categories is not None:
        learned.params.update(ordered=column.ordered, categories=list(column.categories))


def set_weights(learned: Learned, count: np.ndarray) -> None:
    """The shares of the categories, in the order of `keys`."""
    share = count / max(int(count.sum()), 1)
    learned.entry["params"] = {"weights": dict(zip(learned.keys, share.tolist(), strict=True))} | learned.params
    learned.params["weights"] = dict(zip(learned.keys, share.tolist(), strict=True))


def _moments(learned: Learned) -> None:
    """Dates: quantiles of days or of whole moments, and the times of the day apart where the span is long."""
    number, born = learned.detected.number, learned.entry["type"] == "pii"
    assert number is not None
    ordered = np.sort(number[np.isfinite(number)])
    step = step_of(ordered)
    learned.params["step"] = float(step)
    if not born:
        low, high = (pd.Timestamp(int(v), unit="us") for v in (ordered[0], ordered[-1]))
        learned.entry["constraints"] = {"min": low.isoformat(), "max": high.isoformat()}
    elif len(ordered) > 2:
        # The first and the last date of birth belong to single persons.
        ordered = np.clip(ordered, ordered[1], ordered[-2])
    learned.number = number
    if step < DAY and ordered[-1] - ordered[0] >= LONG:
        learned.number = np.floor(number / DAY) * DAY
        clock = np.sort(number[np.isfinite(number)] % DAY)
        learned.params["clock"] = plain(fit_marginal(clock, 0))
        ordered = np.floor(ordered / DAY) * DAY
    learned.marginal = fit_marginal(ordered, 0)
    learned.params["marginal"] = plain(learned.marginal)


def step_of(moments: np.ndarray) -> int:
    """The coarsest of the usual steps (microseconds) on which all moments lie."""
    whole = moments.astype(np.int64)
    return next(step for step in STEPS if not (whole % step).any())


def _personal(learned: Learned, unique_rows: bool) -> None:
    distinct, params = learned.detected.distinct, learned.params
    assert distinct is not None
    if unique_rows:
        texts = distinct.to_pandas()
        longest = texts[texts.str.len() == texts.str.len().max()]
        some = texts.iloc[:: max(len(texts) // 1000, 1)]
        sample = pd.concat([some, pd.Series([longest.max()])]).drop_duplicates().rename(learned.name)
        params["identifier"] = fit_identifier(sample, pd.DataFrame(index=sample.index)).model_dump(mode="json")
    elif params["pii_type"] in LAID_OUT:
        places = np.linspace(0, len(distinct) - 1, min(500, len(distinct))).astype(np.int64)
        layouts = Counter(re.sub(r"\d", "#", str(v)) for v in distinct.take(pa.array(places)).to_pylist())
        total = layouts.total()
        usual = {text: n / total for text, n in layouts.most_common(8) if n >= RARE * total and "#" in text}
        if usual and not any(re.search(r"[^\W\d_]", text) for text in usual):
            params["patterns"] = usual
