"""REDCap: rows go in by its API's "Import Records".

A table with one row of each record becomes fields of the record; another becomes a repeating instrument of the table's
name. Names are in lower case, as REDCap has them. Importing twice leaves the same values.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from datareplicator.server.targets.errand import Errand, rows_of
from datareplicator.server.targets.http import Sender
from datareplicator.server.targets.network import TargetError
from datareplicator.server.targets.schemas import RedcapOptions

FORM = "application/x-www-form-urlencoded"


def _sender(options: RedcapOptions, *, private: bool, timeout: float) -> Sender:
    return Sender(options.url, {"Content-Type": FORM}, private=private, timeout=timeout)


def _form(secret: str | None, **fields: str) -> bytes:
    if secret is None:
        raise TargetError("the target has no secret: it is the API token of the REDCap project.")
    return urlencode({"token": secret, **fields}).encode()


async def probe(options: RedcapOptions, secret: str | None, *, private: bool) -> tuple[bool, str]:
    """Whether REDCap answers and takes the token: its version is asked for."""
    async with _sender(options, private=private, timeout=10.0) as sender:
        return await sender.probe("POST", content=_form(secret, content="version", format="json"))


async def push(errand: Errand, options: RedcapOptions, secret: str | None, *, private: bool) -> dict[str, Any]:
    """Import the tables that have the column of the record's name. Raises TargetError where none has it."""
    chosen = [entry for entry in await errand.tables() if _has(entry, options.record_column)]
    if not chosen:
        raise TargetError(f"no table that is to be pushed has the column {options.record_column}.")
    total, done, requests, size = sum(entry["rows"] for entry in chosen), 0, 0, 0
    async with _sender(options, private=private, timeout=120.0) as sender:
        for entry in chosen:
            table = await errand.fetched(entry)
            rename = _Renamed(entry["table"], options, repeats=_repeats(table, options.record_column))
            async for batch in errand.batches(table, options.batch_rows):
                data = json.dumps(rename.records(batch), ensure_ascii=False)
                content = _form(secret, **_import(data))
                await sender.ask("POST", "", content, {})
                requests, done, size = requests + 1, done + batch.num_rows, size + len(content)
                errand.told(done, total)
    return {"requests": requests, "rows": done, "bytes": size}


def _import(data: str) -> dict[str, str]:
    return {
        "content": "record",
        "action": "import",
        "format": "json",
        "type": "flat",
        "overwriteBehavior": "normal",
        "forceAutoNumber": "false",
        "dateFormat": "YMD",
        "returnContent": "count",
        "returnFormat": "json",
        "data": data,
    }


def _has(entry: dict[str, Any], column: str) -> bool:
    return any(each["name"] == column for each in entry["columns"])


def _repeats(table: pq.ParquetFile, column: str) -> bool:
    """Whether a record has several rows."""
    values = table.read(columns=[column]).column(0)
    return pc.count_distinct(values, mode="all").as_py() < len(values)


def field_name(name: str) -> str:
    """A name as REDCap takes it: letters, digits and underscores, beginning with a letter.

    >>> field_name("AEDECOD"), field_name("2nd visit")
    ('aedecod', 'v_2nd_visit')
    """
    made = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
    return made if made[:1].isalpha() else f"v_{made}"


class _Renamed:
    """Rows of one table in REDCap's names, with the numbers of instances."""

    def __init__(self, table: str, options: RedcapOptions, *, repeats: bool) -> None:
        self._instrument = field_name(table) if repeats else ""
        self._options = options
        self._instances: Counter[str] = Counter()

    def records(self, batch: pa.RecordBatch) -> list[dict[str, Any]]:
        """The rows of a batch; missing values are empty, as REDCap has them."""
        made = []
        for row in rows_of(batch):
            record = str(row.pop(self._options.record_column))
            fields = {field_name(name): "" if value is None else value for name, value in row.items()}
            head: dict[str, Any] = {self._options.record_field: record}
            if self._instrument:
                self._instances[record] += 1
                head |= {
                    "redcap_repeat_instrument": self._instrument,
                    "redcap_repeat_instance": self._instances[record],
                }
            made.append({**fields, **head})
        return made
