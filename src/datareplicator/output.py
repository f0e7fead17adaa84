"""Outputs appear whole or not at all: everything is written next to its place first and moved there at the end."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datareplicator.errors import Place, RequestError, WriteError
from datareplicator.manifest import NAME as MANIFEST


def check_output(output: Path, *, overwrite: bool, source: Path | None = None) -> None:
    """Refuse an output folder that must not be written, before any work is done.

    Only a folder with a manifest of ours is ever replaced. Raises RequestError.
    """
    place = Place(file=str(output))
    if source is not None and _holds(output, source):
        raise RequestError("the output would replace the source.", place=place, hint="Choose another folder.")
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise RequestError("exists and is no folder.", place=place, hint="Choose another output.")
    if not output.is_dir() or not any(output.iterdir()):
        return
    if not overwrite:
        raise RequestError("is not empty.", place=place, hint="Choose another folder, or add --overwrite.")
    if not (output / MANIFEST).is_file():
        raise RequestError(
            f"holds no {MANIFEST}, so it is not replaced.", place=place, hint="Choose another folder, or empty it."
        )


def _holds(output: Path, source: Path) -> bool:
    """Whether the source is the output folder or lies in it."""
    out, src = output.resolve(), source.resolve()
    return out == src or out in src.parents


@contextmanager
def whole_folder(output: Path) -> Iterator[Path]:
    """A folder to write into; it becomes `output` (taking the place of an older one) if nothing is raised.

    Raises WriteError where the system refuses (permission, space), with nothing left behind.
    """
    output = Path(os.path.abspath(output))
    with _write_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        partial = _beside(output)
        partial.mkdir()
        try:
            yield partial
            _replace(partial, output)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to write; it becomes `path` if nothing is raised. Raises WriteError."""
    path = Path(os.path.abspath(path))
    with _write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = _beside(path)
        partial.touch(exist_ok=False)
        try:
            yield partial
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """A hidden name in the same folder (so that a move is a rename) that nobody else uses."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")


def _replace(partial: Path, output: Path) -> None:
    if not output.exists():
        os.rename(partial, output)
        return
    old = _beside(output)
    os.rename(output, old)
    try:
        os.rename(partial, output)
    except OSError:
        os.rename(old, output)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot be written ({error.strerror or error}).", place=Place(file=str(path))) from error
