"""Discovery on made-up studies, of which everything is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.related import totals
from support.studies import adam, sdtm, shop, study_of

from datareplicator.errors import StructureError
from datareplicator.structure.derive import View, compute
from datareplicator.structure.derive.outcome import agreement
from datareplicator.structure.discover import discover
from datareplicator.structure.logical import to_logical
from datareplicator.structure.spec import MEMBER, Layout, Structure
from datareplicator.study import Study


@pytest.fixture(scope="module")
def trial() -> tuple[Study, Structure]:
    study = sdtm()
    return study, discover(study)


def templates(structure: Structure) -> dict[tuple[str, str], str]:
    return {(d.table, d.target): d.template for d in structure.derivations}


def test_subject_root_and_roles_of_a_trial(trial: tuple[Study, Structure]) -> None:
    structure = trial[1]
    assert (structure.subject, structure.root, structure.anchor) == ("USUBJID", "dm", "RFSTDTC")
    assert (structure.group, structure.site) == ("ARMCD", "SITEID")
    assert (structure.visit, structure.visit_table) == ("VISITNUM", "sv")
    lb = structure.tables["lb"]
    assert (lb.test, lb.visit, lb.value, lb.text, lb.original) == (
        "LBTESTCD",
        "VISITNUM",
        "LBSTRESN",
        "LBSTRESC",
        "LBORRES",
    )
    ae = structure.tables["ae"]
    assert (ae.code, ae.start, ae.end, ae.sequence) == ("AEDECOD", "AESTDTC", "AEENDTC", "AESEQ")


def test_layouts_of_a_trial(trial: tuple[Study, Structure]) -> None:
    layouts = {name: spec.layout for name, spec in trial[1].tables.items()}
    assert layouts == {
        "dm": Layout.SUBJECT,
        "sv": Layout.VISITS,
        "lb": Layout.FINDINGS,
        "ae": Layout.EVENTS,
        "suppae": Layout.SUPPLEMENT,
        "relrec": Layout.RELATION,
        "suppdm": Layout.SUPPLEMENT,
        "te": Layout.REFERENCE,
    }


def test_split_domain_is_one_table_and_its_test_tells_the_part(trial: tuple[Study, Structure]) -> None:
    study, structure = trial
    assert structure.tables["lb"].members == ("lbch", "lbhe")
    member = next(d for d in structure.derivations if (d.table, d.target) == ("lb", MEMBER))
    assert member.template == "lookup"
    assert to_logical(study, structure)["lb"].shape[0] == len(study["lbch"]) + len(study["lbhe"])


def test_keys_are_unique(trial: tuple[Study, Structure]) -> None:
    study, structure = trial
    assert structure.tables["lb"].key == ("USUBJID", "LBTESTCD", "VISITNUM")
    assert structure.tables["sv"].key == ("USUBJID", "VISITNUM")
    assert structure.tables["ae"].key == ("USUBJID", "AESEQ")
    for name, frame in to_logical(study, structure).items():
        key = list(structure.tables[name].key)
        assert key and not frame[key].duplicated().any(), name


def test_references_of_a_trial(trial: tuple[Study, Structure]) -> None:
    found = {(k.table, k.columns, k.parent) for k in trial[1].foreign_keys}
    assert ("lb", ("USUBJID", "VISITNUM"), "sv") in found
    assert {("ae", ("USUBJID",), "dm"), ("lb", ("USUBJID",), "dm"), ("sv", ("USUBJID",), "dm")} <= found
    assert not any("AESEQ" in columns or "LBSEQ" in columns for _, columns, _ in found)


def test_supplements_are_pivoted(trial: tuple[Study, Structure]) -> None:
    study, structure = trial
    ae, dm = structure.supplements
    assert (ae.parent, ae.pointer, ae.qualifiers) == ("ae", "AESEQ", ("AETRTEM",))
    assert (dm.parent, dm.pointer, dm.qualifiers) == ("dm", None, ("PPFL",))
    frames = to_logical(study, structure)
    assert frames["ae"]["SUPP.AETRTEM"].notna().sum() == len(study["suppae"])
    assert frames["dm"]["SUPP.PPFL"].notna().sum() == len(study["suppdm"])


def test_lookups_and_formulas_of_a_trial(trial: tuple[Study, Structure]) -> None:
    found = templates(trial[1])
    for target in (
        ("lb", "LBTEST"),
        ("lb", "LBCAT"),
        ("lb", "LBSTRESU"),
        ("lb", "VISIT"),
        ("ae", "AEBODSYS"),
        ("dm", "ARM"),
    ):
        assert found[target] == "lookup", target
    for target in (("lb", "LBDY"), ("sv", "SVSTDY"), ("ae", "AESTDY"), ("ae", "AEENDY")):
        assert found[target] == "study_day", target
    assert found["dm", "USUBJID"] == "concat"
    assert found["lb", "LBDTC"] == "copy_by_key"
    assert "AGE" in trial[1].free("dm") and "SEX" in trial[1].free("dm")


def test_what_is_sampled_is_not_computed(trial: tuple[Study, Structure]) -> None:
    structure = trial[1]
    for name, columns in (
        ("lb", ("LBTESTCD", "VISITNUM", "LBORRES")),
        ("ae", ("AEDECOD", "AESEV", "AESTDTC")),
        ("dm", ("ARMCD", "SITEID")),
    ):
        assert not structure.derived(name) & set(columns), name


@pytest.mark.parametrize("make", [sdtm, shop, adam])
def test_derivations_reproduce_the_source_in_the_order_given(make: object) -> None:
    study = make()
    structure = discover(study)
    view = View(to_logical(study, structure))
    targets = [(d.table, d.target) for d in structure.derivations if not d.params.get("partial")]
    assert len(targets) == len(set(targets))
    place = {target: i for i, target in enumerate(targets)}
    for d in structure.derivations:
        before = [place[s.table, s.column] for s in d.sources if (s.table, s.column) in place]
        assert all(i < place.get((d.table, d.target), len(place)) for i in before), d.target
        share, _ = agreement(compute(d, view), view.values(d.table, d.target))
        assert share == pytest.approx(d.agreement, abs=1e-9)
        assert share >= 0.95 or d.template == "row_number", (d.table, d.target, d.template)


@pytest.mark.parametrize("plain", [True, False])
def test_customers_orders_lines(plain: bool) -> None:
    structure = discover(shop(plain=plain))
    own = {t: "id" if plain else f"{t}_id" for t in ("customer", "order", "product")}
    assert (structure.root, structure.subject) == ("customers", own["customer"])
    assert structure.tables["orders"].subject == "customer_id"
    assert structure.tables["orders"].key == (own["order"],)
    lines = structure.tables["order_lines"]
    assert (lines.layout, lines.sequence, lines.key) == (Layout.CHILDREN, "line_no", ("order_id", "line_no"))
    assert lines.parent_key is not None and lines.parent_key.parent == "orders"
    assert structure.tables["products"].layout == Layout.REFERENCE
    found = {(k.table, k.columns, k.parent, k.parent_columns) for k in structure.foreign_keys}
    assert found == {
        ("orders", ("customer_id",), "customers", (own["customer"],)),
        ("order_lines", ("order_id",), "orders", (own["order"],)),
        ("order_lines", ("product_id",), "products", (own["product"],)),
    }
    assert structure.tables["customers"].column("email").pii == "email"
    assert templates(structure)["order_lines", "unit_price"] == "lookup"
    assert templates(structure)["order_lines", "amount"] == "arithmetic"


def test_analysis_datasets() -> None:
    structure = discover(adam())
    advs = structure.tables["advs"]
    assert (structure.root, structure.anchor) == ("adsl", "TRTSDT")
    assert (advs.layout, advs.test, advs.visit, advs.value) == (Layout.FINDINGS, "PARAMCD", "AVISITN", "AVAL")
    found = templates(structure)
    assert found["advs", "AGE"] == found["advs", "TRT01P"] == "copy_subject"
    assert found["advs", "PARAM"] == found["advs", "AVISIT"] == "lookup"
    assert found["advs", "BASE"] == "baseline_value"
    assert found["advs", "CHG"] == "arithmetic"
    assert found["advs", "ADY"] == "study_day"


@pytest.mark.parametrize("subjects", [1, 2, 5])
def test_few_subjects(subjects: int) -> None:
    structure = discover(sdtm(subjects))
    assert structure.root == "dm" and structure.subject == "USUBJID"
    assert structure.tables["lb"].layout == Layout.FINDINGS
    assert structure.tables["ae"].layout == Layout.EVENTS
    assert structure.tables["ae"].key == ("USUBJID", "AESEQ")
    found = templates(structure)
    assert found.get(("lb", "LBTEST")) == "lookup" and found.get(("lb", "VISIT")) == "lookup"
    lookups = {(d.table, d.target): d for d in structure.derivations if d.template == "lookup"}
    assert not {("dm", "SEX"), ("dm", "AGE"), ("ae", "AESEV")} & lookups.keys()


def test_a_single_subjects_own_values_are_no_constants() -> None:
    structure = discover(sdtm(1))
    assert not structure.derived("dm") & {"AGE", "RFSTDTC", "SUBJID"}


def test_single_table_is_its_own_root() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.integers(18, 90, 100), "weight": rng.normal(70, 9, 100).round(1)})
    structure = discover(study_of({"data": frame}))
    assert (structure.root, structure.subject) == ("data", None)
    assert structure.tables["data"].layout == Layout.SUBJECT
    numbered = discover(study_of({"data": frame.assign(id=np.arange(1, 101))}))
    assert (numbered.root, numbered.subject) == ("data", "id")


def test_whole_numbers_of_seventeen_digits_stay_exact() -> None:
    person = np.array([10_000_000_000_000_001 + i for i in range(40)], dtype=np.int64)
    frames = {
        "person": pd.DataFrame({"person_id": person, "sex": ["F", "M"] * 20}),
        "visit_occurrence": pd.DataFrame({"visit_occurrence_id": np.arange(1, 121), "person_id": np.repeat(person, 3)}),
    }
    structure = discover(study_of(frames))
    assert (structure.root, structure.subject) == ("person", "person_id")
    assert structure.tables["visit_occurrence"].subjects == 40


def test_a_missing_subject_is_named_with_its_row() -> None:
    study = sdtm()
    study["ae"].frame.loc[4, "USUBJID"] = None
    with pytest.raises(StructureError, match=r"table ae, column USUBJID, row 5"):
        discover(study)


def test_observations_without_a_subject_are_refused() -> None:
    study = sdtm()
    study["ae"].frame = study["ae"].frame.drop(columns="USUBJID")
    del study["ae"].columns["USUBJID"], study.tables["suppae"], study.tables["relrec"]
    with pytest.raises(StructureError, match=r"table ae, column USUBJID: the subject key USUBJID is missing"):
        discover(study)


def test_a_subject_twice_in_the_table_of_subjects_is_refused() -> None:
    study = sdtm()
    study["dm"].frame = pd.concat([study["dm"].frame, study["dm"].frame.iloc[:1]], ignore_index=True)
    with pytest.raises(StructureError, match="row 31: a subject stands here twice"):
        discover(study)


def _element(study: Study) -> Study:
    """With the elements of each subject: another reference that many tables could be reached by."""
    dm = study["dm"].frame
    se = pd.DataFrame({"USUBJID": np.repeat(dm["USUBJID"].to_numpy(), 2), "ETCD": ["SCRN", "TRT"] * len(dm)})
    te = pd.DataFrame({"ETCD": ["SCRN", "TRT"], "ELEMENT": ["Screening", "Treatment"]})
    return study_of({**study.frames(), "se": se, "te": te})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(slice(0), "column USUBJID: the table of subjects has no rows", id="header-only"),
        pytest.param(
            [*range(30), 3, 7], "column USUBJID, row 31: .*2 more rows than subjects: rows 31, 32", id="twice"
        ),
    ],
)
def test_defects_of_the_table_of_subjects_are_named_whatever_else_looks_like_a_key(rows: object, message: str) -> None:
    study = _element(sdtm())
    study["dm"].frame = study["dm"].frame.iloc[rows].reset_index(drop=True)
    with pytest.raises(StructureError, match=f"table dm, {message}"):
        discover(study)


def test_a_missing_subject_in_the_table_of_subjects_is_named_though_another_number_is_complete() -> None:
    study = sdtm()
    dm = study["dm"].frame
    dm["SUBJID"] = [f"{1001 + i}" for i in range(len(dm))]
    dm.loc[[3, 8], "USUBJID"] = None
    with pytest.raises(
        StructureError, match=r"table dm, column USUBJID, row 4: .* in 2 of 30 rows: rows 4, 9\. Fill in"
    ):
        discover(study_of(study.frames()))


def test_empty_study_is_refused_and_an_empty_table_is_noted() -> None:
    study = sdtm()
    study["ae"].frame = study["ae"].frame.iloc[:0]
    assert any(note.startswith("ae: no rows") for note in discover(study).notes)
    with pytest.raises(StructureError, match="no table has rows"):
        discover(study_of({"dm": study["dm"].frame.iloc[:0]}))


def test_relations_between_datasets_and_devices_are_copied_with_a_word() -> None:
    study = sdtm()
    relation = {"RDOMAIN": ["AE", "LB"], "USUBJID": None, "IDVAR": ["AESEQ", "LBSEQ"], "IDVARVAL": None, "RELID": "R1"}
    device = {"DOMAIN": "DI", "SPDEVID": ["D1", "D2"], "DISEQ": [1.0, 1.0], "DIPARMCD": "MODEL", "DIVAL": ["A", "B"]}
    more = study_of({"relrec": pd.DataFrame(relation), "di": pd.DataFrame(device)})
    structure = discover(Study({**study.tables, **more.tables}))
    assert structure.tables["relrec"].layout == structure.tables["di"].layout == Layout.REFERENCE
    assert sum(note.startswith(("relrec:", "di:")) for note in structure.notes) == 2


def test_devices_of_subjects_are_reached_through_their_key() -> None:
    study = sdtm()
    usubjid = study["dm"].frame["USUBJID"]
    device = [f"D{i}" for i in range(len(usubjid))]
    more = study_of(
        {
            "dr": pd.DataFrame({"DOMAIN": "DR", "USUBJID": usubjid, "SPDEVID": device}),
            "di": pd.DataFrame(
                {"SPDEVID": np.repeat(device, 2), "DIPARMCD": ["MODEL", "LOT"] * len(device), "DIVAL": "A"}
            ),
        }
    )
    structure = discover(Study({**study.tables, **more.tables}))
    parent = structure.tables["di"].parent_key
    assert structure.tables["di"].layout == Layout.CHILDREN
    assert parent is not None and (parent.parent, parent.columns) == ("dr", ("SPDEVID",))


def test_pooled_rows_are_left_out_with_a_word() -> None:
    study = sdtm()
    subjects = list(study["dm"].frame["USUBJID"][:8])
    pooled = pd.DataFrame(
        {
            "DOMAIN": "MA",
            "USUBJID": [*subjects, None, None],
            "POOLID": [None] * 8 + ["P1", "P1"],
            "MASEQ": np.arange(10.0),
        }
    )
    structure = discover(Study({**study.tables, **study_of({"ma": pooled}).tables}))
    assert any("pools of subjects" in note for note in structure.notes)


def test_progress_names_each_step() -> None:
    steps: list[str] = []
    discover(adam(), progress=steps.append)
    assert len(steps) >= 3 and len(set(steps)) == len(steps)


cells = st.one_of(
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=12, max_size=12),
    st.lists(st.integers(-3, 5), min_size=12, max_size=12),
    st.lists(st.floats(-5, 5, width=16) | st.none(), min_size=12, max_size=12),
    st.lists(st.sampled_from(["2020-01-01", "2020-02", "2021", "x", "", None]), min_size=12, max_size=12),
    st.lists(st.text(max_size=4), min_size=12, max_size=12),
    st.just([None] * 12),
)
tables = st.lists(
    st.tuples(st.lists(cells, min_size=1, max_size=4), st.integers(0, 12), st.booleans()), min_size=1, max_size=3
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables)
def test_any_small_tables_yield_a_structure(drawn: list) -> None:
    frames = {}
    for i, (columns, rows, keyed) in enumerate(drawn):
        data = {f"c{j}": pd.Series(values[:rows]) for j, values in enumerate(columns)}
        if keyed:
            data = {"person_id": pd.Series(np.arange(rows) // (i + 1) + 1), **data}
        frames[f"t{i}"] = pd.DataFrame(data)
    study = study_of({n: f.replace("", None) for n, f in frames.items()})
    try:
        structure = discover(study)
    except StructureError:
        return
    logical = to_logical(study, structure)
    view = View(logical)
    for name, spec in structure.tables.items():
        key = list(spec.key)
        repeated = logical[name][key].duplicated().mean() if key and spec.rows else 0.0
        assert repeated <= 0.005
    for d in structure.derivations:
        if d.template == "lookup":
            share, _ = agreement(compute(d, view), view.values(d.table, d.target))
            assert share >= 0.99
        assert (d.table, d.target) not in {(s.table, s.column) for s in d.sources}


def test_a_price_is_no_part_of_a_key() -> None:
    frames = totals().frames()
    frames["order_items"] = frames["order_items"].drop(columns="line_no")
    assert "unit_price" not in discover(study_of(frames)).tables["order_items"].key
    assert discover(totals()).tables["order_items"].key == ("order_id", "line_no")
