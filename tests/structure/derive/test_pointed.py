"""Times to an event: the row that stands behind a date."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.studies import day, study_of

from datareplicator import pipeline
from datareplicator.generate.request import GenerateRequest
from datareplicator.structure.discover import discover
from datareplicator.study import Study


def analysis(subjects: int = 60, seed: int = 2) -> Study:
    """Subjects, their events with a flag on the first skin event, and the time to it; the others are censored."""
    rng = np.random.default_rng(seed)
    key = np.array([f"S-{k:03d}" for k in range(subjects)], dtype=object)
    start, stay = rng.integers(0, 300, subjects), rng.integers(20, 200, subjects)
    adsl = pd.DataFrame(
        {
            "USUBJID": key,
            "TRT01P": rng.choice(["Active", "Placebo"], subjects),
            "TRTSDT": day("2020-01-01", start),
            "RFENDT": day("2020-01-01", start + stay),
        }
    )
    who = np.repeat(np.arange(subjects), rng.integers(0, 6, subjects))
    onset = (rng.random(len(who)) * stay[who]).astype(int)
    order = np.lexsort((onset, who))
    who, onset = who[order], onset[order]
    adae = pd.DataFrame({"USUBJID": key[who], "AETERM": rng.choice(["Rash", "Itch", "Cough", "Fever"], len(who))})
    adae["AESEQ"] = adae.groupby("USUBJID").cumcount() + 1.0
    adae["ASTDT"] = day("2020-01-01", start[who] + onset)
    adae["CQNAM"] = np.where(adae["AETERM"].isin(["Rash", "Itch"]), "SKIN", None)
    skin = adae["CQNAM"].notna()
    adae["AOCCFL"] = np.where(skin & ~adae[skin].duplicated("USUBJID").reindex(adae.index, fill_value=True), "Y", None)
    first = adae[adae["AOCCFL"] == "Y"].set_index("USUBJID").reindex(key)
    adtte = pd.DataFrame({"USUBJID": key, "PARAMCD": "TTSKIN", "SRCSEQ": first["AESEQ"].to_numpy()})
    adtte["ADT"] = first["ASTDT"].fillna(adsl.set_index("USUBJID")["RFENDT"]).to_numpy()
    adtte["CNSR"] = adtte["SRCSEQ"].isna().astype(float)
    return study_of({"adsl": adsl, "adae": adae, "adtte": adtte})


def test_the_named_row_gives_number_and_date_and_the_end_of_follow_up_stands_for_none() -> None:
    found = {(d.table, d.target): d for d in discover(analysis()).derivations}
    number, date = found["adtte", "SRCSEQ"], found["adtte", "ADT"]
    assert number.template == "aggregate" and number.params["where"]["value"] in ("SKIN", "Y")
    assert date.template == "event_date"
    assert [s.column for s in date.sources] == ["ASTDT", "RFENDT"]


def test_times_to_an_event_agree_with_the_events_of_new_subjects() -> None:
    made = pipeline.generate_study(pipeline.fit(analysis()), GenerateRequest(150, seed=4), workers=1)
    adsl, adae, adtte = (made[name].frame for name in ("adsl", "adae", "adtte"))
    first = adae[adae["AOCCFL"] == "Y"].set_index("USUBJID")
    joined = adtte.set_index("USUBJID").join(first[["AESEQ", "ASTDT"]]).join(adsl.set_index("USUBJID")["RFENDT"])
    event = joined["AESEQ"].notna()
    assert 20 < event.sum() < 150
    assert (joined["SRCSEQ"][event] == joined["AESEQ"][event]).all() and joined["SRCSEQ"][~event].isna().all()
    assert (joined["ADT"].astype(str) == joined["ASTDT"].where(event, joined["RFENDT"]).astype(str)).all()
    assert (joined["CNSR"] == (~event).astype(float)).all()


def test_a_number_that_names_no_flagged_row_is_drawn() -> None:
    study = analysis()
    frame = study["adae"].frame
    for column in ("AOCCFL", "CQNAM", "AETERM"):
        frame[column] = frame[column].sample(frac=1, random_state=1).to_numpy()
    assert ("adtte", "SRCSEQ") not in {(d.table, d.target) for d in discover(study).derivations}
