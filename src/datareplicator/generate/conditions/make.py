"""A block in which all rules and quotas of a plan hold.

Subjects are chosen in two steps. What the table of subjects alone decides is settled before anything else is drawn,
from spare subjects that cost little. Then the other tables are drawn, single rows that break a rule are drawn again,
and subjects that still do not fit give their place to subjects of spare blocks. So every subject is as the model draws
it, given that the rules hold (rejection sampling), and all of its tables belong together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.errors import RequestError
from datareplicator.generate.blocks import Begun, begin, coherent, fill_findings, fill_tables, generate_block
from datareplicator.generate.conditions.edits import edited
from datareplicator.generate.conditions.impossible import impossible
from datareplicator.generate.conditions.judge import Seen, look, seen
from datareplicator.generate.conditions.outcome import IN_ALL, Tally
from datareplicator.generate.conditions.pairing import Standing, pair_places
from datareplicator.generate.conditions.plan import Part, Plan, Quota, Rule
from datareplicator.generate.conditions.rows import convert_rows, repair_rows, thin_rows
from datareplicator.generate.conditions.states import exchange, exchange_begun, loose
from datareplicator.generate.finish import finish
from datareplicator.generate.request import BLOCK, Block, GenerateRequest
from datareplicator.generate.state import State
from datareplicator.model.study_model import StudyModel
from datareplicator.seeds import Streams
from datareplicator.structure.spec import Layout

MOST_BEGUN = 200
"""Spare blocks of subjects without tables that may be drawn for one block."""
MOST_SPARES = 64
"""Spare blocks with all tables."""
HOPELESS = 8
"""Spare blocks of which no subject fits, after which what is asked for counts as impossible."""
NEVER = 16
"""Spare blocks that bring nothing nearer to what is asked for, after which that counts as never happening."""
PATIENCE = 2
"""Spare blocks that are searched for a rare event before rows are changed or a scenario's steps are done."""
COMMON = 0.25
"""Share of subjects with too many events from which events are left out rather than subjects replaced."""
NEARLY = 0.02
"""Share of the rows of an event by which a block may miss the factor that is asked for."""
ROUNDS = 4


@dataclass
class Maker:
    """One block in the making. `goals`: by quota, how many subjects (or rows, of `times`) the block owes; `tried`:
    which rules subjects of spare blocks broke; `cells`: int a subject, only subjects of one cell change places, so that
    exact counts stay; `touched`: bool a subject, by what was done to it or to rows of it."""

    model: StudyModel
    request: GenerateRequest
    block: Block
    plan: Plan
    tally: Tally = field(default_factory=Tally)
    goals: dict[int, int] = field(default_factory=dict)
    tried: list[np.ndarray] = field(default_factory=list)
    cells: np.ndarray = field(default_factory=lambda: np.empty(0))
    touched: dict[str, np.ndarray] = field(
        default_factory=lambda: {name: np.zeros(BLOCK, dtype=bool) for name in ("replaced", "edited", "repaired")}
    )

    def __post_init__(self) -> None:
        first, subjects = self.block.first, self.request.subjects
        for k, quota in enumerate(self.plan.quotas):
            if quota.subjects is not None:
                done = quota.subjects * first // subjects
                self.goals[k] = quota.subjects * min(first + self.block.keep, subjects) // subjects - done

    @property
    def kept(self) -> np.ndarray:
        """bool a subject: part of the output."""
        return np.arange(BLOCK) < self.block.keep

    def make(self) -> dict[str, pd.DataFrame]:
        """The source tables of the block."""
        state, cells = self._candidates()
        self.cells = cells
        standing = self._standing(state)
        self._set_goals(state, standing)
        used = 0
        for _ in range(ROUNDS):
            state, standing, used = self._choose(state, standing, used)
            final = loose(state)
            frames = finish(self.model, final)
            after = self._standing_of(seen(self.model, final, self._conditions()))
            if not (after.bad & self.kept).any() and not any(self._lacks(after).values()):
                self._count(after)
                return frames
            standing = after
        raise RequestError(f"{self._said(standing)}: no subjects were found that fit once all is computed.")

    # Candidates

    def _candidates(self, *path: str, size: int = BLOCK) -> tuple[State, np.ndarray]:
        """A block of subjects with all their rows, and the subjects' cells: the plain one, or a spare one by its
        `path`."""
        streams = Streams(self.request.seed, self.block.index, path)
        begun = begin(self.model, self.request, self.block, streams, size)
        begun = self._settle_subjects(begun, path)
        state, rows = fill_tables(self.model, begun)
        soon = self._judged_soon(state)
        state = self._fitted(state, streams, soon, bool(path))
        fits = None
        if soon:
            found = look(self.model, state, [r.condition for r in soon])
            fits = ~np.any([found.broken(r.condition) for r in soon], axis=0)
        state = fill_findings(self.model, begun, state, rows, fits)
        state = self._fitted(state, streams, [r for r in self.plan.rules if r not in soon], bool(path))
        return state, begun.draw.cell

    def _judged_soon(self, state: State) -> list[Rule]:
        """The rules that are decided before findings are drawn: who breaks one has no need of any. None, where rows are
        counted to be multiplied, or where tables wait for others."""
        if state.pending or self.request.altered is not None or any(q.times is not None for q in self.plan.quotas):
            return []
        return [r for r in self.plan.rules if r.condition.needs <= state.frames.keys()]

    def _fitted(self, state: State, streams: Streams, rules: Sequence[Rule], spare: bool) -> State:
        """Rows that break one of the rules by themselves drawn again, and events left out where they are too many."""
        for table in dict.fromkeys(r.condition.table for r in rules if r.condition.local):
            local = [r for r in rules if r.condition.local and r.condition.table == table]
            rng = streams.get("conditions", "repair", table)
            state, redrawn = repair_rows(self.model, state, table, [r.condition for r in local], rng)
            mine = (self.kept[: state.subjects.n] & (not spare))[state.subject[table]]
            for rule, rows in zip(local, redrawn, strict=True):
                self.tally.add(rule.said, rows=int((rows & mine).sum()))
            again = redrawn.any(axis=0) & mine
            self._repaired(state.subject[table][again], rows=int(again.sum()))
        return self._thinned(state, streams, rules, spare)

    def _thinned(self, state: State, streams: Streams, asked: Sequence[Rule], spare: bool) -> State:
        """Fewer events of subjects who have too many, where that is so common that others are costly to find."""
        for table in dict.fromkeys(r.condition.table for r in asked if self._thins(r)):
            rules = [r for r in asked if r.condition.table == table and self._thins(r)]
            found = look(self.model, state, [r.condition for r in rules])
            if np.any([found.broken(r.condition) for r in rules], axis=0).mean() < COMMON:
                continue
            rng = streams.get("conditions", "thin", table)
            kept = self.kept[: state.subjects.n] & (not spare)
            whole = state
            state, gone = thin_rows(self.model, state, table, [r.condition for r in rules], kept, rng)
            for rule, rows in zip(rules, gone, strict=True):
                self.tally.add(rule.said, left_out=int(rows))
            if not spare:
                before, after = (np.bincount(s.subject[table], minlength=BLOCK)[:BLOCK] for s in (whole, state))
                self._repaired(np.flatnonzero(before > after), left_out=int((before - after)[self.kept].sum()))
        return state

    def _repaired(self, subjects: np.ndarray, **rows: int) -> None:
        self.touched["repaired"][subjects] = True
        self.tally.add(IN_ALL, **rows)

    def _thins(self, rule: Rule) -> bool:
        """Whether a rule is over the rows of events of a subject, which no other rows stand below."""
        condition, structure = rule.condition, self.model.structure
        layout = structure.tables[condition.table].layout
        above = any(key.parent == condition.table for key in structure.foreign_keys)
        return layout == Layout.EVENTS and not condition.local and not above

    def _settle_subjects(self, begun: Begun, path: tuple[str, ...]) -> Begun:
        """Subjects for whom the rules and quotas hold that the table of subjects alone decides."""
        rules = self.plan.early
        quotas = {k: q.early for k, q in enumerate(self.plan.quotas) if q.early and not path}
        if not rules and not quotas:
            return begun
        places = self.kept if not path else np.ones(begun.state.subjects.n, dtype=bool)
        mine = self._early(begun.state, rules, quotas)
        for k, parts in quotas.items():
            times = self.plan.quotas[k].times
            if times is not None and len(parts) == len(self.plan.quotas[k].parts):
                self.goals[k] = round(times * mine.shows[k].mean() * self.block.keep)
        goals = {k: self.goals[k] for k in quotas if k in self.goals}
        tried: list[np.ndarray] = []
        for attempt in range(MOST_BEGUN):
            lacks = self._lacking(mine, goals, places, early=True)
            if not (mine.bad & places).any() and not any(lacks.values()):
                break
            streams = Streams(self.request.seed, self.block.index, (*path, "subjects", str(attempt)))
            other = begin(self.model, self.request, self.block, streams)
            theirs = self._early(other.state, rules, quotas)
            tried.append(theirs.broken)
            pairs = pair_places(mine, theirs, places, lacks, self._by_rows(goals), begun.draw.cell, other.draw.cell)
            slots, takes, _ = pairs
            if not path:
                self._count_replaced(mine, rules, pairs)
            begun = exchange_begun(self.model, begun, other, slots, takes)
            mine.exchange(theirs, slots, takes)
            if attempt + 1 >= HOPELESS and all(t.any(axis=0).all() for t in tried):
                break
        if (mine.bad & places).any():
            raise impossible(rules, tried)
        return begun

    def _early(self, state: State, rules: Sequence[Rule], quotas: Mapping[int, tuple[Part, ...]]) -> Standing:
        parts = [p for held in quotas.values() for p in held]
        found = look(self.model, state, [r.condition for r in rules] + [p.condition for p in parts])
        none = np.zeros(found.n, dtype=bool)
        shows = [found.shows(quotas[k]) if k in quotas else none for k in range(len(self.plan.quotas))]
        broken = _table([found.broken(r.condition) for r in rules], found.n)
        return Standing(broken, _table(shows, found.n), _table(shows, found.n).astype(np.int64))

    def _count_replaced(
        self, mine: Standing, rules: Sequence[Rule], pairs: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> None:
        """For a rule those who broke it, for a quota those who came for its sake."""
        slots, _, why = pairs
        self.touched["replaced"][slots] = True
        for rule, broken in zip(rules, mine.broken[:, slots].sum(axis=1), strict=True):
            self.tally.add(rule.said, replaced=int(broken))
        for k, number in zip(*np.unique(why[why >= 0], return_counts=True), strict=True):
            self.tally.add(self.plan.quotas[k].said, replaced=int(number))

    # Standing

    def _conditions(self) -> list:
        return [r.condition for r in self.plan.rules] + [p.condition for q in self.plan.quotas for p in q.parts]

    def _standing(self, state: State) -> Standing:
        return self._standing_of(look(self.model, state, self._conditions()))

    def _standing_of(self, found: Seen) -> Standing:
        quotas = self.plan.quotas
        rows = [
            found.count(q.parts[0].condition.table, found.truth(q.parts[0].condition) == 1) if q.parts else np.zeros(0)
            for q in quotas
        ]
        return Standing(
            _table([found.broken(r.condition) for r in self.plan.rules], found.n),
            _table([found.shows(q.parts) for q in quotas], found.n),
            _table(rows, found.n).astype(np.int64),
        )

    def _set_goals(self, state: State, standing: Standing) -> None:
        """How many rows the block owes where a factor is asked for: of what it shows by itself."""
        rng = Streams(self.request.seed, self.block.index).get("conditions", "goals")
        for k, quota in enumerate(self.plan.quotas):
            u = rng.random()
            if quota.times is None or k in self.goals:
                continue
            shown, of = int(standing.rows[k].sum()), BLOCK
            if not shown and self.block.index == 0:
                for n in range(PATIENCE):
                    spare = self._standing(self._candidates("goals", str(n))[0])
                    shown, of = shown + int(spare.rows[k].sum()), of + BLOCK
            self.goals[k] = int(quota.times * shown / of * self.block.keep + u)
            table = quota.parts[0].condition.table
            rows = int(self.kept[state.subject[table]].sum())
            if self.goals[k] > max(rows, 1):
                share = shown / of * self.block.keep / max(rows, 1)
                raise RequestError(
                    f"{quota.said}: {share:.0%} of the rows show it, which cannot be {quota.times:g} times as many.",
                )

    def _lacks(self, standing: Standing) -> dict[int, int]:
        return self._lacking(standing, self.goals, self.kept)

    def _lacking(
        self, standing: Standing, goals: Mapping[int, int], places: np.ndarray, *, early: bool = False
    ) -> dict[int, int]:
        """By quota, how many subjects or rows are missing (below zero: too many, where a factor or an exact number is
        asked for). `early`: only the table of subjects is there, which may not tell all."""
        fine, by_rows = places & ~standing.bad, self._by_rows(goals)
        quotas = self.plan.quotas
        exact = {k for k in goals if quotas[k].exact and not (early and len(quotas[k].early) < len(quotas[k].parts))}
        return {
            k: _beyond(goal - int(standing.rows[k][places].sum()), goal)
            if k in by_rows
            else max(0 if k not in exact else -BLOCK, goal - int((standing.shows[k] & fine).sum()))
            for k, goal in goals.items()
        }

    def _by_rows(self, goals: Mapping[int, int]) -> frozenset[int]:
        return frozenset(k for k in goals if self.plan.quotas[k].times is not None)

    # Choosing

    def _choose(self, state: State, standing: Standing, used: int) -> tuple[State, Standing, int]:
        """Exchange, change and edit until nothing is missing. `used`: spare blocks that were used before."""
        changed = False
        found, best, stalled = 0, np.inf, 0
        while True:
            lacks = self._lacks(standing)
            bad = standing.bad & self.kept
            left = float(bad.sum()) + sum(map(abs, lacks.values()))
            best, stalled = (left, 0) if left < best else (best, stalled)
            if not bad.any() and not any(lacks.values()):
                return state, standing, used
            if not bad.any() and not changed and (used >= PATIENCE or self._at_once(lacks)):
                state = self._change(state, lacks, used)
                standing, changed = self._standing(state), True
                continue
            if used >= MOST_SPARES or (used >= HOPELESS and bad.any() and not found):
                raise impossible(self.plan.rules, self.tried) if bad.any() else self._too_few(lacks)
            if stalled >= NEVER and not bad.any():
                raise self._too_few(lacks)
            spare, cells = self._candidates("spare", str(used), size=self._size(standing, lacks, used))
            used, stalled = used + 1, stalled + 1
            theirs = self._standing(spare)
            self.tried.append(theirs.broken)
            pairs = pair_places(standing, theirs, self.kept, lacks, self._by_rows(lacks), self.cells, cells)
            slots, takes, _ = pairs
            found += len(slots)
            self._count_replaced(standing, self.plan.rules, pairs)
            state = exchange(self.model, state, spare, slots, takes)
            standing.exchange(theirs, slots, takes)
            changed = changed and not len(slots)

    def _size(self, standing: Standing, lacks: Mapping[int, int], used: int) -> int:
        """How many spare subjects to draw: twice as many as are likely to be needed, in steps of a factor of two."""
        if used > 1 or any(lacks.values()) or len(np.unique(self.cells)) > 1:
            return BLOCK
        bad = standing.bad
        needed = 2 * int((bad & self.kept).sum()) / max(1 - float(bad.mean()), 1 / BLOCK)
        return next(size for size in (16, 32, 64, BLOCK) if size >= needed or size == BLOCK)

    def _at_once(self, lacks: dict[int, int]) -> bool:
        """Whether spare blocks need not be searched first: a factor is reached by rows, an unknown event by steps."""
        asked = [self.plan.quotas[k] for k, lack in lacks.items() if lack]
        if any(lack < 0 and self.plan.quotas[k].exact for k, lack in lacks.items()):
            return False
        return all(q.times is not None or (q.steps and not q.known) for q in asked)

    def _change(self, state: State, lacks: dict[int, int], used: int) -> State:
        """Make rows or subjects what is missing."""
        state = loose(state)
        rules = [r.condition for r in self.plan.rules]
        for k, lack in lacks.items():
            quota = self.plan.quotas[k]
            rng = Streams(self.request.seed, self.block.index).get("conditions", "change", str(k), str(used))
            if not lack or (lack < 0 and quota.exact):
                continue
            if quota.steps:
                state = self._edit(state, k, lack, rng)
            elif len(quota.parts) == 1 and quota.parts[0].condition.local:
                event, once = quota.parts[0].condition, quota.times is None
                made = convert_rows(self.model, state, event, rules, lack, self.kept, rng, once=once)
                self.tally.add(quota.said, changed=len(made))
                self._repaired(made, changed=len(made))
        return state

    def _edit(self, state: State, k: int, lack: int, rng: np.random.Generator) -> State:
        """Do the steps of a scenario to subjects for whom they work out."""
        quota = self.plan.quotas[k]
        standing = self._standing(state)
        open_to = self.kept & ~standing.bad & ~standing.shows.any(axis=0)
        if quota.early:
            free = [p for p in quota.early if not self._touched(quota, p)]
            open_to &= look(self.model, state, [p.condition for p in free]).shows(free) if free else True
        some = rng.permutation(np.flatnonzero(open_to))
        if not len(some):
            return state
        trial = edited(self.model, state, quota.steps, some, rng)
        after = self._standing(trial)
        fits = some[after.shows[k][some] & ~after.bad[some]][:lack]
        self.tally.add(quota.said, edited=len(fits))
        self.touched["edited"][fits] = True
        return exchange(self.model, state, trial, fits, fits)

    @staticmethod
    def _touched(quota: Quota, part: Part) -> bool:
        columns = {(s.table, c) for s in quota.steps for c in s.values}
        return any((r.table, r.column) in columns for r in part.condition.reads)

    # Ends

    def _count(self, standing: Standing) -> None:
        for k, quota in enumerate(self.plan.quotas):
            self.tally.add(quota.said, subjects=int((standing.shows[k] & self.kept).sum()))
            if not quota.scenario:
                self.tally.add(quota.said, rows_shown=int(standing.rows[k][self.kept].sum()))
        own = {name: subjects & self.kept for name, subjects in self.touched.items()}
        any_of = np.any(list(own.values()), axis=0)
        self.tally.add(
            IN_ALL,
            replaced=int(own["replaced"].sum()),
            edited=int((own["edited"] & ~own["replaced"]).sum()),
            subjects=int((self.kept & ~any_of).sum()),
        )

    def _said(self, standing: Standing) -> str:
        broken = [r.said for r, b in zip(self.plan.rules, standing.broken[:, self.kept].any(axis=1), strict=True) if b]
        missing = [self.plan.quotas[k].said for k, lack in self._lacks(standing).items() if lack]
        return " and ".join(broken + missing)

    def _too_few(self, lacks: dict[int, int]) -> RequestError:
        k, lack = next((k, lack) for k, lack in lacks.items() if lack)
        quota = self.plan.quotas[k]
        what = "rows" if quota.times is not None else "subjects"
        drawn = sum(t.shape[1] for t in self.tried) + BLOCK
        if quota.exact and lack < 0:
            return RequestError(
                f"{quota.said}: of {drawn:,} subjects that were drawn for {self.block.keep:,}, too few are without it: "
                f"{self.goals[k] - lack:,} show it, {self.goals[k]:,} are asked for.",
                hint="Other conditions or counts ask for such subjects, or nearly all show it: ask for more.",
            )
        return RequestError(
            f"{quota.said}: of {drawn:,} subjects that were drawn for {self.block.keep:,}, too few fit: "
            f"{abs(lack):,} of {self.goals[k]:,} {what} are missing.",
            hint="The model shows this too seldom or never; ask for less, or supply it by a scenario with edits.",
        )


def _beyond(lack: int, goal: int) -> int:
    """How many rows are missing, where these are more than can be told from as many times as asked for."""
    return lack if abs(lack) > NEARLY * goal else 0


def _table(rows: list[np.ndarray], n: int) -> np.ndarray:
    return np.array(rows) if rows else np.zeros((0, n), dtype=bool)


def make_block(model: StudyModel, request: GenerateRequest, block: Block) -> tuple[dict[str, pd.DataFrame], Tally]:
    """The source tables of one block, and what was done so that the plan of the request holds in it.

    A pure function of its arguments. Raises RequestError where no subjects are found that fit, ModelError as
    `generate_block`.
    """
    if request.plan is None:
        return generate_block(model, request, block), Tally()
    with coherent():
        maker = Maker(model, request, block, request.plan)
        return maker.make(), maker.tally
