"""A block in which all rules and quotas of a plan hold.

The block comes with subjects for whom all holds that is decided before findings are drawn (see `candidates`). Those
who still do not fit give their place to subjects of spare blocks, rows become events and the steps of scenarios are
done. So every subject is as the model draws it, given that the rules hold (rejection sampling), and all of its tables
belong together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.errors import RequestError
from datareplicator.generate.blocks import coherent, generate_block
from datareplicator.generate.conditions.candidates import (
    MOST_SPARES,
    NEVER,
    Candidates,
    Tried,
    spare_size,
    table,
)
from datareplicator.generate.conditions.edits import edited
from datareplicator.generate.conditions.impossible import NobodyFits, Sample, how_seldom, in_the_way, refusal
from datareplicator.generate.conditions.judge import Seen, look, seen
from datareplicator.generate.conditions.ledger import Ledger
from datareplicator.generate.conditions.outcome import Tally
from datareplicator.generate.conditions.pairing import Standing, pair_places
from datareplicator.generate.conditions.plan import Part, Plan, Quota
from datareplicator.generate.conditions.rows import convert_rows
from datareplicator.generate.conditions.states import exchange, loose, take_rows
from datareplicator.generate.finish import finish, repeated_rows, settle
from datareplicator.generate.request import BLOCK, Block, GenerateRequest
from datareplicator.generate.state import State
from datareplicator.model.study_model import StudyModel
from datareplicator.seeds import Streams

DOUBTFUL = 3
"""Such spare blocks, after which it is looked whether a constraint stands against it."""
ROUNDS = 4


@dataclass
class Maker:
    """One block in the making. `cells`: int a subject, only subjects of one cell change places, so that exact counts
    stay; `spoilt`: by quota, the rules (bool) that all broke for whom the steps of a scenario were tried."""

    model: StudyModel
    request: GenerateRequest
    block: Block
    plan: Plan
    tried: Tried = field(default_factory=lambda: Tried())
    spoilt: dict[int, np.ndarray] = field(default_factory=dict)
    cells: np.ndarray = field(default_factory=lambda: np.empty(0))
    ledger: Ledger = field(init=False)
    candidates: Candidates = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.plan, self.block, self.request.subjects)
        self.candidates = Candidates(self.model, self.request, self.block, self.plan, self.ledger)

    def make(self) -> dict[str, pd.DataFrame]:
        """The source tables of the block."""
        state, self.cells = self.candidates.whole()
        standing = self._standing(state)
        self.tried.add(standing, self.cells)
        self._set_goals(state, standing)
        used, kept = self.candidates.searched, self.ledger.kept
        for _ in range(ROUNDS):
            state, standing, used = self._choose(state, standing, used)
            final = loose(state)
            frames = finish(self.model, final)
            after = self._standing_of(seen(self.model, final, self.plan.conditions))
            if not (after.bad & kept).any() and not any(self.ledger.lacks(after).values()):
                self.ledger.close(after)
                return frames
            state = self._without_repeats(state)
            standing = self._standing(state)
        raise RequestError(f"{self._said(standing)}: no subjects were found that fit once all is computed.")

    def _without_repeats(self, state: State) -> State:
        """The block without the rows that are left out once all is computed."""
        trial, out = loose(state), loose(state)
        settle(self.model, trial)
        for name, again in repeated_rows(self.model, trial).items():
            take_rows(self.model, out, name, np.flatnonzero(~again))
        return out

    # Standing

    def _standing(self, state: State) -> Standing:
        return self._standing_of(look(self.model, state, self.plan.conditions))

    def _standing_of(self, found: Seen) -> Standing:
        quotas = self.plan.quotas
        rows = [
            found.count(q.parts[0].condition.table, found.truth(q.parts[0].condition) == 1) if q.parts else np.zeros(0)
            for q in quotas
        ]
        return Standing(
            table([found.broken(r.condition) for r in self.plan.rules], found.n),
            table([found.shows(q.parts) for q in quotas], found.n),
            table(rows, found.n).astype(np.int64),
        )

    def _set_goals(self, state: State, standing: Standing) -> None:
        """How many rows the block owes where a factor is asked for: of what it shows by itself."""
        rng = Streams(self.request.seed, self.block.index).get("conditions", "goals")
        for k, quota in enumerate(self.plan.quotas):
            u = rng.random()
            if quota.times is None or k in self.ledger.goals:
                continue
            shown, of = int(standing.rows[k].sum()), BLOCK
            if not shown and self.block.index == 0:
                for n in range(self.candidates.patience):
                    spare = self._standing(self.candidates.whole("goals", str(n))[0])
                    shown, of = shown + int(spare.rows[k].sum()), of + BLOCK
            self.ledger.goals[k] = int(quota.times * shown / of * self.block.keep + u)
            rows = int(self.ledger.kept[state.subject[quota.parts[0].condition.table]].sum())
            if self.ledger.goals[k] > max(rows, 1):
                share = shown / of * self.block.keep / max(rows, 1)
                raise RequestError(
                    f"{quota.said}: {share:.0%} of the rows show it, which cannot be {quota.times:g} times as many.",
                )

    # Choosing

    def _choose(self, state: State, standing: Standing, used: int) -> tuple[State, Standing, int]:
        """Exchange, change and edit until nothing is missing. `used`: spare blocks that were used before."""
        changed = False
        best, stalled = np.inf, 0
        while True:
            lacks = self.ledger.lacks(standing)
            bad = standing.bad & self.ledger.kept
            left = float(bad.sum()) + sum(map(abs, lacks.values()))
            best, stalled = (left, 0) if left < best else (best, stalled)
            if not bad.any() and not any(lacks.values()):
                return state, standing, used
            if not bad.any() and not changed and (used >= self.candidates.patience or self._at_once(lacks)):
                state = self._change(state, lacks, used)
                standing, changed = self._standing(state), True
                continue
            if used >= MOST_SPARES or self.tried.hopeless(self.cells[bad]) is not None:
                self.tried.refuse(self.plan.rules, self.cells[bad])
            if stalled == DOUBTFUL and self.plan.rules:
                self._refuse_clash(lacks)
            if used >= MOST_SPARES or (stalled >= NEVER and not bad.any()):
                raise self._too_few(lacks)
            size = spare_size(standing, self.ledger.kept, lacks, self.tried, self.cells)
            spare, cells = self.candidates.whole("spare", str(used), size=min(size, BLOCK))
            used, stalled = used + 1, stalled + 1
            theirs = self._standing(spare)
            self.tried.add(theirs, cells)
            pairs = pair_places(
                standing, theirs, self.ledger.kept, lacks, self.ledger.by_rows(lacks), self.cells, cells
            )
            slots, takes, _ = pairs
            self.ledger.replaced(standing, self.plan.rules, pairs)
            state = exchange(self.model, state, spare, slots, takes)
            standing.exchange(theirs, slots, takes)
            changed = changed and not len(slots)

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
                made = convert_rows(self.model, state, event, rules, lack, self.ledger.kept, rng, once=once)
                self.ledger.tally.add(quota.said, changed=len(made))
                self.ledger.repaired(made, changed=len(made))
        return state

    def _edit(self, state: State, k: int, lack: int, rng: np.random.Generator) -> State:
        """Do the steps of a scenario to subjects for whom they work out."""
        quota = self.plan.quotas[k]
        standing = self._standing(state)
        open_to = self.ledger.kept & ~standing.bad & ~standing.shows.any(axis=0)
        if quota.early:
            free = [p for p in quota.early if not self._touched(quota, p)]
            open_to &= look(self.model, state, [p.condition for p in free]).shows(free) if free else True
        some = rng.permutation(np.flatnonzero(open_to))
        if not len(some):
            return state
        trial = self._without_repeats(edited(self.model, state, quota.steps, some, rng))
        after = self._standing(trial)
        fits = some[after.shows[k][some] & ~after.bad[some]][:lack]
        self.spoilt[k] = after.broken[:, some].all(axis=1)
        self.ledger.tally.add(quota.said, edited=len(fits))
        self.ledger.touched["edited"][fits] = True
        return exchange(self.model, state, trial, fits, fits)

    @staticmethod
    def _touched(quota: Quota, part: Part) -> bool:
        columns = {(s.table, c) for s in quota.steps for c in s.values}
        return any((r.table, r.column) in columns for r in part.condition.reads)

    # Ends

    def _said(self, standing: Standing) -> str:
        broken = [
            r.said for r, b in zip(self.plan.rules, standing.broken[:, self.ledger.kept].any(axis=1), strict=True) if b
        ]
        missing = [self.plan.quotas[k].said for k, lack in self.ledger.lacks(standing).items() if lack]
        return " and ".join(broken + missing)

    def refusal(self, found: NobodyFits) -> RequestError:
        """Why nobody fits, as a user reads it."""
        return refusal(found, self.candidates.sample(found.cell))

    def _too_few(self, lacks: dict[int, int]) -> RequestError:
        k, lack = next((k, lack) for k, lack in lacks.items() if lack)
        quota, goal = self.plan.quotas[k], self.ledger.goals[k]
        what = "rows" if quota.times is not None else "subjects"
        drawn = f"of {sum(map(len, self.tried.cells)):,} subjects that were drawn for {self.block.keep:,}"
        sample = self.candidates.sample()
        why = self._in_the_way(k, sample) or how_seldom(quota, sample)
        if quota.exact and lack < 0:
            return RequestError(
                f"{quota.said}: {drawn}, too few are without it: {goal - lack:,} show it, {goal:,} are asked for; "
                f"{why}.",
                hint="Other conditions or counts ask for such subjects, or nearly all show it: ask for more.",
            )
        return RequestError(
            f"{quota.said}: {drawn}, too few fit: {abs(lack):,} of {goal:,} {what} are missing; {why}.",
            hint="Ask for less, or for a scenario whose steps supply it.",
        )

    def _in_the_way(self, k: int, sample: Sample) -> str | None:
        none = np.zeros(len(self.plan.rules), dtype=bool)
        return in_the_way(self.plan.quotas[k], self.plan.rules, sample, self.spoilt.get(k, none))

    def _refuse_clash(self, lacks: dict[int, int]) -> None:
        """Refuse what a rule stands against, before more is drawn in vain. Raises RequestError."""
        sample = self.candidates.sample()
        for k in (k for k, lack in lacks.items() if lack > 0):
            if self._in_the_way(k, sample):
                raise self._too_few({k: lacks[k]})


def make_block(model: StudyModel, request: GenerateRequest, block: Block) -> tuple[dict[str, pd.DataFrame], Tally]:
    """The source tables of one block, and what was done so that the plan of the request holds in it.

    A pure function of its arguments. Raises RequestError where no subjects are found that fit, ModelError as
    `generate_block`.
    """
    if request.plan is None:
        return generate_block(model, request, block), Tally()
    with coherent():
        maker = Maker(model, request, block, request.plan)
        try:
            return maker.make(), maker.ledger.tally
        except NobodyFits as found:
            raise maker.refusal(found) from None
