"""`datareplicator validate -o`: findings as JSON, CSV, Excel and HTML, and Define-XML beside the tables."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from datareplicator import cli
from datareplicator.data import sample_study_path
from datareplicator.errors import SourceError
from datareplicator.evaluate.report.findings_page import render_findings
from datareplicator.formats import read_study
from datareplicator.pipeline import checks
from datareplicator.pipeline.findings_files import write_findings
from datareplicator.standards.define import read_define
from datareplicator.validate import Findings, validate

DEFINE = """<?xml version="1.0"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:def="http://www.cdisc.org/ns/def/v2.0">
<Study OID="S"><MetaDataVersion OID="M" Name="M">
<ItemGroupDef OID="IG.AE" Name="AE"><ItemRef ItemOID="IT.AESEV"/><ItemRef ItemOID="IT.AETERM"/></ItemGroupDef>
<ItemDef OID="IT.AESEV" Name="AESEV" DataType="text" Length="8"><CodeListRef CodeListOID="CL.SEV"/></ItemDef>
<ItemDef OID="IT.AETERM" Name="AETERM" DataType="text" Length="200"/>
<CodeList OID="CL.SEV" Name="SEV" DataType="text"><CodeListItem CodedValue="MILD"/>
<EnumeratedItem CodedValue="SEVERE"/></CodeList>
</MetaDataVersion></Study></ODM>
"""


@pytest.fixture(scope="module")
def findings() -> Findings:
    """The sample study with one cell that looks like markup and one that looks like a formula."""
    study = read_study(sample_study_path())
    ae = study["ae"].frame.copy()
    ae.loc[0, "AESEV"] = "<script>alert(1)</script>"
    ae.loc[1, "USUBJID"] = '=HYPERLINK("x")'
    study.tables["ae"] = replace(study["ae"], frame=ae)
    return validate(study)


def test_all_formats_hold_the_same_findings(findings: Findings, tmp_path: Path) -> None:
    for suffix in ("json", "csv", "xlsx", "html"):
        write_findings(findings, tmp_path / f"out.{suffix}", "study")
    kept = len(findings.to_frame())
    assert len(json.loads((tmp_path / "out.json").read_text())["findings"]) == kept
    assert len(pd.read_csv(tmp_path / "out.csv")) == kept
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["Rules", "Findings"] and book["Findings"].max_row == kept + 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "out.html", "out.json", "out.xlsx"]


def test_what_the_study_holds_is_text_and_nothing_else(findings: Findings, tmp_path: Path) -> None:
    page = render_findings(findings, "<b>")
    assert "<script>" not in page and "&lt;script&gt;" in page and "&lt;b&gt;" in page
    write_findings(findings, tmp_path / "out.xlsx")
    cells = [c for row in openpyxl.load_workbook(tmp_path / "out.xlsx")["Findings"].iter_rows() for c in row]
    formulas = [c for c in cells if isinstance(c.value, str) and c.value.startswith("=")]
    assert formulas and all(c.data_type == "s" for c in formulas)


def test_the_page_names_broken_rules_and_is_the_same_each_time(findings: Findings) -> None:
    page = render_findings(findings)
    assert page == render_findings(findings)
    broken = [t.rule.id for t in findings.tallies if t.count]
    assert all(f'id="{rule}"' in page for rule in broken) and "http://" not in page


def test_the_command_writes_files_and_refuses_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "study"
    shutil.copytree(sample_study_path(), study)
    out = tmp_path / "found.html"
    assert cli.run(["validate", str(study), "-o", str(out), "--no-detectors"]) == 0
    assert "DR0008" in out.read_text() and "DR2001" not in out.read_text()
    capsys.readouterr()
    assert cli.run(["validate", str(study), "-o", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert cli.run(["validate", str(study), "-o", str(tmp_path / "found.pdf")]) == 2
    assert ".xlsx" in capsys.readouterr().err


def test_define_beside_the_tables_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "Define.XML").write_text(DEFINE)
    define, notes = checks._define_beside(folder)
    assert define is not None and notes == ()
    assert set(define.lists[("AE", "AESEV")].terms) == {"MILD", "SEVERE"}
    assert define.lengths == {("AE", "AESEV"): 8, ("AE", "AETERM"): 200}
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        archive.write(folder / "Define.XML", "tables/define.xml")
    assert checks._define_beside(tmp_path / "study.zip")[0] == define
    assert checks._define_beside(tmp_path / "nothing.csv") == (None, ())


@pytest.mark.parametrize("text", ["no xml", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "<ODM/>"])
def test_a_define_that_cannot_be_used_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / "define.xml").write_text(text)
    with pytest.raises(SourceError):
        read_define(tmp_path / "define.xml")
    define, notes = checks._define_beside(tmp_path)
    assert define is None and "Define-XML was not used" in notes[0]
