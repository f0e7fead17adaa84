"""Which term a row has: by arm, stratum, sex and the like, and by the terms the subject has already.

A row repeats the term of an earlier row of its subject (the *donor*) with a probability that depends on the term, or
takes a fresh one given the donor's term and class: that is how related terms come together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Floats, Ints
from datareplicator.model.backoff import Candidate, Conditional, fit_conditional
from datareplicator.model.coding import Coding, encode, fit_coding

DONOR, DONOR_CLASS = "__donor__", "__donor_class__"
REPEAT_PRIOR = 10.0
EXCLUSIVE = 1e-3
"""A term never seen at a level of a category, at which chance would leave it out with less than this probability,
does not occur there (terms of one sex)."""
FEW_LEVELS = 4


class Exclusion(Document):
    """Pairs (term code, level code) of one context column that never occur together."""

    column: str
    pairs: Ints


class TermModel(Document):
    """`table` has the term's code as outcome. `repeat[code]`: probability that a row repeats a donor with that term.
    `class_of[code]`: code of the class in `classes`. `context`: codings of the columns used."""

    coding: Coding
    classes: Coding
    class_of: Ints
    repeat: Floats
    table: Conditional
    context: dict[str, Coding]
    exclusions: tuple[Exclusion, ...] = ()

    @model_validator(mode="after")
    def _shapes(self) -> TermModel:
        if self.class_of.shape != (self.coding.size,) or self.repeat.shape != (self.coding.size,):
            raise ValueError("the term model needs a class and a repeat probability for each term")
        if self.class_of.min() < 0 or self.class_of.max() >= self.classes.size:
            raise ValueError("the term model names a class that does not exist")
        if not ((self.repeat >= 0) & (self.repeat <= 1)).all():
            raise ValueError("repeat probabilities of terms must lie between 0 and 1")
        if not set(self.table.parents) - {DONOR, DONOR_CLASS} <= set(self.context):
            raise ValueError("the term model uses columns that it does not know")
        return self


def fit_terms(
    code: pd.Series,
    group: pd.Series | None,
    subject: np.ndarray,
    donor: np.ndarray,
    context: pd.DataFrame,
    *,
    exclusive: tuple[str, ...] = (),
    hard: tuple[str, ...] = (),
    min_subjects: int = 1,
) -> TermModel:
    """Learn from m >= 1 rows; rows of a subject stand together, in the order of their donors.

    `donor`: number of an earlier row of the same subject, -1 for its first. `exclusive`: categorical context columns
    whose levels may exclude terms. Terms of fewer than `min_subjects` subjects are not learned.
    """
    coding = fit_coding(code, str(code.name), subject=subject, min_subjects=min_subjects, categories=True)
    term = encode(coding, code)
    classes, class_of = _classes(coding, term, group, subject, min_subjects)
    known = {
        name: fit_coding(context[name], name, subject=subject, min_subjects=min_subjects) for name in context.columns
    }
    candidates = {name: Candidate(encode(c, context[name]), c.size) for name, c in known.items()}
    given = np.where(donor >= 0, term[donor], 0)
    candidates[DONOR] = Candidate(given, coding.size)
    candidates[DONOR_CLASS] = Candidate(np.where(given >= 0, class_of[given], -1), classes.size)
    repeat, fresh = _repeats(term, subject, donor, coding.size)
    learn = np.flatnonzero(fresh & (term >= 0))
    if not len(learn):
        learn = np.flatnonzero(term >= 0)
    if not len(learn):
        term, learn = np.zeros_like(term), np.arange(len(term))
    table = fit_conditional(
        term[learn],
        coding.size,
        {name: Candidate(c.codes[learn], c.size) for name, c in candidates.items()},
        subject[learn],
        hard=tuple(name for name in hard if name in candidates),
        most=5,
        min_subjects=min_subjects,
    )
    exclusions = tuple(
        found
        for name in exclusive
        if name in known and (found := _exclusion(name, known[name], candidates[name].codes, term, subject)) is not None
    )
    used = set(table.parents) | {e.column for e in exclusions}
    return TermModel(
        coding=coding,
        classes=classes,
        class_of=class_of,
        repeat=repeat,
        table=table,
        context={name: c for name, c in known.items() if name in used},
        exclusions=exclusions,
    )


def _classes(
    coding: Coding, term: np.ndarray, group: pd.Series | None, subject: np.ndarray, min_subjects: int
) -> tuple[Coding, np.ndarray]:
    """The class most rows of a term have; one class for all where none is known."""
    if group is None:
        return Coding(name="class", kind="text"), np.zeros(coding.size, dtype=np.int64)
    classes = fit_coding(group, str(group.name), subject=subject, min_subjects=min_subjects, categories=True)
    code = encode(classes, group)
    use = (term >= 0) & (code >= 0)
    votes = np.zeros((coding.size, classes.size), dtype=np.int64)
    np.add.at(votes, (term[use], code[use]), 1)
    return classes, votes.argmax(axis=1).astype(np.int64)


def _repeats(term: np.ndarray, subject: np.ndarray, donor: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Repeat probability by term, and which rows are fresh. Repeats that chance explains are taken off."""
    frame = pd.DataFrame({"subject": subject, "term": term})
    repeated = frame.duplicated().to_numpy() & (donor >= 0)
    later = donor >= 0
    if not later.any():
        return np.zeros(size), np.ones(len(term), dtype=bool)
    share = np.bincount(np.maximum(term, 0), minlength=size) / len(term)
    frame["new"] = np.where(frame.duplicated(), 0.0, share[np.maximum(term, 0)])
    before = frame.groupby("subject")["new"].cumsum().to_numpy() - frame["new"].to_numpy()
    chance, observed = float(before[later].mean()), float(repeated[later].mean())
    pooled = max((observed - chance) / max(1 - chance, 1e-9), 0.0) * later.sum() / (later.sum() + REPEAT_PRIOR)
    given = np.bincount(np.maximum(term[donor[later]], 0), minlength=size)
    own = np.bincount(np.maximum(term[repeated], 0), minlength=size) * (pooled / observed if observed else 0.0)
    return np.clip((own + REPEAT_PRIOR * pooled) / (given + REPEAT_PRIOR), 0, 0.98), ~repeated


def _exclusion(name: str, coding: Coding, level: np.ndarray, term: np.ndarray, subject: np.ndarray) -> Exclusion | None:
    if coding.kind == "number" or not 2 <= coding.size - 1 <= FEW_LEVELS:
        return None
    unit = pd.factorize(subject)[0].astype(np.int64)
    pairs = pd.DataFrame({"unit": unit, "term": term, "level": level}).drop_duplicates()
    people = pairs.drop_duplicates("unit")["level"]
    share = np.bincount(np.maximum(people, 0), minlength=coding.size) / max(len(people), 1)
    pairs = pairs[(pairs["term"] > 0) & (pairs["level"] >= 0)]
    seen = np.zeros((int(pairs["term"].max()) + 1 if len(pairs) else 0, coding.size))
    np.add.at(seen, (pairs["term"].to_numpy(), pairs["level"].to_numpy()), 1)
    chance = (1 - share)[None, :] ** seen.sum(axis=1, keepdims=True)
    found = np.argwhere((seen == 0) & (chance < EXCLUSIVE) & (share > 0)[None, :])
    return Exclusion(column=name, pairs=found) if len(found) else None
