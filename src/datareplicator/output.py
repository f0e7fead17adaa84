"""Where an output may go, and single files that appear whole or not at all (folders: `formats.open_writer`)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datareplicator.errors import Place, RequestError
from datareplicator.formats.atomic import os_errors
from datareplicator.manifest import NAME as MANIFEST


def check_output(output: Path, *, overwrite: bool, source: Path | None = None) -> None:
    """Refuse an output folder that must not be written, before any work is done.

    Only a folder with a manifest of ours is ever replaced. Raises RequestError.
    """
    place = Place(file=str(output))
    if source is not None and _holds(output, source):
        raise RequestError("the output would replace the source.", place=place, hint="Choose another folder.")
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise RequestError("this is no folder.", place=place, hint="Choose another output.")
    if not output.is_dir() or not any(output.iterdir()):
        return
    if not overwrite:
        raise RequestError("the folder is not empty.", place=place, hint="Choose another folder, or add --overwrite.")
    if not (output / MANIFEST).is_file():
        raise RequestError(
            f"the folder holds no {MANIFEST}, so it is not replaced.",
            place=place,
            hint="Choose another folder, or empty it.",
        )


def _holds(output: Path, source: Path) -> bool:
    """Whether the source is the output folder or lies in it."""
    out, src = output.resolve(), source.resolve()
    return out == src or out in src.parents


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to write; it becomes `path` if nothing is raised. Raises WriteError."""
    path = Path(os.path.abspath(path))
    with os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # A hidden name in the same folder that nobody else uses: the move is a rename then.
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        partial.touch(exist_ok=False)
        try:
            yield partial
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
