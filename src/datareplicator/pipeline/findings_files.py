"""Findings written to files: JSON, CSV, Excel and HTML, by the suffix."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from datareplicator.errors import Place, RequestError
from datareplicator.formats.atomic import os_errors
from datareplicator.validate import Findings
from datareplicator.validate.running import LIMIT

EXCEL_ROWS = 1_000_000
"""Rows that a sheet takes, the heading aside."""


def check_target(path: Path, *, overwrite: bool) -> None:
    """Raise RequestError before the work begins where the suffix is unknown or the file is there already."""
    place = Place(file=str(path))
    if path.suffix.lower() not in WRITERS:
        known = ", ".join(WRITERS)
        raise RequestError(
            f"findings are not written as {path.suffix or 'no suffix'}.", place=place, hint=f"Use {known}."
        )
    if path.exists() and not (overwrite and path.is_file()):
        raise RequestError("exists already.", place=place, hint="Choose another name, or add --overwrite.")


def write_findings(findings: Findings, path: Path, name: str = "") -> None:
    """Write the findings in the form that the suffix names, whole or not at all. Raises WriteError."""
    with os_errors(path):
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            WRITERS[path.suffix.lower()](findings, part, name)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)


def _json(findings: Findings, path: Path, name: str) -> None:
    path.write_text(findings.to_json() + "\n", encoding="utf-8")


def _csv(findings: Findings, path: Path, name: str) -> None:
    findings.to_frame().to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _html(findings: Findings, path: Path, name: str) -> None:
    from datareplicator.evaluate.report.findings_page import render_findings

    path.write_text(render_findings(findings.first(LIMIT), name), encoding="utf-8")


def _excel(findings: Findings, path: Path, name: str) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    _sheet(book, "Rules", findings.summary())
    _sheet(book, "Findings", findings.first(LIMIT).to_frame().head(EXCEL_ROWS))
    book.save(path)


def _sheet(book, title: str, frame: pd.DataFrame) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(list(frame.columns))
    for row in frame.itertuples(index=False):
        cells = []
        for value in row:
            missing = value is None or value != value
            cell = WriteOnlyCell(sheet, None if missing else value if isinstance(value, int | float) else "")
            if isinstance(value, str):
                # Text of the study is text, whatever it begins with: never a formula.
                cell.value = ILLEGAL_CHARACTERS_RE.sub("�", value)
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)


COMPLETE = (".json", ".csv")
"""Forms for programs, which hold all findings; those for people hold the first of each rule."""
WRITERS = {".json": _json, ".csv": _csv, ".xlsx": _excel, ".html": _html}
