"""A folder that appears whole or not at all.

Everything is written into a hidden sibling of the target, on the same file system, and moved into place at the end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from datareplicator.errors import Place, WriteError


@contextlib.contextmanager
def os_errors(target: Path) -> Iterator[None]:
    """Turn the operating system's refusals into `WriteError`, each with what to do."""
    try:
        yield
    except OSError as error:
        place = Place(str(target))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WriteError(
                "no space is left on the disk.", place=place, hint="Free space or write elsewhere."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise WriteError(
                "no permission to write here.", place=place, hint="Choose a folder you may write to."
            ) from error
        raise WriteError(f"cannot be written ({error.strerror or error}).", place=place) from error


class AtomicFolder:
    """Context manager: `path` is the folder to fill; leaving without an error moves it to the target.

    An existing empty target is filled; a non-empty one is refused unless `overwrite`, and then replaced only on
    success.

    Raises `WriteError` where the target is a file, is not empty, or cannot be written.
    """

    def __init__(self, target: Path | str, *, overwrite: bool = False) -> None:
        self.target = Path(target)
        self.overwrite = overwrite
        self.path = Path()

    def open(self) -> AtomicFolder:
        """Check the target and make the hidden sibling."""
        target, place = self.target, Place(str(self.target))
        with os_errors(target):
            if target.exists() and not target.is_dir():
                raise WriteError("a file of this name is in the way.", place=place, hint="Name a folder.")
            if target.is_dir() and not self.overwrite and any(target.iterdir()):
                raise WriteError(
                    "the folder is not empty.", place=place, hint="Name a new folder, or allow overwriting."
                )
            if target.is_dir() and not os.access(target, os.W_OK):
                raise PermissionError(errno.EACCES, "not writable")
            parent = target.absolute().parent
            parent.mkdir(parents=True, exist_ok=True)
            self.path = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=parent))
            self.path.chmod(0o777 & ~_umask())
        return self

    def commit(self) -> None:
        """Move the folder into place."""
        with os_errors(self.target):
            old = None
            if self.target.exists():
                old = self.path.with_suffix(".old")
                os.replace(self.target, old)
            try:
                os.replace(self.path, self.target)
            except BaseException:
                if old is not None:
                    os.replace(old, self.target)
                raise
            if old is not None:
                shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Throw away what was written; the target stays as it was."""
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> AtomicFolder:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.commit()
        except BaseException:
            self.discard()
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
