"""Corrections from the run document to the output, and the explanation of what was learned."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import datareplicator as dr
from datareplicator import cli
from datareplicator.errors import RequestError
from datareplicator.pipeline import fit, generate, notes
from datareplicator.pipeline.learning import explain
from datareplicator.run import Run, parse_corrections, parse_run
from datareplicator.structure.correction import Correction
from datareplicator.structure.discover import discover

PAGE = Path(__file__).resolve().parents[1] / "docs/how-to/correct-what-was-learned.md"
SNIPPETS = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def study() -> dr.Study:
    return dr.read_study(dr.sample_study_path())


def test_the_corrections_of_the_how_to_page_fit_the_sample_study(study: dr.Study) -> None:
    pages = [parse_run(text).corrections for text in SNIPPETS]
    assert all(pages)
    for some in ([0, 2, 4], [1, 3, 5], [6, 7]):  # several correct the same column
        given = [c for k in some for c in pages[k]]
        found = discover(study, corrections=given)
        assert list(found.corrections) == given
        assert [n for n in found.notes if "could be denied" in n and "pii" not in n] == []
    assert len(pages) == 8


def test_every_form_of_correction_has_a_worked_example() -> None:
    shown = {
        (verb, getattr(c, verb) if verb in ("declare", "deny") else None)
        for text in SNIPPETS
        for c in parse_run(text).corrections
        for verb in ("declare", "deny", "kind", "pii", "ignore", "keep")
        if getattr(c, verb) is not None
    }
    schema = Correction.model_json_schema()["properties"]
    expected = {(verb, what) for verb in ("declare", "deny") for what in schema[verb]["anyOf"][0]["enum"]}
    assert shown == expected | {(verb, None) for verb in ("kind", "pii", "ignore", "keep")}


@pytest.fixture(scope="module")
def corrected(study: dr.Study) -> dr.Model:
    return dr.fit(
        study,
        corrections=[
            {"pii": "name", "variable": "DM.INVID"},
            {"ignore": "column", "variable": "AE.AEHLT"},
            {
                "declare": "derivation",
                "variable": "CM.CMDOSU",
                "formula": "if(CMTRT is missing, CMROUTE, 'mg')",
                "exceptions": 0.5,
            },
            {"deny": "derivation", "variable": "LB.LBNRIND"},
        ],
    )


def test_only_what_a_correction_is_about_comes_out_otherwise(study: dr.Study, model: Path, corrected: dr.Model) -> None:
    before, after = (m.generate(60, seed=3) for m in (dr.load_model(model), corrected))
    for table in ("sv", "ds", "ex", "se", "vs", "qs", "mh", "suppae", "suppdm", "ts"):
        assert before[table].frame.equals(after[table].frame), table
    for table, column in (("dm", "INVID"), ("ae", "AEHLT")):
        assert before[table].frame.drop(columns=column).equals(after[table].frame.drop(columns=column))
        assert not before[table].frame[column].equals(after[table].frame[column])
    assert after["ae"].frame["AEHLT"].isna().all()
    assert not after["dm"].frame["INVID"].isin(study["dm"].frame["INVID"]).any()
    assert (after["cm"].frame["CMDOSU"] == "mg").all()
    limits = after["lb"].frame.dropna(subset=["LBSTRESN", "LBSTNRHI"])
    assert (limits["LBNRIND"] != np.where(limits["LBSTRESN"] > limits["LBSTNRHI"], "HIGH", limits["LBNRIND"])).any()


def test_a_model_keeps_its_corrections(corrected: dr.Model, tmp_path: Path) -> None:
    corrected.save(tmp_path / "m.json")
    again = dr.load_model(tmp_path / "m.json").explain()
    assert again == corrected.explain()
    assert again.corrections[0] == "{pii: name, variable: DM.INVID}"
    assert again.pii == {"dm.INVID": "name"}


def test_the_explanation_holds_all_that_was_found(model: Path) -> None:
    found = dr.load_model(model).explain()
    structure = dr.load_model(model).structure
    assert [t.key for t in found.tables] == [t.key for t in structure.tables.values()]
    assert len(found.derivations) + len(found.dependencies) == len(structure.derivations)
    assert (len(found.links), len(found.orders)) == (len(structure.links), len(structure.orders))
    assert found.suppressed == {}
    assert any("20 subjects" in note for note in found.not_learned)
    assert json.loads(found.to_json())["subject_key"] == "USUBJID"
    text = found.to_text()
    for said in ("lb.LBNRIND: result against its limits", "ae.AEBODSYS: lookup of AEDECOD", "key USUBJID, VISITNUM"):
        assert said in text
    assert max(map(len, text.splitlines())) <= 120


def test_exceptions_and_suppressed_values_are_counted(study: dr.Study) -> None:
    few = dr.Study({name: study[name] for name in ("dm", "ae")}, "few")
    correction = Correction(
        declare="derivation", variable="AE.AESER", formula="if(AESEV = 'SEVERE', 'Y', 'N')", exceptions=0.5
    )
    model = fit(few, min_subjects=3, corrections=[correction])
    found = explain(model)
    (one,) = [d for d in found.derivations if d.variable == "AESER"]
    frame = study["ae"].frame
    differ = int((frame["AESER"] != np.where(frame["AESEV"] == "SEVERE", "Y", "N")).sum())
    assert (one.exceptions, one.rows) == (differ, len(frame))
    held = frame.groupby("AEOUT")["USUBJID"].nunique()
    assert found.suppressed["ae.AEOUT"] == int((held < 3).sum()) > 0
    assert found.min_subjects == 3
    assert set(found.not_learned) == set(notes(model))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("corrections: 3", "line 1: corrections must be"),
        (
            "seed: 1\ncorrections: [{deny: derivation}]",
            "line 2: correction 1 `deny: derivation` needs the key variable.",
        ),
        ("corrections: [{dney: derivation}]", "unknown key 'dney'. Did you mean 'deny'?"),
        ("corrections: [{deny: derivations, variable: A.B}]", "corrections.0.deny must be 'key', 'dependency'"),
        ("corrections: [{pii: nome, variable: A.B}]", "corrections.0.pii must be"),
        ("corrections: [{kind: word, variable: A.B}]", "corrections.0.kind must be"),
        ("corrections: [{kind: text, pii: name, variable: A.B}]", "exactly one of the keys"),
    ],
)
def test_corrections_that_are_not_understood(text: str, says: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_run(text)
    assert says in str(caught.value)


def test_corrections_from_python_are_checked_alike() -> None:
    given = {"deny": "derivation", "variable": "LB.LBNRIND"}
    assert parse_corrections([given, Correction(**given)]) == [Correction(**given)] * 2
    with pytest.raises(RequestError, match="correction 1 needs exactly one"):
        parse_corrections([{}])


def test_corrections_act_on_learning_only(tmp_path: Path) -> None:
    run = Run(
        model="m.json", subjects=3, output=str(tmp_path / "out"), corrections=[Correction(kind="text", variable="A.B")]
    )
    with pytest.raises(RequestError, match="when a study is learned"):
        generate(run)


def test_fit_explains(learned: None, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fit", str(sample), "--explain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["root"] == "dm"
    assert cli.run(["fit", str(sample), "--explain", "-o", str(tmp_path / "m.json")]) == 0
    shown = capsys.readouterr().out
    assert "Tables: layout and key" in shown
    assert (tmp_path / "m.json").exists()
    assert cli.run(["fit", str(sample)]) == 2
    assert "--explain" in capsys.readouterr().err
    assert cli.run(["fit", "--explain"]) == 2
    assert "source" in capsys.readouterr().err
    assert cli.run(["fit", str(sample), "-o", str(tmp_path / "n.json"), "--json"]) == 2


def test_fit_and_replicate_take_corrections_from_the_run_document(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "run.yaml"
    document.write_text(f"source: {sample}\nsubjects: 3\ncorrections: [{{deny: derivation, variable: LB.LBNRNID}}]\n")
    assert cli.run(["fit", "--config", str(document), "-o", str(tmp_path / "m.json")]) == 2
    said = capsys.readouterr().err
    assert "correction 1, {deny: derivation, variable: LB.LBNRNID}: lb has no column" in said
    assert "Did you mean 'LBNRIND'" in said
    assert cli.run(["replicate", "--config", str(document), "-o", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "m.json").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", [{"pii": "name"}, {"ignore": "column"}])
@pytest.mark.parametrize("variable", ["MH.MHDECOD", "CM.CMINDC", "DM.INVID"])
def test_values_that_were_hidden_are_not_in_the_model(study: dr.Study, verb: dict[str, str], variable: str) -> None:
    table, column = variable.split(".")
    few = dr.Study({name: study[name] for name in ("dm", "mh", "cm", "sv")}, "few")
    model = dr.fit(few, corrections=[{**verb, "variable": variable}])
    hidden = set(study[table.lower()].frame[column].dropna())
    others = {
        text
        for name in few
        for other in few[name].frame.select_dtypes("str")
        if other != column
        for text in few[name].frame[other].dropna().unique()
    }
    document = json.dumps(list(_texts(json.loads(model._document.model_dump_json()))))
    assert [text for text in hidden - others if json.dumps(text) in document] == []
    made = model.generate(20, seed=1)[table.lower()].frame[column].dropna()
    assert not made.isin(hidden).any()
    assert len(made) == 0 if "ignore" in verb else len(made)


def _texts(part: object) -> Iterator[str]:
    """All texts in a JSON document."""
    if isinstance(part, str):
        yield part
    for item in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _texts(item)
