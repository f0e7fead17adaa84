"""Reading sas7bdat files by pyreadstat; labels, formats and storage widths are kept."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyreadstat

from datareplicator.errors import Place, SourceError
from datareplicator.formats.normalise import arrow_from_values, check_names, column_from_arrow
from datareplicator.formats.sasformats import from_sas, moment_kind
from datareplicator.study import Column, ColumnType, Origin, Table

_MAGIC = bytes.fromhex("000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011")


def read(path: Path, shown: str) -> list[Table]:
    """The table of a sas7bdat file. Numbers with a date, datetime or time format become that type.

    Raises `SourceError` where the file is damaged or was cut.
    """
    place = Place(shown, path.stem)
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise SourceError("the file is no sas7bdat file.", place=Place(shown), hint="Export it again.")
    try:
        frame, meta = pyreadstat.read_sas7bdat(str(path), disable_datetime_conversion=True)
    except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError, UnicodeDecodeError, ValueError) as error:
        raise SourceError(
            f"the sas7bdat file cannot be read ({str(error).splitlines()[0]}).",
            place=Place(shown),
            hint="The file is damaged or was cut; export it again.",
        ) from error
    check_names(meta.column_names, place, ignore_case=True)
    series: dict[str, pd.Series] = {}
    columns: dict[str, Column] = {}
    for name, label in zip(meta.column_names, meta.column_labels, strict=True):
        form = meta.original_variable_types.get(name) or ""
        form = "" if form in ("NULL", "$", "BEST") else f"{form}." if "." not in form else form
        series[name], kind = _column(frame[name], form, Place(shown, path.stem, name))
        columns[name] = Column(name, kind, label or "", meta.variable_storage_width.get(name), form)
    options = {"encoding": meta.file_encoding or ""}
    label = meta.file_label or ""
    return [
        Table(
            path.stem, pd.DataFrame(series, copy=False), columns, label, Origin("sas7bdat", Path(shown).name, options)
        )
    ]


def _column(values: pd.Series, form: str, place: Place) -> tuple[pd.Series, ColumnType]:
    if pd.api.types.is_numeric_dtype(values.dtype):
        number = values.to_numpy(dtype=float)
        kind = moment_kind(form)
        moments = from_sas(number, kind) if kind else None
        return (pd.Series(number), "float") if moments is None or kind is None else (moments, kind)
    texts = arrow_from_values(values.tolist(), place).cast(pa.large_string())
    series, kind, _ = column_from_arrow(texts, place)
    return series, kind
