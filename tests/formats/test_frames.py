"""Frames in memory."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from datareplicator.errors import RequestError, SourceError
from datareplicator.formats import read_study


def test_pandas_polars_and_arrow_give_the_same() -> None:
    data = {"A": ["x", None, "y"], "B": [1, None, 3], "C": [1.5, 2.0, None]}
    studies = [
        read_study({"t": frame})
        for frame in (
            pd.DataFrame({"A": data["A"], "B": pd.array(data["B"], dtype="Int64"), "C": data["C"]}),
            pl.DataFrame(data),
            pl.LazyFrame(data),
            pa.table(data),
        )
    ]
    for study in studies[1:]:
        pd.testing.assert_frame_equal(study["t"].frame, studies[0]["t"].frame)
        assert study["t"].columns == studies[0]["t"].columns


def test_mixed_objects_become_text_and_the_source_is_left_alone() -> None:
    frame = pd.DataFrame({"M": [1, "a", None], "C": pd.Categorical(["u", "v", "u"])}, index=[3, 1, 2])
    before = frame.copy()
    table = read_study({"t": frame})["t"]
    assert table.frame["M"].fillna("missing").tolist() == ["1", "a", "missing"]
    assert table.columns["C"].type == "text"
    pd.testing.assert_frame_equal(frame, before)


def test_a_named_index_is_a_column_and_attributes_are_labels() -> None:
    frame = pd.DataFrame({"USUBJID": ["1"], "A": [2]}).set_index("USUBJID")
    frame.attrs = {"label": "About", "labels": {"A": "Label A"}}
    table = read_study({"t": frame})["t"]
    assert list(table.columns) == ["USUBJID", "A"]
    assert (table.label, table.columns["A"].label) == ("About", "Label A")


def test_bad_frames_are_refused() -> None:
    with pytest.raises(RequestError, match="no frame"):
        read_study({"t": [1, 2]})
    with pytest.raises(SourceError, match="more than once") as caught:
        read_study({"t": pd.DataFrame([[1, 2]], columns=["A", "A"])})
    assert caught.value.place.column == "A"
    with pytest.raises(SourceError, match="flat table"):
        read_study({"t": pd.DataFrame({"A": [[1], [2]]})})
    with pytest.raises(SourceError, match="no row"):
        read_study({"t": pd.DataFrame({"A": []})})
    with pytest.raises(SourceError, match="no row"):
        read_study({})
