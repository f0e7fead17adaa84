"""A table of subjects for studies that have none: long tables in which subjects repeat, and nothing with one row each.

It exists inside the model only: one row a subject with the key and every column that never varies within a subject
(the sex of a patient on each of the laboratory's rows). Discovery then sees those columns as copies of it, so that new
subjects have one value each. It is never written.
"""

from __future__ import annotations

import pandas as pd

from datareplicator.errors import StructureError
from datareplicator.structure.discover import discover
from datareplicator.structure.spec import Structure
from datareplicator.study import Column, Study, Table

SUBJECTS = "__subjects__"


def with_subject_table(study: Study, structure: Structure) -> tuple[Study, Structure]:
    """The study with a table of its subjects, and the structure found in it.

    Raises StructureError where there is no subject key either.
    """
    if structure.subject is None:
        raise StructureError(
            "no table with subjects and no subject key was found.",
            hint="Add a table with one row a subject, or a column that names the subject.",
        )
    made = subject_table(study, {n: s.subject for n, s in structure.tables.items() if s.subject}, structure.subject)
    extended = Study({SUBJECTS: made, **study.tables}, study.name)
    found = discover(extended)
    if found.root != SUBJECTS:
        raise StructureError(
            f"the rows of no table could be told apart by subject ({structure.subject}).",
            hint="Add a table with one row a subject.",
        )
    return extended, found


def subject_table(study: Study, keys: dict[str, str], key: str) -> Table:
    """One row a subject, in the order of first appearance. `keys`: the subject key's name in each table."""
    tables = {name: study[name] for name in keys if name in study}
    subjects = pd.concat([t.frame[keys[name]] for name, t in tables.items()]).dropna().drop_duplicates()
    frame = pd.DataFrame({key: subjects.reset_index(drop=True)})
    columns: dict[str, Column] = {}
    for name, table in tables.items():
        columns.setdefault(key, table.columns[keys[name]])
        rows = table.frame.dropna(subset=[keys[name]])
        groups = rows.groupby(keys[name], sort=False)
        for column in _steady(rows, keys[name]):
            if column not in frame:
                frame[column] = groups[column].first().reindex(frame[key]).array
                columns[column] = table.columns[column]
    return Table(SUBJECTS, frame, columns)


def _steady(rows: pd.DataFrame, key: str) -> list[str]:
    """The columns with one value, or always none, for each subject of several rows, and not the same for all."""
    several = rows[rows.duplicated(key, keep=False)]
    if several.empty:
        return []
    distinct = several.groupby(key, sort=False)[[c for c in rows.columns if c != key]].nunique(dropna=False)
    return [c for c in distinct.columns if (distinct[c] <= 1).all() and rows[c].nunique(dropna=False) > 1]
