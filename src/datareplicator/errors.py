"""The errors that a user of DataReplicator can meet: a small family, each with a code and a way out.

Every message says what was found, where (file, table, column, row where known) and what to do about it. Anything
else that escapes from the library is a defect of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where something was found. Rows count from 1, the header not included, as a reader of the file would count."""

    file: str | None = None
    table: str | None = None
    column: str | None = None
    row: int | None = None

    def __str__(self) -> str:
        parts = [("file", self.file), ("table", self.table), ("column", self.column), ("row", self.row)]
        return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


class DataReplicatorError(Exception):
    """Base of all our errors.

    `code` is stable and fit for programs; `exit_code` is what the command line leaves with.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, place: Place | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place or Place()
        self.hint = hint

    def __str__(self) -> str:
        where = str(self.place)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text} {self.hint}" if self.hint else text


class RequestError(DataReplicatorError):
    """What was asked for makes no sense (a negative number of subjects, an unknown option, a bad run document).

    `about`: the parts of the run document that it is about, as far as known, such as ``constraints.0``.
    """

    code = "request"
    exit_code = 2
    about: tuple[str, ...] = ()


@contextmanager
def asked_in(*parts: str) -> Iterator[None]:
    """Name the parts of the run document that a RequestError from within is about, unless it knows better.

    >>> try:
    ...     with asked_in("counts"):
    ...         raise RequestError("no.")
    ... except RequestError as error:
    ...     print(error.about)
    ('counts',)
    """
    try:
        yield
    except RequestError as error:
        error.about = error.about or parts
        raise


class SourceError(DataReplicatorError):
    """A file that was to be read cannot be: missing, empty, corrupt, of an unknown format, unsafe."""

    code = "source"
    exit_code = 3


class StructureError(DataReplicatorError):
    """The files were read, but no study can be learned from them as they are (no subject key, empty tables)."""

    code = "structure"
    exit_code = 4


class ModelError(DataReplicatorError):
    """A model document is damaged, of an unknown version, or contradicts itself."""

    code = "model"
    exit_code = 5


class WriteError(DataReplicatorError):
    """The output cannot be written: no permission, no space, or the format cannot hold the data."""

    code = "write"
    exit_code = 6


class EngineError(DataReplicatorError):
    """The work was broken off from outside: a worker process died."""

    code = "engine"
    exit_code = 7


INTERNAL = 70
"""Exit code of an error that is no DataReplicatorError: a defect of ours (EX_SOFTWARE of sysexits.h)."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 + SIGINT."""

PIPE_CLOSED = 141
"""Exit code when the reader of our output went away: 128 + SIGPIPE."""

TERMINATED = 143
"""Exit code after SIGTERM: 128 + SIGTERM."""
