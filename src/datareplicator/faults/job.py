"""One fault being injected: its target, how many, which places, and the record of what was done."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.document import Document
from datareplicator.errors import RequestError
from datareplicator.expressions import parse
from datareplicator.faults.kind import Kind, nearest
from datareplicator.faults.plan import Fault
from datareplicator.faults.scene import Change, Piece, Scene, domain_of
from datareplicator.seeds import Streams
from datareplicator.structure.encode import plain_text
from datareplicator.structure.names import same_stem
from datareplicator.structure.spec import Layout

Values = dict[str, Sequence[object]]
"""New values of some rows by column."""


class NoPlace(RequestError):
    """The fault finds no place, or fewer than asked for."""


@dataclass
class Quota:
    """How many a fault is to inject, over all blocks of a study: `share` is the part of the subjects seen so far.
    `sites`: those chosen in the first block, which stay chosen."""

    rate: float | None
    count: int | None
    seen: int = 0
    done: int = 0
    share: float = 1.0
    sites: list[str] | None = None

    def ask(self, places: int) -> int:
        """How many of these further places, so that the total so far is the rounded product."""
        self.seen += places
        exact = self.rate * self.seen if self.rate is not None else (self.count or 0) * self.share
        return max(min(int(np.floor(exact + 0.5 + 1e-9)) - self.done, places), 0)


@dataclass
class Pool:
    """Places of one piece: `rows` where `column` (and `also`, edited with it) may be changed. `column` is None for
    rows as a whole. `data`: what the kind knows of each row, of the length of the piece."""

    piece: Piece
    rows: np.ndarray
    column: str | None = None
    also: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)


ChangeCells = Callable[[Pool, np.ndarray, np.random.Generator], Values]


@dataclass
class _Proposal:
    """New values of rows, not done yet. `drawn`: their turn in the draw; `differs`: where a value would change, by
    column; `good`: where that of the main column would."""

    pool: Pool
    rows: np.ndarray
    drawn: np.ndarray
    values: Values
    differs: dict[str, np.ndarray]
    good: np.ndarray


class Job:
    """What a kind works with."""

    def __init__(
        self, scene: Scene, kind: Kind, fault: Fault, index: int, params: Document, streams: Streams, quota: Quota
    ) -> None:
        self.scene, self.kind, self.fault, self.index = scene, kind, fault, index
        self.params: Any = params
        self.quota = quota
        self._streams = streams
        self._apart = False
        self.streaming = False

    def keep_apart(self) -> None:
        """Use only subjects that no other fault has touched."""
        self._apart = True

    def rng(self, *path: str) -> np.random.Generator:
        """The stream of this fault for a named use."""
        return self._streams.get(*path)

    def fixed_rng(self, *path: str) -> np.random.Generator:
        """The same stream in every block of a study."""
        return Streams(self._streams.seed, 0, self._streams.prefix).get(*path)

    def check_target(self) -> None:
        """Refuse columns that no table of the target has. Raises RequestError with the near names."""
        self._check_variables()
        if self.fault.target.where is None:
            return
        known = dict.fromkeys(c for p in self.scene.pieces.values() for c in p.columns)
        for name in parse(self.fault.target.where).variables:
            if "." not in name and name not in known:
                hint = nearest(name, known)
                raise RequestError(f"the condition names {name!r}, which is no column of the study.", hint=hint)

    def _check_variables(self) -> None:
        known = dict.fromkeys(c for p in self.pieces() for c in p.columns) if self.explicit else {}
        for pattern in self.fault.target.variable:
            if not any(fnmatch.fnmatch(name.upper(), pattern.upper()) for name in known):
                hint = nearest(pattern, known)
                raise NoPlace(f"the target's variable {pattern!r} is no column of its tables.", hint=hint)

    # ---- the target

    @property
    def explicit(self) -> bool:
        """Whether the target names columns, which then need not be those that the kind would choose itself."""
        return bool(self.fault.target.variable)

    def pieces(self, *layouts: Layout) -> list[Piece]:
        """The tables of the target; without a target those with subjects, or of the given layouts."""
        wanted = self.fault.target.domain
        every = list(self.scene.pieces.values())
        if not wanted:
            chosen = [p for p in every if (p.spec.layout in layouts if layouts else p.spec.layout != Layout.REFERENCE)]
            return chosen
        found = [p for p in every if any(_names(p, pattern) for pattern in wanted)]
        for pattern in wanted:
            if not any(_names(p, pattern) for p in every):
                known = dict.fromkeys(domain_of(p) or p.name for p in every)
                raise NoPlace(f"the target's domain {pattern!r} is none of the study.", hint=nearest(pattern, known))
        return [p for p in found if p.spec.layout in layouts] if layouts else found

    def columns(self, piece: Piece, usual: Iterable[str]) -> list[str]:
        """The columns of the target in a table; the kind's `usual` ones where it names none."""
        wanted = self.fault.target.variable
        if not wanted:
            return [c for c in usual if c in piece.columns]
        return [c for c in piece.columns if any(fnmatch.fnmatch(c.upper(), w.upper()) for w in wanted)]

    def rows(self, piece: Piece) -> np.ndarray:
        """bool a row: within the target, and not dropped."""
        target = self.fault.target
        result = ~piece.deleted
        allowed = self.subjects()
        if not allowed.all():
            result &= np.append(allowed, not self._restricted)[piece.subject]
        if target.visits:
            result &= self._at_visits(piece)
        if target.where is not None:
            result &= _where(self.scene, piece, target.where)
        return result

    @property
    def _restricted(self) -> bool:
        target = self.fault.target
        return bool(target.subjects or target.sites or target.arm)

    def subjects(self) -> np.ndarray:
        """bool a subject: within the target."""
        target, scene = self.fault.target, self.scene
        result = np.ones(len(scene.subjects), dtype=bool)
        if target.subjects:
            result &= _among(scene.subjects.to_numpy(dtype=object), target.subjects)
        if target.sites:
            result &= _among(scene.of_subjects(self._root_column(scene.structure.site, "sites")), target.sites)
        if target.arm:
            arms = self._root_column(scene.structure.group, "arm")
            named = [arms, *self._twins(arms)]
            result &= np.any([_among(scene.of_subjects(c), target.arm) for c in named], axis=0)
        if self._apart:
            result &= np.isin(scene.owner, (-1, self.index))
        return result

    def _root_column(self, name: str | None, what: str) -> str:
        if name is None or self.scene.root is None:
            raise NoPlace(f"the target's `{what}` cannot be used: the study has none that could be found.")
        return name

    def _twins(self, column: str) -> list[str]:
        """The columns of the root that say the same in words or as a code."""
        root = self.scene.root
        return [c for c in root.columns if c != column and same_stem(c, column)] if root is not None else []

    def _at_visits(self, piece: Piece) -> np.ndarray:
        visit = piece.spec.visit or self.scene.structure.visit
        if not piece.has(visit):
            return np.zeros(len(piece), dtype=bool)
        columns = [c for c in piece.columns if c == visit or (same_stem(c, visit) and piece.is_text(c))]
        return np.any([_among(piece.texts(c), self.fault.target.visits) for c in columns], axis=0)

    def nothing(self, what: str) -> NoPlace:
        """The error that the target has no place for this kind. `what`: what the kind would need."""
        described = self.fault.target.model_dump(exclude_defaults=True)
        where = ", ".join(f"{k} {v if isinstance(v, str) else ', '.join(v)}" for k, v in described.items())
        at = f"the target ({where}) matches nothing" if where else "the study has no place for it"
        return NoPlace(f"{at}: {what}.", hint=self._earlier())

    def _earlier(self) -> str | None:
        """Where the target names columns, the faults that changed these before."""
        if not self.explicit:
            return None
        named = {piece.name: {None, *self.columns(piece, ())} for piece in self.pieces()}
        before = sorted({c.fault + 1 for c in self.scene.changes if c.column in named.get(c.table, ())})
        if not before:
            return None
        which = f"fault{'s' if len(before) > 1 else ''} {', '.join(map(str, before))}"
        return f"Each cell is changed once, and {which} changed these columns before: is the plan at odds with itself?"

    # ---- choosing

    def ask(self, places: int, what: str) -> int:
        """How many of these places are to be used. Raises NoPlace where there is none, or fewer than asked for."""
        if self.streaming:
            return self.quota.ask(places)
        if not places:
            raise self.nothing(what)
        if self.fault.count is not None and self.fault.count > places:
            raise NoPlace(f"{self.fault.count} are asked for, but there {_are(places)} ({what}).")
        return self.quota.ask(places)

    def _keys(self, size: int, weights: np.ndarray | None, *path: str) -> np.ndarray:
        """Sort keys: the smallest are taken; exponential races give draws without replacement by weight."""
        draws = self.rng("choose", *path).standard_exponential(size)
        return draws if weights is None else draws / np.maximum(weights, 1e-300)

    def _weights(self, pools: Sequence[Pool]) -> np.ndarray | None:
        mechanism = self.fault.mechanism
        if mechanism.type == "random":
            return None
        measures = [self._measure(pool) for pool in pools]
        if all(np.isnan(m).all() for m in measures if len(m)):
            raise NoPlace(f"the mechanism {mechanism.type!r} finds no value to go by at these places.")
        ranks = np.concatenate([_ranks(m) for m in measures]) if measures else np.zeros(0)
        return np.exp(mechanism.strength * (ranks - 0.5))

    def _measure(self, pool: Pool) -> np.ndarray:
        name = self.fault.mechanism.variable if self.fault.mechanism.type == "observed" else pool.column
        if name is not None and name in pool.piece.columns:
            return _numbers(pool.piece.clean[name].iloc[pool.rows])
        root = self.scene.root
        if name is None or root is None or name not in root.columns:
            known = [*pool.piece.columns, *(root.columns if root is not None else ())]
            raise RequestError(f"the mechanism's variable {name!r} is no column here.", hint=nearest(str(name), known))
        values = _numbers(pd.Series(self.scene.of_subjects(name)).infer_objects())
        return np.append(values, np.nan)[pool.piece.subject[pool.rows]]

    def choose(self, pools: Sequence[Pool], what: str) -> list[tuple[Pool, np.ndarray]]:
        """Choose rows: pools with the chosen ones in the order of the table."""
        pools = [pool for pool in pools if len(pool.rows)]
        sizes = np.array([len(pool.rows) for pool in pools], dtype=np.int64)
        wanted = self.ask(int(sizes.sum()), what)
        order = np.argsort(self._keys(int(sizes.sum()), self._weights(pools)), kind="stable")[:wanted]
        self.quota.done += len(order)
        return [(pools[k], np.sort(pools[k].rows[local])) for k, local, _ in _parted(order, np.cumsum(sizes))]

    def choose_subjects(self, eligible: np.ndarray, what: str) -> np.ndarray:
        """Choose subjects (indices) among those eligible and in the target."""
        places = np.flatnonzero(eligible & self.subjects())
        wanted = self.ask(len(places), what)
        weights = None
        mechanism = self.fault.mechanism
        if mechanism.type == "value":
            raise RequestError("the mechanism `value` does not go with subjects.", hint="Use `observed` or `random`.")
        if mechanism.type == "observed" and self.scene.root is not None and len(places):
            if mechanism.variable not in self.scene.root.columns:
                hint = nearest(str(mechanism.variable), self.scene.root.columns)
                raise RequestError(f"the mechanism's variable {mechanism.variable!r} is no column here.", hint=hint)
            values = pd.Series(self.scene.of_subjects(mechanism.variable)[places]).infer_objects()
            weights = np.exp(mechanism.strength * (_ranks(_numbers(values)) - 0.5))
        order = np.argsort(self._keys(len(places), weights), kind="stable")[:wanted]
        self.quota.done += len(order)
        return np.sort(places[order])

    def choose_sites(self, what: str) -> list[str]:
        """Choose sites among those of the target's subjects: the same in every block of a study."""
        structure = self.scene.structure
        sites = self.scene.of_subjects(structure.site)[self.subjects()]
        held = sorted({plain_text(s) for s in sites if s is not None})
        if not held:
            raise self.nothing("no site was found")
        if self.quota.sites is not None:
            return [site for site in self.quota.sites if site in held]
        wanted = (
            Quota(self.fault.rate, self.fault.count).ask(len(held)) if self.streaming else self.ask(len(held), what)
        )
        order = np.argsort([self.fixed_rng("site", site).random() for site in held], kind="stable")
        chosen = sorted(held[k] for k in order[:wanted])
        self.quota.done += len(chosen)
        self.quota.sites = chosen
        return chosen

    # ---- doing

    def cells(self, pools: Sequence[Pool], change: ChangeCells, what: str) -> None:
        """Edit chosen cells. `change` gives new values of rows of a pool; a cell whose value would stay is left for
        another one. Each cell, with what is edited beside it, is one incident."""
        pools = [pool for pool in pools if len(pool.rows)]
        sizes = np.array([len(pool.rows) for pool in pools], dtype=np.int64)
        total = int(sizes.sum())
        wanted = self.ask(total, what)
        order = np.argsort(self._keys(total, self._weights(pools)), kind="stable")
        ends, at, done, size = np.cumsum(sizes), 0, 0, 0
        while done < wanted and at < total:
            size = max(wanted - done, 2 * size)
            take = order[at : at + size]
            at += len(take)
            parts = _parted(take, ends)
            proposals = [
                self._propose(pools[k], pools[k].rows[local], drawn, change, k, at) for k, local, drawn in parts
            ]
            # Those that come first in the draw are used, whatever their table.
            good = np.sort(np.concatenate([proposal.drawn[proposal.good] for proposal in proposals]))
            last = int(good[min(wanted - done, len(good)) - 1]) if len(good) else -1
            done += sum(self._accept(proposal, last) for proposal in proposals)
        self.quota.done += done
        if not wanted or self.streaming:
            return
        if not done or (self.fault.count is not None and done < wanted):
            raise NoPlace(f"only {done} of {wanted} places could be changed ({what}).")

    def _propose(self, pool: Pool, rows: np.ndarray, drawn: np.ndarray, change: ChangeCells, *path: int) -> _Proposal:
        piece, column = pool.piece, str(pool.column)
        values = change(pool, rows, self.rng("change", piece.name, column, *map(str, path)))
        differs = {c: unlike(piece.texts(c, rows), new) for c, new in values.items()}
        return _Proposal(pool, rows, drawn, values, differs, differs[column])

    def _accept(self, proposal: _Proposal, last: int) -> int:
        """Do what is proposed, as far as it was drawn up to a turn; how many."""
        piece, rows = proposal.pool.piece, proposal.rows
        free = piece.free([str(proposal.pool.column), *proposal.pool.also])[rows]
        good = np.flatnonzero(proposal.good & (proposal.drawn <= last) & free)
        incidents = self.scene.incidents(len(good))
        for name, new in proposal.values.items():
            changed = proposal.differs[name][good]
            mine = good[changed]
            self.edit(piece, name, rows[mine], [new[i] for i in mine], incidents[changed])
        return len(good)

    def edit(self, piece: Piece, column: str, rows: np.ndarray, values: Sequence[object], incident: np.ndarray) -> None:
        """Put values into cells and record that. The cells must be free and the values others than those there."""
        order = np.argsort(rows, kind="stable")
        rows, values, incident = rows[order], [values[i] for i in order], np.asarray(incident)[order]
        if len(rows):
            piece.put(column, rows, values)
            self._touch(piece, rows)
            self.scene.changes.append(Change("cell", piece.name, self.index, incident, rows, column))

    def edit_where_unlike(
        self, piece: Piece, column: str, rows: np.ndarray, values: Sequence[object], incident: np.ndarray
    ) -> np.ndarray:
        """As `edit`, for those cells alone that are free and whose value changes. Returns bool a row: edited."""
        good = piece.free([column])[rows] & unlike(piece.texts(column, rows), values)
        kept = np.flatnonzero(good)
        self.edit(piece, column, rows[kept], [values[i] for i in kept], np.asarray(incident)[kept])
        return good

    def delete(self, piece: Piece, rows: np.ndarray, incident: np.ndarray) -> None:
        """Drop rows of which nothing was touched."""
        if len(rows):
            piece.deleted[rows] = True
            self._touch(piece, rows)
            self.scene.changes.append(Change("delete", piece.name, self.index, np.asarray(incident), rows))

    def insert(self, piece: Piece, after: np.ndarray, frame: pd.DataFrame, incident: np.ndarray) -> None:
        """Put new rows (a frame with the piece's columns) after some rows; -1 for the beginning."""
        if len(after):
            frame = frame.reset_index(drop=True)
            incident = np.asarray(incident)
            self.scene.changes.append(Change("insert", piece.name, self.index, incident, after, frame=frame))

    def move(self, piece: Piece, rows: np.ndarray, position: np.ndarray, incident: np.ndarray) -> None:
        """Give rows other places in the table."""
        if len(rows):
            piece.position[rows] = position
            self.reserve(piece, rows)
            self._touch(piece, rows)
            self.scene.changes.append(Change("move", piece.name, self.index, np.asarray(incident), rows))

    def reserve(self, piece: Piece, rows: np.ndarray) -> None:
        """Keep later faults away from these rows."""
        piece.reserved[rows] = True

    def alter(self, piece: Piece, column: str | None, old: str, new: str) -> None:
        """Record a change of a table's layout."""
        incident = self.scene.incidents(1)
        none = np.zeros(0, dtype=np.int64)
        self.scene.changes.append(Change("column", piece.name, self.index, incident, none, column, None, old, new))

    def _touch(self, piece: Piece, rows: np.ndarray) -> None:
        who = piece.subject[rows]
        who = who[who >= 0]
        self.scene.owner[who[self.scene.owner[who] < 0]] = self.index


def unlike(old: np.ndarray, new: Sequence[object]) -> np.ndarray:
    """bool a cell: the new value is another one than the old; missing is like missing only.

    >>> unlike(np.array(["1", None, 2.0], dtype=object), ["1", "x", 3.0]).tolist()
    [False, True, True]
    """
    other = np.empty(len(new), dtype=object)
    other[:] = list(new)
    gone, lost = pd.isna(old), pd.isna(other)
    both = ~gone & ~lost
    result = gone != lost
    result[both] = old[both] != other[both]
    return result


def _parted(order: np.ndarray, ends: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Places in the pools laid end to end, by pool: pool, places in it, and their turn in the draw."""
    pool = np.searchsorted(ends, order, side="right")
    starts = np.append(0, ends[:-1]) if len(ends) else ends
    return [(int(k), order[pool == k] - starts[k], np.flatnonzero(pool == k)) for k in np.unique(pool)]


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0 to 1, ties at their mean; 0.5 where missing."""
    known = np.isfinite(values)
    result = np.full(len(values), 0.5)
    if known.sum() > 1:
        ranks = pd.Series(values[known]).rank().to_numpy(dtype=float)
        result[known] = (ranks - 1) / (known.sum() - 1)
    return result


def _numbers(values: pd.Series) -> np.ndarray:
    """A measure of any column: numbers, dates as time, numbers in text, else the place in the alphabet."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return np.where(values.isna(), np.nan, values.astype("int64").to_numpy(dtype=float))
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=float, na_value=np.nan)
    parsed = pd.to_numeric(values.astype("str"), errors="coerce").to_numpy(dtype=float)
    if np.isfinite(parsed).any():
        return parsed
    codes = pd.factorize(values.astype("str"), sort=True)[0].astype(float)
    return np.where(codes < 0, np.nan, codes)


def _names(piece: Piece, pattern: str) -> bool:
    known = {piece.name.upper(), domain_of(piece).upper(), piece.spec.name.upper()} - {""}
    return any(fnmatch.fnmatchcase(name, pattern.upper()) for name in known)


def _among(values: np.ndarray, wanted: Iterable[str]) -> np.ndarray:
    """bool a value: its plain text is one of these, case apart."""
    texts = {w.strip().upper() for w in wanted}
    codes, distinct = pd.factorize(pd.Series(values, dtype=object))
    held = np.array([plain_text(v).strip().upper() in texts for v in distinct] + [False], dtype=bool)
    return held[codes]


def _are(places: int) -> str:
    return "is one place" if places == 1 else f"are {places:,} places"


def _where(scene: Scene, piece: Piece, condition: str) -> np.ndarray:
    """bool a row: the condition holds; False everywhere in a table that lacks one of its columns."""
    expression = parse(condition)
    own = [name for name in expression.variables if "." not in name]
    if any(name not in piece.columns for name in own):
        return np.zeros(len(piece), dtype=bool)
    others = {name: other.clean for name, other in scene.pieces.items()}
    keys = {name: other.spec.subject for name, other in scene.pieces.items() if other.has(other.spec.subject)}
    return expression.evaluate(piece.clean, subject=keys, others=others, table=piece.name)
