"""The comparison in a few figures, each with a sentence and a judgement."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from datareplicator.evaluate.results import Content, Privacy, Score, Test, Variable, Verdict

OFTEN = 0.05
"""Share of rows beyond the source's own at which a broken rule is no trifle."""
FEW = 1  # identical real subjects or sequences that still count as none


def scores(content: Content) -> dict[str, Score]:
    """The figures by name, in the order in which a reader wants them."""
    found = {
        "variables": _variables(content),
        "tests": _tests(content),
        "rows": _rows(content),
        "rules": _rules(content),
        "copies": _copies(content.privacy),
        "identifiers": _identifiers(content.privacy),
        "indistinct": _indistinct(content),
        "icc": _within(content, "icc", "Within subjects: ICC", "Share of variance between subjects (ICC)"),
        "lag": _within(content, "lag", "Within subjects: lag 1", "Correlation of consecutive values of a subject"),
        "retention": _retention(content),
        "nearness": _nearness(content.privacy),
        "membership": _membership(content.privacy),
    }
    for part in content.correlations:
        found[f"correlations {part.kind.split()[0]}"] = _correlations(part.kind, part.mean, part.chance)
    return {name: score for name, score in found.items() if score is not None}


def graded(value: float, good: float, fair: float) -> Verdict:
    """Small is good.

    >>> graded(0.04, 0.05, 0.1), graded(0.07, 0.05, 0.1), graded(0.2, 0.05, 0.1)
    ('good', 'fair', 'poor')
    """
    return "good" if value <= good else "fair" if value <= fair else "poor"


def _variables(content: Content) -> Score | None:
    return _share_within("Variables", content.variables, "variables", [v.distance for v in content.variables])


def _tests(content: Content) -> Score | None:
    return _share_within("Tests", content.tests, "tests", [t.distance for t in content.tests])


def _share_within(title: str, parts: Iterable[Variable | Test], what: str, distances: list[float]) -> Score | None:
    held = [part.within_chance for part in parts]
    if not held:
        return None
    share = float(np.mean(held))
    sentence = (
        f"{sum(held)} of {len(held)} {what} are distributed as in the source, up to what chance does between two "
        f"studies of these sizes; the median distance is {np.median(distances):.3f}."
    )
    return Score(
        title=title,
        value=share,
        sentence=sentence,
        verdict=graded(1 - share, 0.15, 0.4),
    )


def _rows(content: Content) -> Score | None:
    ratios = [abs(np.log((t.mean[1] + 0.25) / (t.mean[0] + 0.25))) for t in content.tables if t.mean is not None]
    if not ratios:
        return None
    off = float(np.exp(np.mean(ratios)) - 1)
    sentence = f"Tables hold per subject on average {off:.1%} more or fewer rows than in the source."
    return Score(
        title="Rows per subject", value=off, sentence=sentence.replace("%", " %"), verdict=graded(off, 0.05, 0.15)
    )


def _rules(content: Content) -> Score | None:
    if not content.rules:
        return None
    above = sum(rule.above for rule in content.rules)
    often = any(r.above and r.severity == "error" and r.rate - (r.source_rate or 0) > OFTEN for r in content.rules)
    sentence = f"{len(content.rules)} rules were checked; {above} are broken more often than in the source."
    return Score(
        title="Rules", value=above, sentence=sentence, verdict="good" if not above else "poor" if often else "fair"
    )


def _copies(privacy: Privacy) -> Score:
    worse = privacy.sequences > 0 and _rate(privacy.copied_sequences, privacy.sequences) > _allowed(
        privacy.repeated_sequences, privacy.real_sequences, privacy.sequences
    )
    worse_sets = [
        table
        for table, copied, of, repeated, real in privacy.copied_sets
        if _rate(copied, of) > _allowed(repeated, real, of)
    ]
    sentence = (
        f"{privacy.copied_sequences:,} of {privacy.sequences:,} value sequences and "
        f"{sum(s[1] for s in privacy.copied_sets):,} of {sum(s[2] for s in privacy.copied_sets):,} sets of rows are "
        "those of a real subject"
    )
    if worse or worse_sets:
        where = ", ".join([*(["sequences"] if worse else []), *worse_sets])
        sentence += f", more than what real subjects share with each other lets expect (in: {where})."
    else:
        sentence += ", no more than what real subjects share with each other lets expect."
    return Score(
        title="Copies", value=privacy.copies, sentence=sentence, verdict="poor" if worse or worse_sets else "good"
    )


def _rate(count: int, of: int) -> float:
    return count / of if of else 0.0


def _allowed(repeated: int, real: int, of: int) -> float:
    """The rate among real subjects with two standard errors, and one coincidence at least."""
    rate = _rate(repeated, real)
    n = max(min(real, of), 1)
    return rate + 2 * np.sqrt(max(rate, 1 / n) * (1 - min(rate, 1)) / n) + FEW / max(of, 1)


def _identifiers(privacy: Privacy) -> Score | None:
    if not privacy.identifiers:
        return None
    worst = max(privacy.identifiers, key=lambda found: found[1])
    reused = sum(share > 0 for _, share in privacy.identifiers)
    sentence = (
        f"{reused} of {len(privacy.identifiers)} columns of identifiers and personal data repeat a source's value."
    )
    return Score(
        title="Identifiers",
        value=worst[1],
        sentence=sentence,
        verdict=graded(worst[1], 0.0, 0.0),
    )


def _indistinct(content: Content) -> Score | None:
    found = content.indistinct
    if found.auc is None or found.error is None:
        return None
    sentence = (
        f"A classifier tells synthetic from real subjects with an area under the curve of {found.auc:.2f} "
        f"(standard error {found.error:.2f}; 0.5 means it cannot)."
    )
    return Score(
        title="Classifier test",
        value=found.auc,
        sentence=sentence,
        verdict=graded(found.auc - 2 * found.error, 0.55, 0.75),
    )


def _within(content: Content, name: str, title: str, what: str) -> Score | None:
    pairs = [getattr(test, name) for test in content.tests]
    off = [abs(a - b) for a, b in pairs if a is not None and b is not None]
    if not off:
        return None
    value = float(np.mean(off))
    sentence = f"{what}: the tests differ by {value:.3f} on average ({len(off)} tests)."
    return Score(
        title=title,
        value=value,
        sentence=sentence,
        verdict=graded(value, 0.1, 0.2),
    )


def _retention(content: Content) -> Score | None:
    line = content.timeline
    if line.stay is None or line.distance is None or line.chance is None:
        return None
    sentence = f"Subjects stay {line.stay[1]:.0f} days (median), in the source {line.stay[0]:.0f}."
    return Score(
        title="Time on study",
        value=line.distance,
        sentence=sentence,
        verdict=graded(line.distance, line.chance, line.chance + 0.1),
    )


def _nearness(privacy: Privacy) -> Score | None:
    if privacy.nearness is None or privacy.band is None:
        return None
    low, high = privacy.band
    sentence = (
        f"A synthetic subject is {privacy.nearness:.2f} times as far from the nearest real one as real ones are from "
        f"each other; among halves of the real subjects it is {low:.2f} to {high:.2f}."
    )
    return Score(
        title="Nearest real subject",
        value=privacy.nearness,
        sentence=sentence,
        verdict=graded(low - privacy.nearness, 0.0, 0.1),
    )


def _membership(privacy: Privacy) -> Score | None:
    if privacy.membership is None:
        return None
    sentence = (
        f"Who was in the source is guessed with an area under the curve of {privacy.membership:.2f} (0.5: not at all)."
    )
    return Score(
        title="Membership", value=privacy.membership, sentence=sentence, verdict=graded(privacy.membership, 0.6, 0.7)
    )


def _correlations(kind: str, mean: float, chance: float | None) -> Score | None:
    if not np.isfinite(mean):
        return None
    tail = f"; chance alone makes {chance:.3f}" if chance is not None and np.isfinite(chance) else ""
    base = chance if chance is not None and np.isfinite(chance) else 0.05
    sentence = f"Correlations {kind} differ by {mean:.3f} on average{tail}."
    return Score(
        title=f"Correlations {kind.split()[0]} subjects",
        value=mean,
        sentence=sentence,
        verdict=graded(mean, 1.3 * base, 2 * base + 0.05),
    )
