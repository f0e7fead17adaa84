"""Parts of a model, each known by all that it was learned from: what has not changed is not learned again.

A part is a pure function of its inputs. A model keeps a digest of the inputs of each; when the same study is learned
once more, say after a correction, parts whose inputs are the same are taken over as they are.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel

T = TypeVar("T")


class Parts:
    """The parts of a model in the making. `earlier`: digests of an earlier model's parts, `held` the parts themselves,
    by name. `digests`: those of this model; `taken`: the names of the parts that were taken over."""

    def __init__(self, earlier: Mapping[str, str] | None = None, held: Mapping[str, Any] | None = None) -> None:
        self._earlier, self._held = dict(earlier or {}), dict(held or {})
        self.digests: dict[str, str] = {}
        self.taken: list[str] = []

    def same(self, name: str, *inputs: Any) -> bool:
        """Whether an earlier part was learned from the same; notes what this one is learned from."""
        self.digests[name] = digest(*inputs)
        same = name in self._held and self._earlier.get(name) == self.digests[name]
        self.taken += [name] if same else []
        return same

    def take(self, name: str, inputs: tuple[Any, ...], learn: Callable[[], T]) -> T:
        """The earlier part, where it was learned from the same inputs, else a new one."""
        return self._held[name] if self.same(name, *inputs) else learn()

    def held(self, name: str) -> Any:
        """An earlier part."""
        return self._held[name]


def digest(*values: Any) -> str:
    """SHA-256 of values of any kind that parts are learned from.

    >>> digest(np.arange(3), "a") == digest(np.arange(3), "a"), digest(np.arange(3)) == digest(np.arange(3.0))
    (True, False)
    """
    held = hashlib.sha256()
    for value in values:
        _feed(held, value)
    return held.hexdigest()


def _feed(held: Any, value: Any) -> None:
    """Put a value into a digest: its kind, its size and what it holds, so that no two read alike."""
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            _feed(held, pd.Series(value.ravel()))
            return
        held.update(f"array{value.dtype}{value.shape}".encode())
        held.update(np.ascontiguousarray(value).data if value.size else b"")
    elif isinstance(value, pd.Series):
        _feed_series(held, value)
    elif isinstance(value, pd.DataFrame):
        held.update(f"frame{len(value)}".encode())
        for name in value.columns:
            _feed(held, str(name))
            _feed_series(held, value[name])
    elif isinstance(value, BaseModel):
        held.update(value.model_dump_json().encode())
    elif isinstance(value, Mapping):
        held.update(f"map{len(value)}".encode())
        for key, item in value.items():
            _feed(held, key)
            _feed(held, item)
    elif isinstance(value, list | tuple):
        held.update(f"list{len(value)}".encode())
        for item in value:
            _feed(held, item)
    elif isinstance(value, set | frozenset):
        _feed(held, sorted(value, key=str))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _feed(held, {f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    elif value is None or isinstance(value, str | int | float | bool | Enum | np.generic):
        text = repr(value)
        held.update(f"{type(value).__name__}{len(text)}{text}".encode())
    else:
        raise TypeError(f"nothing is learned from a {type(value).__name__}")


def _feed_series(held: Any, values: pd.Series) -> None:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        held.update(f"codes{len(values)}".encode())
        held.update(values.cat.codes.to_numpy().tobytes())
        _feed(held, [str(c) for c in dtype.categories])
    elif pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_extension_array_dtype(dtype):
        _feed(held, values.to_numpy())
    else:
        codes, distinct = pd.factorize(values)
        held.update(f"values{dtype}{len(values)}".encode())
        held.update(codes.tobytes())
        _feed(held, [str(d) for d in distinct])
