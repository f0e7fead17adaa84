"""From tables to their Synthetic Model Definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from datareplicator.errors import RequestError
from datareplicator.model.single.document import VERSION
from datareplicator.model.single.private import profile_private
from datareplicator.model.single.profile import profile_table
from datareplicator.model.single.related import profile_related
from datareplicator.model.single.sequences import profile_sequence
from datareplicator.model.single.source import read_table


class DataProfiler:
    """Learns the statistics of a table, or of several that refer to each other; the data are not changed.

    `df`: a pandas or polars DataFrame or an Arrow table; or a mapping of names to such, with
    `foreign_keys={"transactions": {"customer_id": "customers.id"}}`. `time_column`: the rows form a series in time, or
    one for each value of `sequence_key`.

    `epsilon`: learn under differential privacy (neighbours differ by one row; needs the extra ``privacy``), with at
    most the chance `delta` that a rare category shows. `bounds` of numbers and dates and `categories` that are public
    knowledge cost no budget and make the rest better. The spent budget stands in ``metadata.privacy``.
    """

    def __init__(
        self,
        df: Any,
        *,
        foreign_keys: Mapping[str, Mapping[str, str]] | None = None,
        sequence_key: str | None = None,
        time_column: str | None = None,
        epsilon: float | None = None,
        delta: float = 1e-6,
        bounds: Mapping[str, tuple[Any, Any]] | None = None,
        categories: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        self._df, self._keys = df, foreign_keys
        self._epsilon, self._delta = epsilon, delta
        self._bounds, self._categories = bounds or {}, categories or {}
        self._sequence, self._time = sequence_key, time_column
        several = isinstance(df, Mapping)
        if foreign_keys is not None and not several:
            raise RequestError("foreign_keys need several tables.", hint="Give a mapping of names to frames.")
        if sequence_key is not None and time_column is None:
            raise RequestError("sequence_key needs time_column beside it.")
        if time_column is not None and several:
            raise RequestError("time_column is for a single table.")
        if epsilon is not None and (several or time_column is not None):
            raise RequestError("epsilon is for a single table whose rows are independent: one row is one person.")
        if epsilon is None and (bounds or categories):
            raise RequestError("bounds and categories are for learning with epsilon.")

    def profile(self) -> dict[str, Any]:
        """The model as a dict of plain JSON values: `metadata`, `columns` (or `tables`), and what holds them together.

        Raises SourceError for double column names and for cells that no flat table can have, RequestError where the
        data are no frame, or a key or column that was named is not there.
        """
        if isinstance(self._df, Mapping):
            return self._profile_tables(self._df)
        source = read_table(self._df)
        if self._epsilon is not None:
            part, rows, spent = profile_private(source, self._epsilon, self._delta, self._bounds, self._categories)
            return {"metadata": {**_metadata(rows, source.frame), "privacy": spent}, **part}
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
