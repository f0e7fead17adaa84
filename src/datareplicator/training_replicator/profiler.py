"""From a table to its Synthetic Model Definition."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from datareplicator.model.single.document import VERSION
from datareplicator.model.single.profile import profile_table
from datareplicator.model.single.source import read_table


class DataProfiler:
    """Learns the statistics of a pandas or polars DataFrame or an Arrow table, which is not changed."""

    def __init__(self, df: Any) -> None:
        self._df = df

    def profile(self) -> dict[str, Any]:
        """The model as a dict of plain JSON values: `metadata`, `columns`, and what holds the columns together.

        Raises SourceError for double column names and for cells that no flat table can have, RequestError where the
        data are no frame.
        """
        source = read_table(self._df)
        metadata = {
            "rows": source.rows,
            "date": datetime.now().isoformat(),
            "version": VERSION,
            "foreign_keys": None,
            "frame": source.frame,
        }
        return {"metadata": metadata, **profile_table(source).part}
