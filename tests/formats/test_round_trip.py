"""Any small study survives every format: values, types and, where the format can, metadata."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datareplicator.formats import read_study, write_study
from datareplicator.formats.textual import text_of
from datareplicator.study import Column, ColumnType, Study, Table

# Characters that every text format can hold; commas, quotes and line ends are meant to hurt.
_TEXT = st.text(alphabet="abzAZ019 .,;|\"'\t\n-+=_µé€漢NA", max_size=12).filter(lambda text: text != "")
_DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31))
_VALUES: dict[ColumnType, st.SearchStrategy] = {
    "text": _TEXT
    | st.sampled_from(["007", "NA", "None", "1.50", "2014", "2014-03", "12345678901234567", "true", "a "]),
    "integer": st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5),
    "float": st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.1, -2.5, 3.0]),
    "boolean": st.booleans(),
    "date": _DAYS,
    "datetime": st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2099, 12, 31)),
    "time": st.timedeltas(dt.timedelta(0), dt.timedelta(hours=30)),
}
_DTYPES = {
    "text": "str",
    "float": "float64",
    "boolean": "boolean",
    "date": "datetime64[us]",
    "datetime": "datetime64[us]",
    "time": "timedelta64[us]",
}


def series_of(kind: ColumnType, values: list) -> pd.Series:
    if kind == "integer":
        missing = any(value is None for value in values)
        return pd.Series(pd.array(values, dtype="Int64")).astype("Int64" if missing else "int64")
    return pd.Series(values, dtype=object).astype(_DTYPES[kind])


@st.composite
def tables(draw: st.DrawFn, kinds: tuple[ColumnType, ...] = tuple(_VALUES)) -> Table:
    rows = draw(st.integers(1, 8))
    columns = {"KEY": Column("KEY", "text")}
    data = {"KEY": series_of("text", [f"subject {row}" for row in range(rows)])}
    for number in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(kinds))
        name = f"C{number}"
        columns[name] = Column(name, kind, draw(st.sampled_from(["", "A label", "µ"])))
        values = draw(st.lists(_VALUES[kind] | st.none(), min_size=rows, max_size=rows))
        data[name] = series_of(kind, values)
    return Table("t", pd.DataFrame(data), columns, draw(st.sampled_from(["", "About t"])))


def there_and_back(table: Table, folder: Path, format: str) -> Table:
    write_study(Study({"t": table}), folder / "out", format=format)
    return read_study(folder / "out")["t"]


def every(case: Callable[..., None]) -> Callable[..., None]:
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=quiet)(case)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: tmp_path_factory.mktemp("trip")


@every
@given(table=tables())
def test_parquet_keeps_everything(folder: Callable[[], Path], table: Table) -> None:
    back = there_and_back(table, folder(), "parquet")
    pd.testing.assert_frame_equal(back.frame, table.frame)
    assert (back.columns, back.label) == (table.columns, table.label)


@every
@given(table=tables(), format=st.sampled_from(["csv", "tsv"]))
def test_delimited_text_keeps_every_letter(folder: Callable[[], Path], table: Table, format: str) -> None:
    back = there_and_back(table, folder(), format)
    assert list(back.columns) == list(table.columns)
    assert back.origin is not None
    styles = back.origin.options.get("styles", {})
    for name, column in table.columns.items():
        before = text_of(table.frame[name], column).to_pylist()
        after = text_of(back.frame[name], back.columns[name], styles.get(name)).to_pylist()
        assert after == before
    pd.testing.assert_frame_equal(there_and_back(back, folder(), "same").frame, back.frame)


@every
@given(table=tables(), format=st.sampled_from(["json", "ndjson", "dataset-json"]))
def test_json_keeps_values(folder: Callable[[], Path], table: Table, format: str) -> None:
    back = there_and_back(table, folder(), format)
    for name, column in table.columns.items():
        before, after = table.frame[name], back.frame[name]
        if not before.notna().any():
            assert not after.notna().any()
        elif format != "dataset-json" and column.type in ("date", "datetime", "time"):
            assert after.astype(object).where(after.notna(), None).tolist() == text_of(before, column).to_pylist()
        else:
            pd.testing.assert_series_equal(after, before)
    if format == "dataset-json":
        assert back.label == table.label
        assert [c.label for c in back.columns.values()] == [c.label for c in table.columns.values()]


@every
@given(table=tables(("text", "float", "boolean", "date", "datetime", "time")))
def test_xport_keeps_values_but_blanks_at_the_end(folder: Callable[[], Path], table: Table) -> None:
    for name, column in table.columns.items():
        if column.type == "float":
            number = table.frame[name]
            table.frame[name] = number.where(number.abs().between(1e-70, 1e70) | number.isna(), 0.0)
    back = there_and_back(table, folder(), "xpt")
    assert back.label == table.label
    for name, column in table.columns.items():
        before, after = table.frame[name], back.frame[name]
        assert back.columns[name].label == column.label
        if column.type == "text":
            assert after.fillna("").tolist() == before.fillna("").str.rstrip(" ").tolist()
        elif column.type == "boolean":
            np.testing.assert_array_equal(after, before.to_numpy(dtype=float, na_value=np.nan))
        else:
            pd.testing.assert_series_equal(after, before)
            assert back.columns[name].type == column.type


@every
@given(table=tables(("text", "integer", "float", "boolean")))
def test_excel_keeps_values(folder: Callable[[], Path], table: Table) -> None:
    back = there_and_back(table, folder(), "xlsx")
    for name, column in table.columns.items():
        before, after = table.frame[name], back.frame[name]
        if column.type == "text":
            assert after.fillna("").tolist() == before.fillna("").tolist()
        elif column.type == "integer":
            assert [int(value) for value in after.dropna()] == [int(value) for value in before.dropna()]
        elif before.notna().any():
            np.testing.assert_array_equal(
                after.to_numpy(dtype=float, na_value=np.nan), before.to_numpy(dtype=float, na_value=np.nan)
            )
