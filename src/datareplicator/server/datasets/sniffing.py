"""What a file is, by its first bytes: names are not trusted."""

from __future__ import annotations

import zipfile
from pathlib import Path

from datareplicator.formats.registry import BY_SUFFIX
from datareplicator.server.problems import Problem

HEAD = 4096
SAS7BDAT = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
TEXTUAL = {"csv", "tsv", "json", "ndjson", "xml"}
ZIP = b"PK\x03\x04"


def kind_of(path: Path, name: str) -> str:
    """The format of a file: one of the registry's, ``zip``, ``xml`` (a Define-XML) or ``note`` (``.meta.json``).

    Raises a 415 where the content is of no kind that the service takes, or of another than the name says.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise Problem(422, f"{name}: the file is empty.", code="source", place={"file": name})
    by_name, by_content = _by_name(name), _by_content(head, path)
    if by_content == "text":
        if by_name in TEXTUAL | {"note"}:
            return by_name or ""
        by_content = None
    if by_content is None or by_name is None:
        known = ", ".join(sorted({*BY_SUFFIX, ".zip"}))
        raise Problem(
            415,
            f"{name}: this is no file of data that is known here.",
            hint=f"Upload {known}, or define.xml.",
            place={"file": name},
        )
    if by_content != by_name:
        hint = f"Name it as what it is, or export it as {by_name}."
        raise Problem(415, f"{name}: its content is {by_content}, not {by_name}.", hint=hint, place={"file": name})
    return by_content


def _by_name(name: str) -> str | None:
    lower = name.lower()
    if lower.endswith(".meta.json"):
        return "note"
    if lower == "define.xml":
        return "xml"
    if lower.endswith(".zip"):
        return "zip"
    kind = BY_SUFFIX.get(Path(lower).suffix)
    return kind.name if kind is not None else None


def _by_content(head: bytes, path: Path) -> str | None:
    if head.startswith(b"HEADER RECORD*******LIB"):
        return "xpt"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(SAS7BDAT[:32]):
        return "sas7bdat"
    if head.startswith(ZIP):
        return "xlsx" if _is_workbook(path) else "zip"
    if head[:1] == b"\x78" and path.suffix.lower() == ".dsjc":
        return "dsjc"
    return "text" if _is_text(head) else None


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return False


def _is_text(head: bytes) -> bool:
    """No control characters but those of lines and tabs; UTF-16 says so by its first two bytes."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not any(byte < 32 and byte not in (9, 10, 12, 13, 26) for byte in head)
