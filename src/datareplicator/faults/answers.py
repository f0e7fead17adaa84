"""The answer key: one row a cell, row or column that was changed, and the files it is written to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from datareplicator.errors import Place, RequestError, SourceError

COLUMNS = {
    "answer": "int64",
    "fault": "int64",
    "incident": "int64",
    "kind": "str",
    "family": "str",
    "change": "str",
    "table": "str",
    "row_before": "Int64",
    "row_after": "Int64",
    "subject": "str",
    "site": "str",
    "key": "str",
    "variable": "str",
    "old": "str",
    "new": "str",
    "severity": "str",
    "rules": "str",
    "core": "str",
    "p21": "str",
    "detectable": "bool",
    "spreads": "bool",
}
"""The columns of the key. Rows count from 1; `row_before` is missing for a row that was put in, `row_after` for one
that was dropped. `site` is that of the subject, where the study has sites. `incident` numbers the faults, of which one
may change many cells. `old` and `new` are texts that give the value exactly; rows put in or dropped stand there as JSON
objects."""

ARROW = {"int64": pa.int64(), "Int64": pa.int64(), "str": pa.string(), "bool": pa.bool_()}
NOTE = b"datareplicator.answers"
VERSION = 1
SUFFIXES = (".parquet", ".json", ".csv")


@dataclass
class Answers:
    """The answer key. `tables`: the columns of each changed table as they were, so that types come back too."""

    frame: pd.DataFrame
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __len__(self) -> int:
        return len(self.frame)

    def to_frame(self) -> pd.DataFrame:
        """One row a change; the columns are those of `COLUMNS`."""
        return self.frame

    def summary(self) -> pd.DataFrame:
        """One row an entry of the plan: fault, kind, severity, incidents, changes, detectable."""
        grouped = self.frame.groupby(["fault", "kind"], sort=True)
        result = grouped.agg(
            severity=("severity", "first"),
            incidents=("incident", "nunique"),
            changes=("answer", "size"),
            detectable=("detectable", "first"),
        )
        return result.reset_index()

    def to_core(self) -> pd.DataFrame:
        """The form of the CDISC CORE engine's results: Dataset, Record, Variable, Value, and what identifies the row.

        A row that was dropped has no record number.
        """
        frame = self.frame
        return pd.DataFrame(
            {
                "CORE-ID": frame["core"],
                "Message": frame["kind"],
                "Dataset": frame["table"].str.upper(),
                "USUBJID": frame["subject"],
                "Record": frame["row_after"],
                "Variable": frame["variable"],
                "Value": frame["new"],
            }
        )

    def to_json(self) -> str:
        """The whole key as one JSON document; `read_answers` reads it back."""
        content = {"answers": VERSION, "seed": self.seed, "notes": list(self.notes), "tables": self.tables}
        head = json.dumps({**content, "rows": []}, ensure_ascii=False, indent=1).removesuffix("[]\n}")
        rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in self._records())
        return f"{head}[\n{rows}\n ]\n}}" if rows else f"{head}[]\n}}"

    def _records(self) -> Iterator[dict[str, Any]]:
        columns = [self.frame[name].astype(object).where(self.frame[name].notna(), None) for name in COLUMNS]
        for row in zip(*columns, strict=True):
            yield dict(zip(COLUMNS, row, strict=True))

    def to_text(self, *, notes: bool = True) -> str:
        """For people: what was injected, by entry of the plan, and the notes."""
        lines = [f"{_many(len(self.frame), 'change')} in {_many(self.frame['incident'].nunique(), 'fault')}"]
        for row in self.summary().itertuples(index=False):
            seen = "" if row.detectable else ", no rule can see it"
            size = f"{_many(row.incidents, 'fault')}, {_many(row.changes, 'change')}"
            lines.append(f"  {row.kind}: {size}, {row.severity}{seen}")
        return "\n".join([*lines, *(f"note: {note}" for note in (self.notes if notes else ()))])

    def write(self, path: str | Path) -> Path:
        """Write the key by the name's suffix: .parquet, .json or .csv; ``.core.csv`` is CORE's form.

        Only Parquet and JSON hold all that `repair` needs. Raises RequestError for another suffix.
        """
        path = Path(path)
        if path.name.lower().endswith(".core.csv"):
            self.to_core().to_csv(path, index=False)
        elif path.suffix.lower() == ".csv":
            self.frame.to_csv(path, index=False, lineterminator="\n")
        elif path.suffix.lower() == ".json":
            path.write_text(self.to_json() + "\n", encoding="utf-8")
        elif path.suffix.lower() == ".parquet":
            pq.write_table(self._arrow(), path, compression="zstd")
        else:
            raise RequestError(f"an answer key is written as {', '.join(SUFFIXES)}, not as {path.name!r}.")
        return path

    def _arrow(self) -> pa.Table:
        note = {"answers": VERSION, "seed": self.seed, "notes": list(self.notes), "tables": self.tables}
        return pa.Table.from_pandas(self.frame, schema=arrow_schema(note), preserve_index=False)


def _many(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def arrow_schema(note: Mapping[str, Any]) -> pa.Schema:
    """The schema of a key in Parquet, with what belongs to it beside the rows."""
    fields = [pa.field(name, ARROW[kind]) for name, kind in COLUMNS.items()]
    return pa.schema(fields, metadata={NOTE: json.dumps(note, ensure_ascii=False).encode()})


def key_frame(parts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The parts of a key below each other, in the right types and numbered.

    A part has each column of `COLUMNS`: as an array or list, of the length of its `incident`, or as one value that
    stands in all of its rows.
    """
    sizes = [len(part["incident"]) for part in parts]
    held = {name: _column([part[name] for part in parts], sizes, kind) for name, kind in COLUMNS.items()}
    held["answer"] = pd.Series(np.arange(1, sum(sizes) + 1))
    return pd.DataFrame(held)


def _column(values: Sequence[Any], sizes: Sequence[int], kind: str) -> pd.Series:
    """One column of the key, made at once: a table has many parts of few rows each."""
    if kind == "Int64":
        missing = np.repeat([value is None for value in values], sizes).astype(bool)
        values = [0 if value is None else value for value in values]
    whole = np.empty(sum(sizes), dtype={"str": object, "bool": bool}.get(kind, np.int64))
    for end, size, value in zip(np.cumsum(sizes, dtype=np.int64), sizes, values, strict=True):
        whole[end - size : end] = value
    if kind == "Int64":
        return pd.Series(pd.arrays.IntegerArray(whole, missing))
    return pd.Series(whole, dtype=kind)


def read_answers(path: str | Path) -> Answers:
    """Read an answer key. Raises SourceError where it is missing or damaged, RequestError for a form without types."""
    path = Path(path)
    place = Place(file=str(path))
    if not path.is_file():
        raise SourceError("there is no such file.", place=place, hint="Check the path.")
    if path.suffix.lower() == ".csv":
        return Answers(_read_csv(path))
    try:
        if path.suffix.lower() == ".json":
            content = json.loads(path.read_text(encoding="utf-8"))
            rows = pd.DataFrame(content["rows"], columns=list(COLUMNS))
            frame = pd.DataFrame({name: _typed(rows[name], kind) for name, kind in COLUMNS.items()})
        else:
            data = pq.read_table(path)
            content = json.loads((data.schema.metadata or {})[NOTE])
            held = data.select(list(COLUMNS)).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
            frame = held.astype(COLUMNS)
        if content["answers"] != VERSION:
            raise SourceError(f"the answer key is of version {content['answers']!r}, not {VERSION}.", place=place)
        return Answers(frame, content["tables"], tuple(content["notes"]), content["seed"])
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException, OSError) as error:
        raise SourceError(
            "is no answer key of DataReplicator, or is damaged.",
            place=place,
            hint="Give answers.parquet or answers.json as `corrupt` wrote it.",
        ) from error


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
        return pd.DataFrame({name: _typed(rows[name], kind) for name, kind in COLUMNS.items()})
    except (KeyError, ValueError) as error:
        raise SourceError("is no answer key of DataReplicator.", place=Place(file=str(path))) from error


def _typed(values: pd.Series, kind: str) -> pd.Series:
    if kind == "bool":
        return values.map({"True": True, "False": False, True: True, False: False}).astype(bool)
    if kind in ("int64", "Int64"):
        return pd.to_numeric(values).astype(kind)
    return values.astype("str")
