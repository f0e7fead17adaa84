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
from datareplicator.standards.sexes import sex_of_code, sex_of_term

DONOR, DONOR_CLASS, CLASS = "__donor__", "__donor_class__", "__own_class__"
REPEAT_PRIOR = 10.0
SMALL_VOCABULARY = 0.2
STAPLE, STAPLE_EXCESS, ONCE, FEWEST_PEOPLE = 0.6, 0.1, 1.15, 5
EXCLUSIVE = 1e-3
"""A term never seen at a level of a category, at which chance would leave it out with less than this probability,
does not occur there (terms of one sex)."""
FEW_LEVELS = 4


class Exclusion(Document):
    """Pairs (term code, level code) of one context column that never occur together."""

    column: str
    pairs: Ints


class TermModel(Document):
    """`class_table` draws the class, where classes are known, then `table` the term within it. `repeat[code]`:
    probability that a row repeats a donor with that term, `class_repeat[class]` that a fresh one stays in the class of
    such a donor. `distinct`: fresh terms are new to the subject (a vocabulary too small for that repeats by chance).
    `staple[regime, code]`: share of subjects with rows of a
    regime (0 before the study, 1 on it) that have the term, of terms that most of them have; 0 for the others.
    `class_of[code]`: code of the class in `classes`. `context`: codings of the columns used."""

    coding: Coding
    classes: Coding
    class_of: Ints
    repeat: Floats
    distinct: bool
    class_repeat: Floats
    staple: Floats
    class_table: Conditional | None
    table: Conditional
    context: dict[str, Coding]
    exclusions: tuple[Exclusion, ...] = ()

    @model_validator(mode="after")
    def _shapes(self) -> TermModel:
        if self.class_of.shape != (self.coding.size,) or self.repeat.shape != (self.coding.size,):
            raise ValueError("the term model needs a class and a repeat probability for each term")
        if self.class_repeat.shape != (self.classes.size,):
            raise ValueError("the term model needs a repeat probability for each class")
        if self.class_of.min() < 0 or self.class_of.max() >= self.classes.size:
            raise ValueError("the term model names a class that does not exist")
        if self.staple.shape != (2, self.coding.size) or not ((self.staple >= 0) & (self.staple <= 1)).all():
            raise ValueError("the term model needs a share of subjects for each regime and term")
        for share in (self.repeat, self.class_repeat):
            if not ((share >= 0) & (share <= 1)).all():
                raise ValueError("repeat probabilities of terms must lie between 0 and 1")
        parents = set(self.table.parents) | set(self.class_table.parents if self.class_table else ())
        if not parents - {DONOR, DONOR_CLASS, CLASS} <= set(self.context):
            raise ValueError("the term model uses columns that it does not know")
        return self


def fit_terms(
    code: pd.Series,
    group: pd.Series | None,
    subject: np.ndarray,
    donor: np.ndarray,
    on: np.ndarray,
    context: pd.DataFrame,
    *,
    exclusive: tuple[str, ...] = (),
    hard: tuple[str, ...] = (),
    min_subjects: int = 1,
) -> TermModel:
    """Learn from m >= 1 rows; rows of a subject and regime (`on` study or before) stand together.

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
    repeat, fresh, distinct = _repeats(term, subject * 2 + on, donor, coding.size)
    staple = _staples(term, subject, on, coding.size)
    learn = np.flatnonzero(fresh & (term >= 0) & (staple[on.astype(int), term] == 0))
    if not len(learn):
        learn = np.flatnonzero(term >= 0)
    if not len(learn):
        term, learn = np.zeros_like(term), np.arange(len(term))
    part = {name: Candidate(c.codes[learn], c.size) for name, c in candidates.items()}
    hard = tuple(name for name in hard if name in part)
    class_table, class_repeat = None, np.zeros(classes.size)
    if classes.size > 1:
        own, before = class_of[term[learn]], np.where(donor[learn] >= 0, candidates[DONOR_CLASS].codes[learn], -1)
        class_repeat = _class_repeats(own, before, classes.size)
        outer = {name: candidate for name, candidate in part.items() if name not in (DONOR, DONOR_CLASS)}
        class_table = fit_conditional(own, classes.size, outer, subject[learn], hard=hard)
        part[CLASS], hard = Candidate(own, classes.size), (*hard, CLASS)
    table = fit_conditional(
        term[learn], coding.size, part, subject[learn], hard=hard, most=5, min_subjects=min_subjects
    )
    exclusions = tuple(
        found
        for name in exclusive
        if name in known
        and (found := _exclusion(name, coding, known[name], candidates[name].codes, term, subject)) is not None
    )
    used = set(table.parents) | set(class_table.parents if class_table else ()) | {e.column for e in exclusions}
    return TermModel(
        coding=coding,
        classes=classes,
        class_of=class_of,
        repeat=repeat,
        distinct=distinct,
        class_repeat=class_repeat,
        staple=staple,
        class_table=class_table,
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


def _repeats(term: np.ndarray, group: np.ndarray, donor: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Repeat probability by term, which rows are fresh, and whether fresh terms are new ones to their group.

    Where independent draws would repeat often, only what goes beyond chance counts as repetition, and every row is a
    fresh draw otherwise.
    """
    frame = pd.DataFrame({"group": group, "term": term})
    repeated = frame.duplicated().to_numpy()
    later = donor >= 0
    if not later.any():
        return np.zeros(size), ~repeated, True
    share = np.bincount(np.maximum(term, 0), minlength=size) / len(term)
    frame["new"] = np.where(repeated, 0.0, share[np.maximum(term, 0)])
    chance = float((frame.groupby("group")["new"].cumsum() - frame["new"])[later].mean())
    observed = float(repeated[later].mean())
    distinct = chance < SMALL_VOCABULARY
    net = observed if distinct else max((observed - chance) / max(1 - chance, 1e-9), 0.0)
    pooled = net * later.sum() / (later.sum() + REPEAT_PRIOR)
    given = np.bincount(np.maximum(term[donor[later]], 0), minlength=size)
    own = np.bincount(np.maximum(term[repeated], 0), minlength=size) * (net / observed if observed else 0.0)
    repeat = np.clip((own + REPEAT_PRIOR * pooled) / (given + REPEAT_PRIOR), 0, 0.99)
    return repeat, ~repeated if distinct else np.ones(len(term), dtype=bool), distinct


def _class_repeats(own: np.ndarray, before: np.ndarray, size: int) -> np.ndarray:
    """Share of fresh rows that stay in the donor's class beyond chance, by class, shrunk to all classes."""
    share = np.bincount(own, minlength=size) / len(own)
    later = before >= 0
    if not later.any():
        return np.zeros(size)
    given = np.bincount(before[later], minlength=size)
    stay = np.bincount(before[later & (own == before)], minlength=size)
    chance = float((given * share).sum() / given.sum())
    pooled = max((stay.sum() / given.sum() - chance) / max(1 - chance, 1e-9), 0.0) * given.sum() / (given.sum() + 10)
    excess = np.maximum(stay - given * share, 0) / np.maximum(1 - share, 1e-9)
    return np.clip((excess + REPEAT_PRIOR * pooled) / (given + REPEAT_PRIOR), 0, 1)


def _staples(term: np.ndarray, subject: np.ndarray, on: np.ndarray, size: int) -> np.ndarray:
    """Terms that most subjects have once (the diagnosis under study) are given to subjects, not drawn for rows.

    More subjects must have the term than independent draws of as many rows would give it to.
    """
    share = np.zeros((2, size))
    for regime in (0, 1):
        rows = np.flatnonzero((on == regime) & (term >= 0))
        unit, people = pd.factorize(subject[rows])
        if len(people) < FEWEST_PEOPLE:
            continue
        times = np.bincount(term[rows], minlength=size)
        having = np.bincount(pd.unique(term[rows] * len(people) + unit) // len(people), minlength=size) / len(people)
        for code in np.flatnonzero((having >= STAPLE) & (times <= ONCE * having * len(people))):
            expected = (1 - (1 - times[code] / len(rows)) ** np.bincount(unit)).mean()
            share[regime, code] = having[code] if having[code] > expected + STAPLE_EXCESS else 0.0
    return share


def _exclusion(
    name: str, terms: Coding, coding: Coding, level: np.ndarray, term: np.ndarray, subject: np.ndarray
) -> Exclusion | None:
    """Pairs that the subjects are enough to rule out, and those of a term and the sex that cannot have it."""
    if coding.kind == "number" or not 2 <= coding.size - 1 <= FEW_LEVELS:
        return None
    unit = pd.factorize(subject)[0].astype(np.int64)
    pairs = pd.DataFrame({"unit": unit, "term": term, "level": level}).drop_duplicates()
    people = pairs.drop_duplicates("unit")["level"]
    share = np.bincount(np.maximum(people, 0), minlength=coding.size) / max(len(people), 1)
    pairs = pairs[(pairs["term"] > 0) & (pairs["level"] >= 0)]
    seen = np.zeros((terms.size, coding.size))
    np.add.at(seen, (pairs["term"].to_numpy(), pairs["level"].to_numpy()), 1)
    chance = (1 - share)[None, :] ** seen.sum(axis=1, keepdims=True)
    unlikely = (chance < EXCLUSIVE) & (seen.sum(axis=1) > 0)[:, None] & (share > 0)[None, :]
    found = np.argwhere((seen == 0) & (unlikely | _of_other_sex(terms, coding)))
    return Exclusion(column=name, pairs=found) if len(found) else None


def _of_other_sex(terms: Coding, coding: Coding) -> np.ndarray:
    """bool[terms, levels]: the level is the sex that the term can't be said of."""
    barred = np.zeros((terms.size, coding.size), dtype=bool)
    sexes = [sex_of_code(value) for value in coding.values]
    if {"F", "M"} - set(sexes):
        return barred
    for code, text in enumerate(terms.values, start=1):
        if (sex := sex_of_term(text)) is not None:
            barred[code, 1:] = [other is not None and other != sex for other in sexes]
    return barred
