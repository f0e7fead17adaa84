"""Results of findings: one number a cell and back to the columns as the source writes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from datareplicator.generate.results import write_results
from datareplicator.model.results import ResultModel, fit_results
from datareplicator.structure.spec import ColumnSpec, Kind, Layout, TableSpec

COLUMNS = ("USUBJID", "LBTESTCD", "LBORRES", "LBORRESU", "LBSTRESC", "LBSTRESN")


def spec(**changes: object) -> TableSpec:
    columns = tuple(ColumnSpec(name=c, kind=Kind.TEXT, encoding="text", distinct=5, missing=0.0) for c in COLUMNS)
    roles = {"test": "LBTESTCD", "original": "LBORRES", "unit": "LBORRESU", "text": "LBSTRESC", "value": "LBSTRESN"}
    fields = {"name": "lb", "members": ("lb",), "layout": Layout.FINDINGS, "rows": 0, "subjects": 0, **roles}
    return TableSpec(**{**fields, "columns": columns, "subject": "USUBJID", **changes})


def frame(test: list, original: list, unit: list, text: list, value: list) -> pd.DataFrame:
    table = pd.DataFrame({"LBTESTCD": test, "LBORRES": original, "LBORRESU": unit, "LBSTRESC": text})
    table = table.astype("str").assign(LBSTRESN=np.array(value, dtype=float))
    return table.assign(USUBJID=[f"S{i}" for i in range(len(table))])


def there_and_back(source: pd.DataFrame) -> tuple[ResultModel, pd.DataFrame]:
    model, cell, number = fit_results(spec(), source, 0)
    model = ResultModel.model_validate_json(model.model_dump_json())
    return model, pd.DataFrame(write_results(model, cell, number, source["LBORRESU"]))


def assert_same(source: pd.DataFrame, made: pd.DataFrame) -> None:
    for name in made:
        left = source[name].astype(object).where(source[name].notna(), None)
        right = made[name].astype(object).where(made[name].notna(), None)
        assert left.tolist() == right.tolist(), name


def test_few_numbers_texts_and_limits_come_back_as_they_are() -> None:
    source = frame(
        ["ALT"] * 4 + ["PROT"] * 3,
        ["12", "<5", "40.50", None, "NEGATIVE", "TRACE", "+1"],
        ["U/L"] * 4 + [None] * 3,
        ["12", "<5", "40.5", None, "NEGATIVE", "TRACE", "1+"],
        [12, np.nan, 40.5, np.nan, np.nan, np.nan, np.nan],
    )
    model, made = there_and_back(source)
    assert_same(source, made)
    assert [c.kind for c in model.cells] == ["number", "category"]


def test_what_is_below_the_limit_is_written_as_the_limit() -> None:
    values = np.round(np.linspace(5, 90, 200), 1)
    texts = [f"{v:.1f}" for v in values]
    source = frame(["ALT"] * 203, [*texts, *["<5"] * 3], ["U/L"] * 203, [*texts, *["<5"] * 3], [*values, *[np.nan] * 3])
    model, _, _ = fit_results(spec(), source, 0)
    made = write_results(model, np.zeros(3, dtype=int), np.array([1.0, 4.9, 33.3]), pd.Series(["U/L"] * 3))
    assert made["LBORRES"].tolist() == ["<5", "<5", "33.3"]
    assert made["LBSTRESN"].isna().tolist() == [True, True, False]


def test_each_unit_has_its_own_line_and_decimals() -> None:
    rng = np.random.default_rng(1)
    gram, litre = np.round(rng.uniform(3, 5, 150), 1), np.round(rng.uniform(30, 50, 150), 0)
    source = frame(
        ["ALB"] * 300,
        [*(f"{v:.1f}" for v in gram), *(f"{v:.0f}" for v in litre)],
        ["g/dL"] * 150 + ["g/L"] * 150,
        [f"{v:g}" for v in [*np.round(gram * 10), *litre]],
        [*np.round(gram * 10), *litre],
    )
    model, _, _ = fit_results(spec(), source, 0)
    new = write_results(model, np.zeros(2, dtype=int), np.array([41.3, 41.3]), pd.Series(["g/dL", "g/L"]))
    assert new["LBORRES"].tolist() == ["4.1", "41"]
    assert new["LBSTRESN"].tolist() == [41.0, 41.0]
    assert new["LBSTRESC"].tolist() == ["41", "41"]


def test_a_derived_total_has_no_original() -> None:
    source = frame(["TOT"] * 100, [None] * 100, [None] * 100, [str(i) for i in range(100)], list(range(100)))
    model, made = there_and_back(source)
    assert made["LBORRES"].isna().all()
    assert made["LBSTRESN"].tolist() == list(range(100))
    assert not model.cells[0].collected


def test_without_any_result_column_there_is_nothing_to_write() -> None:
    bare = spec(original=None, unit=None, text=None, value=None)
    source = frame(["A", "B"], ["1", "2"], ["x", "x"], ["1", "2"], [1, 2])
    model, cell, number = fit_results(bare, source, 0)
    assert np.isnan(number).all()
    assert write_results(model, cell, number, None) == {}


def test_texts_among_the_numbers_of_the_value_are_no_numbers() -> None:
    made = frame(["A"] * 4, ["1.5", "2.5", "3.5", "4.5"], ["g"] * 4, ["1.5", "2.5", "3.5", "4.5"], [1.5, 2.5, 3.5, 4.5])
    made["LBSTRESN"] = pd.Series(["1.5", "n/a", "3.5", "see note"], dtype="str")
    model, _, number = fit_results(spec(), made, 0)
    assert np.isnan(number).tolist() == [False, True, False, True]
    assert (model.scales[0].slope, model.scales[0].intercept) == (1.0, 0.0)


def test_the_text_of_a_number_in_one_unit_is_not_written_in_another() -> None:
    source = frame(
        ["BILI"] * 6,
        ["0.5", "0.6", "8.5", "9.1", "0.7", "10.2"],
        ["mg/dL", "mg/dL", "umol/L", "umol/L", "mg/dL", "umol/L"],
        ["8.55", "10.26", "8.5", "9.1", "11.97", "10.2"],
        [8.55, 10.26, 8.5, 9.1, 11.97, 10.2],
    )
    model, cell, _ = fit_results(spec(), source, 0)
    made = pd.DataFrame(write_results(model, cell[:1], np.array([8.55]), pd.Series(["umol/L"])))
    assert float(made["LBORRES"].iloc[0]) == pytest.approx(8.55, abs=0.06)
    assert made["LBSTRESN"].iloc[0] == float(made["LBSTRESC"].iloc[0]) == float(made["LBORRES"].iloc[0])


def test_texts_of_totals_end_where_the_column_ends() -> None:
    totals = np.r_[np.arange(1.0, 71.0), 45.862069, 61.551724]
    texts = [str(int(v)) if v == int(v) else str(v)[:4] for v in totals]
    none = [None] * len(totals)
    source = frame(["TOTAL"] * len(totals), none, none, texts, totals.tolist())
    model, cell, _ = fit_results(spec(original=None, unit=None), source, 0)
    assert model.cells[0].width == 4
    made = write_results(model, cell[:3], np.array([33.793103, 100.5, 12.0]), None)
    assert made["LBSTRESC"].astype(str).tolist() == ["33.7", "100", "12"]
    assert made["LBSTRESN"].tolist() == [33.793103, 100.5, 12.0]
