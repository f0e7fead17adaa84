"""Faults of finished files: bytes taken out and put in, and the way back."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datareplicator.errors import Place, RequestError
from datareplicator.faults.job import NoPlace, Quota
from datareplicator.faults.kind import Kind
from datareplicator.faults.plan import Fault
from datareplicator.seeds import Streams

TEXT_SUFFIXES = (".csv", ".tsv", ".json", ".ndjson")


@dataclass(frozen=True)
class Splice:
    """At `at` of the clean file, `old` becomes `new`."""

    at: int
    old: bytes
    new: bytes


@dataclass(frozen=True)
class File:
    """A finished file and the table that it holds."""

    path: Path
    table: str

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()

    @property
    def is_text(self) -> bool:
        return self.path.suffix.lower() in TEXT_SUFFIXES


class FileJob:
    """What a kind of faults of files works with; `answers` is what it leaves for the key."""

    def __init__(self, files: Sequence[File], kind: Kind, fault: Fault, index: int, streams: Streams) -> None:
        self.kind, self.fault, self.index, self._streams = kind, fault, index, streams
        self.files = [f for f in files if not fault.target.domain or _names(f, fault.target.domain)]
        self.answers: list[dict[str, Any]] = []

    def change(
        self, files: Sequence[File], alter: Callable[[File, np.random.Generator], list[Splice] | None], words: str
    ) -> None:
        """Alter chosen files. Raises NoPlace where none can be."""
        wanted = Quota(self.fault.rate, self.fault.count).ask(len(files))
        if not files or (self.fault.count is not None and self.fault.count > len(files)):
            raise NoPlace(
                f"there {'is one file' if len(files) == 1 else f'are {len(files)} files'} that this can happen to."
            )
        order = self._streams.get("choose").permutation(len(files))
        for k in order:
            if len(self.answers) == wanted:
                break
            splices = alter(files[k], self._streams.get("file", files[k].path.name))
            if splices:
                self._write(files[k], splices, words)
        if len(self.answers) < wanted and (self.fault.count is not None or not self.answers):
            raise NoPlace(f"only {len(self.answers)} of {wanted} files could be changed.")
        self.answers.sort(key=lambda answer: answer["table"])

    def _write(self, file: File, splices: list[Splice], words: str) -> None:
        clean = file.data
        dirty = spliced(clean, splices)
        file.path.write_bytes(dirty)
        self.answers.append(
            {
                "table": file.table,
                "old": json.dumps({"file": file.path.name, "splices": _way_back(splices)}),
                "new": f"{words}: {len(clean):,} bytes before, {len(dirty):,} after",
            }
        )


def _names(file: File, wanted: Sequence[str]) -> bool:
    return any(file.table.upper() == name.upper() for name in wanted)


def spliced(clean: bytes, splices: Sequence[Splice]) -> bytes:
    """The bytes after the splices, which are in order and do not overlap.

    >>> spliced(b"abcd", [Splice(1, b"b", b"XY")])
    b'aXYcd'
    """
    parts, at = [], 0
    for splice in splices:
        parts += [clean[at : splice.at], splice.new]
        at = splice.at + len(splice.old)
    return b"".join([*parts, clean[at:]])


def _way_back(splices: Sequence[Splice]) -> list[list[Any]]:
    """Where in the changed file, how many bytes to take out, and what to put in."""
    shift, result = 0, []
    for splice in splices:
        old = base64.b64encode(zlib.compress(splice.old, 9)).decode() if splice.old else ""
        result.append([splice.at + shift, len(splice.new), old])
        shift += len(splice.new) - len(splice.old)
    return result


def restore_file(dirty: bytes, old: Mapping[str, Any]) -> bytes:
    """The clean bytes of a changed file. Raises RequestError where the key does not fit."""
    parts, at = [], 0
    for place, length, packed in old["splices"]:
        if place + length > len(dirty):
            raise RequestError("the answer key does not belong to this file.", place=Place(file=old["file"]))
        parts += [dirty[at:place], zlib.decompress(base64.b64decode(packed)) if packed else b""]
        at = place + length
    return b"".join([*parts, dirty[at:]])
