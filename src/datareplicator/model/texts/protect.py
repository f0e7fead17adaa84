"""What texts may be learned: verbatim terms and free texts of few subjects give way to the coded term or to a stand-in,
and personal data within texts and in tables without subjects to stand-ins.

It happens to the frames that everything is learned from, so that neither the model nor the output can hold what is
replaced here; tables of codes that were found before are made anew from the frames.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.model.prepare import Prepared
from datareplicator.model.texts.prose import stand_in
from datareplicator.model.texts.scrub import WORD, Scrubber
from datareplicator.structure.derive.lookup import build
from datareplicator.structure.derive.view import View
from datareplicator.structure.spec import ColumnSpec, Derivation, Kind, Structure, TableSpec

VERBATIM = re.compile(r"(?:..)?(?:TERM|TRT|MODIFY)|.*(?:verbatim|reported|as_written|source_value).*", re.IGNORECASE)
CODED = re.compile(r"..(?:LLT|HLT|HLGT|SOC|BODSYS|BDSYCD|DECOD|TESTCD|TEST|CLAS)|.*(?:CD|_code|_id)", re.IGNORECASE)
SENTENCE = 6
"""Words from which on a category that few subjects show is a free text."""
ONCE = 0.5
"""Share of a column's values that one subject alone shows, from which on it is a column of verbatim terms."""
UNCODED = re.compile(
    r"\W*(?:un-?(?:coded|classified|known)|unk|not[ _-](?:yet[ _-])?(?:coded|available)|pending|none|other|n/?a)\W*",
    re.IGNORECASE,
)
"""Coded terms that say there is none."""
STAFF = 3
"""Subjects for each value from which on personal data are those of staff: the same person stands in many rows."""


@dataclass
class Replaced:
    """By column, how many distinct texts gave way, and to what."""

    notes: list[str] = field(default_factory=list)
    count: dict[str, int] = field(default_factory=dict)
    columns: set[tuple[str, str]] = field(default_factory=set)

    def add(self, table: str, column: str, number: int) -> None:
        """Note that texts of a column were replaced."""
        if number:
            self.count[f"{table}.{column}"] = self.count.get(f"{table}.{column}", 0) + number
            self.columns.add((table, column))


def protect_texts(prepared: Prepared, min_subjects: int) -> tuple[Structure, Replaced]:
    """Replace texts in `prepared.frames`; returns the structure with its tables of codes made anew.

    `min_subjects`: verbatim terms and free texts that fewer subjects show are not learned (1: all are, though without
    personal data).
    """
    structure, done = prepared.structure, Replaced()
    kept = {str(c.variable).casefold() for c in structure.corrections if c.keep}
    scrubber = Scrubber(_known_names(prepared), _identifiers(prepared))
    staff, keys = _staff(prepared), _keys(structure)
    rng = np.random.default_rng(17)
    for name, spec in structure.tables.items():
        frame = prepared.frames.get(name)
        if frame is None:
            continue
        prepared.frames[name] = frame = frame.copy(deep=False)
        for column in spec.columns:
            if f"{name}.{column.name}".casefold() in kept or not _is_text(frame, column):
                continue
            if (name, column.name) in keys and column.kind != Kind.PII:
                continue
            if column.kind == Kind.PII:
                if (name, column.name) in staff or not _has_subjects(prepared, name):
                    kind = column.pii or "name"
                    _map(frame, column.name, lambda text, kind=kind: scrubber.stand_in(kind, text), done, name)
                continue
            if column.kind in (Kind.IDENTIFIER, Kind.DATE, Kind.TIME, Kind.DURATION, Kind.EMPTY):
                continue
            coded = _coded(spec, column, frame)
            if coded is not None:
                _to_coded(prepared, name, column.name, coded, min_subjects, rng, done)
            elif _is_prose(structure, spec, column, frame) and _has_subjects(prepared, name):
                _to_prose(prepared, name, column, min_subjects, rng, done)
            rare = _rare(prepared, name, column, min_subjects)
            _map(frame, column.name, _scrubbing(scrubber, column.kind == Kind.TEXT, rare), done, name)
    return _again(structure, prepared, done, staff), done


def _keys(structure: Structure) -> set[tuple[str, str]]:
    """Columns by which rows are found, and copies of the subject's: they are made anew in any case, and what refers to
    what must be seen until then."""
    keys = {(k.table, c) for k in structure.foreign_keys for c in k.columns}
    keys |= {(k.parent, c) for k in structure.foreign_keys for c in k.parent_columns}
    return keys | {(d.table, d.target) for d in structure.derivations if d.template == "copy_subject"}


def _scrubbing(scrubber: Scrubber, prose: bool, rare: frozenset[str]) -> Callable[[str], str]:
    return lambda text: scrubber.scrub(text, prose=prose, rare=text in rare)


def _rare(prepared: Prepared, table: str, column: ColumnSpec, least: int) -> frozenset[str]:
    """The values of a column of no codes that fewer than `least` subjects show."""
    if column.kind != Kind.CATEGORY or CODED.fullmatch(column.name) or not _has_subjects(prepared, table):
        return frozenset()
    held = _holders(prepared, table, prepared.frames[table][column.name])
    return frozenset(held.index[held < least])


def _is_text(frame: pd.DataFrame, column: ColumnSpec) -> bool:
    return column.encoding == "text" and column.name in frame and not column.numeric_text


def _has_subjects(prepared: Prepared, table: str) -> bool:
    return bool((prepared.subject[table] >= 0).any())


def _holders(prepared: Prepared, table: str, values: pd.Series) -> pd.Series:
    """How many subjects show each distinct value."""
    subject = prepared.subject[table]
    known = values.notna().to_numpy() & (subject >= 0)
    return pd.Series(subject[known]).groupby(values[known].astype(str).to_numpy()).nunique()


def _known_names(prepared: Prepared) -> list[str]:
    kinds = ("name", "first_name", "last_name")
    return [
        str(value)
        for name, spec in prepared.structure.tables.items()
        for column in spec.columns
        if column.kind == Kind.PII and column.pii in kinds and name in prepared.frames
        for value in prepared.frames[name][column.name].dropna().unique()
    ]


def _identifiers(prepared: Prepared) -> list[str]:
    spec = prepared.structure.tables[prepared.structure.root or ""]
    columns = [c.name for c in spec.columns if c.kind == Kind.IDENTIFIER and c.encoding == "text"]
    return [str(v) for c in columns for v in prepared.frames[spec.name][c].dropna().unique() if not str(v).isalpha()]


def _staff(prepared: Prepared) -> set[tuple[str, str]]:
    """Columns of personal data whose values recur over many subjects, or stand in a table without subjects."""
    found, named = set(), set()
    personal = [
        (name, column)
        for name, spec in prepared.structure.tables.items()
        for column in spec.columns
        if column.kind == Kind.PII and name in prepared.frames and _is_text(prepared.frames[name], column)
    ]
    for name, column in personal:
        if not _has_subjects(prepared, name):
            named |= set(prepared.frames[name][column.name].dropna().astype(str))
    for name, column in personal:
        if not _has_subjects(prepared, name):
            continue
        held = _holders(prepared, name, prepared.frames[name][column.name])
        if len(held) and (held.mean() >= STAFF or (len(named) and set(held.index) <= named)):
            found.add((name, column.name))
    return found


def _coded(spec: TableSpec, column: ColumnSpec, frame: pd.DataFrame) -> str | None:
    """The column of coded terms that a column of verbatim terms has beside it."""
    if spec.code is None or column.name == spec.code or CODED.fullmatch(column.name) or spec.code not in frame:
        return None
    if column.name in (spec.test, spec.visit, spec.subject, spec.unit, spec.value, spec.text, spec.original):
        return None
    pairs = frame[[column.name, spec.code]].dropna().drop_duplicates()
    if not len(pairs) or len(pairs) > 1.05 * pairs[column.name].nunique():
        return None
    if VERBATIM.fullmatch(column.name):
        return spec.code
    once = frame[column.name].value_counts()
    many = len(once) >= 2 * pairs[spec.code].nunique() and (once == 1).mean() >= ONCE
    return spec.code if many and column.kind in (Kind.TEXT, Kind.CATEGORY) else None


def _to_coded(
    prepared: Prepared, table: str, column: str, coded: str, least: int, rng: np.random.Generator, done: Replaced
) -> None:
    """Where fewer than `least` subjects show a verbatim term, put another one of its coded term, as common as it is;
    where there is none, the coded term, and without that any verbatim term that is common. Terms that were not coded
    stay: they are all that tells one medicine from another."""
    frame = prepared.frames[table]
    values = frame[column]
    held = _holders(prepared, table, values)
    rare = values.astype("str").isin(held.index[held < least]).to_numpy() & values.notna().to_numpy()
    code = frame[coded].astype("object")
    rare &= ~code.astype("str").str.fullmatch(UNCODED).fillna(False).to_numpy(dtype=bool)
    if not rare.any():
        return
    case = _usual_case(values)
    common = held.index[held >= least]
    instead = code.map(case, na_action="ignore")
    instead = instead.where(instead.notna(), common[0] if len(common) else case("Other"))
    own = values.astype("object").where(~rare)
    for term, texts in own[code.isin(code[rare].dropna().unique())].groupby(code):
        pool = texts.dropna().to_numpy()
        here = rare & (code == term).to_numpy()
        if len(pool):
            # One stand-in for each text, so that what recurs in a subject still does.
            old = pd.unique(values[here])
            new = dict(zip(old, rng.choice(pool, len(old)), strict=True))
            instead[here] = values[here].map(new).to_numpy()
    done.add(table, column, int(values[rare].nunique()))
    longest = int(values.dropna().astype(str).str.len().max())
    instead = instead.astype("str").str[:longest].str.rstrip()  # no longer than the column is
    frame[column] = own.where(~rare, instead).astype(values.dtype)


def _usual_case(values: pd.Series) -> Callable[[str], str]:
    """How most texts of a column are written: in capitals, in small letters, or as they are."""
    written = pd.Index(values.dropna().astype(str).unique())
    for test, case in ((str.isupper, str.upper), (str.islower, str.lower)):
        if np.mean([test(text) for text in written]) > 0.8:
            return case
    return str


def _is_prose(structure: Structure, spec: TableSpec, column: ColumnSpec, frame: pd.DataFrame) -> bool:
    """Whether rare values of a column are free texts: no results, no codes, nothing that follows from a code."""
    codes = {spec.test, spec.code, spec.visit, spec.unit, *spec.axes, *spec.key}
    looked_up = any(
        d.table == spec.name and d.target == column.name and d.template in ("lookup", "constant", "copy_subject")
        for d in structure.derivations
    )
    if column.name in codes or looked_up or CODED.fullmatch(column.name):
        return False
    if column.kind == Kind.CATEGORY and spec.code is not None and spec.code in frame:
        pairs = frame[[spec.code, column.name]].dropna().drop_duplicates()
        if len(pairs) == pairs[spec.code].nunique():
            return False
    if column.name in (spec.value, spec.text, spec.original):
        return column.kind == Kind.TEXT
    return column.kind in (Kind.TEXT, Kind.CATEGORY)


def _to_prose(
    prepared: Prepared, table: str, column: ColumnSpec, least: int, rng: np.random.Generator, done: Replaced
) -> None:
    """Put stand-ins in place of free texts that fewer than `least` subjects show."""
    frame = prepared.frames[table]
    held = _holders(prepared, table, frame[column.name])
    rare = held.index[held < least]
    if column.kind != Kind.TEXT:
        rare = pd.Index([text for text in rare if len(WORD.findall(text)) >= SENTENCE])
    if len(rare):
        texts = {text: stand_in(text, rng) for text in sorted(rare)}
        _map(frame, column.name, lambda text: texts.get(text, text), done, table)


def _map(frame: pd.DataFrame, column: str, change: Callable[[str], str], done: Replaced, table: str) -> None:
    """Replace the distinct texts of a column."""
    values = frame[column]
    codes, distinct = pd.factorize(values)
    old = [str(text) for text in distinct]
    new = [change(text) for text in old]
    number = sum(a != b for a, b in zip(old, new, strict=True))
    if number:
        done.add(table, column, number)
        out = pd.Series(np.append(np.array(new, dtype=object), None)[codes], index=values.index, dtype="object")
        frame[column] = out.astype("category" if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype)


def _again(structure: Structure, prepared: Prepared, done: Replaced, staff: set[tuple[str, str]]) -> Structure:
    """The structure with tables of codes of the texts as they are now; names of staff are categories of their own."""
    if not done.columns:
        return structure
    view = View(prepared.frames)

    def fresh(d: Derivation) -> Derivation:
        here = {(d.table, d.target), *((s.table, s.column) for s in d.sources)}
        if not here & done.columns:
            return d
        if d.template == "constant":
            value = str(prepared.frames[d.table][d.target].dropna().iloc[0])
            return d.model_copy(update={"params": {**d.params, "value": value}})
        if d.template != "lookup":
            return d
        made = build(view, d.table, [s.column for s in d.sources], d.target)
        return d.model_copy(update={"params": {**d.params, **made.params}})

    tables = dict(structure.tables)
    extra: list[Derivation] = []
    for name, column in sorted(staff & done.columns):
        spec = tables[name]
        columns = tuple(c.model_copy(update={"kind": Kind.CATEGORY}) if c.name == column else c for c in spec.columns)
        tables[name] = spec.model_copy(update={"columns": columns})
        if name == structure.root and structure.site is not None and column not in structure.derived(name):
            pairs = prepared.frames[name][[structure.site, column]].dropna().drop_duplicates()
            if len(pairs) == pairs[structure.site].nunique() > 1:
                extra.append(build(view, name, [structure.site], column))
    derivations = (*(fresh(d) for d in structure.derivations), *extra)
    return structure.model_copy(update={"tables": tables, "derivations": derivations})
