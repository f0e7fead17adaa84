"""Reading SAS XPORT files (version 5 and 8) as whole arrays: values, labels, declared lengths, formats.

Text keeps its leading blanks; the blanks at its end are the format's padding and are dropped. Numbers are float64, or
a date, datetime or time where their SAS format says so and every value fits it exactly.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from datareplicator.errors import Place, SourceError
from datareplicator.formats.ibm import from_ibm, special_letters
from datareplicator.formats.normalise import check_names, text_series
from datareplicator.formats.sasformats import from_sas, moment_kind
from datareplicator.formats.xport_layout import RECORD, Member, Variable, decode, member_end, read_members
from datareplicator.study import Column, ColumnType, Origin, Table

_BLANK = 0x20


def read(path: Path, shown: str) -> list[Table]:
    """The data sets of an XPORT file; `shown` is the file's name for messages.

    A file of one data set gives a table named like the file, so that ``lbch.xpt`` stays ``lbch`` although the data
    set inside is called LB.

    Raises `SourceError` where the file is damaged.
    """
    data = path.read_bytes()
    members = read_members(data, Place(shown))
    return [_table(data, member, path.stem if len(members) == 1 else member.name, shown) for member in members]


def _table(data: bytes, member: Member, name: str, shown: str) -> Table:
    place = Place(shown, name)
    check_names((v.name for v in member.variables), place, ignore_case=True)
    records = _records(data, member, place)
    series: dict[str, pd.Series] = {}
    columns: dict[str, Column] = {}
    special: dict[str, dict[str, int]] = {}
    foreign = False
    for variable in member.variables:
        raw = records[:, variable.offset : variable.offset + variable.width]
        kind: ColumnType = "text"
        if variable.numeric:
            number = from_ibm(raw)
            letters = special_letters(number)
            if letters:
                special[variable.name] = letters
            series[variable.name], kind = _number(number, variable)
        else:
            series[variable.name], windows = _text(raw)
            foreign |= windows
        columns[variable.name] = Column(
            variable.name, kind, variable.label, variable.width, variable.format, variable.informat
        )
    options = {"version": member.version, "member": member.name, "encoding": "windows-1252" if foreign else "utf-8"}
    if special:
        options["special_missing"] = special
    frame = pd.DataFrame(series, copy=False)
    return Table(name, frame, columns, member.label, Origin("xpt", Path(shown).name, options))


def _records(data: bytes, member: Member, place: Place) -> np.ndarray:
    """The rows as uint8 of shape (rows, bytes of a row), the padding at the end taken off."""
    width, size = member.width, member_end(data, member) - member.start
    whole = np.frombuffer(data, dtype=np.uint8, count=size, offset=member.start)
    rows, rest = divmod(size, width)
    if member.rows:
        if member.rows > rows:
            raise SourceError(
                f"the file announces {member.rows} rows and holds {rows}.",
                place=place,
                hint="The file was cut; export it again.",
            )
        return whole[: member.rows * width].reshape(member.rows, width)
    if (size and size % RECORD) or (rest and (rest >= RECORD or (whole[rows * width :] != _BLANK).any())):
        raise SourceError(
            "the file ends within a row.",
            place=Place(place.file, place.table, row=rows + 1),
            hint="The file was cut; export it again.",
        )
    records = whole[: rows * width].reshape(rows, width)
    padding = rest
    while rows and padding + width < RECORD and (records[rows - 1] == _BLANK).all():
        rows, padding = rows - 1, padding + width
    return records[:rows]


def _number(number: np.ndarray, variable: Variable) -> tuple[pd.Series, ColumnType]:
    kind = moment_kind(variable.format)
    moments = from_sas(number, kind) if kind else None
    return (pd.Series(number), "float") if moments is None or kind is None else (moments, kind)


def _text(raw: np.ndarray) -> tuple[pd.Series, bool]:
    """Text of padded bytes (uint8, rows x width). Only distinct values are decoded."""
    rows, width = raw.shape
    cells = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), rows, [None, pa.py_buffer(np.ascontiguousarray(raw))]
    )
    coded = cells.dictionary_encode()
    decoded = [decode(value) for value in coded.dictionary.to_pylist()]
    distinct = pa.array([text or None for text, _ in decoded], pa.large_string())
    return text_series(distinct.take(coded.indices)), any(windows for _, windows in decoded)
