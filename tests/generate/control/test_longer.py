"""A longer follow-up: more planned visits, named and dated as the schedule goes on, and all that rests on them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.models import sample_model
from support.studies import adam, shop

from datareplicator import pipeline
from datareplicator.errors import RequestError
from datareplicator.generate.control.planned import continued
from datareplicator.generate.control.settle import settle
from datareplicator.model.store import model_text, parse_model
from datareplicator.model.study_model import StudyModel
from datareplicator.run import parse_run
from datareplicator.study import Study
from datareplicator.validate import validate


@cache
def made(follow_up: str = "", subjects: int = 110) -> tuple[StudyModel, Study]:
    more = f"variation: {{follow_up: {follow_up}}}" if follow_up else ""
    model, request = settle(sample_model(), parse_run(f"subjects: {subjects}\nseed: 2\n{more}").request())
    return model, pipeline.generate_settled(model, request, workers=1)


def usual_days(study: Study, table: str = "sv", day: str = "SVSTDY") -> dict[str, float]:
    return study[table].frame.groupby("VISIT", observed=True)[day].median().to_dict()


def test_new_visits_go_on_as_the_schedule_does() -> None:
    _, study = made("{visits: 2}")
    plan = study["tv"].frame.set_index("VISIT")
    assert plan["VISITNUM"].tolist() == list(map(float, range(1, 11)))
    assert plan.loc[["WEEK 12", "WEEK 16", "WEEK 20", "FOLLOW-UP"], "VISITDY"].tolist() == [85, 113, 141, 155]
    assert plan.loc["WEEK 20", "TVSTRL"] == "140 days after the first dose"
    days = usual_days(study)
    assert [days[v] for v in ("WEEK 12", "WEEK 16", "WEEK 20")] == [85, 113, 141]
    assert days["FOLLOW-UP"] == pytest.approx(155, abs=3)
    for table in ("sv", "vs", "lb"):
        rows = study[table].frame
        named = rows.merge(study["tv"].frame[["VISITNUM", "VISIT", "VISITDY"]], on="VISITNUM", suffixes=("", "_PLAN"))
        assert (named["VISIT"] == named["VISIT_PLAN"]).all() and len(named) > 0.9 * len(rows)
        assert named["VISITDY"].dropna().eq(named["VISITDY_PLAN"].dropna()).all()
        assert {"WEEK 16", "WEEK 20"} <= set(rows["VISIT"])
    assert study["vs"].frame.columns.tolist() == made()[1]["vs"].frame.columns.tolist()


def test_treatment_and_study_end_at_the_new_end() -> None:
    """Who completes does so at the last new visit, or missed it; who leaves on the way is no completer."""
    _, study = made("{visits: 2}")
    last = study["sv"].frame.query("VISIT == 'WEEK 20'")["USUBJID"]
    done = study["ds"].frame.query("DSDECOD == 'COMPLETED' and DSSCAT == 'STUDY TREATMENT'")
    assert len(done) > 30
    assert done["USUBJID"].isin(last).mean() > 0.9
    assert done["DSSTDY"].median() == pytest.approx(141, abs=3)
    ends = study["ex"].frame.groupby("USUBJID", observed=True)["EXENDY"].max()
    assert ends[ends.index.isin(last)].median() == pytest.approx(140, abs=3)
    elements = study["se"].frame.sort_values(["USUBJID", "SESEQ"])
    follows = elements["USUBJID"].eq(elements["USUBJID"].shift(-1))
    assert (elements["SEENDTC"][follows] == elements["SESTDTC"].shift(-1)[follows]).all()


def test_events_go_on_and_results_keep_their_course() -> None:
    (_, plain), (_, study) = made(), made("{visits: 2}")
    rate = [len(s["ae"].frame) / s["sv"].frame.groupby("USUBJID")["SVSTDY"].max().clip(0).sum() for s in (plain, study)]
    assert len(study["ae"].frame) > 1.1 * len(plain["ae"].frame)
    assert rate[1] == pytest.approx(rate[0], rel=0.25)
    assert study["ae"].frame["AESTDY"].max() > 120
    week = study["vs"].frame.query("VSTESTCD == 'SYSBP'").groupby("VISIT")["VSSTRESN"].agg(["mean", "std"])
    for visit in ("WEEK 16", "WEEK 20"):
        assert abs(week.loc[visit, "mean"] - week.loc["WEEK 12", "mean"]) < 0.4 * week.loc["WEEK 12", "std"]


def test_the_rules_find_no_more_kinds_of_errors() -> None:
    found = []
    for model, study in (made(), made("{visits: 2}")):
        tallies = validate(study, structure=model.structure, detectors=False).tallies
        found.append({t.rule.id for t in tallies if t.count and t.rule.severity == "error"})
    assert found[1] <= found[0]


@pytest.mark.parametrize("follow_up", ["", "{visits: 2}"])
def test_assessments_lie_within_the_days_of_their_visit(follow_up: str) -> None:
    """A visit of several days ends with its laboratory; a visit after a stay ended early has one too."""
    _, study = made(follow_up)
    visits = study["sv"].frame[["USUBJID", "VISITNUM", "SVSTDTC", "SVENDTC"]]
    assert (visits["SVSTDTC"] != visits["SVENDTC"]).any()
    for table, column in (("lb", "LBDTC"), ("vs", "VSDTC")):
        rows = study[table].frame.merge(visits, on=["USUBJID", "VISITNUM"])
        day = rows[column].astype("str").str[:10]
        assert (day >= rows["SVSTDTC"].astype("str")).all()
        assert (day <= rows["SVENDTC"].astype("str")).all()


def test_the_spacing_the_domains_and_the_assessments_can_be_said() -> None:
    _, study = made("{visits: 2, every: 14, like: week 8, domains: [VS]}", 40)
    assert usual_days(study)["WEEK 14"] == 99 and usual_days(study)["WEEK 16"] == 113
    assert {"WEEK 14", "WEEK 16"} <= set(study["vs"].frame["VISIT"])
    assert not {"WEEK 14", "WEEK 16"} & {*study["lb"].frame["VISIT"], *study["qs"].frame["VISIT"]}


def test_a_longer_model_is_a_document_like_any_other() -> None:
    model, _ = made("{visits: 2}")
    assert parse_model(model_text(model)).stretch is not None


def test_other_standards_go_on_too() -> None:
    learned = pipeline.fit(adam())
    request = parse_run("subjects: 30\nvariation: {follow_up: {visits: 2}}").request()
    advs = pipeline.generate_study(learned, request, workers=1)["advs"].frame
    days = advs.groupby(["AVISITN", "AVISIT"], observed=True)["ADY"].median()
    assert days[6.0, "Week 6"] == pytest.approx(43, abs=1) and days[8.0, "Week 8"] == pytest.approx(57, abs=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{visits: 0}", "greater than or equal to 1"),
        ("{days: 3}", "unknown key 'days'"),
        ("{visits: 2, like: WEEK 9}", "no planned visit 'WEEK 9'. Did you mean 'WEEK 8'?"),
        ("{visits: 2, domains: [AE]}", "'AE' has no results of visits. There are lb, qs, vs."),
    ],
)
def test_what_cannot_go_on_is_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        made(text, 5)
    assert message in str(caught.value)


def test_a_study_without_visits_has_none_to_go_on() -> None:
    request = parse_run("subjects: 5\nvariation: {follow_up: {visits: 1}}").request()
    with pytest.raises(RequestError, match="names no visits"):
        settle(pipeline.fit(shop(20)), request)


@given(
    st.integers(1, 28),
    st.integers(2, 6),
    st.integers(1, 4),
    st.sampled_from(["WEEK {}", "{} days after dose 1", "V{:03d}"]),
)
def test_names_with_a_number_go_on_with_it(step: int, before: int, more: int, name: str) -> None:
    numbers = step * np.arange(1, before + more + 1)
    names = [name.format(int(n)) for n in numbers]
    assert continued(names[:before], 7.0 * numbers[:before], 7.0 * step, more) == names[before:]


def test_what_does_not_count_stays() -> None:
    days = np.array([0.0, 28.0, 56.0])
    assert continued(["Y", None, "Y"], days, 28.0, 2) == ["Y", "Y"]
    assert continued([None, 3.0, 3.0], days, 28.0, 1) == [3.0]
    assert continued(["SCREENING", "BASELINE", "END OF STUDY"], days, 28.0, 2, unique=True) == [
        "END OF STUDY 2",
        "END OF STUDY 3",
    ]
    assert pd.isna(continued([None, None], days[:2], 28.0, 1)[0])
