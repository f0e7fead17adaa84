"""Which part of the model decides a variable that counts are asked for, and which values it can take."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.errors import RequestError
from datareplicator.expressions.tree import named, quoted
from datareplicator.generate.conditions.learned import known_values
from datareplicator.generate.control.asked import label
from datareplicator.generate.make_root import covariate_column, typed_allocation
from datareplicator.model.marginals import Marginal
from datareplicator.model.study_model import StudyModel
from datareplicator.model.subject_model import FeatureModel
from datareplicator.structure.derive import View, apply
from datareplicator.structure.order import needed, rests_on
from datareplicator.structure.spec import Kind, Ref

ARM, SITE, CONSTANT = "arm", "site", "constant"
MOST_VALUES = 200
"""Distinct numbers that may still be categories."""
GRID = np.linspace(-4.0, 4.0, 8001)


@dataclass
class Option:
    """Values that look alike to all variables asked for: `labels`, one a variable; `members`: which of the source's."""

    labels: tuple[str, ...]
    members: list[int] = field(default_factory=list)


@dataclass
class Arms:
    """What a subject's arm can be, in full: stratum, arm, the arm shown, what goes with it (-1: drawn) and what of that
    is shown; shares."""

    stratum: np.ndarray
    group: np.ndarray
    shown: np.ndarray
    assigned: np.ndarray
    assigned_shown: np.ndarray
    share: np.ndarray


@dataclass
class Likes:
    """What new names stand for: by new arm and new site the index of the one that it is like; `assigned`: by new arm
    and index of what goes with an arm, the index of the same under the new names."""

    arms: dict[int, int] = field(default_factory=dict)
    sites: dict[int, int] = field(default_factory=dict)
    assigned: dict[tuple[int, int], int] = field(default_factory=dict)


def column_of(model: StudyModel, name: str) -> str:
    """The column of the subjects' table that a request names. Raises RequestError with near names."""
    root = model.root.table
    table, _, column = name.rpartition(".")
    column = column if table else name
    known = {c.name.casefold(): c.name for c in model.structure.tables[root].columns}
    if table and table.casefold() != root.casefold():
        for d in model.structure.derivations:
            same = (d.table.casefold(), d.target.casefold()) == (table.casefold(), column.casefold())
            if same and d.template in ("copy_subject", "copy_by_key") and d.sources[0].table == root:
                return d.sources[0].column
        raise RequestError(f"{name}: counts are of subjects, whose table is {root}.")
    found = known.get(column.casefold())
    if found is None:
        near = difflib.get_close_matches(column.casefold(), known, n=1)
        hint = f"Did you mean {known[near[0]]}?" if near else f"It has {', '.join(list(known.values())[:30])}."
        raise RequestError(f"table {root} has no column {column!r}.", hint=hint)
    return found


def decided_by(model: StudyModel, column: str) -> str:
    """What decides a column: ARM, SITE, CONSTANT or the name of a covariate. Raises RequestError for others."""
    root, structure = model.root, model.structure
    spec = structure.tables[root.table].column(column)
    made = {d.target for d in structure.derivations if d.table == root.table}
    rests = rests_on(structure.derivations, Ref(table=root.table, column=column)) if column in made else set()
    if any(r.table != root.table for r in rests):
        raise RequestError(
            f"{column} follows from other tables, so that it cannot be counted out in advance.",
            hint=f"Ask for {_instead(model, column)}",
        )
    sources = {r.column for r in rests if r.column not in made} if column in made else {column}
    arm = {root.group, *(root.assigned.columns if root.assigned else ())}
    if not sources:
        return CONSTANT
    if sources <= arm:
        return ARM
    if sources == {root.site}:
        return SITE
    features = {f.name: f for f in model.subjects.features}
    told = model.possible.explained | {number.column for number in model.possible.by_arm}
    if sources & told:
        raise RequestError(
            f"{column} depends on the arm or on other columns.",
            hint=f"Count these instead, or ask for {_instead(model, column)}",
        )
    if len(sources) == 1 and (source := next(iter(sources))) in root.covariates and source in features:
        if source == column and features[source].kind == "number" and len(_values(features[source])) > MOST_VALUES:
            hint = f"Count a column of classes of it, or ask for {_instead(model, column)}"
            raise RequestError(f"{column} is a number, not a category.", hint=hint)
        return source
    if len(sources) > 1 and sources <= arm | {root.site, *root.covariates}:
        names = ", ".join(sorted(str(s) for s in sources))
        raise RequestError(f"{column} follows from {names} together.", hint="Count these instead.")
    if spec.kind == Kind.EMPTY:
        raise RequestError(f"{column} has no values in the source.")
    hint = f"Outcomes are asked for by scenarios or as {_instead(model, column)}"
    raise RequestError(f"{column} is no category that is known before the study begins.", hint=hint)


def _instead(model: StudyModel, column: str) -> str:
    """A rare event in exactly so many subjects, as the run document has it."""
    table = model.root.table
    spec, known = model.structure.tables[table].column(column), known_values(model, Ref(table=table, column=column))
    if spec.encoding == "boolean":
        where = named(column)
    elif known.ranged:
        where = f"{named(column)} >= {round((known.low + known.high) / 2)}"
    elif known.texts:
        where = f"{named(column)} = {quoted(min(known.texts))}"
    else:
        where = f"{named(column)} is not missing"
    return f'a rare event: {{domain: {table}, where: "{where}", exactly: ...}}.'


def _values(feature: FeatureModel) -> np.ndarray:
    if not all(m.lattice for m in feature.marginals):
        return np.arange(MOST_VALUES + 1)
    return np.unique(np.concatenate([m.values for m in feature.marginals]))


def evaluate(model: StudyModel, frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """The labels of columns of the subjects' table for rows of which the free columns are given."""
    table = model.root.table
    view = View({table: frame})
    done: set[str] = set(frame.columns)
    for column in columns:
        for derivation in needed(model.structure, table, column):
            if derivation.target not in done:
                apply(derivation, view)
                done.add(derivation.target)
    filled = view.frames[table]
    plain = [filled[c].astype(object).where(filled[c].notna(), None) for c in columns]
    return list(zip(*([label(v) for v in values] for values in plain), strict=True))


def options(labels: Iterable[tuple[str, ...]]) -> list[Option]:
    """Distinct labels in order of appearance, each with the places where they stand."""
    out: dict[tuple[str, ...], Option] = {}
    for place, own in enumerate(labels):
        out.setdefault(own, Option(own)).members.append(place)
    return list(out.values())


def arms_of(model: StudyModel, likes: Likes, *, assigned: bool) -> Arms:
    """All that a subject's arm can be; with `assigned` what goes with the arm is told apart."""
    subjects, root = model.subjects, model.root
    groups = subjects.arms.shape[1] - 1
    rows: list[tuple[int, int, int, int, int, float]] = []
    for s, share in enumerate(subjects.strata):
        for shown in [*range(groups), *likes.arms, -1]:
            group = likes.arms.get(shown, shown)
            own = float(share * subjects.arms[s, group])
            if own <= 0:
                continue
            if not assigned or root.assigned is None:
                rows.append((s, group, shown, -1, -1, own))
                continue
            for k, part in enumerate(root.assigned.share[group]):
                if part > 0:
                    rows.append((s, group, shown, k, likes.assigned.get((shown, k), k), own * float(part)))
    table = np.array(rows, dtype=float).reshape(-1, 6)
    return Arms(*table[:, :5].astype(np.int64).T, table[:, 5] / table[:, 5].sum())


def arm_frame(model: StudyModel, arms: Arms) -> pd.DataFrame:
    """The free columns of the arm, one row for each thing it can be."""
    root, spec = model.root, model.structure.tables[model.root.table]
    frame = pd.DataFrame(index=pd.RangeIndex(len(arms.shown)))
    if root.group is not None:
        frame[root.group] = typed_allocation(spec, root.group, root.groups, arms.shown)
    if root.assigned is not None and (arms.assigned_shown >= 0).any():
        for place, name in enumerate(root.assigned.columns):
            values = [root.assigned.values[k][place] for k in arms.assigned_shown]
            frame[name] = covariate_column(spec, name, pd.Series(values, dtype=object))
    return frame


def site_frame(model: StudyModel) -> pd.DataFrame:
    """The column of sites: every site, then the unknown one."""
    root, spec = model.root, model.structure.tables[model.root.table]
    code = np.append(np.arange(len(root.sites)), -1)
    return pd.DataFrame({root.site: typed_allocation(spec, str(root.site), root.sites, code)})


@dataclass
class Pieces:
    """How the normal score of a covariate decides its option in one stratum: `edges` ascending between pieces, and the
    option of each piece (-1: none that can be asked for)."""

    edges: np.ndarray
    option: np.ndarray


def feature_pieces(model: StudyModel, name: str, columns: Sequence[str]) -> tuple[list[Option], list[Pieces]]:
    """The options of a covariate with respect to columns that follow from it, and its pieces by stratum. The last
    option is the missing value where that looks like no other."""
    feature = next(f for f in model.subjects.features if f.name == name)
    cut = [_cut(m) for m in feature.marginals]
    values = np.concatenate([value for _, value in cut])
    values = np.unique(values[np.isfinite(values)])
    spec = model.structure.tables[model.root.table]
    if feature.kind == "category":
        codes = np.append(np.arange(len(feature.categories)), -1)
        given = pd.Series(pd.Categorical.from_codes(codes, categories=list(feature.categories)))
        position = np.arange(len(feature.categories))
    else:
        given, position = pd.Series(np.append(values, np.nan)), values
    labels = evaluate(model, pd.DataFrame({name: covariate_column(spec, name, given)}), columns)
    found = options(labels[:-1])
    which = np.full(len(position), -1)
    for k, option in enumerate(found):
        which[option.members] = k
    if labels[-1] not in [o.labels for o in found]:
        found.append(Option(labels[-1]))
    pieces = []
    for edges, value in cut:
        # Between two values the score may round to either: such scores belong to no option.
        own = np.where(np.isnan(value), -1, which[np.searchsorted(position, np.nan_to_num(value)) % len(which)])
        turn = np.flatnonzero(own[1:] != own[:-1])
        pieces.append(Pieces(edges[turn], own[np.append(turn, len(own) - 1)]))
    return found, pieces


def _cut(marginal: Marginal) -> tuple[np.ndarray, np.ndarray]:
    """Edges between pieces of scores, and the value in each piece (NaN: between two values)."""
    if marginal.lattice:
        return marginal.scores, marginal.values
    value = marginal.sample(GRID)
    turn = np.flatnonzero(value[1:] != value[:-1])
    edges = np.stack([GRID[turn], GRID[turn + 1]], axis=1).ravel()
    between = np.full(len(turn), np.nan)
    return edges, np.append(np.stack([value[turn], between], axis=1).ravel(), value[-1])
