"""Subjects with all their rows, for whom whatever few tables decide holds already.

The tables of a block are drawn one after another. Wherever enough of them are there to decide some of the rules, rows
that break one by themselves are drawn again, and subjects that still do not fit give their place to spare ones, of
whom no more is drawn than those tables (rejection sampling). So what most subjects break costs the tables that it
reads, not whole studies, and all further rows are drawn for subjects who stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from datareplicator.expressions.tree import named
from datareplicator.generate.blocks import (
    Begun,
    begin,
    cut_visits,
    drawn_before_findings,
    fill_findings,
    fill_tables,
)
from datareplicator.generate.conditions.condition import condition_of
from datareplicator.generate.conditions.impossible import NobodyFits, Sample, no_row_fits
from datareplicator.generate.conditions.judge import look
from datareplicator.generate.conditions.ledger import Ledger
from datareplicator.generate.conditions.names import schema_of
from datareplicator.generate.conditions.pairing import Standing, pair_places
from datareplicator.generate.conditions.plan import Part, Plan, Rule
from datareplicator.generate.conditions.rows import repair_rows, thin_rows
from datareplicator.generate.conditions.stages import Stage, stages
from datareplicator.generate.conditions.states import exchange_begun
from datareplicator.generate.control.asked import label
from datareplicator.generate.control.planning import counted
from datareplicator.generate.control.variables import column_of
from datareplicator.generate.request import BLOCK, Block, GenerateRequest
from datareplicator.generate.state import State
from datareplicator.model.study_model import StudyModel
from datareplicator.seeds import Streams
from datareplicator.structure.spec import Layout

MOST_BEGUN = 200
"""Spare blocks of subjects without tables that may be drawn for one block."""
MOST_SPARES = 64
"""Spare blocks with tables."""
HOPELESS = 1024
"""Spare subjects of whom none fits, after which what is asked for counts as impossible."""
COMMON = 0.25
"""Share of subjects with too many events from which events are left out rather than subjects replaced."""
SIZES = (16, 32, 64, BLOCK, 2 * BLOCK, 4 * BLOCK)
"""How many spare subjects are drawn at once: larger blocks cost less a subject."""
NEVER = 16
"""Spare blocks that bring nothing nearer to what is asked for, after which that counts as never happening."""
SAMPLE = 512
"""Subjects that are drawn to say why something is impossible."""
MARGIN = 1.25
"""How many times as many spare subjects as are likely to be needed."""


@dataclass
class Candidates:
    """Where the subjects of a block come from: the plain one, and spare ones under streams of their own.

    `searched`: spare blocks that were searched already for what the block owes.
    """

    model: StudyModel
    request: GenerateRequest
    block: Block
    plan: Plan
    ledger: Ledger
    patience: ClassVar[int] = 2
    """Spare blocks that are searched for a rare event before rows are changed or a scenario's steps are done."""

    searched: int = 0
    _stages: tuple[Stage, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._stages = stages(self.model, self.plan, changed=self.request.altered is not None)

    def whole(self, *path: str, size: int = BLOCK) -> tuple[State, np.ndarray]:
        """A block of subjects with all their rows, and the subjects' cells: the plain one, or a spare one by its
        `path`. Spare subjects who break a rule already have no findings."""
        last = self._stages[-1]
        begun = self._drawn(last, path, size)
        fits = ~self._standing(begun.state, last.rules, {}).bad if path and last.rules else None
        if not last.tables:
            cut_visits(self.model, begun)
        fill_tables(self.model, begun, drawn_before_findings(self.model)[last.tables :])
        state = fill_findings(self.model, begun, fits)
        left = [r for r in self.plan.rules if r not in last.rules]
        if not path:
            self._refuse_rowless(state, left)
        return self._fitted(state, left, path), begun.draw.cell

    def _streams(self, path: Sequence[str]) -> Streams:
        return Streams(self.request.seed, self.block.index, tuple(path))

    def _drawn(self, upto: Stage, path: tuple[str, ...], size: int) -> Begun:
        """A block drawn as far as a stage. In the plain one the rules and quotas of all stages up to it hold, in a
        spare one those rules that the table of subjects decides."""
        begun = begin(self.model, self.request, self.block, self._streams(path), size)
        tables, done = drawn_before_findings(self.model), 0
        for stage in self._stages[: self._stages.index(upto) + 1]:
            if stage.tables:
                if not done:
                    cut_visits(self.model, begun)
                fill_tables(self.model, begun, tables[done : stage.tables])
                done = stage.tables
            if not path:
                self._refuse_rowless(begun.state, stage.new)
            if stage.tables:
                begun.state = self._fitted(begun.state, stage.new, path)
            if not path or not stage.tables:
                begun = self._settled(begun, stage, path)
        return begun

    def sample(self, cell: int | None = None) -> Sample:
        """Subjects as they are drawn without conditions, of whom those of a cell are meant."""
        root, none = self.model.root.table, Plan()
        plain = Candidates(self.model, self.request, self.block, none, Ledger(none, self.block, self.request.subjects))
        state, cells = plain.whole("sample", size=SAMPLE)
        columns = [column_of(self.model, name) for name in counted(self.request.counts)]
        schema = schema_of(self.model)
        shown = [condition_of(self.model, schema, root, named(c), "counts", value=True) for c in columns]
        found = look(self.model, state, [*self.plan.conditions, *shown])
        if cell is None or not columns:
            return Sample(self.model, found, np.ones(found.n, dtype=bool))
        who = cells == cell
        held = {c: {label(v) for v in found.frames[root][c][who[found.subject[root]]]} for c in columns}
        own = [f"{c} = {v or 'missing'}" for c, values in held.items() if len(values) == 1 for v in values]
        called = f" with {' and '.join(own)} (so many are asked for)" if own else ""
        return Sample(self.model, found, who, called)

    def _refuse_rowless(self, state: State, rules: Sequence[Rule]) -> None:
        """Refuse rules that no row fits; the first block tells. Raises RequestError."""
        if self.block.index or not rules:
            return
        found = look(self.model, state, [r.condition for r in rules])
        truth = {r.number: found.truth(r.condition) for r in rules}
        suspect = [r for r in rules if not (truth[r.number] > 0).any() and (truth[r.number] < 0).any()]
        sample = self.sample() if suspect else None
        for rule in suspect:
            if sample is not None and (problem := no_row_fits(rule, sample)):
                raise problem

    # Subjects

    def _settled(self, begun: Begun, stage: Stage, path: tuple[str, ...]) -> Begun:
        """The block with spare subjects in place of those for whom a rule or quota of the stage does not hold."""
        rules, quotas = stage.rules, {} if path else stage.quotas
        if not rules and not quotas:
            return begun
        places = self.ledger.kept if not path else np.ones(begun.state.subjects.n, dtype=bool)
        mine = self._standing(begun.state, rules, quotas)
        if not stage.tables:
            self._set_goals(mine, stage.whole & quotas.keys())
        goals = {k: self.ledger.goals[k] for k in quotas if k in self.ledger.goals}
        by_rows, tried = self.ledger.by_rows(goals), Tried()
        tried.add(mine, begun.draw.cell)
        best, stalled = np.inf, 0
        for attempt in range(MOST_SPARES if stage.tables else MOST_BEGUN):
            lacks = self.ledger.lacks(mine, goals, places, stage.whole)
            left = float(sum(map(abs, lacks.values())))
            best, stalled = (left, 0) if left < best else (best, stalled + 1)
            patient = attempt < self.patience or (not stage.tables and stalled < NEVER)
            if not (mine.bad & places).any() and not (patient and left):
                break
            size = spare_size(mine, places, lacks, tried, begun.draw.cell)
            other = self._spare(stage, (*path, "subjects", *stage.path, str(attempt)), size)
            theirs = self._standing(other.state, rules, quotas)
            tried.add(theirs, other.draw.cell)
            pairs = pair_places(mine, theirs, places, lacks, by_rows, begun.draw.cell, other.draw.cell)
            slots, takes, _ = pairs
            if not path:
                self.ledger.replaced(mine, rules, pairs)
                self.searched = max(self.searched, attempt + 1 if stage.tables and any(lacks.values()) else 0)
            begun = exchange_begun(self.model, begun, other, slots, takes)
            mine.exchange(theirs, slots, takes)
            if tried.hopeless(begun.draw.cell[mine.bad & places]) is not None:
                break
        tried.refuse(rules, begun.draw.cell[mine.bad & places])
        return begun

    def _spare(self, stage: Stage, path: tuple[str, ...], size: int) -> Begun:
        """Spare subjects as far as a stage needs them."""
        if stage.tables:
            return self._drawn(stage, path, size)
        return begin(self.model, self.request, self.block, self._streams(path), size)

    def _set_goals(self, mine: Standing, quotas: Iterable[int]) -> None:
        """How many subjects with an event the block owes where so many times as many are asked for."""
        for k in quotas:
            times = self.plan.quotas[k].times
            if times is not None:
                self.ledger.goals[k] = round(times * mine.shows[k].mean() * self.block.keep)

    def _standing(self, state: State, rules: Sequence[Rule], quotas: Mapping[int, tuple[Part, ...]]) -> Standing:
        parts = [p for held in quotas.values() for p in held]
        found = look(self.model, state, [r.condition for r in rules] + [p.condition for p in parts])
        none = np.zeros(found.n, dtype=bool)
        shows = [found.shows(quotas[k]) if k in quotas else none for k in range(len(self.plan.quotas))]
        broken = table([found.broken(r.condition) for r in rules], found.n)
        return Standing(broken, table(shows, found.n), table(shows, found.n).astype(np.int64))

    # Rows

    def _fitted(self, state: State, rules: Sequence[Rule], path: tuple[str, ...]) -> State:
        """Rows that break one of the rules by themselves drawn again, and events left out where they are too many."""
        for name in dict.fromkeys(r.condition.table for r in rules if r.condition.local):
            local = [r for r in rules if r.condition.local and r.condition.table == name]
            rng = self._streams(path).get("conditions", "repair", name)
            state, redrawn = repair_rows(self.model, state, name, [r.condition for r in local], rng)
            if path:
                continue
            mine = self.ledger.kept[state.subject[name]]
            for rule, rows in zip(local, redrawn, strict=True):
                self.ledger.tally.add(rule.said, rows=int((rows & mine).sum()))
            again = redrawn.any(axis=0) & mine
            self.ledger.repaired(state.subject[name][again], rows=int(again.sum()))
        return self._thinned(state, rules, path)

    def _thinned(self, state: State, asked: Sequence[Rule], path: tuple[str, ...]) -> State:
        """Fewer events of subjects who have too many, where that is so common that others are costly to find."""
        for name in dict.fromkeys(r.condition.table for r in asked if self._thins(r)):
            rules = [r for r in asked if r.condition.table == name and self._thins(r)]
            found = look(self.model, state, [r.condition for r in rules])
            if np.any([found.broken(r.condition) for r in rules], axis=0).mean() < COMMON:
                continue
            rng = self._streams(path).get("conditions", "thin", name)
            kept = self.ledger.kept if not path else np.zeros(state.subjects.n, dtype=bool)
            whole = state
            state, gone = thin_rows(self.model, state, name, [r.condition for r in rules], kept, rng)
            for rule, rows in zip(rules, gone, strict=True):
                self.ledger.tally.add(rule.said, left_out=int(rows))
            if not path:
                before, after = (np.bincount(s.subject[name], minlength=BLOCK) for s in (whole, state))
                self.ledger.repaired(np.flatnonzero(before > after), left_out=int((before - after)[kept].sum()))
        return state

    def _thins(self, rule: Rule) -> bool:
        """Whether a rule is over the rows of events of a subject, which no other rows stand below."""
        condition, structure = rule.condition, self.model.structure
        layout = structure.tables[condition.table].layout
        above = any(key.parent == condition.table for key in structure.foreign_keys)
        return layout == Layout.EVENTS and not condition.local and not above


@dataclass
class Tried:
    """Which rules the subjects drawn so far broke (bool, rules by subjects), and their cells."""

    broken: list[np.ndarray] = field(default_factory=list)
    cells: list[np.ndarray] = field(default_factory=list)

    def add(self, standing: Standing, cells: np.ndarray) -> None:
        """Some more subjects."""
        self.broken.append(standing.broken.copy())
        self.cells.append(cells)

    @property
    def fitting(self) -> float:
        """Share of the subjects that break no rule."""
        return 1 - float(np.concatenate([t.any(axis=0) for t in self.broken]).mean())

    def hopeless(self, wanted: np.ndarray) -> int | None:
        """A cell among those wanted of which so many subjects were drawn, and not one fits, that none is expected."""
        if not len(wanted) or sum(map(len, self.cells)) < HOPELESS:
            return None
        cells, broken = np.concatenate(self.cells), np.concatenate([t.any(axis=0) for t in self.broken])
        for cell in np.unique(wanted):
            here = cells == cell
            if here.sum() >= HOPELESS and broken[here].all():
                return int(cell)
        return None

    def refuse(self, rules: Sequence[Rule], wanted: np.ndarray) -> None:
        """Raise NobodyFits where subjects of some cells are still wanted."""
        if len(wanted):
            cell = self.hopeless(wanted)
            cell = int(wanted[0]) if cell is None else cell
            here = np.concatenate(self.cells) == cell
            raise NobodyFits(rules, np.concatenate(self.broken, axis=1)[:, here], cell)


def spare_size(mine: Standing, places: np.ndarray, lacks: Mapping[int, int], tried: Tried, cells: np.ndarray) -> int:
    """How many spare subjects to draw at once: a few more than are likely to be needed."""
    likely = int((mine.bad & places).sum()) / max(tried.fitting, 1 / BLOCK)
    for k, lack in lacks.items():
        share = float((~mine.bad & (mine.shows[k] if lack > 0 else ~mine.shows[k])).mean())
        likely += abs(lack) / max(share, 1 / BLOCK)
    least = BLOCK if len(np.unique(cells)) > 1 else SIZES[0]
    most = BLOCK if any(lacks.values()) else SIZES[-1]
    return next(size for size in SIZES if size >= min(max(MARGIN * likely, least), most))


def table(rows: Sequence[np.ndarray], n: int) -> np.ndarray:
    """One row below the other; `n` columns where there are none."""
    return np.array(rows) if len(rows) else np.zeros((0, n), dtype=bool)
