"""The manifest: what was asked, what made it, and what lies in the output folder, with a digest of every file.

It carries no time and no machine: the same request gives the same manifest.
"""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from datareplicator import __version__
from datareplicator.document import Document
from datareplicator.errors import Place, SourceError
from datareplicator.generate.conditions.outcome import Outcome

NAME = "manifest.json"
MADE_WITH = ("numpy", "scipy", "pandas", "pyarrow", "scikit-learn")
"""The libraries whose versions can change the bytes."""


class Request(Document):
    """What was asked for, as far as it shapes the output; `control`: counts and the like, as in the run document."""

    source: str | None
    subjects: int
    seed: int
    variation: float
    stratified: bool
    format: str
    control: dict[str, Any] | None = None
    faults: dict[str, Any] | None = None


class WorkRequest(Document):
    """What was asked for of a study as it is. `faults`: the plan, includes resolved."""

    command: Literal["corrupt", "repair"]
    source: str
    seed: int | None = None
    format: str
    faults: dict[str, Any] | None = None


class FileEntry(Document):
    """One file of the output; `rows` where it holds a table."""

    rows: int | None = None
    sha256: str


class Manifest(Document):
    """The content of manifest.json. `model` is the digest of the model document that new subjects came
    from; `conditions` says how constraints, rare events and scenarios ended."""

    manifest: Literal[1] = 1
    request: Request | WorkRequest
    model: str | None = None
    versions: dict[str, str]
    conditions: tuple[Outcome, ...] = ()
    files: dict[str, FileEntry]

    @property
    def rows(self) -> int:
        """Rows over all tables."""
        return sum(entry.rows or 0 for entry in self.files.values())


def versions() -> dict[str, str]:
    """This library, Python, and the libraries that decide on the bytes."""
    own = {"datareplicator": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in MADE_WITH}


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write manifest.json into a folder."""
    (folder / NAME).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: str | Path) -> Manifest:
    """Read the manifest of an output folder. Raises SourceError when there is none or it is damaged."""
    path = Path(folder) / NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror}).", place=Place(file=str(path))) from error
    except ValidationError as error:
        raise SourceError("is no manifest of DataReplicator.", place=Place(file=str(path))) from error
