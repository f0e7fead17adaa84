"""Model documents on disk: plain or compressed JSON, written whole or not at all."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from glob import glob
from pathlib import Path
from typing import Any

import pyarrow as pa

from datareplicator.errors import ModelError, Place, RequestError
from datareplicator.formats.atomic import os_errors

SUFFIXES = {None: ".json", "gz": ".json.gz", "zst": ".json.zst"}
"""Compression -> what the file's name ends in."""
MOST_BYTES = 2_000_000_000
NAME = re.compile(r"(?P<name>.+)_(?P<stamp>\d{8}_\d{6})_model\.json(?:\.gz|\.zst)?")
HINT = "It was cut, edited, or made by something else; profile the data again."


def new_path(folder: Path, name: str, suffix: str) -> Path:
    """NAME_YYYYMMDD_HHMMSS_model.json, the first second from now that is free."""
    moment = datetime.now()
    while True:
        stem = f"{name}_{moment:%Y%m%d_%H%M%S}_model.json"
        if not any((folder / (stem + end)).exists() for end in ("", ".gz", ".zst")):
            return folder / (stem.removesuffix(".json") + suffix)
        moment += timedelta(seconds=1)


def write_model(document: dict[str, Any], path: Path) -> None:
    """Write a document; the suffix says how. Raises WriteError, ModelError where a value is no JSON."""
    try:
        content = _text(document).encode("utf-8")
    except (TypeError, ValueError) as error:
        raise ModelError(f"the model holds a value that JSON cannot ({error}).") from error
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    elif path.suffix == ".zst":
        content = _zstd(content)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content)
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _text(document: Mapping[str, Any]) -> str:
    """JSON with a line for each part and each column: fit to be read, and written by the fast encoder."""

    def plain(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    def part(key: str, value: Any) -> str:
        if key == "columns" and value:
            return "[\n  " + ",\n  ".join(map(plain, value)) + "\n ]"
        return plain(value)

    return "{\n" + ",\n".join(f" {plain(str(k))}: {part(k, v)}" for k, v in document.items()) + "\n}\n"


def _zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def read_model(path: str | os.PathLike[str]) -> tuple[Any, Path]:
    """The JSON of a model file and which file that was; a pattern with ``*`` names the newest. Raises ModelError."""
    found = resolve(path)
    place = Place(file=str(found))
    try:
        content = found.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(MOST_BYTES + 1)
        elif content[:4] == b"\x28\xb5\x2f\xfd":
            content = pa.CompressedInputStream(pa.BufferReader(content), "zstd").read(MOST_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, pa.ArrowException) as error:
        raise ModelError("the compressed file is damaged.", place=place, hint=HINT) from error
    except OSError as error:
        raise ModelError(f"the model cannot be read ({error.strerror or error}).", place=place) from error
    if len(content) > MOST_BYTES:
        raise ModelError("the file is too large for a model.", place=place)
    try:
        return json.loads(content.decode("utf-8")), found
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the file is no valid JSON ({error}).", place=place, hint=HINT) from error


def resolve(path: str | os.PathLike[str]) -> Path:
    """The file of a path or, of those that a pattern fits, the newest (by the time in its name, then by its own)."""
    text = os.fspath(path)
    if Path(text).exists() or not any(mark in text for mark in "*?["):
        return Path(text)
    found = [Path(name) for name in glob(text) if Path(name).is_file()]
    if not found:
        raise ModelError("no file fits this pattern.", place=Place(file=text))
    return max(found, key=_age)


def _age(path: Path) -> tuple[str, float]:
    named = NAME.fullmatch(path.name)
    return (named["stamp"] if named else "", path.stat().st_mtime)


def checked_name(name: str) -> str:
    """A name that may stand in a file's name. Raises RequestError."""
    if not isinstance(name, str) or not re.fullmatch(r"[^\W_][\w .()-]*", name) or name != name.strip():
        raise RequestError(
            f"{name!r} cannot name a model.", hint="Use letters, digits, blanks, and any of . _ ( ) - after the first."
        )
    return name
