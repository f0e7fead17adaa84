"""The classifier two-sample test: can a model tell synthetic subjects from real ones?"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from datareplicator.evaluate.results import Indistinct
from datareplicator.seeds import Streams

LEAST = 20
MOST = 600  # subjects of each side: more makes it slower, hardly sharper
MOST_FEATURES = 120
MOST_ROUNDS, ROUNDS_UP_TO = 4, 240  # few subjects: the folds decide much, so several rounds are averaged
TELLING = 8


def classify(names: list[str], source: np.ndarray, synthetic: np.ndarray) -> Indistinct:
    """Cross-validated area under the curve of gradient-boosted trees on equal numbers of both kinds of subjects.

    The idea is that of Lopez-Paz and Oquab (2017): 0.5 means that the two cannot be told apart, 1 that each subject
    is recognised; far below 0.5 hints at copies. `error` is the standard error after Hanley and McNeil (1982).
    Nothing is said where there are fewer than 20 subjects on a side.
    """
    n = min(len(source), len(synthetic), MOST)
    if n < LEAST or not names:
        return Indistinct(subjects=n, features=len(names))
    alone = np.array([_auc(source[:, i], synthetic[:, i]) for i in range(len(names))])
    top = np.argsort(-np.abs(alone - 0.5), kind="stable")[:TELLING]
    # Chosen without looking at who is synthetic: the classifier must not be handed the answer by the choice.
    known = np.sort(np.argsort(-np.isfinite(np.vstack([source, synthetic])).sum(0), kind="stable")[:MOST_FEATURES])
    rng, found = Streams(0).get("c2st"), []
    for fold in range(max(1, min(MOST_ROUNDS, ROUNDS_UP_TO // n))):
        a, b = (side[rng.permutation(len(side))[:n]] for side in (source, synthetic))
        found.append(_cross_validated(np.vstack([a, b])[:, known], np.repeat([0, 1], n), fold))
    auc = float(np.mean(found))
    return Indistinct(
        auc=auc,
        error=_error(auc, n),
        subjects=n,
        features=len(known),
        telling=tuple((names[i], float(alone[i])) for i in top),
    )


def _cross_validated(values: np.ndarray, label: np.ndarray, seed: int) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    values = values[:, [len(np.unique(v[np.isfinite(v)])) > 1 for v in values.T]]
    if not values.shape[1]:
        return 0.5
    trees = HistGradientBoostingClassifier(
        max_iter=50, max_leaf_nodes=8, min_samples_leaf=max(3, min(20, len(label) // 16)), max_bins=63, random_state=0
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    # One thread: on so little data more of them cost time, and the sums keep their order.
    with threadpool_limits(limits=1):
        guess = cross_val_predict(trees, values, label, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(label, guess))


def _auc(a: np.ndarray, b: np.ndarray) -> float:
    """Probability that a value of `b` is above one of `a`; gaps are a value of their own, the lowest."""
    both = np.concatenate([a, b])
    ranks = rankdata(np.where(np.isfinite(both), both, -np.inf))
    return float((ranks[len(a) :].sum() - len(b) * (len(b) + 1) / 2) / (len(a) * len(b)))


def _error(auc: float, n: int) -> float:
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    return float(np.sqrt((auc * (1 - auc) + (n - 1) * (first + second - 2 * auc**2)) / n**2))
