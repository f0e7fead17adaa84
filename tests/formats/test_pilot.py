"""The CDISC pilot study, where it lies beside the repository: real XPORT and Parquet files."""

from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from datareplicator.formats import read_study, write_study
from datareplicator.study import Study

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the pilot study's files are not beside the repository")


@pytest.fixture(scope="module")
def sdtm() -> Study:
    return read_study(DATA / "cdisc-pilot-sdtm.zip")


def same(first: Study, second: Study) -> None:
    assert list(first) == list(second)
    for name, table in first.tables.items():
        assert second[name].columns == table.columns
        assert second[name].label == table.label
        pd.testing.assert_frame_equal(second[name].frame, table.frame)


@needs_data
@pytest.mark.parametrize("format", ["same", "parquet"])
def test_the_pilot_comes_back(sdtm: Study, tmp_path: Path, format: str) -> None:
    assert (sdtm.name, len(sdtm), sdtm.rows) == ("CDISCPILOT01", 31, 294_211)
    write_study(sdtm, tmp_path / "out", format=format)
    same(sdtm, read_study(tmp_path / "out"))


@needs_data
def test_pyreadstat_reads_the_same_from_ours(sdtm: Study, tmp_path: Path) -> None:
    part = Study({name: sdtm[name] for name in ("dm", "ts", "ti", "suppae")})
    write_study(part, tmp_path / "out", format="xpt")
    for name, table in part.tables.items():
        assert table.origin is not None
        frame, meta = pyreadstat.read_xport(tmp_path / "out" / f"{name}.xpt", encoding=table.origin.options["encoding"])
        assert meta.column_labels == [column.label for column in table.columns.values()]
        for column in table.columns.values():
            values = table.frame[column.name]
            expected = values.fillna("").tolist() if column.type == "text" else values.fillna(-1).tolist()
            found = frame[column.name]
            assert (found.tolist() if column.type == "text" else found.fillna(-1).tolist()) == expected


@needs_data
def test_windows_1252_texts_are_read(sdtm: Study) -> None:
    text = sdtm["ts"].frame.select_dtypes("str").stack().dropna()
    assert text.map(lambda value: not value.isascii()).any()
    assert not text.str.contains("\ufffd").any()


@needs_data
def test_adam_in_parquet_and_xport(tmp_path: Path) -> None:
    both = read_study(DATA / "cdisc-pilot-adam.zip")
    assert sum(note.startswith(("adae:", "adsl:", "adtte:")) for note in both.notes) == 3
    assert both["adae"].origin is not None
    assert both["adae"].origin.format == "parquet"
    parquet = read_study(DATA / "cdisc-pilot-adam.zip", format="parquet")
    assert parquet.rows == 212_321
    assert parquet["adsl"].columns["USUBJID"].label == "Unique Subject Identifier"
    write_study(parquet, tmp_path / "p", format="same")
    same(parquet, read_study(tmp_path / "p"))
    xport = read_study(DATA / "cdisc-pilot-adam.zip", format="xpt")
    assert xport["adsl"].columns["TRTSDT"].type == "date"
    assert xport["adsl"].columns["TRTSDT"].format == "DATE9."
    write_study(xport, tmp_path / "x", format="same")
    same(xport, read_study(tmp_path / "x"))
