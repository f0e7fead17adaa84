"""Corrupting a study: the faults of a plan one after another, then the dirty tables and the answer key."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.errors import RequestError
from datareplicator.faults.answers import Answers, key_frame
from datareplicator.faults.job import Job, NoPlace, Quota
from datareplicator.faults.kind import Kind, Scope, kind_named
from datareplicator.faults.layoutchange import apply_layout
from datareplicator.faults.plan import Fault, Plan, PlanLike, as_plan, check_parameters
from datareplicator.faults.scene import Change, Piece, Scene
from datareplicator.faults.values import as_text, row_json, typed
from datareplicator.seeds import Streams
from datareplicator.structure.discover import discover
from datareplicator.structure.spec import Structure
from datareplicator.study import Study, Table
from datareplicator.validate import rules as all_rules


def corrupt(
    study: Study,
    plan: PlanLike,
    *,
    seed: int = 0,
    structure: Structure | None = None,
    formats: Mapping[str, str] | None = None,
) -> tuple[Study, Answers]:
    """Inject faults into a copy of a study. Returns the dirty study and the answer key.

    `plan`: a profile's name, a path, a `Plan`, a mapping, or several of these. `structure`: what discovery found,
    else found now. `formats`: the format that each table will be written in, where that is known: faults that it
    cannot hold are not injected. Faults of finished files are left out here, with a note.

    Raises RequestError for a plan that is not understood, a target that matches nothing, or faults that leave each
    other no place.
    """
    plan = as_plan(plan)
    check_seed(seed)
    scene = Scene(study.tables, structure or discover(study), formats=formats)
    notes = inject_all(scene, plan, seed)
    tables, parts = {}, []
    for name, table in study.tables.items():
        piece = scene.pieces.get(name)
        changes = [c for c in scene.changes if c.table == name]
        tables[name] = table
        if piece is not None and changes:
            tables[name], found = assemble(piece, table, changes, plan)
            parts += found
    parts.sort(key=lambda part: part["fault"])
    noted = {c.table: [dataclasses.asdict(column) for column in study[c.table].columns.values()] for c in scene.changes}
    return Study(tables, study.name), Answers(key_frame(parts), noted, tuple(notes), seed)


def check_seed(seed: int) -> None:
    """Raises RequestError for what is no seed."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise RequestError(f"the seed must be a whole number from 0 on, not {seed!r}.")


def inject_all(scene: Scene, plan: Plan, seed: int) -> list[str]:
    """Inject the faults of a plan that belong to tables; the notes on what was left out."""
    notes = []
    for index, fault in enumerate(plan.faults):
        kind = kind_named(fault.kind)
        if kind.scope == Scope.FILES:
            continue
        job = Job(scene, kind, fault, index, check_parameters(fault), streams(fault, index, seed), quota_of(fault))
        note = inject(job, apart=plan.apart)
        if note:
            notes.append(note)
    skipped = sum(kind_named(fault.kind).scope == Scope.FILES for fault in plan.faults)
    if skipped == len(plan.faults):
        raise RequestError("all faults of the plan are faults of files.", hint="Use the command `corrupt` on files.")
    if skipped:
        notes.append(f"{skipped} faults of files are no part of tables in memory.")
    return notes


def streams(fault: Fault, index: int, seed: int, block: int = 0) -> Streams:
    """The random streams of one fault."""
    return Streams(seed if fault.seed is None else fault.seed, block).under("fault", str(index), fault.kind)


def quota_of(fault: Fault) -> Quota:
    """How many are to be injected."""
    return Quota(fault.rate, fault.count)


def inject(job: Job, *, apart: bool = False) -> str | None:
    """Inject one fault; a note where an optional one found no place. Raises with the fault named."""
    if apart:
        job.keep_apart()
    try:
        job.check_target()
        job.kind.inject(job, job.params)
    except NoPlace as error:
        if not job.fault.optional:
            raise named(error, job.fault, job.index) from error
        return f"fault {job.index + 1} ({job.fault.kind}) was left out: {error}"
    except RequestError as error:
        raise named(error, job.fault, job.index) from error
    if not job.quota.done:
        rate = f"a rate of {job.fault.rate:g} of {job.quota.seen} places"
        return f"fault {job.index + 1} ({job.fault.kind}) was not injected: {rate} is none."
    return None


def named(error: RequestError, fault: Fault, index: int) -> RequestError:
    """The same error with the fault's place in the plan."""
    return RequestError(f"fault {index + 1} ({fault.kind}): {error.message}", place=error.place, hint=error.hint)


def assemble(
    piece: Piece, table: Table, changes: list[Change], plan: Plan, *, first_after: int = 0
) -> tuple[Table, list[dict[str, Any]]]:
    """The dirty table and its part of the key. `first_after`: rows of the dirty table that came before."""
    inserts = [c for c in changes if c.what == "insert"]
    kept = np.flatnonzero(~piece.deleted)
    # An inserted row stands right behind its place; many at one place in the order in which they were made.
    places = np.concatenate([piece.position[kept], *(_places(piece, c.rows) for c in inserts)])
    order = np.lexsort((np.arange(len(places)), places))
    after = np.empty(len(order), dtype=np.int64)
    after[order] = np.arange(len(order))
    columns = dict(table.columns)
    frame = piece.frame if len(kept) == len(piece) else piece.frame.iloc[kept]
    if inserts:
        frame = pd.concat([frame, *(_like(c.frame, piece) for c in inserts)], ignore_index=True)
    if (np.diff(order) != 1).any():
        frame = frame.iloc[order]
    frame = frame.reset_index(drop=True)
    if inserts:
        frame = typed(frame, columns)
    row_after = np.full(len(piece), -1, dtype=np.int64)
    row_after[kept] = after[: len(kept)]
    dirty = apply_layout(Table(table.name, frame, columns, table.label, table.origin), piece, changes)
    parts, start, named_rows = [], len(kept), _Named.of(piece, changes)
    for change in changes:
        mine = None if change.what in ("delete", "column") else row_after[change.rows]
        if change.what == "insert":
            mine = after[start : start + len(change.rows)]
            start += len(change.rows)
        parts.append(_answers(piece, change, mine, plan, first_after, named_rows))
    return dirty, [p for p in parts if len(p["incident"])]


def _places(piece: Piece, after: np.ndarray) -> np.ndarray:
    held = np.append(piece.position, -1.0)
    return held[after] + 0.5


def _like(frame: pd.DataFrame | None, piece: Piece) -> pd.DataFrame:
    if frame is None:
        raise ValueError("an insert needs its rows")
    return frame[list(piece.columns)]


@dataclass(frozen=True)
class _Named:
    """Who and what the clean rows are that were touched (`rows`, ascending), told once for all changes."""

    rows: np.ndarray
    subject: np.ndarray
    site: np.ndarray
    key: np.ndarray

    @staticmethod
    def of(piece: Piece, changes: list[Change]) -> _Named:
        touched = [c.rows for c in changes if c.what in ("cell", "move", "delete")]
        rows = np.unique(np.concatenate(touched)) if touched else np.zeros(0, dtype=np.int64)
        subject, key = _names_of(piece, piece.clean, rows)
        return _Named(rows, subject, piece.sites[piece.subject[rows]], key)

    def __getitem__(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        at = np.searchsorted(self.rows, rows)
        return {"subject": self.subject[at], "site": self.site[at], "key": self.key[at]}


def _names_of(piece: Piece, frame: pd.DataFrame, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """object a row: the subject as text, and the natural key as JSON; None where the table has none."""
    subject, key = np.full(len(rows), None), np.full(len(rows), None)
    if piece.has(piece.spec.subject):
        subject = as_text(frame[piece.spec.subject].iloc[rows])
    if piece.key:
        key[:] = row_json(frame[list(piece.key)].iloc[rows], piece.key)
    return subject, key


def _answers(
    piece: Piece, change: Change, after: np.ndarray | None, plan: Plan, first_after: int, named_rows: _Named
) -> dict[str, Any]:
    """The rows of the key of one change, as columns; what is the same in all rows stands there once."""
    fault = plan.faults[change.fault]
    kind = kind_named(fault.kind)
    before: np.ndarray | None = change.rows + 1 + piece.first
    old: Any = change.old
    new: Any = change.new
    who: dict[str, Any] = dict.fromkeys(("subject", "site", "key"))
    if change.what == "insert":
        frame = _like(change.frame, piece)
        subject, key = _names_of(piece, frame, np.arange(len(frame)))
        who |= {"subject": subject, "key": key}
        new, before = row_json(frame, list(piece.columns)), None
    elif change.what == "column":
        before = None
    else:
        who |= named_rows[change.rows]
    if change.what == "cell":
        old = as_text(piece.clean[change.column].iloc[change.rows])
        new = as_text(piece.frame[change.column].iloc[change.rows])
    elif change.what == "delete":
        old = row_json(piece.clean.iloc[change.rows], list(piece.columns))
    return {
        **kind_columns(kind),
        "answer": 0,
        "fault": change.fault + 1,
        "incident": change.incident,
        "change": change.what,
        "table": piece.name,
        "row_before": before,
        "row_after": None if after is None else after + 1 + first_after,
        **who,
        "variable": change.column,
        "old": old,
        "new": new,
        "severity": str(fault.severity or kind.severity),
    }


_RULES: dict[str, tuple[str, str]] = {}


def kind_columns(kind: Kind) -> dict[str, str | bool | None]:
    """What the kind alone says in a row of the key."""
    if not _RULES:
        _RULES.update({rule.id: (" ".join(rule.core), " ".join(rule.p21)) for rule in all_rules()})
    core, p21 = (" ".join(dict.fromkeys(" ".join(_RULES[r][k] for r in kind.rules).split())) for k in (0, 1))
    return {
        "kind": kind.name,
        "family": kind.family,
        "rules": " ".join(kind.rules) or None,
        "core": core or None,
        "p21": p21 or None,
        "detectable": kind.detectable,
        "spreads": kind.spreads,
    }
