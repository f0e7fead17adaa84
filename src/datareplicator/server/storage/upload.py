"""A folder of results into the store."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from datareplicator.server.storage.store import Storage


@dataclass(frozen=True)
class Stored:
    """One stored file: its name below the folder, its key, bytes and SHA-256."""

    name: str
    key: str
    size: int
    sha256: str


async def publish_folder(storage: Storage, folder: Path, prefix: str) -> list[Stored]:
    """Move all files below a folder into the store. Nobody knows of them until rows that name them are committed."""
    stored = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        size, digest = await asyncio.to_thread(_measured, path)
        key = f"{prefix}/{name}"
        await storage.put_file(key, path, move=True)
        stored.append(Stored(name, key, size, digest))
    return stored


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
