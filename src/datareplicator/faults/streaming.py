"""Faults in a study that is made block by block: each block is corrupted as it comes, memory stays bounded.

The amounts are kept over all blocks: a rate is the rounded product of all places so far, a count is spread over the
subjects. A block is corrupted in the order of the blocks, so that any number of workers gives the same bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from datareplicator.errors import RequestError
from datareplicator.faults.answers import arrow_schema, key_frame
from datareplicator.faults.applying import assemble, check_seed, named, quota_of, streams
from datareplicator.faults.job import Job, NoPlace
from datareplicator.faults.kind import Scope, kind_named
from datareplicator.faults.plan import PlanLike, as_plan, check_parameters
from datareplicator.faults.scene import Scene
from datareplicator.formats import TableLayout
from datareplicator.structure.spec import Structure
from datareplicator.study import Table


class BlockInjector:
    """Injects the faults of a plan into the blocks of a study, in order, and writes the key to a Parquet file.

    `subjects`: how many there will be in all blocks. Raises RequestError for kinds that must see whole tables.
    """

    def __init__(
        self,
        plan: PlanLike,
        structure: Structure,
        layouts: Iterable[TableLayout],
        subjects: int,
        path: Path,
        *,
        seed: int = 0,
        formats: Mapping[str, str] | None = None,
    ) -> None:
        self.plan, self.seed, self._structure, self._subjects = as_plan(plan), seed, structure, subjects
        check_seed(seed)
        self.notes: list[str] = []
        self._layouts = {layout.name: layout for layout in layouts}
        self._formats = dict(formats or {})
        self._active = [(k, f) for k, f in enumerate(self.plan.faults) if self._usable(k)]
        self._quotas = {k: quota_of(fault) for k, fault in self._active}
        self._trouble: dict[int, NoPlace] = {}
        self._before = dict.fromkeys(self._layouts, 0)
        self._after = dict.fromkeys(self._layouts, 0)
        self._seen, self._incidents, self._answers = 0, 0, 0
        noted = {n: [dataclasses.asdict(c) for c in layout.columns.values()] for n, layout in self._layouts.items()}
        self._schema = arrow_schema({"answers": 1, "seed": seed, "notes": [], "tables": noted})
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def _usable(self, index: int) -> bool:
        fault = self.plan.faults[index]
        kind = kind_named(fault.kind)
        if kind.scope == Scope.STUDY:
            error = RequestError(
                "the kind needs the whole study at once.", hint="Use the command `corrupt` on the study once written."
            )
            if not fault.optional:
                raise named(error, fault, index)
            self.notes.append(f"fault {index + 1} ({fault.kind}) was left out: {error}")
        return kind.scope == Scope.SUBJECTS

    def block(self, index: int, subjects: int, frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """The frames of the next block with faults. `subjects`: how many are in it."""
        tables = {
            name: Table(name, _plain(frame), dict(self._layouts[name].columns), self._layouts[name].label)
            for name, frame in frames.items()
        }
        scene = Scene(tables, self._structure, formats=self._formats, first=self._before, incidents=self._incidents)
        self._seen += subjects
        for k, fault in self._active:
            quota = self._quotas[k]
            quota.share = self._seen / self._subjects
            job = Job(
                scene,
                kind_named(fault.kind),
                fault,
                k,
                check_parameters(fault),
                streams(fault, k, self.seed, index),
                quota,
            )
            job.streaming = True
            if self.plan.apart:
                job.keep_apart()
            try:
                job.check_target()
                job.kind.inject(job, job.params)
            except NoPlace as error:
                self._trouble[k] = error  # this block has no place; another one may
            except RequestError as error:
                raise named(error, fault, k) from error
        return self._assembled(scene, tables)

    def _assembled(self, scene: Scene, tables: Mapping[str, Table]) -> dict[str, pd.DataFrame]:
        result, parts = {}, []
        by_table: dict[str, list] = {}
        for change in scene.changes:
            by_table.setdefault(change.table, []).append(change)
        for name, table in tables.items():
            dirty = table
            if name in by_table:
                dirty, found = assemble(
                    scene.pieces[name], table, by_table[name], self.plan, first_after=self._after[name]
                )
                parts += found
            result[name] = dirty.frame
            self._before[name] += len(table)
            self._after[name] += len(dirty)
        self._incidents = scene.last_incident
        if parts:
            self.add(parts)
        return result

    @property
    def answers(self) -> int:
        """Rows of the key so far."""
        return self._answers

    def add(self, parts: list[dict[str, Any]]) -> None:
        """Add answers to the key."""
        frame = key_frame(parts)
        frame["answer"] += self._answers
        self._answers += len(frame)
        self._writer.write_table(pa.Table.from_pandas(frame, schema=self._schema, preserve_index=False))

    def finish(self) -> None:
        """Close the key. Raises RequestError for a fault that found no place at all, or fewer than asked for."""
        self._writer.close()
        for k, fault in self._active:
            quota = self._quotas[k]
            short = fault.count is not None and quota.done < fault.count
            if quota.done and not short:
                continue
            reason = self._trouble.get(k)
            what = f"{quota.done} of {fault.count} found a place" if short else "the target matches nothing"
            if fault.optional or (fault.rate is not None and quota.seen):
                self.notes.append(f"fault {k + 1} ({fault.kind}): {what if short else 'no place was used'}.")
                continue
            raise named(NoPlace(f"{what}{f': {reason.message}' if reason else ''}."), fault, k)

    def __enter__(self) -> BlockInjector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer.is_open:
            self._writer.close()


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Text as `str`: blocks come with categoricals."""
    texts = [name for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(texts, "str")) if texts else frame
