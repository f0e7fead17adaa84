"""Define-XML 2.0 and 2.1: the code lists that a study names for its own variables, and the lengths it declares."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

from datareplicator.errors import Place, SourceError
from datareplicator.standards.terminology import CodeList

ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
LARGEST = 256 << 20
"""Bytes of a document that are still read."""


@dataclass(frozen=True)
class Define:
    """`lists`: code list by dataset and variable, both in capitals. `lengths`: declared length of texts, the same."""

    lists: dict[tuple[str, str], CodeList] = field(default_factory=dict)
    lengths: dict[tuple[str, str], int] = field(default_factory=dict)


def read_define(path: str | Path) -> Define:
    """Read a Define-XML document. External code lists (MedDRA) and value level metadata are left out.

    Raises SourceError where the file is no well-formed XML, declares entities, or is of another version.
    """
    path = Path(path)
    place = Place(path.name)
    try:
        if path.stat().st_size > LARGEST:
            raise SourceError("the document is too large.", place=place, hint=f"Up to {LARGEST:,} bytes are read.")
        text = path.read_bytes()
        # A definition document needs no entities of its own; bombs and reads of other files do.
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise SourceError("the document declares entities.", place=place, hint="Export it without a DOCTYPE.")
        root = ET.fromstring(text)
    except (ET.ParseError, OSError, UnicodeError, ValueError) as error:
        raise SourceError(f"the document cannot be read ({error}).", place=place, hint="Is it Define-XML?") from error
    if not root.tag.startswith(ODM):
        raise SourceError("this is no Define-XML 2.0 or 2.1.", place=place, hint="Version 1.0 is not read.")
    return _define(root)


def _define(root: ET.Element) -> Define:
    lists = {element.get("OID", ""): _code_list(element) for element in root.iter(f"{ODM}CodeList")}
    items = {element.get("OID", ""): element for element in root.iter(f"{ODM}ItemDef")}
    found = Define()
    for group in root.iter(f"{ODM}ItemGroupDef"):
        dataset = (group.get("SASDatasetName") or group.get("Name") or "").upper()
        for reference in group.iter(f"{ODM}ItemRef"):
            item = items.get(reference.get("ItemOID", ""))
            if item is None:
                continue
            key = dataset, (item.get("SASFieldName") or item.get("Name") or "").upper()
            named = item.find(f"{ODM}CodeListRef")
            held = lists.get(named.get("CodeListOID", "")) if named is not None else None
            if held is not None:
                found.lists[key] = held
            length = item.get("Length", "")
            if item.get("DataType") == "text" and length.isdigit():
                found.lengths[key] = int(length)
    return found


def _code_list(element: ET.Element) -> CodeList | None:
    """The list's terms; None for a list kept elsewhere, such as a dictionary."""
    members = [m for tag in ("CodeListItem", "EnumeratedItem") for m in element.iter(f"{ODM}{tag}")]
    terms = {member.get("CodedValue", ""): member.get("CodedValue", "") for member in members}
    return CodeList(element.get("Name", ""), terms, False, source="Define-XML") if terms else None
