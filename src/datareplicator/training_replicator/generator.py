"""From a Synthetic Model Definition to new rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from datareplicator.errors import RequestError
from datareplicator.generate.single.frames import to_frame
from datareplicator.generate.single.making import make_related, make_single
from datareplicator.generate.single.table import Method
from datareplicator.model.single.reading import read_document
from datareplicator.model.single.source import read_table
from datareplicator.training_replicator.exporting import export
from datareplicator.training_replicator.serializer import ModelSerializer

METHODS = ("copula", "normal")


class SyntheticGenerator:
    """Makes new rows from a model: a profile, a document that was loaded or written by hand, or the path of one.

    The same model, seed and number of rows give the same rows, and more rows never change earlier ones. Raises
    ModelError, with the path in the document, for a model that is not valid.
    """

    def __init__(self, model: Mapping[str, Any] | str | os.PathLike[str], seed: int = 42) -> None:
        if isinstance(model, str | os.PathLike):
            model = ModelSerializer.load(model)
        self._model = read_document(model)
        self._seed = whole(seed, "seed", lowest=None)

    def generate(
        self,
        num_rows: int | Mapping[str, int],
        *,
        method: Method = "copula",
        frame: str | None = None,
        parents: Mapping[str, Any] | None = None,
    ) -> Any:
        """`num_rows` new rows, as a frame of the library that the model was learned from.

        Of a model of several tables: a dict of frames, `num_rows` of the first table that refers to no other (the rest
        in proportion and as many children as learned), or a mapping of the names of such tables to rows. `method`:
        "copula" (shapes and relations as learned) or "normal" (numbers from normal distributions, clipped to their
        bounds, dates evenly between theirs, every column on its own). `frame`: "pandas", "polars" or "arrow" instead
        of the source's. `parents`: frames by table, whose keys the `metadata.foreign_keys` of a model of one table
        take. Raises RequestError.
        """
        if method not in METHODS:
            raise RequestError(f"{method!r} is no method.", hint=f"Choose one of {', '.join(METHODS)}.")
        kind = frame or self._model.metadata.frame or "pandas"
        if parents is not None and self._model.tables is not None:
            raise RequestError("parents are for a model of one table.")
        if self._model.tables is not None:
            if isinstance(num_rows, Mapping):
                rows: Any = {name: whole(n, f"num_rows of {name}") for name, n in num_rows.items()}
            else:
                rows = whole(num_rows, "num_rows")
            made = make_related(self._model, rows, self._seed, method)
            return {name: to_frame(part, self._model.tables[name], kind, _length(part)) for name, part in made.items()}
        rows = whole(num_rows, "num_rows")
        above = {name: _columns(table, name) for name, table in (parents or {}).items()}
        columns = make_single(self._model, rows, self._seed, method, above)
        return to_frame(columns, self._model, kind, rows)

    def export(self, num_rows: int | Mapping[str, int], path: str | os.PathLike[str], **options: Any) -> str:
        """Write new rows to a file by its suffix: ``.parquet``, ``.arrow`` or ``.feather`` (Arrow IPC), ``.csv``.

        Several tables go into a folder of that name, one Parquet file each, or of the kind that ``path/*.arrow`` says.
        `options` as for `generate`. Returns the path. Raises RequestError for another suffix, WriteError.
        """
        return export(self.generate(num_rows, **{**options, "frame": "arrow"}), path)


def _columns(frame: Any, name: str) -> dict[str, Any]:
    return {c.name: c.data for c in read_table(frame, name).columns.values()}


def _length(columns: Mapping[str, Any]) -> int:
    return len(next(iter(columns.values()))) if columns else 0


def whole(value: Any, name: str, lowest: int | None = 0) -> int:
    """A whole number, or RequestError."""
    try:
        number = value.__index__()
    except AttributeError as error:
        raise RequestError(f"{name} must be a whole number, not {value!r}.") from error
    if isinstance(value, bool) or (lowest is not None and number < lowest):
        raise RequestError(f"{name} must be a whole number from {lowest or 0} up, not {value!r}.")
    return number
