"""Plans: what is understood, and what is refused with the way out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from datareplicator.errors import RequestError
from datareplicator.faults import Fault, Plan, all_kinds, as_plan, corrupt, profile_names
from datareplicator.faults.plan import plan_schema
from datareplicator.structure.spec import Structure
from datareplicator.study import Study

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ([{"kind": "misspelled", "rate": 1.5}], "faults.1.rate must be less than or equal to 1, not 1.5."),
        ([{"kind": "misspelled", "rate": 0}], "greater than 0"),
        ([{"kind": "misspelled", "count": 0}], "faults.1.count must be greater than or equal to 1"),
        ([{"kind": "misspelled", "count": 2.5}], "faults.1.count must be a valid integer"),
        ([{"kind": "misspelled"}], "give either `rate` or `count`"),
        ([{"kind": "misspelled", "rate": 0.1, "count": 3}], "give either `rate` or `count`"),
        ([{"rate": 0.1}], "faults.1.kind is missing"),
        ([{"kind": "mispelled", "count": 1}], "unknown kind of fault 'mispelled'. Did you mean 'misspelled'"),
        ([{"kind": "misspelled", "cuont": 1}], "unknown key 'faults.1.cuont'. Did you mean 'count'?"),
        ([{"kind": "misspelled", "count": 1, "target": {"vairable": "X"}}], "Did you mean 'variable'?"),
        ([{"kind": "misspelled", "count": 1, "mechanism": {"type": "observed"}}], "`variable` belongs to"),
        ([{"kind": "huge-text", "count": 1, "parameters": {"lenght": 9}}], "Did you mean 'length'?"),
        ([{"kind": "huge-text", "count": 1, "parameters": {"length": 9}}], "length must be greater than or equal to"),
        ([], "the plan names no fault"),
    ],
)
def test_what_is_not_understood_is_named(faults: list, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        as_plan({"faults": faults})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            {"kind": "misspelled", "count": 1, "target": {"domain": "AX"}},
            "'AX' is none of the study. Did you mean",
        ),
        ({"kind": "misspelled", "count": 1, "target": {"variable": "VISTI"}}, "no column of its tables. Did you mean"),
        ({"kind": "misspelled", "count": 1, "target": {"variable": "AESEQ"}}, "(variable AESEQ) matches nothing"),
        ({"kind": "misspelled", "count": 1, "target": {"subjects": "nobody"}}, "matches nothing"),
        ({"kind": "misspelled", "count": 1, "target": {"visits": 99}}, "matches nothing"),
        ({"kind": "misspelled", "count": 1, "target": {"arm": "no arm"}}, "matches nothing"),
        ({"kind": "misspelled", "count": 1, "target": {"where": "AESEV = 'NEVER'"}}, "matches nothing"),
        ({"kind": "misspelled", "count": 1, "target": {"where": "AESEVV = 'MILD'"}}, "Did you mean 'AESEV'"),
        ({"kind": "swapped-subjects", "count": 100}, "100 are asked for, but there are 20 places"),
        ({"kind": "dropped-record", "count": 10**6}, "1000000 are asked for"),
        ({"kind": "misspelled", "count": 1, "mechanism": {"type": "observed", "variable": "AEG"}}, "no column here"),
    ],
)
def test_a_target_that_matches_nothing_is_an_error(fault: dict, message: str, known: tuple[Study, Structure]) -> None:
    with pytest.raises(RequestError) as caught:
        corrupt(known[0], {"faults": [fault]}, structure=known[1])
    assert message in str(caught.value)
    assert f"fault 1 ({fault['kind']})" in str(caught.value)


def test_faults_that_contradict_each_other_are_an_error(known: tuple[Study, Structure]) -> None:
    target = {"domain": "VS", "variable": "VSORRESU"}
    faults = [{"kind": "missing-at-random", "rate": 1.0, "target": target}, {"kind": "misspelled", "count": 1}]
    with pytest.raises(RequestError, match=r"fault 2 .*matches nothing.* fault 1 changed these columns before"):
        corrupt(known[0], {"faults": [faults[0], faults[1] | {"target": target}]}, structure=known[1])


def test_an_optional_fault_without_a_place_is_noted(known: tuple[Study, Structure]) -> None:
    faults = [
        Fault(kind="misspelled", count=1),
        Fault(kind="misspelled", count=1, target={"domain": "ZZ"}, optional=True),
    ]
    answers = corrupt(known[0], Plan(faults=tuple(faults)), structure=known[1])[1]
    assert len(answers) == 1
    assert "fault 2 (misspelled) was left out" in answers.notes[0]


@pytest.mark.parametrize("seed", [-1, 1.5, True, "7"])
def test_a_seed_is_a_whole_number(seed: object, known: tuple[Study, Structure]) -> None:
    with pytest.raises(RequestError, match="seed"):
        corrupt(known[0], "light", seed=seed, structure=known[1])  # type: ignore[arg-type]


def test_profiles_are_composed(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("include: light\nfaults:\n  - {kind: sign-flipped, count: 1}\n")
    own = as_plan(tmp_path / "own.yaml")
    assert [f.kind for f in own.faults] == [*(f.kind for f in as_plan("light").faults), "sign-flipped"]
    assert len(as_plan(["light", "uat"]).faults) == len(as_plan("light").faults) + len(as_plan("uat").faults)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("include: own.yaml\nfaults: []", "includes itself"),
        ("include: lihgt", "Did you mean 'light'"),
        ("- a", "must be a YAML mapping"),
        ("faults: 3", "faults must be"),
        ("a: b: c", "line 1: mapping values"),
        ("faults: []\nfaults: []", "given twice"),
    ],
)
def test_a_bad_profile_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text.replace("own.yaml", str(path)))
    with pytest.raises(RequestError) as caught:
        as_plan(str(path))
    assert message in str(caught.value)


def test_an_unknown_profile_is_named_with_the_near_ones() -> None:
    with pytest.raises(RequestError, match="'messy-site'"):
        as_plan("messy-sight")


def test_the_bundled_profiles_use_many_kinds() -> None:
    used = {fault.kind for name in profile_names() for fault in as_plan(name).faults}
    assert used <= {kind.name for kind in all_kinds()}
    assert len(used) > 60
    assert all(as_plan(name).summary for name in profile_names())


def test_the_published_schema_is_fresh() -> None:
    published = json.loads((ROOT / "docs/reference/faults.schema.json").read_text())
    assert published == plan_schema(), "run `make docs`"


def test_the_plan_of_the_documentation_is_understood(known: tuple[Study, Structure]) -> None:
    page = (ROOT / "docs/how-to/break-data.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```yaml plan\n(.*?)^```", page, re.M | re.S)
    answers = corrupt(known[0], yaml.safe_load(block), structure=known[1])[1]
    assert {"decimal-shift", "missing-at-random", "huge-text"} <= set(answers.to_frame()["kind"])
