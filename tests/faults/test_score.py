"""Scores of findings against the key: figures that can be counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from datareplicator.errors import RequestError, SourceError
from datareplicator.faults import Answers, corrupt
from datareplicator.faults.score import normal_findings, read_findings, score
from datareplicator.structure.spec import Structure
from datareplicator.study import Study

Known = tuple[Study, Structure]
PLAN = {
    "faults": [
        {"kind": "wrong-code", "count": 4, "target": {"domain": "AE"}},
        {"kind": "dropped-record", "count": 2, "target": {"domain": "CM"}},
        {"kind": "unit-missing", "count": 4, "target": {"domain": "LB"}, "severity": "critical"},
    ]
}


@pytest.fixture(scope="module")
def answers(known: Known) -> Answers:
    return corrupt(known[0], PLAN, seed=1, structure=known[1])[1]


def _findings(answers: Answers) -> pd.DataFrame:
    """Three of four wrong codes (one by its row alone), a dropped record by its subject, and two false ones."""
    key = answers.to_frame()
    codes = key[key["kind"] == "wrong-code"].head(3)
    rows = [("AE", r.row_after, r.variable, r.subject, "R1") for r in codes.itertuples()]
    rows[0] = (*rows[0][:2], None, *rows[0][3:])
    dropped = key[key["kind"] == "dropped-record"].iloc[0]
    other = key.loc[key["kind"] == "wrong-code", "row_after"].max() + 1
    rows += [
        ("CM", 1, None, dropped["subject"], "R2"),
        ("AE", other, "AESEV", None, "R1"),
        ("VS", 1, "VSPOS", None, "R3"),
    ]
    return pd.DataFrame(rows, columns=["Dataset", "Record", "Variable", "USUBJID", "CORE-ID"])


def test_recall_and_precision_are_counted(answers: Answers) -> None:
    result = score(_findings(answers), answers)
    assert (result.incidents, result.found, result.findings, result.right) == (10, 4, 6, 4)
    kinds = result.kinds.set_index("kind")
    assert kinds["recall"].to_dict() == {"wrong-code": 0.75, "dropped-record": 0.5, "unit-missing": 0.0}
    assert kinds.loc["wrong-code", "precision"] == 0.75
    assert kinds.loc["dropped-record", "precision"] == 1
    assert result.severities.set_index("severity").loc["critical", "recall"] == 0
    assert result.rules.set_index("rule")["precision"].to_dict() == {"R1": 0.75, "R2": 1.0, "R3": 0.0}
    assert len(result.missed) == 6


def test_another_variable_of_the_row_is_no_hit(answers: Answers) -> None:
    row = answers.to_frame().iloc[0]
    wrong = pd.DataFrame([(row["table"], row["row_after"], "STUDYID")], columns=["table", "row", "variable"])
    assert score(wrong, answers).found == 0
    several = wrong.assign(variable=f"STUDYID, {row['variable']}")
    assert score(several, answers).found == 1


def test_findings_of_the_clean_study_do_not_count(known: Known) -> None:
    faults = [{"kind": "dropped-record", "count": 3, "target": {"domain": "AE"}}, *PLAN["faults"][:1]]
    answers = corrupt(known[0], {"faults": faults}, seed=1, structure=known[1])[1]
    gone = answers.to_frame().query("change == 'delete'")["row_before"]
    clean_rows = [r for r in range(1, 60) if r not in set(gone)]
    clean = pd.DataFrame({"table": "ae", "row": clean_rows, "variable": "AETERM", "rule": "R9"})
    dirty = clean.assign(row=[r - sum(g < r for g in gone) for r in clean_rows])
    assert score(dirty, answers, clean=clean).findings == 0
    assert score(dirty, answers).findings == len(dirty)


def test_the_page_and_the_text_tell_the_figures(answers: Answers) -> None:
    result = score(_findings(answers), answers)
    page = result.to_html()
    assert "40.0 %" in page
    assert "unit-missing" in page
    assert "://" not in page
    assert json.loads(result.to_json())["recall"] == 0.4
    assert "4 of 10 faults found" in result.to_text()


def test_no_findings_find_nothing(answers: Answers) -> None:
    result = score(pd.DataFrame(columns=["dataset", "record", "variable"]), answers)
    assert result.recall == 0
    assert result.to_html()
    assert json.loads(result.to_json())["precision"] is None


def test_findings_are_read_in_the_forms_of_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("dataset,record,variable\nAE,3,AESEV\n")
    core = {
        "Issue_Details": [{"core_id": "CORE-000001", "dataset": "ae.xpt", "row": 3, "variables": ["AESEV", "AESER"]}]
    }
    (tmp_path / "b.json").write_text(json.dumps(core))
    ours = {"findings": [{"rule": "DR0903", "table": "ae", "row": 3, "subject": "1", "variables": "AESEV"}]}
    (tmp_path / "c.json").write_text(json.dumps(ours))
    for name in ("a.csv", "b.json", "c.json"):
        row = normal_findings(read_findings(tmp_path / name)).iloc[0]
        assert (row["table"], row["row"]) == ("ae", 3)
        assert "AESEV" in row["variable"]


def test_findings_that_are_counted_but_not_listed_are_told(tmp_path: Path) -> None:
    finding = {"rule": "DR0903", "table": "ae", "row": 3, "subject": "1", "variables": "AESEV"}
    for count, told in ((1, []), (5, ["DR0903"])):
        ours = {"rules": [{"rule": "DR0903", "count": count}], "findings": [finding]}
        (tmp_path / "a.json").write_text(json.dumps(ours))
        notes = read_findings(tmp_path / "a.json").attrs["notes"]
        assert [word for note in notes for word in note.split() if word.startswith("DR")] == told


def test_a_subject_under_another_key_is_found_on_rows_of_that_one(known: Known) -> None:
    study, structure = known
    plan = {"faults": [{"kind": "merged-subjects", "count": 1}]}
    _, answers = corrupt(study, plan, seed=1, structure=structure)
    other = answers.frame["new"].iloc[0]
    found = pd.DataFrame([{"table": "ae", "row": 10**6, "variables": "AESEQ", "subject": other, "rule": "DR0104"}])
    assert score(found, answers).found == 1


def test_findings_about_a_site_lie_on_faults_of_that_site(known: Known) -> None:
    plan = {"faults": [{"kind": "fabricated-values", "count": 1, "target": {"domain": ["LB", "VS"]}}]}
    answers = corrupt(known[0], plan, structure=known[1])[1]
    (site,) = answers.to_frame()["site"].unique()
    rows = [("LB", 0, f"site={site}; p=0"), ("LB", 0, "site=none; p=0"), ("AE", 0, f"site={site}"), ("LB", 0, None)]
    findings = pd.DataFrame(rows, columns=["table", "row", "values"])
    result = score(findings, answers)
    # AE has no faults, so what is said of the site there may be said of all its tables.
    assert (result.found, result.right) == (1, 2)
    assert score(findings.iloc[1:2], answers).found == 0
    clean = findings.assign(values="site=another; p=0").head(1)
    assert score(findings.head(1), answers, clean=clean).findings == 1
    assert score(findings.head(1), answers, clean=findings.head(1)).findings == 0


@pytest.mark.parametrize(("name", "content"), [("a.json", "{"), ("b.json", "{}"), ("c.json", "3"), ("d.csv", "")])
def test_what_holds_no_findings_is_refused(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError):
        read_findings(tmp_path / name)
    with pytest.raises(SourceError, match="no such file"):
        read_findings(tmp_path / "none.csv")


def test_findings_without_a_table_are_refused(answers: Answers) -> None:
    with pytest.raises(RequestError, match="dataset"):
        score(pd.DataFrame({"what": ["x"]}), answers)
