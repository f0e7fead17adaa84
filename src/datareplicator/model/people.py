"""Which columns of personal data tell of the same person, and how they write the person's name.

A subject's name, initials and address of electronic mail have to agree, in every table, and a given name with the sex.
Nothing of the source's names is kept but how they are written and digests by which a made name that happens to be
one of the source's is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from datareplicator.document import Document, Ints
from datareplicator.model.names import FORM, KINDS, form, persons_of, usual_forms
from datareplicator.model.prepare import Prepared
from datareplicator.model.taken import taken_names
from datareplicator.standards.sexes import sex_of_code
from datareplicator.structure.spec import Kind, TableSpec

NAMES = ("name", "first_name", "last_name")
_SEX = re.compile(r"sex|gender", re.IGNORECASE)


class PersonColumn(Document):
    """A column of a subject's person. `person`: columns with the same one tell of the same. `forms`: how it is written,
    each form in its share of twenty (see `generate.persons`)."""

    table: str
    column: str
    kind: Literal["name", "first_name", "last_name", "initials", "email"]
    person: str
    forms: tuple[Annotated[str, Field(pattern=FORM)], ...] = ()


class People(Document):
    """The persons of a subject. `sex`: the column of the subject table `root` that says their sex; `taken`: digests of
    the source's names."""

    columns: tuple[PersonColumn, ...] = ()
    root: str = ""
    sex: str | None = None
    taken: Ints = Field(default_factory=lambda: np.empty(0, dtype=np.int64))


def fit_people(prepared: Prepared, known: Sequence[str]) -> People:
    """Learn the persons of a study's subjects. `known`: the columns of the subject table that are there before its
    personal data are made, one of which may say the sex."""
    held = {
        (name, column.name): (column.pii, _by_subject(prepared, name, column.name))
        for name, spec in prepared.structure.tables.items()
        for column in spec.columns
        if _is_personal(prepared, spec, column.name) and column.pii in KINDS and column.name in prepared.frames[name]
    }
    persons = persons_of(held)
    columns = tuple(
        PersonColumn(
            table=table,
            column=column,
            kind=kind,
            person=persons[table, column],
            forms=usual_forms([form(str(kind), v) for v in values.dropna()]),
        )
        for (table, column), (kind, values) in held.items()
    )
    root = prepared.frames[prepared.structure.root or ""]
    sexes = [c for c in known if _says_sex(root[c])]
    return People(
        columns=columns,
        root=prepared.structure.root or "",
        sex=sexes[0] if sexes and columns else None,
        taken=taken_names(v for kind, values in held.values() if kind in NAMES for v in values.dropna()),
    )


def _says_sex(values: pd.Series) -> bool:
    """Whether a column says the sex: its values do, and if they say but one, its name."""
    said = {sex_of_code(str(value)) for value in values.dropna().unique()[:9]}
    return said >= {"F", "M"} or (said <= {"F", "M"} and bool(said) and _SEX.search(str(values.name)) is not None)


def _is_personal(prepared: Prepared, spec: TableSpec, column: str) -> bool:
    return spec.column(column).kind == Kind.PII and bool((prepared.subject.get(spec.name, np.empty(0)) >= 0).any())


def _by_subject(prepared: Prepared, table: str, column: str) -> pd.Series:
    """Each subject's first value, as text; missing where there is none."""
    frame = pd.DataFrame({"subject": prepared.subject[table], "value": prepared.frames[table][column].astype(object)})
    known = frame[(frame["subject"] >= 0) & frame["value"].notna()].drop_duplicates("subject")
    return known.set_index("subject")["value"].map(str).reindex(range(prepared.n))
