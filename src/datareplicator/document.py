"""The pydantic base of everything that is written to a model document, and array fields that survive JSON.

Arrays are written as nested lists (without entries: as their shape), floats at 9 significant digits, NaN as null;
infinity is refused. Reading checks type, finiteness and shape, and pydantic names the path of what is wrong.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

MOST_ENTRIES = 10_000_000


class Document(BaseModel):
    """A part of a model document: immutable, nothing unknown accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())


def _to_floats(value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        array = np.asarray(value, dtype=np.float64)
    elif isinstance(value, dict):
        array = np.empty(_empty_shape(value))
    else:
        try:
            array = np.array(_none_to_nan(value), dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError("expected a (nested) list of numbers of one shape") from error
    if np.isinf(array).any():
        raise ValueError("infinity is not allowed here")
    return array


def _none_to_nan(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_none_to_nan(item) for item in value]
    if value is None:
        return np.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, found {type(value).__name__}")
    return value


def _empty_shape(value: dict) -> tuple[int, ...]:
    """The shape of an array without entries, which nested lists cannot tell."""
    shape = value.get("shape")
    whole = isinstance(shape, list) and all(isinstance(n, int) and 0 <= n <= MOST_ENTRIES for n in shape)
    if set(value) != {"shape"} or not whole or 0 not in shape:  # type: ignore[operator]
        raise ValueError("expected a list of numbers, or the shape of an array without entries")
    return tuple(shape)  # type: ignore[arg-type]


def _from_floats(array: np.ndarray) -> Any:
    if not array.size and array.ndim > 1:
        return {"shape": list(array.shape)}

    def one(x: float) -> float | None:
        return None if np.isnan(x) else float(f"{x:.9g}")

    def walk(part: np.ndarray) -> Any:
        return (
            one(float(part))
            if part.ndim == 0
            else [walk(item) for item in part]
            if part.ndim > 1
            else [one(x) for x in part.tolist()]
        )

    return walk(array)


def _from_exact(array: np.ndarray) -> Any:
    return [None if x != x else x for x in array.tolist()]


def _to_ints(value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value.astype(np.int64)
    if isinstance(value, dict):
        return np.empty(_empty_shape(value), dtype=np.int64)
    try:
        array = np.array(value, dtype=object)
        if not all(isinstance(item, int) and not isinstance(item, bool) for item in array.ravel()):
            raise TypeError
        return array.astype(np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("expected a (nested) list of whole numbers of one shape") from error


def _from_ints(array: np.ndarray) -> Any:
    return {"shape": list(array.shape)} if not array.size and array.ndim > 1 else array.tolist()


Floats = Annotated[np.ndarray, BeforeValidator(_to_floats), PlainSerializer(_from_floats, when_used="json")]
"""Parameters: any shape, 9 significant digits in JSON, NaN as null."""

Exact = Annotated[np.ndarray, BeforeValidator(_to_floats), PlainSerializer(_from_exact, when_used="json")]
"""One-dimensional values that must come back bit for bit (a lattice of values as the source writes them)."""

Ints = Annotated[np.ndarray, BeforeValidator(_to_ints), PlainSerializer(_from_ints, when_used="json")]
"""Whole numbers, any shape."""


class PlainLoader(yaml.SafeLoader):
    """YAML for documents of users: plain values only; a key given twice is an error rather than a silent choice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
