"""Blocks that are made, kept in a folder: work that was broken off goes on with them, to the same result."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa

from datareplicator.generate.conditions.outcome import Tally
from datareplicator.generate.request import Block

Made = tuple[dict, Tally]
"""The frames of a block by table, and what its conditions took."""
SMALL = pa.ipc.IpcWriteOptions(compression="zstd")
"""A tenth of the bytes: who shares the disk should not notice."""


class Checkpoints:
    """One file a block, which appears whole or not at all. The folder belongs to one model and one request.

    A block whose values Arrow cannot hold is not kept: it is made again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, block: Block) -> Path:
        return self._folder / f"{block.index}-{block.keep}.arrow"

    def has(self, block: Block) -> bool:
        """Whether the block is kept."""
        return self._path(block).exists()

    def load(self, block: Block) -> Made:
        """A block that is kept."""
        with pa.OSFile(str(self._path(block))) as file:
            head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            frames = {}
            for name in head["tables"]:
                with pa.ipc.open_stream(file) as stream:
                    frames[name] = stream.read_all().to_pandas()
        return frames, Tally(head["counts"])

    def keep(self, block: Block, made: Made) -> None:
        """Keep a block."""
        frames, tally = made
        try:
            tables = [pa.Table.from_pandas(frame) for frame in frames.values()]
        except pa.ArrowException:
            return
        head = json.dumps({"tables": list(frames), "counts": tally.counts}).encode()
        path = self._path(block)
        part = path.with_suffix(".part")
        with pa.OSFile(str(part), "wb") as file:
            file.write(len(head).to_bytes(8, "little") + head)
            for table in tables:
                with pa.ipc.new_stream(file, table.schema, options=SMALL) as stream:
                    stream.write_table(table)
        os.replace(part, path)
