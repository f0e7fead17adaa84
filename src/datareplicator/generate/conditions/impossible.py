"""Why no subjects are found: the rule that nobody fits, or the two that nobody fits together, and what of the model
stands against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from datareplicator.errors import RequestError
from datareplicator.generate.conditions.facts import facts, share
from datareplicator.generate.conditions.judge import Seen
from datareplicator.generate.conditions.plan import Part, Quota, Rule
from datareplicator.model.study_model import StudyModel

ENOUGH = 50
"""Rows that break a rule, after which none that fits means that none ever does."""


class NobodyFits(Exception):
    """Subjects were drawn, and too few fit. `broken`: bool (rules, subjects drawn); `cell`: those who are counted out
    as this one of the plan of counts are meant, if there is more than one."""

    def __init__(self, rules: Sequence[Rule], broken: np.ndarray, cell: int) -> None:
        super().__init__("nobody fits")
        self.rules, self.broken, self.cell = tuple(rules), broken, cell


@dataclass
class Sample:
    """Subjects as they are drawn without rules: what the conditions show of them, `who` is meant (bool a subject), and
    how these are called."""

    model: StudyModel
    seen: Seen
    who: np.ndarray
    called: str = ""


def refusal(found: NobodyFits, sample: Sample) -> RequestError:
    """The message, from subjects drawn without any of the rules."""
    rules, who = found.rules, sample.who
    broken = {rule.number: sample.seen.broken(rule.condition) for rule in rules}
    drawn = f"of {found.broken.shape[1]:,} subjects drawn{sample.called}"
    for rule in rules:
        if broken[rule.number][who].all():
            said = _said(sample, rule, who)
            return RequestError(f"{rule.said} is impossible: {drawn} none fits{said}.")
    for first, second in combinations(rules, 2):
        both = broken[first.number] | broken[second.number]
        if both[who].all():
            first, second = sorted((first, second), key=lambda r: not r.condition.early)
            said = _said(sample, second, who & ~broken[first.number])
            return RequestError(
                f"{first.said} and {second.said} are impossible together: {drawn} none fits both"
                f"{said.replace(': ', ': with the first, ', 1)}."
            )
    fitting = int((~found.broken.any(axis=0)).sum())
    shares = ", ".join(f"{rule.said}: {1 - broken[rule.number][who].mean():.1%}" for rule in rules)
    return RequestError(
        f"the constraints leave too few subjects: {drawn} {fitting:,} fit all of them. Alone fit {shares}.",
        hint="Loosen the constraint that the fewest fit.",
    )


def _said(sample: Sample, rule: Rule, who: np.ndarray) -> str:
    told = facts(sample.model, sample.seen, rule.condition, who)
    return f": {told}" if told else ""


def no_row_fits(rule: Rule, sample: Sample) -> RequestError | None:
    """The message where no row is known to fit a rule and many do not, so that nothing would be left but subjects
    without rows, or with gaps; None where some fit."""
    name = rule.condition.table
    truth = sample.seen.truth(rule.condition)[sample.who[sample.seen.subject[name]]]
    if (truth > 0).any() or (truth < 0).sum() < ENOUGH:
        return None
    said = _said(sample, rule, sample.who)
    return RequestError(
        f"{rule.said} is impossible: of {len(truth):,} rows of {name} drawn{sample.called} none fits{said}."
    )


def in_the_way(quota: Quota, rules: Sequence[Rule], sample: Sample, spoilt: np.ndarray) -> str | None:
    """Which rule stands against a quota. `spoilt`: bool a rule, broken by all for whom the steps of a scenario were
    tried."""
    for rule, broken in zip(rules, spoilt, strict=True):
        if broken:
            return f"{rule.said} stands against it: whoever went through its steps breaks that"
    shows = sample.seen.shows(quota.parts) & sample.who
    for rule in rules:
        if shows.any() and sample.seen.broken(rule.condition)[shows].all():
            return f"{rule.said} stands against it: whoever shows it breaks that"
    return None


def how_seldom(quota: Quota, sample: Sample) -> str:
    """How often subjects show what is asked for, and what they show where they never do."""
    shows = sample.seen.shows(quota.parts) & sample.who
    if shows.any():
        return f"the model shows it in {shows.sum() / sample.who.sum():.1%} of the subjects"
    told = [said for part in quota.parts if (said := _shown(sample, part))]
    return "the model never shows it" + (f": {'; '.join(told)}" if told else "")


def _shown(sample: Sample, part: Part) -> str:
    if part.rows == "none":
        return share(part.condition.expression.tree, sample.seen.truth(part.condition))
    return facts(sample.model, sample.seen, part.condition, sample.who)
