"""What a writer needs to know of a table before its first row: names, types, metadata, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from datareplicator.study import Column, Origin, Table


@dataclass(frozen=True)
class TableLayout:
    """A table's columns in order, its label and origin; no rows."""

    name: str
    columns: Mapping[str, Column]
    label: str = ""
    origin: Origin | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table) -> TableLayout:
        """The layout of a table at hand."""
        return cls(table.name, table.columns, table.label, table.origin)

    def own_options(self, format_name: str) -> Mapping[str, Any]:
        """The origin's options where the table came from that format, else none."""
        return self.origin.options if self.origin is not None and self.origin.format == format_name else {}


class TableWriter(Protocol):
    """Writes the rows of one table to one file, block by block."""

    def __init__(self, path: Path, layout: TableLayout) -> None: ...

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows; the frame has the layout's columns."""

    def close(self) -> None:
        """Finish the file."""

    def abort(self) -> None:
        """Release what is open; the file is thrown away."""
