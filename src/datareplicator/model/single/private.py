"""Learning a table under differential privacy: everything that is learned is a noisy count.

Neighbouring tables differ by one row, added or removed. Noise, its scale and the budget that it costs come from OpenDP
(https://opendp.org); what follows from noisy counts costs nothing more (post-processing). Names and types of columns,
decimals, kinds of personal data and whatever the caller gives (bounds, categories) count as public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module, metadata
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from datareplicator.errors import Place, RequestError
from datareplicator.model.correlation import nearest, shrink
from datareplicator.model.identity import IdentifierModel, Token
from datareplicator.model.marginals import Marginal
from datareplicator.model.single.columns import Learned, learn_column, plain, set_weights
from datareplicator.model.single.detect import detect
from datareplicator.model.single.document import Variable
from datareplicator.model.single.joint import Scores, is_given, latent_correlations
from datareplicator.model.single.marginals import from_shares, interval_scores, scores_of
from datareplicator.model.single.source import SourceTable

ROWS, COLUMNS, PAIRS = 0.05, 0.65, 0.3
"""Shares of the budget: the number of rows, the columns, the pairs of columns."""
BOUNDS = 0.25
"""Share of a column's budget for bounds that nobody gave."""
MOST_BINS, FEWEST_BINS, ROWS_A_BIN = 128, 8, 20
HIGHEST = 2.5
"""Scores are cut here, so that one row weighs little in a correlation."""
FALSE = 1e-4
"""Chance that an empty cell passes for one that holds rows."""
EVIDENT = 10.0
"""Scales of the noise from which there are missing values at all."""
FINE = 1024
"""Products of scores are counted in this part of one."""
MISSING = "\ue000missing"
"""No category of a source: the letter is of the private use area, and NUL would end a text for OpenDP."""
_POWERS = 2.0 ** np.arange(-20, 53)
_YEARS = (np.arange(1900, 2102) - 1970).astype("datetime64[Y]").astype("datetime64[us]").astype(np.int64).astype(float)


@dataclass
class Budget:
    """What may be spent, and what was: one entry for each release."""

    epsilon: float
    delta: float
    released: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            self.dp = import_module("opendp.prelude")
        except ImportError as error:
            raise RequestError(
                "epsilon needs OpenDP, which is not installed.", hint='Install "datareplicator[privacy]".'
            ) from error
        self.dp.enable_features("contrib")

    def counts(self, what: str, count: np.ndarray, epsilon: float, weight: int = 1) -> np.ndarray:
        """Counts with Laplace noise; one row changes their sum of absolute values by `weight` at most."""
        dp = self.dp
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
        measure = dp.m.make_laplace(*space, scale=weight / epsilon)
        self._note(what, float(measure.map(weight)), 0.0)
        return np.array(measure([int(c) for c in count]), dtype=float)

    def keys(self, what: str, count: Mapping[str, int], epsilon: float, delta: float) -> dict[str, float]:
        """Counts of keys that are not known beforehand; rare keys are left out (stability-based histogram)."""
        dp, scale = self.dp, 1 / epsilon
        domain = dp.map_domain(dp.atom_domain(T=str), dp.atom_domain(T="i64"))
        metric = dp.l01inf_distance(dp.absolute_distance(T="i64"))
        threshold = int(np.ceil(1 + scale * np.log(1 / delta)))
        measure = dp.m.make_laplace_threshold(domain, metric, scale=scale, threshold=threshold)
        spent, chance = measure.map((1, 1, 1))
        self._note(what, float(spent), float(chance))
        return {k: float(v) for k, v in measure({k: int(v) for k, v in count.items()}).items()}

    def _note(self, what: str, epsilon: float, delta: float) -> None:
        self.released.append({"what": what, "epsilon": float(f"{epsilon:.6g}"), "delta": float(f"{delta:.3g}")})

    def report(self) -> dict[str, Any]:
        """The spent budget, as the document has it (sequential composition: the sum of all releases)."""
        return {
            "epsilon": float(f"{sum(r['epsilon'] for r in self.released):.6g}"),
            "delta": float(f"{sum(r['delta'] for r in self.released):.3g}"),
            "library": f"opendp {metadata.version('opendp')}",
            "neighbours": "one row added or removed",
            "released": self.released,
        }


def profile_private(
    source: SourceTable,
    epsilon: float,
    delta: float,
    bounds: Mapping[str, tuple[Any, Any]],
    categories: Mapping[str, Sequence[Any]],
) -> tuple[dict[str, Any], int, dict[str, Any]]:
    """The part of the document, the noisy number of rows, and the spent budget. Raises RequestError."""
    if not (np.isfinite(epsilon) and epsilon > 0 and 0 <= delta < 1):
        raise RequestError("epsilon must be above 0, delta from 0 to less than 1.")
    for name in (*bounds, *categories):
        if name not in source.columns:
            raise RequestError(f"there is no column {name!r}.", hint=f"There are {', '.join(source.columns)}.")
    budget = Budget(epsilon, delta)
    rows = max(int(budget.counts("rows", np.array([source.rows]), ROWS * epsilon)[0]), 0)
    columns = [learn_column(c, detect(c)) for c in source.columns.values()]
    share = COLUMNS * epsilon / max(len(columns), 1)
    unknown = sum(_needs_keys(c, categories) for c in columns)
    for learned in columns:
        _release(learned, budget, share, delta / max(unknown, 1), rows, bounds, categories)
    part: dict[str, Any] = {"columns": [c.entry for c in columns]}
    found = _scores(columns)
    if len(found.variables) > 1:
        part["correlation"] = _correlation(found, budget, PAIRS * epsilon, rows)
    return part, rows, budget.report()


def _needs_keys(learned: Learned, categories: Mapping[str, Sequence[Any]]) -> bool:
    public = learned.name in categories or learned.params.get("categories") or learned.params.get("dtype") == "bool"
    return learned.entry["type"] == "categorical" and not public


def _release(
    learned: Learned,
    budget: Budget,
    epsilon: float,
    delta: float,
    rows: int,
    bounds: Mapping[str, tuple[Any, Any]],
    categories: Mapping[str, Sequence[Any]],
) -> None:
    """Replace everything in an entry that was learned from the rows."""
    number, present = learned.detected.number, learned.detected.present
    learned.params.pop("confidence", None)
    if number is not None and "identifier" not in learned.params:
        _release_number(learned, number, budget, epsilon, rows, bounds.get(learned.name))
    elif learned.entry["type"] == "categorical":
        _release_categories(learned, budget, epsilon, delta, categories.get(learned.name))
    else:
        gone = budget.counts(f"{learned.name}: missing", np.array([(~present).sum()]), epsilon)[0]
        _plain_entry(learned)
        learned.params["nan_probability"] = float(np.clip(_evident(gone, epsilon) / max(rows, 1), 0, 1))


def _evident(count: float, epsilon: float) -> float:
    """A number of missing values, 0 where it may be noise alone: a column without any shall keep its type."""
    return count if count > EVIDENT / epsilon else 0.0


def _plain_entry(learned: Learned) -> None:
    """Personal data and identifiers without anything of the source's values."""
    learned.params.pop("patterns", None)
    if "identifier" in learned.params:
        number = learned.entry["type"] == "numerical"
        token = Token(kind="counter", width=0 if number else 8)
        model = IdentifierModel(column=learned.name, tokens=(token,), start=1, number=number)
        learned.params["identifier"] = model.model_dump(mode="json")
        learned.params.pop("mean", None)
        learned.params.pop("std", None)
        if number:
            learned.entry["constraints"] = {"min": 1.0, "max": 9_007_199_254_740_991.0}


def _release_number(
    learned: Learned, number: np.ndarray, budget: Budget, epsilon: float, rows: int, bounds: tuple[Any, Any] | None
) -> None:
    name, moment = learned.name, learned.entry["type"] != "numerical"
    known = number[np.isfinite(number)]
    if bounds is None:
        low, high = _private_bounds(f"{name}: bounds", known, budget, BOUNDS * epsilon, moment)
        epsilon *= 1 - BOUNDS
    else:
        low, high = _given_bounds(name, bounds, moment)
    whole = not moment and learned.params.get("decimals") == 0
    bins = int(np.clip(rows * epsilon / ROWS_A_BIN, FEWEST_BINS, MOST_BINS))
    if whole and high - low < bins:
        edges = np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    else:
        edges = np.linspace(low, high, bins + 1)
    count = np.histogram(np.clip(known, edges[0], edges[-1]), edges)[0]
    gone = len(number) - len(known)
    noisy = np.maximum(budget.counts(f"{name}: histogram", np.append(count, gone), epsilon), 0.0)
    noisy[:-1][noisy[:-1] < 2 / epsilon] = 0.0
    mass, missing = noisy[:-1], _evident(noisy[-1], epsilon)
    if not mass.any():
        mass = np.ones(len(mass))
    share = missing / max(missing + mass.sum(), 1.0)
    decimals = learned.decimals if learned.decimals <= 18 else 0
    marginal = _from_histogram(edges, mass, whole and high - low < bins, decimals)
    _write_number(learned, marginal, edges, mass, float(share))


def _from_histogram(edges: np.ndarray, mass: np.ndarray, whole: bool, decimals: int) -> Marginal:
    used = np.flatnonzero(mass)
    if whole:
        return from_shares(edges[used] + 0.5, mass[used])
    first, last = used[0], used[-1] + 1
    upto = np.r_[0.0, np.cumsum(mass)][first : last + 1] / mass.sum()
    score = ndtri(np.clip(upto, 3e-5, 1 - 3e-5))
    keep = np.r_[True, np.diff(score) > 1e-12]
    value = edges[first : last + 1][keep]
    return Marginal(values=np.maximum.accumulate(value), scores=score[keep], lattice=False, decimals=decimals)


def _write_number(learned: Learned, marginal: Marginal, edges: np.ndarray, mass: np.ndarray, missing: float) -> None:
    middle = (edges[1:] + edges[:-1]) / 2
    mean = float((middle * mass).sum() / mass.sum())
    params, moment = learned.params, learned.entry["type"] != "numerical"
    for name in ("clock", "after", "gap", "step") if not moment else ("clock", "after", "gap"):
        params.pop(name, None)
    params.update(nan_probability=missing, marginal=plain(marginal))
    learned.marginal = marginal
    learned.number = learned.detected.number
    low, high = float(marginal.values[0]), float(marginal.values[-1])
    if learned.entry["type"] == "datetime":
        shown = [pd.Timestamp(int(v), unit="us").isoformat() for v in (low, high)]
        learned.entry["constraints"] = {"min": shown[0], "max": shown[1]}
    elif not moment:
        params["mean"], params["std"] = mean, float(np.sqrt(((middle - mean) ** 2 * mass).sum() / mass.sum()))
        learned.entry["constraints"] = {"min": low, "max": high}


def _given_bounds(name: str, bounds: tuple[Any, Any], moment: bool) -> tuple[float, float]:
    try:
        low, high = (pd.Timestamp(b).value / 1000 if moment else float(b) for b in bounds)
    except (TypeError, ValueError) as error:
        raise RequestError("bounds must be two values.", place=Place(column=name)) from error
    if not low < high:
        raise RequestError("the lower bound must lie below the upper one.", place=Place(column=name))
    return low, high


def _private_bounds(what: str, known: np.ndarray, budget: Budget, epsilon: float, moment: bool) -> tuple[float, float]:
    """Bounds to the year, or to a power of two: the outermost cells that clearly hold rows."""
    edges = _YEARS if moment else np.r_[-_POWERS[::-1], 0.0, _POWERS]
    count = np.histogram(np.clip(known, edges[0], edges[-1]), edges)[0]
    noisy = budget.counts(what, count, epsilon)
    held = np.flatnonzero(noisy > np.log(len(count) / FALSE) / epsilon)
    if not len(held):
        return (float(edges[0]), float(edges[-1])) if moment else (-1.0, 1.0)
    return float(edges[held[0]]), float(edges[held[-1] + 1])


def _release_categories(
    learned: Learned, budget: Budget, epsilon: float, delta: float, known: Sequence[Any] | None
) -> None:
    codes, keys = learned.codes, learned.keys
    assert codes is not None
    count = dict(zip(keys, np.bincount(codes[codes >= 0], minlength=len(keys)).tolist(), strict=True))
    gone = int((codes < 0).sum())
    public = [str(k) for k in known] if known is not None else learned.params.get("categories")
    if public is None and learned.params.get("dtype") == "bool":
        public = ["false", "true"]
    if public is not None:
        values = np.array([*(count.get(k, 0) for k in public), gone])
        noisy = np.maximum(budget.counts(f"{learned.name}: categories", values, epsilon), 0.0)
        found, missing = dict(zip(public, noisy[:-1].tolist(), strict=True)), float(noisy[-1])
    else:
        if delta <= 0:
            raise RequestError(
                "its categories cannot be learned with delta=0.",
                place=Place(column=learned.name),
                hint="Name them in `categories`, or allow a delta.",
            )
        found = budget.keys(f"{learned.name}: categories", {**count, MISSING: gone}, epsilon, delta)
        missing = max(found.pop(MISSING, 0.0), 0.0)
    found = {k: v for k, v in sorted(found.items(), key=lambda item: (-item[1], item[0])) if v > 0}
    missing, total = _evident(missing, epsilon), sum(found.values())
    place = {k: j for j, k in enumerate(found)}
    table = np.array([place.get(k, -1) for k in keys] + [-1], dtype=np.int64)
    learned.codes, learned.keys = table[codes], list(found)
    set_weights(learned, np.array(list(found.values())))
    share = missing / max(missing + total, 1e-9) if total > 0 else 1.0
    learned.params.update(nan_probability=float(share), unique_count=len(found))
    if total > 0:
        shares = np.array(list(found.values())) / total
        learned.params["weights"] = dict(zip(found, shares.tolist(), strict=True))


def _scores(columns: list[Learned]) -> Scores:
    """Scores by what was released; 0 where unknown, cut at HIGHEST."""
    variables, found = [], []
    for learned in columns:
        if learned.marginal is not None and learned.number is not None and learned.entry["type"] != "pii":
            score = scores_of(learned.marginal, learned.number)
        elif learned.codes is not None and len(learned.keys) > 1:
            share = np.array(list(learned.params["weights"].values()))
            score = np.append(interval_scores(np.minimum(np.cumsum(share), 1.0)), 0.0)[learned.codes]
        else:
            continue
        variables.append(Variable(column=learned.name))
        found.append(np.clip(np.nan_to_num(score), -HIGHEST, HIGHEST))
    return Scores(variables, np.column_stack(found) if found else np.empty((0, 0)))


def _correlation(found: Scores, budget: Budget, epsilon: float, rows: int) -> dict[str, Any]:
    """All pairs at once: fixed-point sums of products, one row weighs as much as its largest products together."""
    k = len(found.variables)
    first, second = np.triu_indices(k)
    product = np.rint(found.scores[:, first] * found.scores[:, second] * FINE).astype(np.int64)
    weight = int(np.ceil(len(first) * (HIGHEST**2 * FINE + 1)))
    noisy = budget.counts("pairs of columns", product.sum(0), epsilon, weight) / FINE / max(rows, 1)
    moment = np.zeros((k, k))
    moment[first, second] = moment[second, first] = noisy
    spread = np.sqrt(np.clip(np.diag(moment), 0.05, 1.5))
    matrix = np.clip(latent_correlations(moment / spread[:, None] / spread, np.minimum(spread, 1.0)), -0.98, 0.98)
    upper = np.triu_indices(k, 1)
    noise = 2 * (weight / epsilon / FINE / max(rows, 1)) ** 2 + 1 / max(rows - 3, 1)
    kept = np.eye(k)
    kept[upper] = shrink(matrix[upper], np.full(len(upper[0]), noise), np.zeros(len(upper[0])))
    kept = nearest(kept + kept.T - np.eye(k))
    return {
        "variables": [v.model_dump(exclude_defaults=True) for v in found.variables],
        "matrix": [[float(f"{x:.6g}") for x in row] for row in kept.tolist()],
        "given": sum(is_given(v) for v in found.variables),
    }
