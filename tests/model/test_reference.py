"""Tables without subjects come out as they went in."""

from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

from datareplicator.model.reference import ReferenceTable, keep_reference, restore_reference


def test_every_type_survives_the_document() -> None:
    frame = pd.DataFrame(
        {
            "text": pd.Series(["a", None, "日本"], dtype="str"),
            "whole": [1, 2**60 + 1, 3],
            "gaps": pd.Series([1, None, 3], dtype="Int64"),
            "number": [0.1, float("nan"), 1e300],
            "truth": pd.Series([True, None, False], dtype="boolean"),
            "day": pd.to_datetime(["2020-01-01T00:00:00.5", None, "1999-12-31"], format="ISO8601").astype(
                "datetime64[us]"
            ),
            "time": pd.to_timedelta(["01:02:03", None, "00:00:01.5"]).astype("timedelta64[us]"),
        }
    )
    kept = ReferenceTable.model_validate_json(keep_reference(frame).model_dump_json())
    pd.testing.assert_frame_equal(restore_reference(kept), frame)


def test_a_table_without_rows_keeps_its_columns() -> None:
    frame = pd.DataFrame({"a": pd.Series(dtype="str"), "b": pd.Series(dtype="float64")})
    pd.testing.assert_frame_equal(restore_reference(keep_reference(frame)), frame)


@pytest.mark.parametrize(
    "values", [{"a": (1,)}, {"a": (1,), "b": (1, 2)}, {"b": (1,), "a": (1,)}], ids=["missing", "length", "order"]
)
def test_columns_must_agree(values: dict) -> None:
    with pytest.raises(ValidationError):
        ReferenceTable(dtype={"a": "int64", "b": "int64"}, values=values)
