"""From a Synthetic Model Definition to new rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from datareplicator.errors import RequestError
from datareplicator.generate.single.frames import to_frame
from datareplicator.generate.single.making import make_single
from datareplicator.generate.single.table import Method
from datareplicator.model.single.reading import read_document
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

    def generate(self, num_rows: int, *, method: Method = "copula", frame: str | None = None) -> Any:
        """`num_rows` new rows, as a frame of the library that the model was learned from.

        `method`: "copula" (shapes and relations as learned) or "normal" (numbers from normal distributions, clipped to
        their bounds, dates evenly between theirs, every column on its own). `frame`: "pandas", "polars" or "arrow"
        instead of the source's. Raises RequestError.
        """
        rows = whole(num_rows, "num_rows")
        if method not in METHODS:
            raise RequestError(f"{method!r} is no method.", hint=f"Choose one of {', '.join(METHODS)}.")
        columns = make_single(self._model, rows, self._seed, method)
        return to_frame(columns, self._model, frame or self._model.metadata.frame or "pandas", rows)


def whole(value: Any, name: str, lowest: int | None = 0) -> int:
    """A whole number, or RequestError."""
    try:
        number = value.__index__()
    except AttributeError as error:
        raise RequestError(f"{name} must be a whole number, not {value!r}.") from error
    if isinstance(value, bool) or (lowest is not None and number < lowest):
        raise RequestError(f"{name} must be a whole number from {lowest or 0} up, not {value!r}.")
    return number
