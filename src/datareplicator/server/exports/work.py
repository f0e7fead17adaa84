"""In the child: the tables of a run in another format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datareplicator.errors import Place, RequestError
from datareplicator.formats import open_writer
from datareplicator.formats.normalise import table_from_arrow
from datareplicator.pipeline import Step
from datareplicator.server.jobs.tablesout import INDEX, layout_of
from datareplicator.study import Origin

DATABASE = "study.duckdb"
ROWS = 100_000


def export(spec: dict[str, Any], folder: Path, progress: Callable[[Step], None]) -> dict[str, Any]:
    """Write the tables of ``in/tables.json`` (all, or those of `spec["tables"]`) in the format of `spec`."""
    entries = json.loads((folder / "in" / INDEX).read_text(encoding="utf-8"))
    wanted = spec.get("tables") or [entry["table"] for entry in entries]
    chosen = [entry for entry in entries if entry["table"] in wanted]
    lost = [entry["table"] for entry in chosen if not entry["file"]]
    if lost:
        raise RequestError("the table holds faults that no other format takes.", place=Place(table=lost[0]))
    out = folder / "out"
    if spec["format"] == "duckdb":
        out.mkdir()
        write_database(chosen, folder / "in", out / DATABASE, progress)
    else:
        write_files(chosen, folder / "in", out, spec["format"], progress)
    return {"format": spec["format"], "tables": [e["table"] for e in chosen], "rows": sum(e["rows"] for e in chosen)}


def write_files(entries: list[dict[str, Any]], source: Path, out: Path, format: str, progress: Any) -> None:
    """One file a table, batch by batch: memory does not grow with the tables."""
    layouts = {entry["table"]: layout_of(entry) for entry in entries}
    with open_writer(out, layouts.values(), format) as writer:
        for number, entry in enumerate(entries):
            progress(Step("write", number, len(entries), "tables"))
            layout = layouts[entry["table"]]
            for batch in pq.ParquetFile(source / entry["file"]).iter_batches(ROWS):
                data = pa.Table.from_batches([batch])
                frame = table_from_arrow(layout.name, data, Origin("parquet", entry["file"])).frame
                writer.append(layout.name, frame)


def write_database(entries: list[dict[str, Any]], source: Path, target: Path, progress: Any) -> None:
    """One DuckDB file with a table each, labels as comments: what notebooks and dashboards open."""
    import duckdb

    with duckdb.connect(str(target)) as database:
        for number, entry in enumerate(entries):
            progress(Step("write", number, len(entries), "tables"))
            name = quoted(entry["table"])
            database.execute(f"CREATE TABLE {name} AS SELECT * FROM read_parquet(?)", [str(source / entry["file"])])
            if entry["label"]:
                database.execute(f"COMMENT ON TABLE {name} IS {literal(entry['label'])}")
            for column in entry["columns"]:
                if column.get("label"):
                    place = f"{name}.{quoted(column['name'])}"
                    database.execute(f"COMMENT ON COLUMN {place} IS {literal(column['label'])}")


def quoted(name: str) -> str:
    """A name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text for SQL where no parameter may stand."""
    return "'" + text.replace("'", "''") + "'"
