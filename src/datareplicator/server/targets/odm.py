"""CDISC ODM-XML 1.3 to the web service of an EDC, in the form of Medidata's Rave Web Services ("PostODMClinicalData").

A row becomes an item group of the form of its table, below subject and study event. All transactions are "Upsert", and
rows are numbered within subject, event and form: sent twice they leave the same values.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq

from datareplicator.server.targets.errand import Errand, rows_of
from datareplicator.server.targets.http import Sender
from datareplicator.server.targets.network import TargetError
from datareplicator.server.targets.schemas import OdmOptions

NAMESPACE = "http://www.cdisc.org/ns/odm/v1.3"
VENDOR = "http://www.mdsol.com/ns/odm/metadata"
"""Rave's extensions: subjects are named and not numbered, and items that are not sent stay as they are."""
ET.register_namespace("mdsol", VENDOR)
POST = "webservice.aspx?PostODMClinicalData"
STUDIES = "studies"
KIND = "text/xml; charset=utf-8"
UPSERT = "Upsert"
LONGEST_REASON = 300
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _sender(options: OdmOptions, secret: str | None, *, private: bool, timeout: float) -> Sender:
    if secret is None:
        raise TargetError("the target has no secret: it is the password.")
    basic = base64.b64encode(f"{options.user}:{secret}".encode()).decode()
    return Sender(options.url, {"Authorization": f"Basic {basic}"}, private=private, timeout=timeout)


async def probe(options: OdmOptions, secret: str | None, *, private: bool) -> tuple[bool, str]:
    """Whether the web service answers and lets us see its studies."""
    async with _sender(options, secret, private=private, timeout=10.0) as sender:
        return await sender.probe("GET", STUDIES)


async def push(errand: Errand, options: OdmOptions, secret: str | None, *, private: bool) -> dict[str, Any]:
    """Post the tables that have the subject's column. Raises TargetError where none has it, or one is not taken."""
    chosen = [entry for entry in await errand.tables() if _has(entry, options.subject_column)]
    if not chosen:
        raise TargetError(f"no table that is to be pushed has the column {options.subject_column}.")
    total, done, requests, size = sum(entry["rows"] for entry in chosen), 0, 0, 0
    sites = await _sites(errand, chosen, options)
    async with _sender(options, secret, private=private, timeout=120.0) as sender:
        for entry in chosen:
            written = Document(entry["table"], options, sites)
            async for batch in errand.batches(await errand.fetched(entry), options.batch_rows):
                content = written.of(rows_of(batch), f"{errand.key}-{entry['table']}-{done}")
                answer = await sender.ask("POST", POST, content, {"Content-Type": KIND})
                _check(sender.host, answer.content)
                requests, done, size = requests + 1, done + batch.num_rows, size + len(content)
                errand.told(done, total)
    return {"requests": requests, "rows": done, "bytes": size}


def _has(entry: dict[str, Any], column: str) -> bool:
    return any(each["name"] == column for each in entry["columns"])


async def _sites(errand: Errand, entries: Iterable[dict[str, Any]], options: OdmOptions) -> dict[str, str]:
    """The site of each subject, from the first table that knows: an EDC makes subjects at their sites."""
    columns = [options.subject_column, options.site_column]
    for entry in entries:
        if all(_has(entry, column) for column in columns):
            table: pq.ParquetFile = await errand.fetched(entry)
            rows = table.read(columns=columns).to_pylist()
            return {str(row[columns[0]]): str(row[columns[1]]) for row in rows if row[columns[1]] is not None}
    return {}


def _check(host: str, answer: bytes) -> None:
    """A web service may refuse a document with a status that says otherwise: its answer is what counts."""
    try:
        said = ET.fromstring(answer).attrib
    except ET.ParseError as error:
        raise TargetError(f"{host} answers, but not as Rave Web Services do.") from error
    if said.get("IsTransactionSuccessful") != "1":
        reason = " ".join(filter(None, (said.get("ReasonCode"), said.get("ErrorClientResponseMessage"))))
        raise TargetError(f"{host} does not take the data: {reason[:LONGEST_REASON] or 'no reason is given'}.")


class Document:
    """ODM documents of one table, one for each batch of its rows."""

    def __init__(self, table: str, options: OdmOptions, sites: dict[str, str]) -> None:
        self._form = table.upper()
        self._options = options
        self._sites = sites
        self._seen: Counter[tuple[str, str]] = Counter()

    def of(self, rows: Iterable[dict[str, Any]], name: str) -> bytes:
        """A document of these rows; the numbers of repeated item groups go on from one document to the next."""
        own = self._options
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
        head = {"xmlns": NAMESPACE, "ODMVersion": "1.3", "FileType": "Transactional", "FileOID": name}
        root = ET.Element("ODM", {**head, "CreationDateTime": moment})
        data = {"StudyOID": own.study_oid, "MetaDataVersionOID": own.metadata_version}
        clinical = ET.SubElement(root, "ClinicalData", data)
        forms: dict[tuple[str, str], ET.Element] = {}
        subjects: dict[str, ET.Element] = {}
        for row in rows:
            subject = _text(row[own.subject_column])
            event = row.get(own.event_column)
            event = own.event_oid if event is None else _text(event)
            if subject not in subjects:
                subjects[subject] = self._subject(clinical, subject)
            if (subject, event) not in forms:
                forms[subject, event] = self._in_event(subjects[subject], event)
            self._seen[subject, event] += 1
            self._group(forms[subject, event], row, str(self._seen[subject, event]))
        return ET.tostring(root, encoding="utf-8", xml_declaration=True)

    def _subject(self, clinical: ET.Element, subject: str) -> ET.Element:
        made = ET.SubElement(
            clinical,
            "SubjectData",
            {"SubjectKey": subject, "TransactionType": UPSERT, f"{{{VENDOR}}}SubjectKeyType": "SubjectName"},
        )
        if subject in self._sites:
            ET.SubElement(made, "SiteRef", {"LocationOID": _text(self._sites[subject])})
        return made

    def _in_event(self, subject: ET.Element, event: str) -> ET.Element:
        event_keys = {"StudyEventOID": event, "StudyEventRepeatKey": "1", "TransactionType": UPSERT}
        form_keys = {"FormOID": self._form, "FormRepeatKey": "1", "TransactionType": UPSERT}
        return ET.SubElement(ET.SubElement(subject, "StudyEventData", event_keys), "FormData", form_keys)

    def _group(self, form: ET.Element, row: dict[str, Any], number: str) -> None:
        keys = {"ItemGroupOID": self._form, "ItemGroupRepeatKey": number, "TransactionType": UPSERT}
        keys[f"{{{VENDOR}}}Submission"] = "SpecifiedItemsOnly"
        group = ET.SubElement(form, "ItemGroupData", keys)
        for name, value in row.items():
            if value is not None and value != "" and name != self._options.subject_column:
                ET.SubElement(group, "ItemData", {"ItemOID": f"{self._form}.{name.upper()}", "Value": _text(value)})


def _text(value: Any) -> str:
    """A value as ODM has it; characters that XML cannot hold are replaced.

    >>> _text(12.0), _text(True), _text("a\\x00b")
    ('12', 'true', 'a\ufffdb')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(value, ".15g")
    return _NOT_XML.sub("\ufffd", str(value))
