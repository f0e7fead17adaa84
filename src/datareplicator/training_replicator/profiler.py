"""From tables to their Synthetic Model Definition."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from datareplicator.errors import RequestError
from datareplicator.model.single.document import VERSION
from datareplicator.model.single.profile import profile_table
from datareplicator.model.single.related import profile_related
from datareplicator.model.single.sequences import profile_sequence
from datareplicator.model.single.source import read_table


class DataProfiler:
    """Learns the statistics of a table, or of several that refer to each other; the data are not changed.

    `df`: a pandas or polars DataFrame or an Arrow table; or a mapping of names to such, with
    `foreign_keys={"transactions": {"customer_id": "customers.id"}}`. `time_column`: the rows form a series in time, or
    one for each value of `sequence_key`.
    """

    def __init__(
        self,
        df: Any,
        *,
        foreign_keys: Mapping[str, Mapping[str, str]] | None = None,
        sequence_key: str | None = None,
        time_column: str | None = None,
    ) -> None:
        self._df, self._keys = df, foreign_keys
        self._sequence, self._time = sequence_key, time_column
        several = isinstance(df, Mapping)
        if foreign_keys is not None and not several:
            raise RequestError("foreign_keys need several tables.", hint="Give a mapping of names to frames.")
        if sequence_key is not None and time_column is None:
            raise RequestError("sequence_key needs time_column beside it.")
        if time_column is not None and several:
            raise RequestError("time_column is for a single table.")

    def profile(self) -> dict[str, Any]:
        """The model as a dict of plain JSON values: `metadata`, `columns` (or `tables`), and what holds them together.

        Raises SourceError for double column names and for cells that no flat table can have, RequestError where the
        data are no frame, or a key or column that was named is not there.
        """
        if isinstance(self._df, Mapping):
            return self._profile_tables(self._df)
        source = read_table(self._df)
        if self._time is not None:
            part = profile_sequence(source, self._time, self._sequence).part
        else:
            part = profile_table(source).part
        return {"metadata": _metadata(source.rows, source.frame), **part}

    def _profile_tables(self, frames: Mapping[str, Any]) -> dict[str, Any]:
        if not frames:
            raise RequestError("there are no tables.")
        keys = {table: dict(columns) for table, columns in (self._keys or {}).items()}
        sources = {str(name): read_table(frame, str(name)) for name, frame in frames.items()}
        metadata = _metadata(sum(s.rows for s in sources.values()), next(iter(sources.values())).frame)
        metadata["foreign_keys"] = keys
        return {"metadata": metadata, "columns": [], "tables": profile_related(sources, keys)}


def _metadata(rows: int, frame: str) -> dict[str, Any]:
    now = datetime.now().isoformat()
    return {"rows": rows, "date": now, "version": VERSION, "foreign_keys": None, "frame": frame}
