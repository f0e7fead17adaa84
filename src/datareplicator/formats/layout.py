"""What a writer needs to know of a table before its first row: names, types, metadata, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import pandas as pd
from pydantic import ValidationError

from datareplicator.errors import Place, WriteError
from datareplicator.formats.options import Options
from datareplicator.study import Column, Origin, Table

OptionsType = TypeVar("OptionsType", bound=Options)


@dataclass(frozen=True)
class TableLayout:
    """A table's columns in order, its label and origin; no rows."""

    name: str
    columns: Mapping[str, Column]
    label: str = ""
    origin: Origin | None = None

    @classmethod
    def of(cls, table: Table) -> TableLayout:
        """The layout of a table at hand."""
        return cls(table.name, table.columns, table.label, table.origin)

    def came_from(self, format_name: str) -> bool:
        """Whether the table was read from that format."""
        return self.origin is not None and self.origin.format == format_name

    def own_options(self, format_name: str, kind: type[OptionsType]) -> OptionsType:
        """The origin's options where the table came from that format, else the defaults.

        Raises `WriteError` where they are not what a reader of ours would have noted.
        """
        if self.origin is None or not self.came_from(format_name):
            return kind()
        try:
            return kind.model_validate(dict(self.origin.options))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise WriteError(
                f"the note on how the source was written is damaged ({where}: {first['msg']}).",
                place=Place(table=self.name),
                hint="Name a format instead of `same`.",
            ) from error


class Closable(Protocol):
    """A stream, a sheet or a writer."""

    def close(self) -> object:
        """End it, writing what it still holds."""


def let_go(held: Closable) -> None:
    """Close what writes a file that is thrown away: a full disk, which made us stop, cannot take its rest either."""
    with suppress(OSError):
        held.close()


class TableWriter(Protocol):
    """Writes the rows of one table to one file, block by block."""

    def __init__(self, path: Path, layout: TableLayout) -> None: ...

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows; the frame has the layout's columns."""

    def close(self) -> None:
        """Finish the file."""

    def abort(self) -> None:
        """Release what is open; the file is thrown away."""
