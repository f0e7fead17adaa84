"""Objects by key, in a local folder or in object storage, through one interface.

An object belongs to exactly one row of the database, and its key begins with the project's: deleting a row deletes
its objects, deleting a project deletes its prefix, and nothing is shared that a deletion would have to count. What is
content-addressed are the results of work (`server.cache`), by the digests of all that they depend on.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from obstore.store import LocalStore, ObjectStore, from_url

CHUNK = 1 << 20
"""Bytes that are read at once."""


class Missing(Exception):
    """There is no object of this key."""


class Storage:
    """A store of objects.

    `root` is the folder where the store is a local one: then objects are read where they lie, and files of ours are
    moved in rather than copied.
    """

    def __init__(self, store: ObjectStore, root: Path | None = None) -> None:
        self._store = store
        self._root = root

    async def put_file(self, key: str, path: Path, *, move: bool = False) -> None:
        """Store a file's content; with `move` the file may be gone afterwards. The object appears whole."""
        checked = _checked(key)
        if self._root is not None:
            await asyncio.to_thread(_into_place, path, self._root / checked, move)
            return
        with path.open("rb") as file:
            await self._store.put_async(checked, file)

    async def put_bytes(self, key: str, content: bytes) -> None:
        """Store a small content."""
        await self._store.put_async(_checked(key), content)

    async def size(self, key: str) -> int:
        """Bytes of an object. Raises Missing."""
        try:
            return (await self._store.head_async(_checked(key)))["size"]
        except FileNotFoundError as error:
            raise Missing(key) from error

    async def read(self, key: str) -> bytes:
        """The whole of a small object. Raises Missing."""
        try:
            result = await self._store.get_async(_checked(key))
            return bytes(await result.bytes_async())
        except FileNotFoundError as error:
            raise Missing(key) from error

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to before `end`, in pieces. Raises Missing."""
        size = await self.size(key)
        stop = size if end is None else min(end, size)
        while start < stop:
            piece = await self._store.get_range_async(_checked(key), start=start, end=min(start + CHUNK, stop))
            start += len(piece)
            yield bytes(piece)

    async def fetch(self, key: str, target: Path) -> None:
        """Copy an object into a file. Raises Missing."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._root is not None:
            try:
                await asyncio.to_thread(_link_or_copy, self._root / _checked(key), target)
            except FileNotFoundError as error:
                raise Missing(key) from error
            return
        with target.open("wb") as file:
            async for piece in self.stream(key):
                file.write(piece)

    def where(self, key: str) -> Path | None:
        """The path of an object in a local store; None where there is no such path."""
        return None if self._root is None else self._root / _checked(key)

    async def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        found: list[str] = []
        async for page in self._store.list_async(_checked(prefix)):
            found += [meta["path"] for meta in page]
        return found

    async def delete(self, prefix: str) -> int:
        """Delete the object of this key and all below it; how many there were. Nothing there is no error."""
        keys = await self.keys(prefix)
        try:
            await self._store.head_async(_checked(prefix))
            keys.append(_checked(prefix))
        except (FileNotFoundError, IsADirectoryError):
            pass  # a prefix, no object: the usual case
        if self._root is not None:
            await asyncio.to_thread(_remove, self._root / _checked(prefix))
        elif keys:
            await self._store.delete_async(keys)
        return len(keys)


def open_storage(url: str | None, folder: Path) -> Storage:
    """The store that a URL names (``s3://bucket/path``, ``gs://``, ``az://``, ``file:///path``); None is `folder`.

    Credentials come from the environment, as the providers' own tools take them.
    """
    parts = urlsplit(url or "")
    if url is None or parts.scheme in ("", "file"):
        root = folder if url is None else Path(parts.path or url)
        root.mkdir(parents=True, exist_ok=True)
        return Storage(LocalStore(root), root.resolve())
    return Storage(from_url(url))


def _checked(key: str) -> str:
    """The key, if it stays below the root."""
    path = PurePosixPath(key)
    if not key or path.is_absolute() or ".." in path.parts or "\0" in key:
        raise ValueError(f"{key!r} is no key")
    return str(path)


def _into_place(path: Path, target: Path, move: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if move:
            shutil.move(path, part)
        else:
            shutil.copyfile(path, part)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system
        shutil.copyfile(source, target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
