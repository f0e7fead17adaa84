"""Faults of finished files: cut off, in another encoding, with other line ends, with a second header, empty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from datareplicator.document import Document
from datareplicator.faults.files import File, FileJob, Splice
from datareplicator.faults.kind import Family, Scope, Severity, Unit

FAMILY = Family("files", Scope.FILES)
Alter = Callable[[File, np.random.Generator], "list[Splice] | None"]


def _files(job: FileJob, alter: Alter, words: str, *, text: bool) -> None:
    job.change([f for f in job.files if f.is_text or not text], alter, words)


@FAMILY.kind("truncated-file", "The end of a file is missing.", unit=Unit.FILE, severity=Severity.CRITICAL)
def truncated_file(job: FileJob, params: Document) -> None:
    def alter(file: File, rng: np.random.Generator) -> list[Splice] | None:
        size = len(file.data)
        kept = int(size * rng.uniform(0.5, 0.95))
        return [Splice(kept, file.data[kept:], b"")] if 0 < kept < size else None

    _files(job, alter, "cut off", text=False)


@FAMILY.kind("empty-file", "A file of no bytes.", unit=Unit.FILE, severity=Severity.CRITICAL)
def empty_file(job: FileJob, params: Document) -> None:
    _files(job, lambda file, rng: [Splice(0, file.data, b"")] if file.data else None, "emptied", text=False)


@FAMILY.kind("byte-order-mark", "A text file begins with a byte order mark.", unit=Unit.FILE)
def byte_order_mark(job: FileJob, params: Document) -> None:
    def alter(file: File, rng: np.random.Generator) -> list[Splice] | None:
        return None if file.data.startswith(b"\xef\xbb\xbf") else [Splice(0, b"", b"\xef\xbb\xbf")]

    _files(job, alter, "byte order mark", text=True)


@FAMILY.kind("mixed-line-ends", "Some lines of a text file end as on other systems.", unit=Unit.FILE)
def mixed_line_ends(job: FileJob, params: Document) -> None:
    def alter(file: File, rng: np.random.Generator) -> list[Splice] | None:
        ends = _line_ends(file.data)
        some = np.flatnonzero(rng.random(len(ends)) < 0.5)
        if len(ends) < 2:
            return None
        some = some if 0 < len(some) < len(ends) else np.array([0])
        return [Splice(at, old, b"\n" if old == b"\r\n" else b"\r\n") for at, old in (ends[k] for k in some)]

    _files(job, alter, "mixed line ends", text=True)


def _line_ends(data: bytes) -> list[tuple[int, bytes]]:
    """Each line end outside quotes: where it begins, and its bytes."""
    ends, quoted = [], False
    for at, byte in enumerate(data):
        quoted ^= byte == 0x22
        if byte == 0x0A and not quoted:
            crlf = at > 0 and data[at - 1] == 0x0D
            ends.append((at - 1, b"\r\n") if crlf else (at, b"\n"))
    return ends


@FAMILY.kind(
    "header-in-the-middle",
    "The header stands again between the rows.",
    unit=Unit.FILE,
    severity=Severity.MAJOR,
    rules="DR1003",
)
def header_in_the_middle(job: FileJob, params: Document) -> None:
    def alter(file: File, rng: np.random.Generator) -> list[Splice] | None:
        ends = [at + len(old) for at, old in _line_ends(file.data)]
        if len(ends) < 3:
            return None
        return [Splice(ends[int(rng.integers(1, len(ends) - 1))], b"", file.data[: ends[0]])]

    _files(job, alter, "a second header", text=True)


@FAMILY.kind("wrong-encoding", "A text file in another encoding than before.", unit=Unit.FILE, severity=Severity.MAJOR)
def wrong_encoding(job: FileJob, params: Document) -> None:
    def alter(file: File, rng: np.random.Generator) -> list[Splice] | None:
        try:
            text = file.data.decode("utf-8")
        except UnicodeDecodeError:
            return None
        other = text.encode("cp1252", errors="replace") if not text.isascii() else text.encode("utf-16")
        return [Splice(0, file.data, other)] if other != file.data else None

    _files(job, alter, "another encoding", text=True)
