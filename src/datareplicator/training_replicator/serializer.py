"""Models on disk: named, dated, checked."""

from __future__ import annotations

import builtins
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from datareplicator.errors import Place, RequestError
from datareplicator.model.single.reading import migrate, read_document
from datareplicator.training_replicator import files, versions


class ModelSerializer:
    """Writes models into a folder and reads them back; several versions of a name lie side by side."""

    def __init__(self, output_dir: str | os.PathLike[str] = "./models") -> None:
        self.output_dir = Path(output_dir)

    def serialize(
        self, profile: Mapping[str, Any], name: str, *, compression: Literal["gz", "zst"] | None = None
    ) -> str:
        """Write a model as ``NAME_YYYYMMDD_HHMMSS_model.json`` (``.gz``, ``.zst``) and return the path.

        Raises ModelError where the profile is no valid model, RequestError for a name that no file can have, and
        WriteError.
        """
        if compression not in files.SUFFIXES:
            raise RequestError(f"{compression!r} is no compression.", hint='Choose "gz", "zst" or none.')
        files.checked_name(name)
        read_document(profile)
        path = files.new_path(self.output_dir, name, files.SUFFIXES[compression])
        files.write_model(dict(profile), path)
        return str(path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> dict[str, Any]:
        """The model in a file, checked and brought to the present version; of a pattern such as
        ``models/customers_*.json``, the newest. Raises ModelError with the path of what is wrong in the document."""
        content, found = files.read_model(path)
        place = Place(file=str(found))
        read_document(content, place)
        return migrate(content, place)

    def list(self, name: str | None = None) -> builtins.list[versions.Version]:
        """The stored versions (of one name), oldest first."""
        return versions.list_versions(self.output_dir, name)

    @staticmethod
    def diff(before: Any, after: Any) -> builtins.list[versions.Change]:
        """Where two models differ; each may be a model or the path of one."""
        first, second = (ModelSerializer.load(m) if isinstance(m, str | os.PathLike) else m for m in (before, after))
        return versions.differences(first, second)

    def promote(self, path: str | os.PathLike[str]) -> None:
        """Make a stored version the one in use of its name."""
        versions.promote(self.output_dir, files.resolve(path))

    def promoted(self, name: str) -> str:
        """The path of the promoted version of a name. Raises ModelError where there is none."""
        return str(versions.promoted_path(self.output_dir, name))
