"""sas7bdat: what pyreadstat tells becomes a normalised table. pyreadstat cannot write such files, so it is replaced."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from datareplicator.errors import SourceError
from datareplicator.formats import read_study, sas7bdat

HEAD = sas7bdat._MAGIC


def test_labels_formats_and_moments_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"ID": ["007", "", "9 "], "AGE": [41.0, np.nan, 2.0], "DT": [19725.0, np.nan, 0.0]})
    meta = SimpleNamespace(
        column_names=["ID", "AGE", "DT"],
        column_labels=["Id", None, "Date"],
        original_variable_types={"ID": "$", "AGE": "BEST", "DT": "DATE9"},
        variable_storage_width={"ID": 20, "AGE": 8, "DT": 8},
        file_encoding="UTF-8",
        file_label="About",
    )
    monkeypatch.setattr(pyreadstat, "read_sas7bdat", lambda *_, **__: (frame, meta))
    (tmp_path / "dm.sas7bdat").write_bytes(HEAD)
    table = read_study(tmp_path)["dm"]
    assert {name: column.type for name, column in table.columns.items()} == {"ID": "text", "AGE": "float", "DT": "date"}
    assert table.frame["ID"].fillna("missing").tolist() == ["007", "missing", "9 "]
    assert table.frame["DT"].tolist()[0] == pd.Timestamp("2014-01-02")
    assert [(c.label, c.length, c.format) for c in table.columns.values()] == [
        ("Id", 20, ""),
        ("", 8, ""),
        ("Date", 8, "DATE9."),
    ]
    assert table.label == "About"


@pytest.mark.parametrize("raw", [b"junk", HEAD, HEAD + b"\0" * 5000, HEAD + bytes(range(256)) * 50])
def test_damaged_files_are_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "dm.sas7bdat").write_bytes(raw)
    with pytest.raises(SourceError, match="sas7bdat") as caught:
        read_study(tmp_path)
    assert caught.value.hint
