"""What a small sample cannot teach, in plain words with the figures that its size gives."""

from __future__ import annotations

import math

FEW = 10
SMALL = 100


def cautions(subjects: int) -> list[str]:
    """What a user should know of a model of so many subjects; nothing to say from a hundred on.

    The figures are standard errors of normal theory: of a correlation (Fisher's z) 1/sqrt(n - 3), of a mean
    1/sqrt(n) standard deviations, of a standard deviation 1/sqrt(2 n) of itself; what a share p of all subjects has
    is missed by a sample with probability (1 - p)^n, one half at p = 1 - 0.5^(1/n).

    >>> cautions(300)
    []
    >>> cautions(1)[0].partition(":")[0]
    'Only 1 subject to learn from'
    """
    if subjects >= SMALL:
        return []
    if subjects == 1:
        return [
            "Only 1 subject to learn from: how subjects differ, what goes with what, rare events and effects of "
            "treatment cannot be learned; new subjects are variations of this one."
        ]
    if subjects < FEW:
        return [
            f"Only {subjects} subjects to learn from: correlations, rare categories and events, and differences "
            "between arms cannot be learned; new subjects vary about the few that were seen."
        ]
    return [
        f"Only {subjects} subjects to learn from: a mean is known to {1 / math.sqrt(subjects):.2f} standard "
        f"deviations, a spread to {100 / math.sqrt(2 * subjects):.0f} %, a correlation to "
        f"{1 / math.sqrt(subjects - 3):.2f}. What 1 subject in {1 / (1 - 0.5 ** (1 / subjects)):.0f} has is as likely "
        "missing as not, extreme values are rarer still, and arms differ less than in the trial."
    ]
