"""Why no subjects are found: the rule that nobody fits, or the two that nobody fits together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from datareplicator.errors import RequestError
from datareplicator.generate.conditions.plan import Rule


def impossible(rules: Sequence[Rule], tried: Sequence[np.ndarray]) -> RequestError:
    """Which rule, or which two, nobody fits; `tried` are arrays of rules broken, bool (rules, subjects)."""
    broken = np.concatenate(list(tried), axis=1)
    drawn = f"{broken.shape[1]:,} subjects were drawn"
    alone = [r.said for r, b in zip(rules, broken, strict=True) if b.all()]
    if alone:
        return RequestError(f"{alone[0]} is impossible here: {drawn}, and none fits.")
    for (a, first), (b, second) in combinations(enumerate(rules), 2):
        if (broken[a] | broken[b]).all():
            return RequestError(f"{first.said} and {second.said} are impossible together: {drawn}, none fits both.")
    fitting = int((~broken.any(axis=0)).sum())
    names = ", ".join(f"{r.said}: {int((~b).sum()):,}" for r, b in zip(rules, broken, strict=True))
    return RequestError(
        f"the constraints leave too few subjects: {drawn}, {fitting:,} fit all of them ({names}).",
        hint="Loosen the constraint that the fewest fit.",
    )
