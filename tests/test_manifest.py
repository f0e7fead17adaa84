from __future__ import annotations

from pathlib import Path

import pytest

from datareplicator.errors import SourceError
from datareplicator.manifest import FileEntry, Manifest, Request, digest, read_manifest, versions, write_manifest

REQUEST = Request(source="study", subjects=3, seed=7, variation=1.0, stratified=True, format="csv")


def test_a_manifest_survives_its_file(tmp_path: Path) -> None:
    files = {"dm.csv": FileEntry(rows=3, sha256="ab"), "report.html": FileEntry(sha256="cd")}
    manifest = Manifest(request=REQUEST, model="ef", versions=versions(), files=files)
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert manifest.rows == 3


def test_what_is_no_manifest_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text('{"manifest": 2}')
    with pytest.raises(SourceError, match="no manifest"):
        read_manifest(tmp_path)


def test_digest_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_text("abc")
    assert digest(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_versions_name_what_decides_on_the_bytes() -> None:
    assert {"datareplicator", "python", "numpy", "pandas", "pyarrow"} <= set(versions())
