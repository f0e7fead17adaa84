"""Row attributes: the columns of any table that are neither keys nor computed, given what is known of a row.

Text, flags and numbers with few values are joined into *patterns* where they depend on each other, so that only
combinations of the source occur; missing is a value like the others. Numbers that are measured are drawn through
quantile functions. Every node is a conditional table (`backoff.py`) over the context and the nodes before it, and
repeats within the subject, or within the subject and leading context, as often as in the source.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from datareplicator.document import Document
from datareplicator.model.backoff import (
    Candidate,
    Conditional,
    fit_conditional,
)
from datareplicator.model.coding import Coding, encode, fit_categories, fit_coding, fit_values, to_float
from datareplicator.model.levels import Levels, fit_levels, scores
from datareplicator.model.patterns import Patterns, fit_patterns, group_columns
from datareplicator.model.quantiles import NumberLeaves, fit_leaves, place_in_bin
from datareplicator.model.repeats import Repeats, fit_repeats


class Node(Document):
    """One step of the sequence: patterns of categorical columns, or one measured number.

    `scope` is the context (or earlier) column that with the subject forms the inner group of `repeats`.
    """

    patterns: Patterns | None = None
    number: NumberLeaves | None = None
    table: Conditional
    scope: str | None = None
    repeats: Repeats

    @model_validator(mode="after")
    def _one_kind(self) -> Node:
        if (self.patterns is None) == (self.number is None):
            raise ValueError("a node of the attribute model is either patterns or a number")
        size = self.patterns.size if self.patterns is not None else self.number.outcomes  # type: ignore[union-attr]
        if self.table.outcomes != size:
            raise ValueError("a conditional table and its outcomes differ in number")
        return self

    @property
    def needs(self) -> set[str]:
        """The columns this node reads."""
        leaf = self.number.parent if self.number is not None else None
        return {name for name in (*self.table.parents, self.scope, leaf) if name}

    @property
    def columns(self) -> tuple[str, ...]:
        """The target columns this node fills."""
        return self.patterns.columns if self.patterns is not None else (self.number.name,)  # type: ignore[union-attr]


class AttributeModel(Document):
    """What `fit_attributes` learned. `columns` is the order of the target frame; `context` and `targets` hold the
    codings by which columns serve as parents (a measured number serves in bins); `levels`: what the measured numbers
    owe to the subject and to each other."""

    columns: tuple[str, ...]
    context: dict[str, Coding] = Field(default_factory=dict)
    targets: dict[str, Coding] = Field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    levels: Levels | None = None

    @model_validator(mode="after")
    def _complete(self) -> AttributeModel:
        filled = [column for node in self.nodes for column in node.columns]
        if sorted(filled) != sorted(self.columns):
            raise ValueError("the nodes of the attribute model do not fill each column once")
        known = set(self.context)
        for node in self.nodes:
            if not node.needs <= known:
                raise ValueError(f"an attribute model names columns it does not know: {sorted(node.needs - known)}")
            known |= set(node.columns)
        return self


def fit_attributes(
    targets: pd.DataFrame,
    context: pd.DataFrame,
    subject: np.ndarray,
    *,
    scope: np.ndarray | None = None,
    apart: tuple[str, ...] = (),
    numbers: tuple[str, ...] = (),
    min_subjects: int = 1,
    hard: tuple[str, ...] = (),
    bound: tuple[str, tuple[str, ...]] | None = None,
    levels: bool = False,
) -> AttributeModel:
    """Learn the columns of `targets` (n rows) given `context` (n rows) and the subject of each row (int[n]).

    Numbers come back as floats, text as categoricals. Values and combinations seen in fewer than `min_subjects`
    subjects are not learned. `hard` names context columns (facts that tie tables together) over whose values no
    pattern is ever carried. `scope` (int[n]) are the groups within which rows repeat each other where these are not
    the subjects (the rows of one parent). `apart`: columns that join no pattern, drawn first.
    `numbers`: columns that are measured numbers, however few values they have. `bound`: a context column, and the
    columns that only ever take combinations which the source shows with its value (a medicine, and its doses).
    `levels`: whether measured numbers may have a level of the subject. Raises TypeError for date columns.

    >>> rows = pd.DataFrame({"SEV": ["MILD", "MILD", "SEVERE", "MILD"]})
    >>> fit_attributes(rows, pd.DataFrame(index=rows.index), np.arange(4)).columns
    ('SEV',)
    """
    subject = np.asarray(subject, dtype=np.int64)
    columns = tuple(str(name) for name in targets.columns)
    if not len(targets) or not columns:
        return AttributeModel(columns=columns, nodes=tuple(_empty_node(name) for name in columns))
    known = {
        name: fit_coding(context[name], name, subject=subject, min_subjects=min_subjects)
        for name in context.columns
        if name not in columns
    }
    candidates = {name: Candidate(encode(coding, context[name]), coding.size) for name, coding in known.items()}
    lead, told = bound if bound is not None and bound[0] in candidates else (None, ())
    coded = {name: fit_values(targets[name], name, subject, min_subjects) for name in columns if name in told} | {
        name: None if name in numbers else fit_categories(targets[name], name, subject, min_subjects)
        for name in columns
        if name not in told
    }
    codes = {name: encode(coding, targets[name]) for name, coding in coded.items() if coding is not None}
    groups = group_columns({n: c for n, c in codes.items() if n not in told}, candidates, subject, apart)
    nodes, codings = [], {}
    fitted = _Fit(candidates, subject, subject if scope is None else np.asarray(scope), hard, min_subjects)
    told_group = tuple(name for name in columns if name in told)
    for group in [told_group, *groups] if told_group else groups:
        fitted.lead = (lead,) if group is told_group else ()
        nodes.append(fitted.patterns([coded[name] for name in group], [codes[name] for name in group]))
        codings |= {name: coded[name] for name in group}
    for name in columns:
        if coded[name] is None:
            nodes.append(fitted.number(targets[name]))
            codings[name] = fit_coding(targets[name], name)
    used = {name for node in nodes for name in node.needs}
    numbers = [name for name in columns if coded[name] is None] if levels else []
    return AttributeModel(
        columns=columns,
        context={name: coding for name, coding in known.items() if name in used},
        targets=codings,
        nodes=tuple(nodes),
        levels=fit_levels(numbers, np.column_stack([fitted.scores[c] for c in numbers]), subject) if numbers else None,
    )


def _empty_node(name: str) -> Node:
    """A column of which no row was ever seen: missing."""
    coding = Coding(name=name, kind="text")
    zero = np.zeros(1, dtype=np.int64)
    patterns = Patterns(codings=(coding,), codes=zero[None])
    return Node(patterns=patterns, table=fit_conditional(zero, 1, {}, zero), repeats=Repeats())


class _Fit:
    """The growing set of candidates while nodes are fitted in sequence."""

    def __init__(
        self,
        candidates: dict[str, Candidate],
        subject: np.ndarray,
        scope: np.ndarray,
        hard: tuple[str, ...],
        min_subjects: int,
    ) -> None:
        self.candidates = dict(candidates)
        self.subject = subject
        self.scope = scope
        categories = [name for name, c in candidates.items() if c.size > 2]
        self.finest = max(categories, key=lambda name: candidates[name].size, default=None)
        self.hard = tuple(name for name in hard if name in candidates)
        self.lead: tuple[str, ...] = ()
        self.min_subjects = min_subjects
        self.scores: dict[str, np.ndarray] = {}

    def patterns(self, codings: list[Coding], codes: list[np.ndarray]) -> Node:
        """Fit one group of categorical columns and make its columns candidates for later nodes."""
        patterns, outcome, kept = fit_patterns(codings, codes, self.subject, self.min_subjects)
        node = self._node(outcome, patterns.size, kept, patterns=patterns, value=outcome)
        for coding, code in zip(codings, codes, strict=True):
            self.candidates[coding.name] = Candidate(code, coding.size)
        return node

    def number(self, values: pd.Series) -> Node:
        """Fit one measured number: leaves by its best parent, then the rank within the leaf given the others."""
        x = to_float(values)
        leaf = self._leaf_parent(x)
        leaves, outcome = fit_leaves(
            str(values.name), x, leaf, self.candidates.get(leaf or ""), self.subject, self.min_subjects
        )
        value = np.append(pd.factorize(x)[0], 0)[:-1].astype(np.int64)
        node = self._node(outcome, leaves.outcomes, np.arange(len(x)), number=leaves, value=value)
        parents = {name: candidate.codes for name, candidate in self.candidates.items()}
        place = place_in_bin(leaves, parents.get(leaves.parent or ""), outcome, x)
        self.scores[str(values.name)] = scores(node.table, parents, outcome, place, np.isnan(x))
        coding = fit_coding(values, str(values.name))
        self.candidates[coding.name] = Candidate(encode(coding, values), coding.size)
        return node

    def _leaf_parent(self, x: np.ndarray) -> str | None:
        """The candidate that tells most of the number's rank, judged on other subjects; None where none does."""
        known = np.isfinite(x)
        if known.sum() < 8:
            return None
        edges = np.unique(np.quantile(x[known], np.arange(1, 12) / 12))
        code = np.searchsorted(edges, x[known], side="right")
        part = {name: Candidate(c.codes[known], c.size) for name, c in self.candidates.items()}
        table = fit_conditional(code, len(edges) + 1, part, self.subject[known], most=1)
        return table.parents[0] if table.parents else None

    def _node(self, outcome: np.ndarray, outcomes: int, kept: np.ndarray, *, value: np.ndarray, **parts) -> Node:
        candidates = {name: Candidate(c.codes[kept], c.size) for name, c in self.candidates.items()}
        table = fit_conditional(
            outcome[kept],
            outcomes,
            candidates,
            self.subject[kept],
            hard=self.lead or self.hard,
            min_subjects=self.min_subjects,
        )
        scope, repeats = self._repeats(table, value, kept, candidates, parts.get("number"))
        return Node(table=table, scope=scope, repeats=repeats, **parts)

    def _repeats(
        self,
        table: Conditional,
        value: np.ndarray,
        kept: np.ndarray,
        candidates: dict[str, Candidate],
        leaves: NumberLeaves | None,
    ) -> tuple[str | None, Repeats]:
        """The scope within which rows of a subject repeat most: the leading parent, the column of the number's leaves,
        or the finest context (a term, a test)."""
        trials = [name for name in table.parents if name not in self.hard][:1]
        if leaves is not None and leaves.parent:
            trials.append(leaves.parent)
        if self.finest is not None:
            trials.append(self.finest)
        fits = [
            (name, fit_repeats(value[kept], candidates[name].codes, self.scope[kept])) for name in dict.fromkeys(trials)
        ]
        if not fits:
            return None, fit_repeats(value[kept], None, self.scope[kept])
        return max(fits, key=lambda fit: fit[1].inner + fit[1].subject)


__all__ = ["AttributeModel", "Node", "fit_attributes"]
