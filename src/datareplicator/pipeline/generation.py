"""From a model to the frames of its blocks, wherever they are made."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pandas as pd

from datareplicator.engine import run_job
from datareplicator.formats import TableLayout
from datareplicator.generate.conditions.make import make_block
from datareplicator.generate.conditions.outcome import Tally
from datareplicator.generate.control.settle import settle
from datareplicator.generate.request import Block, GenerateRequest, plan_blocks
from datareplicator.generate.told import Telling
from datareplicator.model.store import load_model, save_model
from datareplicator.model.study_model import StudyModel
from datareplicator.pipeline.checkpoints import Checkpoints
from datareplicator.pipeline.progress import Progress, Step, tell
from datareplicator.study import Column, Origin, Study, Table

Frames = dict[str, pd.DataFrame]
"""The rows of one block by source table."""


class BlockJob:
    """Makes blocks from a model. To another process goes the path of the document, not the model."""

    def __init__(self, model: StudyModel, path: Path, request: GenerateRequest) -> None:
        self._model: StudyModel | None = model
        self._path = path
        self._request = request

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_model": None}

    def setup(self) -> StudyModel:
        """The model at hand, or read from its document."""
        return self._model if self._model is not None else load_model(self._path)

    def run(self, state: StudyModel, item: Block) -> tuple[Frames, Tally]:
        """Make one block, and count what its conditions took."""
        return make_block(state, self._request, item)


def generate_frames(
    model: StudyModel,
    request: GenerateRequest,
    *,
    workers: int | None = None,
    progress: Progress = None,
    tallies: list[Tally] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Iterator[tuple[Block, Frames]]:
    """Yield the blocks of a request in order, each with a frame a source table.

    `model` and `request` are settled (see `generate.control.settle`). `workers`: processes (None: as many as there are
    cores). The frames are the same for any number. `tallies` takes what the conditions of each block took. Tables
    without subjects come with the first block, those that tell of the whole study with the last one. `checkpoints`
    keeps blocks as they are made, and gives back those that it has.
    """
    blocks = plan_blocks(request.subjects)
    with tempfile.TemporaryDirectory(prefix="datareplicator-") as folder:
        path = Path(folder) / "model.json"
        if workers != 1 and len(blocks) > 1:
            save_model(model, path)
        done = 0
        tell(progress, Step("generate", 0, request.subjects, "subjects"))
        with closing(_made(BlockJob(model, path, request), blocks, workers, checkpoints)) as results:
            telling, held = Telling(model, request), {}
            for block, (frames, tally) in zip(blocks, results, strict=True):
                if tallies is not None:
                    tallies.append(tally)
                telling.add(frames)
                held = held or {name: frames[name] for name in telling.tables}
                last = block.index == blocks[-1].index
                yield block, frames | (telling.write(held) if last else {n: f.iloc[:0] for n, f in held.items()})
                done += block.keep
                tell(progress, Step("generate", done, request.subjects, "subjects"))


def _made(
    job: BlockJob, blocks: list[Block], workers: int | None, checkpoints: Checkpoints | None
) -> Iterator[tuple[Frames, Tally]]:
    """The results of the blocks in order; those that are kept are not made again."""
    if checkpoints is None:
        yield from run_job(job, blocks, workers)
        return
    kept = {block.index for block in blocks if checkpoints.has(block)}
    missing = [block for block in blocks if block.index not in kept]
    with ExitStack() as stack:
        results = stack.enter_context(closing(run_job(job, missing, workers))) if missing else iter(())
        for block in blocks:
            if block.index in kept:
                yield checkpoints.load(block)
            else:
                made = next(results)
                checkpoints.keep(block, made)
                yield made


def layouts(model: StudyModel) -> list[TableLayout]:
    """The source tables of a model as a writer wants them: names, columns, labels and origins."""
    return [
        TableLayout(
            source.name,
            {column.name: Column(**column.model_dump()) for column in source.columns},
            source.label,
            Origin(source.format, source.file or source.name, source.options) if source.format else None,
        )
        for source in model.sources
    ]


class Collector:
    """Puts the frames of blocks together again to a study; whole blocks up to about `most_rows` rows (None: all)."""

    def __init__(self, model: StudyModel, most_rows: int | None = None) -> None:
        self._model = model
        self._most_rows = most_rows
        self._parts: dict[str, list[pd.DataFrame]] = {source.name: [] for source in model.sources}
        self._rows = 0
        self.subjects = 0
        self.complete = True

    def add(self, block: Block, frames: Frames) -> None:
        """Take in one more block; once there is no room, `complete` turns false and `subjects` stays."""
        self.complete = self.complete and (self._most_rows is None or self._rows < self._most_rows)
        if self.complete:
            self.subjects += block.keep
        else:  # what has no subjects is told of all of them
            frames = {name: frame for name, frame in frames.items() if name in self._model.reference}
        for table, frame in frames.items():
            self._parts[table].append(frame)
            self._rows += len(frame)

    def study(self) -> Study:
        """The study so far."""
        tables = {}
        for layout in layouts(self._model):
            frame = pd.concat(self._parts[layout.name], ignore_index=True)
            tables[layout.name] = Table(layout.name, frame, dict(layout.columns), layout.label, layout.origin)
        return Study(tables, self._model.name)


def generate_study(
    model: StudyModel, request: GenerateRequest, *, workers: int | None = None, progress: Progress = None
) -> Study:
    """All of a request in memory, in the types of a study that was read."""
    return generate_settled(*settle(model, request), workers=workers, progress=progress)


def generate_settled(
    model: StudyModel,
    request: GenerateRequest,
    *,
    workers: int | None = None,
    progress: Progress = None,
    tallies: list[Tally] | None = None,
) -> Study:
    """As `generate_study`, of a model and a request that are settled; `tallies` as for `generate_frames`."""
    collector = Collector(model)
    for block, frames in generate_frames(model, request, workers=workers, progress=progress, tallies=tallies):
        collector.add(block, {name: _plain(frame) for name, frame in frames.items()})
    return collector.study()


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Text as `str`: blocks come with categoricals, which writers and checks are quicker with."""
    texts = [name for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(texts, "str"))
