"""In the child: what is in the files of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from datareplicator.errors import DataReplicatorError, SourceError
from datareplicator.formats import read_study
from datareplicator.formats.reading import read_file
from datareplicator.pipeline import Step
from datareplicator.profile.standard import recognise
from datareplicator.server.jobs.child import problem
from datareplicator.server.jobs.tablesout import brief, write_tables
from datareplicator.study import Study, Table

SUBJECTS = ("USUBJID", "SUBJID", "PERSON_ID", "SUBJECT_ID", "SUBJECT")
Progress = Callable[[Step], None]


def inspect(spec: dict[str, Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """Read all files; for each what it holds or what is wrong with it, and the tables for previews.

    `spec["files"]` are the names of the data files in ``in``.
    """
    progress(Step("read"))
    names: list[str] = spec["files"]
    try:
        study = read_study(folder / "in")
    except SourceError as error:
        return _with_problems(names, folder / "in", error, progress)
    progress(Step("write", 0, len(study.tables), "tables"))
    entries = write_tables(study, folder / "out")
    columns = {name: list(table.columns) for name, table in study.tables.items()}
    tables = [_table(table) for table in study.tables.values()]
    return {
        "usable": True,
        "study": study.name,
        "standard": recognise(columns),
        "rows": study.rows,
        "subjects": _subjects(study),
        "tables": brief(entries),
        "files": [
            {"file": name, "tables": [t for t in tables if t["file"] == name], "problem": None} for name in names
        ],
        "problems": [],
        "notes": list(study.notes),
    }


def _with_problems(names: list[str], folder: Path, whole: DataReplicatorError, progress: Progress) -> dict[str, Any]:
    """Read each file alone, so that all that are wrong are named and not only the first."""
    files, problems = [], []
    for number, name in enumerate(names):
        progress(Step("read", number, len(names), "files"))
        found: list[dict[str, Any]] = []
        wrong = None
        try:
            found = [_table(table) for table in read_file(folder / name, name)]
        except SourceError as error:
            wrong = problem(error)
            problems.append(wrong)
        files.append({"file": name, "tables": found, "problem": wrong})
    return {
        "usable": False,
        "study": "",
        "standard": None,
        "rows": sum(table["rows"] for entry in files for table in entry["tables"]),
        "subjects": None,
        "tables": [],
        "files": files,
        "problems": problems or [problem(whole)],
        "notes": [],
    }


def _table(table: Table) -> dict[str, Any]:
    """What one table is."""
    frame = table.frame
    domain = frame["DOMAIN"].dropna().unique() if "DOMAIN" in frame else []
    key = next((c for c in frame.columns if str(c).upper() in SUBJECTS), None)
    return {
        "file": table.origin.file if table.origin else "",
        "table": table.name,
        "label": table.label,
        "domain": str(domain[0]) if len(domain) == 1 else None,
        "standard": recognise({table.name: list(table.columns)}),
        "rows": len(frame),
        "columns": len(frame.columns),
        "subjects": int(frame[key].nunique()) if key is not None else None,
    }


def _subjects(study: Study) -> int | None:
    """Distinct subjects over all tables by the key that most tables have; None where no usual name is found."""
    by_key: dict[str, list[pd.Series]] = {}
    for table in study.tables.values():
        for column in table.frame.columns:
            if str(column).upper() in SUBJECTS:
                by_key.setdefault(str(column).upper(), []).append(table.frame[column])
    key = next((name for name in SUBJECTS if name in by_key), None)
    return None if key is None else int(pd.concat([c.astype("str") for c in by_key[key]]).nunique())
