"""Evaluation in three values: against hand-made tables, and dates against all that they may be."""

from __future__ import annotations

import calendar
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datareplicator.expressions import ExpressionError, Schema, Type, parse

T, F, U = 1, -1, 0

DM = pd.DataFrame(
    {
        "USUBJID": ["S1", "S2", "S3"],
        "AGE": [70.0, np.nan, 40.0],
        "SEX": ["F", "M", None],
        "RFSTDTC": ["2014-03-01", "2014-03", None],
        "BIRTH": pd.to_datetime(["1944-01-31", None, "1974-06-01"]),
        "FLAG": pd.array([True, False, None], dtype="boolean"),
        "EMPTY": pd.Series([np.nan] * 3, dtype="str"),
    }
).astype({"USUBJID": "str", "SEX": "str", "RFSTDTC": "str"})
AE = pd.DataFrame(
    {
        "USUBJID": ["S1", "S1", "S2", "S1", "S9"],
        "AESEQ": [1, 2, 1, 3, 1],
        "AETERM": ["RASH", "Head ache", None, "RASH", "FALL"],
        "AESTDTC": ["2014-03-05T11:45", "2014-03-05", "2014-04", "2014-02-28", "UNK"],
        "AEENDTC": ["2014-03-05", "2014-03-05", "2014-03-31", None, "2014-01-01"],
        "AEVAL": [0.1, 0.2, np.nan, 0.3, 5.0],
        "AESER": ["N", "Y", "Y", None, "N"],
    }
).astype({"AETERM": "str", "AESTDTC": "str", "AEENDTC": "str", "AESER": "str", "USUBJID": "str"})
FRAMES = {"DM": DM, "AE": AE}


def truth(text: str, table: str) -> list[int]:
    others = {name: frame for name, frame in FRAMES.items() if name != table}
    return parse(text).truth(FRAMES[table], subject="USUBJID", others=others, table=table).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AGE >= 65", [T, U, F]),
        ("not AGE >= 65", [F, U, T]),
        ("AGE >= 65 or SEX = 'M'", [T, T, U]),
        ("AGE >= 65 and SEX = 'M'", [F, U, F]),
        ("AGE >= 65 implies SEX = 'F'", [T, U, T]),
        ("AGE is missing", [F, T, F]),
        ("AGE is not missing and SEX is not missing", [T, F, F]),
        ("SEX in ('F', 'U')", [T, F, U]),
        ("SEX not in ('F', 'U')", [F, T, U]),
        ("AGE between 40 and 70", [T, U, T]),
        ("AGE not between 40 and 50", [T, U, F]),
        ("-AGE + 2 * 3 = -64", [T, U, F]),
        ("AGE / 0 = 1", [U, U, U]),
        ("FLAG", [T, F, U]),
        ("not FLAG or false", [F, T, U]),
        ("FLAG = false", [F, T, U]),
        ("sex = 'F'", [T, F, U]),  # names in any case, where clear
        ("SEX = 'f'", [F, F, U]),  # values as they are
        ("EMPTY = 'x' or EMPTY > 3", [U, U, U]),
        ("upper(EMPTY) = 'X' or abs(EMPTY) > 1", [U, U, U]),
        ("EMPTY is missing", [T, T, T]),
        ("RFSTDTC = '2014-03'", [T, T, U]),
        ("RFSTDTC = '2014-03-01'", [T, U, U]),
        ("RFSTDTC <= '2014-03'", [T, T, U]),
        ("RFSTDTC < '2014-03-02'", [T, U, U]),
        ("'2014-02' < RFSTDTC", [T, T, U]),
        ("year(RFSTDTC) = 2014 and month(RFSTDTC) = 3", [T, T, U]),
        ("day(RFSTDTC) = 1", [T, U, U]),
        ("weekday(RFSTDTC) = 6", [T, U, U]),
        ("BIRTH < RFSTDTC", [T, U, U]),
        ("BIRTH = '1944-01-31'", [T, U, F]),
        ("days_between(BIRTH, RFSTDTC) = 25597", [T, U, U]),
        ("BIRTH + 1 = '1944-02-01'", [T, U, F]),
        ("RFSTDTC - BIRTH > 25000", [T, U, U]),
        ("RFSTDTC like '2014-%'", [T, T, U]),
        ("length(RFSTDTC) = 7", [F, T, U]),
        ("coalesce(AGE, 0) = 0", [F, T, F]),
        ("if(AGE >= 65, 'old', 'young') = 'old'", [T, U, F]),
        ("if(SEX = 'F', AGE, -1) < 0", [F, T, U]),
        ("concat(USUBJID, '/', text(AGE)) = 'S1/70'", [T, U, F]),
        ("coalesce(SEX, 'U') = 'U'", [F, F, T]),
    ],
)
def test_within_a_row(text: str, expected: list[int]) -> None:
    assert truth(text, "DM") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AETERM like 'R%'", [T, F, U, T, F]),
        ("AETERM like '_A__'", [T, F, U, T, T]),
        ("AETERM matches '[A-Z]+'", [T, F, U, T, T]),
        ("upper(substring(AETERM, 1, 4)) = 'HEAD'", [F, T, U, F, F]),
        ("AEVAL * 3 = 0.3", [T, F, U, F, F]),
        ("round(AEVAL) = 0 and min(AEVAL, 1) < max(AEVAL, 1)", [T, T, U, T, F]),
        ("AESTDTC <= AEENDTC", [U, T, F, U, U]),
        ("day_of(AESTDTC) <= AEENDTC", [T, T, F, U, U]),
        ("AESTDTC = '2014-03-05'", [T, T, F, F, U]),
        ("AESTDTC = '2014-03-05T11:45'", [T, U, F, F, U]),
        ("AESTDTC matches 'UNK'", [F, F, F, F, T]),
    ],
)
def test_texts_numbers_and_dates(text: str, expected: list[int]) -> None:
    assert truth(text, "AE") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count() = 3", [T, T, F, T, F]),
        ("count(AETERM) = 0", [F, F, T, F, F]),
        ("count(where AESER = 'Y') = 1", [T, T, T, T, F]),
        ("distinct(AETERM) = 2", [T, T, F, T, F]),
        ("sum(AEVAL) = 0.6", [T, T, U, T, F]),
        ("mean(AEVAL) > 0.19 and mean(AEVAL) < 0.21", [T, T, U, T, F]),
        ("AEVAL = max(AEVAL)", [F, F, U, T, T]),
        ("min(AESTDTC) = '2014-02-28'", [T, T, U, T, U]),
        ("first(AETERM by -AESEQ) = last(AETERM)", [T, T, U, T, T]),
        ("first(AETERM where AESEQ > 1) = 'Head ache'", [T, T, U, T, U]),
        ("any(AESER = 'Y')", [T, T, T, T, F]),
        ("all(AESER = 'Y')", [F, F, T, F, F]),
        ("all(AESER = 'Y' or AESER is missing)", [F, F, T, F, F]),
        ("unique(AESEQ)", [T, T, T, T, T]),
        ("unique(AETERM)", [F, T, U, F, T]),
        ("unique(AESEQ) per table", [F, T, F, T, F]),
        ("unique(USUBJID, AESEQ) per table", [T, T, T, T, T]),
        ("previous(AESEQ) < AESEQ", [U, T, U, T, U]),
        ("previous(AESEQ by -AESEQ) > AESEQ", [T, T, U, U, U]),
        ("count() per table = 5", [T, T, T, T, T]),
        ("count() per (AETERM) = 2", [T, F, U, T, F]),
        ("DM.AGE >= 65", [T, T, U, T, U]),
        ("DM.SEX = 'F' implies AESER = 'Y'", [F, T, T, U, U]),
        ("AESTDTC >= DM.RFSTDTC", [T, T, T, F, U]),
        ("count(of DM) = 1", [T, T, T, T, F]),
        ("max(AGE of DM) = 70", [T, T, U, T, U]),
        ("AE.AESEQ = 1", [T, F, T, F, T]),
    ],
)
def test_across_rows_and_tables(text: str, expected: list[int]) -> None:
    assert truth(text, "AE") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count(of AE) = 3", [T, F, F]),
        ("count(of AE where AESER = 'Y') = 0", [F, F, T]),
        ("sum(AEVAL of AE) > 0.5", [T, U, U]),
        ("any(AESTDTC < DM.RFSTDTC of AE)", [T, F, F]),
        ("any(AETERM = 'RASH' of AE)", [T, U, F]),
    ],
)
def test_rows_of_another_table(text: str, expected: list[int]) -> None:
    assert truth(text, "DM") == expected


@pytest.mark.parametrize(
    ("text", "table", "position", "says"),
    [
        ("AGEE > 1", "DM", 1, "Did you mean 'AGE'"),
        ("SEX > 1", "DM", 1, "Expected a number: number(SEX)"),
        ("AGE = '65'", "DM", 7, "'65' is a text. Expected a number."),
        ("RFSTDTC > '2014-13'", "DM", 11, "is no date"),
        ("RFSTDTC = SEX", "DM", 11, "date(SEX)"),
        ("AGE", "DM", 1, "Expected a condition"),
        ("AGE and SEX = 'F'", "DM", 1, "AGE is a number"),
        ("SEX = ''", "DM", 7, "'is missing'"),
        ("FLAG > true", "DM", 6, "no order"),
        ("SEX matches '['", "DM", 5, "no regular expression"),
        ("if(AGE > 1, SEX, 1) = 'F'", "DM", 18, "1 is a number. Expected a text"),
        ("if(AGE, 1, 2) = 1", "DM", 4, "AGE is a number"),
        ("abs(AGE, 1) > 1", "DM", 1, "takes 1 argument, 2 given"),
        ("AE.AESEQ > 1", "DM", 1, "several rows a subject"),
        ("DN.AGE > 1", "AE", 1, "Did you mean 'DM'"),
        ("DM.AEG > 1", "AE", 1, "Did you mean 'AGE'"),
        ("count(of XX) > 1", "DM", 1, "there is no table 'XX'"),
        ("count() per (VISIT) > 1", "DM", 1, "no variable 'VISIT'"),
        ("count(by AGE) > 1", "DM", 1, "needs no order"),
        ("previous(AGE of AE) > 1", "DM", 1, "a value of its own"),
    ],
)
def test_what_does_not_fit_is_refused(text: str, table: str, position: int, says: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        truth(text, table)
    assert says in str(caught.value)
    assert caught.value.position == position


def test_a_table_without_subjects() -> None:
    frame = pd.DataFrame({"x": [1, 1, 2]})
    assert parse("count() per table = 3").evaluate(frame).all()
    assert parse("count() per (x) = 2").evaluate(frame).tolist() == [True, True, False]
    with pytest.raises(ExpressionError, match="per table"):
        parse("count() = 3").evaluate(frame)


def test_check_needs_no_rows() -> None:
    schema = Schema("DM", {"DM": {"AGE": Type.NUMBER, "RFSTDTC": Type.DATE}}, {"DM": "USUBJID"}, frozenset({"DM"}))
    parse("AGE > 3 and RFSTDTC >= '2014'").check(schema)
    with pytest.raises(ExpressionError):
        parse("AGE > '3'").check(schema)
    assert parse("max(AGE) + 1").type(schema) == Type.NUMBER


@pytest.mark.parametrize("text", ["SEX = 'F'", "upper(SEX) in ('F')", "count() per (SEX) = 1 and SEX < 'G'"])
def test_categories_and_texts_are_alike(text: str) -> None:
    frame = pd.DataFrame({"SEX": ["F", None, "M", "M"]})
    plain, coded = frame.astype("str"), frame.astype("category")
    assert parse(text).truth(plain).tolist() == parse(text).truth(coded).tolist()


@pytest.mark.parametrize(
    "text", ["AGE > 1 or SEX = 'F'", "unique(AGE)", "count() = 1", "min(AGE) > 3", "RFSTDTC + 1 < '2014' or FLAG"]
)
def test_no_rows(text: str) -> None:
    assert parse(text).truth(DM.head(0), subject="USUBJID").tolist() == []


def test_values() -> None:
    found = parse("AGE + 1").values(DM.set_index(pd.Index([5, 6, 7])))
    assert found.index.tolist() == [5, 6, 7]
    assert found.tolist()[::2] == [71.0, 41.0]
    assert parse("RFSTDTC + 1").values(DM)[0] == pd.Timestamp("2014-03-02")
    assert parse("if(AGE > 50, RFSTDTC, RFSTDTC)").vector(DM).iso()[0] == "2014-03-01"
    assert list(parse("day_of(RFSTDTC)").vector(DM).iso())[:2] == ["2014-03-01", "2014-03"]
    assert parse("text(AGE / 7)").values(DM)[0] == "10"
    assert parse("lower(SEX)").values(DM).tolist()[:2] == ["f", "m"]


ISO = st.one_of(
    st.builds(lambda m: f"2014-{m:02d}", st.integers(1, 3)),
    st.just("2014"),
    st.builds(lambda m, d: f"2014-{m:02d}-{d:02d}", st.integers(1, 3), st.sampled_from([1, 2, 28])),
    st.builds(
        lambda m, d, h: f"2014-{m:02d}-{d:02d}T{h:02d}:00",
        st.integers(1, 3),
        st.sampled_from([1, 28]),
        st.sampled_from([0, 12]),
    ),
)


def _may_be(text: str, mixed: bool) -> list[tuple[int, ...]]:
    """The days, or where `mixed` some of the moments, that a partial date may be."""
    months = [int(text[5:7])] if len(text) >= 7 else [1, 2, 3, 12]
    moments = []
    for month in months:
        days = [int(text[8:10])] if len(text) >= 10 else range(1, calendar.monthrange(2014, month)[1] + 1)
        hours = [int(text[11:13])] if len(text) > 10 else [0, 12, 23]
        moments += list(
            itertools.product([month], days, hours, [0, 30, 59])
            if mixed
            else itertools.product([month], days, hours[:1])
        )
    return moments


@given(ISO, ISO, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
def test_partial_dates_are_compared_soundly(left: str, right: str, operator: str) -> None:
    frame = pd.DataFrame({"a": [left], "b": [right]}).astype("str")
    schema = Schema("", {"": {"a": Type.DATE, "b": Type.DATE}})
    found = parse(f"a {operator} b").truth(frame, schema=schema)[0]
    mixed = len(left) != len(right) and max(len(left), len(right)) > 10
    python = {"=": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}[operator]
    outcomes = {getattr(a, python)(b) for a, b in itertools.product(_may_be(left, mixed), _may_be(right, mixed))}
    expected = 0 if len(outcomes) == 2 else 1 if outcomes == {True} else -1
    assert found == expected


@given(st.lists(st.sampled_from([0, 1, None]), min_size=3, max_size=3))
def test_logic_is_kleenes(values: list) -> None:
    frame = pd.DataFrame({n: pd.array([v], dtype="boolean") for n, v in zip("abc", values, strict=True)})
    for text, dual in [
        ("a and b or c", "not ((not a or not b) and not c)"),
        ("a implies b", "not a or b"),
        ("a and (b or c)", "a and b or a and c"),
    ]:
        assert parse(text).truth(frame)[0] == parse(dual).truth(frame)[0]
