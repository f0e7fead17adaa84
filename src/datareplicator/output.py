"""Where an output may go; that it appears whole or not at all is the matter of `formats`."""

from __future__ import annotations

from pathlib import Path

from datareplicator.errors import Place, RequestError
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
