"""Relation tables: rows that name rows are resolved, and new ones name rows of the same subject."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.studies import sdtm, study_of

from datareplicator.generate.relations import draw_drivers, draw_partners, write_relations
from datareplicator.model.prepare import Prepared, prepare
from datareplicator.model.relations import fit_relations
from datareplicator.seeds import Streams
from datareplicator.structure.discover import discover


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """A study whose every fatal or severe event is tied to a row of medication on the same day."""
    study = sdtm(40)
    ae = study["ae"].frame
    severe = ae[ae["AESEV"] == "SEVERE"].drop_duplicates("USUBJID").reset_index(drop=True)
    cm = pd.DataFrame({"STUDYID": "ST1", "DOMAIN": "CM", "USUBJID": np.repeat(severe["USUBJID"].to_numpy(), 2)})
    cm["CMSEQ"] = cm.groupby("USUBJID").cumcount() + 1.0
    cm["CMTRT"] = np.tile(["ASPIRIN", "PARACETAMOL"], len(severe))
    cm["CMSTDTC"] = np.repeat(severe["AESTDTC"].to_numpy(), 2)
    side = {"STUDYID": "ST1", "USUBJID": severe["USUBJID"], "RELTYPE": None, "RELID": "R1"}
    left = pd.DataFrame({**side, "RDOMAIN": "AE", "IDVAR": "AESEQ", "IDVARVAL": severe["AESEQ"].map("{:.0f}".format)})
    right = pd.DataFrame({**side, "RDOMAIN": "CM", "IDVAR": "CMSEQ", "IDVARVAL": "2"})
    order = ["STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELTYPE", "RELID"]
    relrec = pd.concat([left, right]).sort_values(["USUBJID", "RDOMAIN"])[order]
    frames = {k: v for k, v in study.frames().items() if k not in ("relrec", "suppae", "suppdm")}
    made = study_of({**frames, "cm": cm, "relrec": relrec})
    return prepare(made, discover(made))


def test_severe_events_drive_and_paracetamol_answers(prepared: Prepared) -> None:
    models, marks = fit_relations(prepared)
    (kind,) = models[0].types
    assert {kind.driver, kind.partner} == {"ae", "cm"}
    assert kind.partners == (1.0,)
    # What is computed is not there yet when the rows that take part are chosen.
    assert kind.column in prepared.structure.free(kind.driver)
    partner = prepared.frames[kind.partner].loc[marks["relation:relrec:0"]]
    if kind.partner == "cm":
        assert (partner["CMTRT"] == "PARACETAMOL").all()
        assert kind.weight["CMTRT"]["PARACETAMOL"] > kind.weight["CMTRT"]["ASPIRIN"]
    else:
        assert (partner["AESEV"] == "SEVERE").all()
        assert kind.weight["AESEV"]["SEVERE"] > kind.weight["AESEV"]["MILD"]


def test_new_relations_name_rows_of_one_subject(prepared: Prepared) -> None:
    (model,), _ = fit_relations(prepared)
    (kind,) = model.types
    streams = Streams(1)
    drivers = draw_drivers(kind, prepared.frames[kind.driver], streams)
    assert drivers.any()
    pairs = draw_partners(
        kind,
        drivers,
        prepared.subject[kind.driver],
        prepared.frames[kind.partner],
        prepared.subject[kind.partner],
        None,
        streams,
    )
    keys = prepared.frames["dm"][["USUBJID"]]
    columns = [c.name for c in prepared.structure.tables["relrec"].columns]
    rows, owner = write_relations(model, [pairs], prepared.frames, prepared.subject, keys, columns)
    assert list(rows.columns) == columns
    assert len(rows) == 2 * len(pairs.driver)
    assert (rows["USUBJID"].to_numpy() == keys["USUBJID"].to_numpy()[owner]).all()
    for domain, table, number in (("AE", "ae", "AESEQ"), ("CM", "cm", "CMSEQ")):
        named = rows[rows["RDOMAIN"] == domain][["USUBJID", "IDVARVAL"]].astype("str")
        known = prepared.frames[table][["USUBJID", number]]
        there = set(zip(known["USUBJID"], known[number].map("{:.0f}".format), strict=True))
        assert set(named.itertuples(index=False, name=None)) <= there
    assert rows.groupby(["USUBJID", "RELID"], observed=True).size().eq(2).all()


def test_marked_rows_answer_first_and_nobody_answers_twice(prepared: Prepared) -> None:
    (model,), _ = fit_relations(prepared)
    (kind,) = model.types
    subject = prepared.subject[kind.partner]
    marked = pd.Series(subject).groupby(subject).cumcount().to_numpy() == 0
    drivers = np.ones(len(prepared.frames[kind.driver]), dtype=bool)
    pairs = draw_partners(
        kind,
        drivers,
        prepared.subject[kind.driver],
        prepared.frames[kind.partner],
        subject,
        marked,
        Streams(2),
    )
    assert len(np.unique(pairs.partner)) == len(pairs.partner)
    asked = np.intersect1d(prepared.subject[kind.driver], subject)
    assert set(subject[pairs.partner[marked[pairs.partner]]]) == set(asked)


def test_no_pairs_give_an_empty_table(prepared: Prepared) -> None:
    (model,), _ = fit_relations(prepared)
    rows, owner = write_relations(model, [], prepared.frames, prepared.subject, pd.DataFrame(), ["A", "B"])
    assert (list(rows.columns), len(rows), len(owner)) == (["A", "B"], 0, 0)


def test_references_to_an_empty_table_are_left_out() -> None:
    study = sdtm(30)
    study["ae"].frame = study["ae"].frame.iloc[:0]
    assert fit_relations(prepare(study, discover(study))) == ([], {})
