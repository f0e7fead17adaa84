"""What a study is: named tables, what is known of their columns, and nothing of files or statistics.

Frames are normalised by the reader, so that everybody downstream can rely on it:

=========  ============================  =====================================================
type       pandas dtype                  remark
=========  ============================  =====================================================
text       ``str`` (missing = NaN)       never the empty string: blanks are missing
integer    ``int64``, or ``Int64``       ``Int64`` when values are missing; 17-digit ids stay exact
float      ``float64``                   SAS numbers are always this
boolean    ``boolean``
date       ``datetime64[us]``            a true date type in the source (Parquet date, SAS DATE9.)
datetime   ``datetime64[us]``            may carry a time zone
time       ``timedelta64[us]``
=========  ============================  =====================================================

ISO 8601 dates as SDTM writes them (``2014-03``) are text; `dates.py` reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

ColumnType = Literal["text", "integer", "float", "boolean", "date", "datetime", "time"]


@dataclass(frozen=True)
class Column:
    """What the source declares of a column.

    `length` is the declared length in bytes (XPT, Define-XML), `format` and `informat` the SAS formats such as
    ``DATE9.``; `blank` says that missing text is written as the empty string rather than as null. `written` is the
    local layout in which the source writes what is ISO 8601 text or a number here (``DD.MM.YYYY``, ``0,0``; see
    `formats.localforms`): files are written in it again.
    """

    name: str
    type: ColumnType
    label: str = ""
    length: int | None = None
    format: str = ""
    informat: str = ""
    blank: bool = False
    written: str = ""


@dataclass(frozen=True)
class Origin:
    """Where a table came from, enough to write it back the same way (``--format same``).

    `options` are the format's own (delimiter, encoding, quoting, XPT version, Excel sheet, ...), plain JSON values.
    """

    format: str
    file: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Table:
    """One table: a frame and its metadata. `columns` has exactly the frame's columns, in order."""

    name: str
    frame: pd.DataFrame
    columns: dict[str, Column]
    label: str = ""
    origin: Origin | None = None

    def __len__(self) -> int:
        return len(self.frame)


@dataclass
class Study:
    """Named tables in the source's order. `name` is the study's own name where one is known, else the source's.

    `notes`: what the reader had to assume, in plain words.
    """

    tables: dict[str, Table]
    name: str = ""
    notes: tuple[str, ...] = ()

    def __getitem__(self, table: str) -> Table:
        return self.tables[table]

    def __contains__(self, table: object) -> bool:
        return table in self.tables

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def frames(self) -> dict[str, pd.DataFrame]:
        """The frames alone, by table name."""
        return {name: table.frame for name, table in self.tables.items()}

    @property
    def rows(self) -> int:
        """Rows over all tables."""
        return sum(len(table) for table in self.tables.values())
