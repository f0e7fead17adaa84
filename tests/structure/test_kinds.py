"""Kinds of columns, numbers and personal data, judged on distinct values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datareplicator.structure.encode import encode_column, plain_text
from datareplicator.structure.kinds import classify
from datareplicator.structure.spec import Kind


def kind(name: str, values: list, repeat: int = 1) -> Kind:
    return encode_column(name, pd.Series(values * repeat)).kind


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("AESTDTC", ["2014-01-02", "2014-03", "2013"], Kind.DATE),
        ("CMSTDTC", ["2003", "2004"], Kind.DATE),
        ("batch", ["2003", "2004"], Kind.CATEGORY),
        ("VSELTM", ["PT5M", "-P1W", "P1DT2H"], Kind.DURATION),
        ("clock", ["08:30", "17:05"], Kind.TIME),
        ("AESER", ["Y", "N"], Kind.FLAG),
        ("LBBLFL", ["Y"], Kind.FLAG),
        ("SEX", ["F", "M", "U"], Kind.CATEGORY),
        ("SITEID", ["007", "012"], Kind.CATEGORY),
        ("VSSTRESC", ["70.1", "80.25"], Kind.DECIMAL),
        ("DOSE", [0.0, 54.0, 81.0], Kind.INTEGER),
        ("BMI", [22.5, 31.25], Kind.DECIMAL),
        ("event", [0, 1], Kind.FLAG),
        ("person_id", [10_000_000_000_000_001, 10_000_000_000_000_003], Kind.IDENTIFIER),
        ("gender_concept_id", [8507, 8532], Kind.CATEGORY),
        ("notes", ["a rather long remark of somebody about something"] * 2, Kind.TEXT),
    ],
)
def test_kind(name: str, values: list, expected: Kind) -> None:
    found = kind(name, values, repeat=1 if expected == Kind.TEXT else 20)
    assert found == expected or (expected == Kind.TEXT and found == Kind.CATEGORY)


def test_remarks_that_never_recur_are_free_text() -> None:
    assert kind("notes", [f"remark number {i} about something that was seen today" for i in range(30)]) == Kind.TEXT


def test_unique_codes_are_identifiers_and_all_missing_is_empty() -> None:
    assert kind("sample", [f"S-{i:04d}" for i in range(30)]) == Kind.IDENTIFIER
    assert kind("nothing", [None, None]) == Kind.EMPTY


@pytest.mark.parametrize(
    ("name", "values", "pii"),
    [
        ("contact", ["a@example.org", "b@example.org"], "email"),
        ("phone_number", ["555 0100", "555 0101", "555 0102"], "phone"),
        ("last_name", ["Meyer", "Olsen", "Rossi"], "last_name"),
        ("patient_name", ["Ann Lee", "Bo Chan", "Cy Diaz"], "name"),
        ("ssn", ["123-45-6789", "987-65-4321"], "national_id"),
        ("card", ["4111111111111111", "5500005555555559", "4012888888881881", "4222222222222", "5105105105105100"],
         "card"),
    ],
)  # fmt: skip
def test_personal_data(name: str, values: list[str], pii: str) -> None:
    column = encode_column(name, pd.Series(values))
    assert (column.kind, column.spec.pii) == (Kind.PII, pii)


@pytest.mark.parametrize("name", ["USUBJID", "AETERM", "LBNAM", "TESTNAME", "SITENAME", "ARM"])
def test_study_data_are_not_personal(name: str) -> None:
    values = pd.Series(["01-701-1015", "01-701-1023", "01-702-1001"])
    assert encode_column(name, values).spec.pii is None


def test_decimals_come_from_the_text_or_from_twelve_digits() -> None:
    assert encode_column("x", pd.Series(["1.50", "2.5", "3"])).spec.decimals == 2
    assert encode_column("x", pd.Series([166.54399999999998, 2.5])).spec.decimals == 3
    assert encode_column("x", pd.Series([1e-7, 2e-7])).spec.decimals == 7


def test_numbers_in_texts_are_read_beside_words() -> None:
    column = encode_column("LBORRES", pd.Series(["1.5", "NEGATIVE", "2", "<5"] * 3))
    assert column.spec.numeric_text
    assert np.array_equal(column.numbers[:4], [1.5, np.nan, 2.0, np.nan], equal_nan=True)


def test_codes_point_at_distinct_values_and_missing_is_minus_one() -> None:
    column = encode_column("x", pd.Series(["b", None, "a", "b"]))
    assert column.codes.tolist() == [0, -1, 1, 0]
    assert list(column.distinct) == ["b", "a"]
    assert column.spec.missing == 0.25
    assert column.counts.tolist() == [2, 1]


def test_days_of_partial_dates_are_unknown() -> None:
    column = encode_column("AESTDTC", pd.Series(["1970-01-03", "1970-01", None]))
    assert np.array_equal(column.days, [2.0, np.nan, np.nan], equal_nan=True)


def test_long_whole_numbers_keep_all_digits() -> None:
    column = encode_column("person_id", pd.Series([10_000_000_000_000_001, None], dtype="Int64"))
    assert column.texts.tolist() == ["10000000000000001"]
    assert plain_text(np.float64(12.0)) == "12"


def test_a_flag_needs_one_of_the_known_pairs() -> None:
    assert classify("x", pd.Series(["T"]), 5).kind == Kind.CATEGORY
    assert classify("x", pd.Series(["true", "false"]), 5).kind == Kind.FLAG
