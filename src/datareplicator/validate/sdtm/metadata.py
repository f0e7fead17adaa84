"""Tables and columns themselves: names, labels, types, what must and what may not be there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from datareplicator.standards import sdtmig
from datareplicator.validate.part import Part, of_columns
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SdtmView


def _columns(view: SdtmView, bad: Callable[[str, str], bool]) -> Iterator[Hits]:
    """Columns of every table of the standard's form that break a condition on table and column."""
    for table in view.tables():
        names = [str(column) for column in view.study[table].frame]
        broken = np.array([bad(table, name) for name in names], dtype=bool)
        yield Hits(of_columns(table, names), broken, ("column",), len(names))


def _domains(view: SdtmView, bad: Callable[[Part, str], bool]) -> Iterator[Hits]:
    """The same for columns of domains."""
    for part in view.domains.values():
        for table in part.tables:
            names = [str(column) for column in view.study[table].frame]
            broken = np.array([bad(part, name) for name in names], dtype=bool)
            yield Hits(of_columns(table, names), broken, ("column",), len(names))


@SDTM_RULES.rule("DR0001", "The column's name is longer than 8 characters.", core="000182")
def long_name(view: SdtmView) -> Iterator[Hits]:
    yield from _columns(view, lambda table, name: len(name) > 8)


@SDTM_RULES.rule("DR0002", "The column's label is longer than 40 characters.", core="000019")
def long_label(view: SdtmView) -> Iterator[Hits]:
    def bad(table: str, name: str) -> bool:
        column = view.study[table].columns.get(name)
        return column is not None and len(column.label) > 40

    yield from _columns(view, bad)


@SDTM_RULES.rule("DR0003", "A variable of numbers holds text.")
def text_for_numbers(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        names = [n for n in (name.replace("--", part.name) for name in sdtmig.NUMERIC) if part.has(n)]
        for name in names:
            if not pd.api.types.is_numeric_dtype(part.frame[name].dtype):
                present = part.present(name)
                bad = present & ~np.isfinite(part.number(name))
                yield Hits(part, bad, (name,), int(present.sum()), f"({name})")


@SDTM_RULES.rule("DR0004", "The text is longer than Define-XML declares.")
def longer_than_declared(view: SdtmView) -> Iterator[Hits]:
    if view.define is None:
        return
    for part in view.domains.values():
        for name in part.frame:
            limit = max((view.define.lengths.get((t.upper(), name), 0) for t in (*part.tables, part.name)), default=0)
            if limit and pd.api.types.is_string_dtype(part.frame[name].dtype):
                bad = [len(str(value).encode()) > limit for value in part.distinct(name)]
                present = part.present(name)
                yield Hits(part, part.by_distinct(name, bad), (name,), int(present.sum()), f"({name}, {limit})")


@SDTM_RULES.rule(
    "DR0005", "The column is no variable of SDTM in this domain.", core="000376 000550", severity=Severity.WARNING
)
def unknown_column(view: SdtmView) -> Iterator[Hits]:
    yield from _domains(view, lambda part, name: not sdtmig.known(part.name, name))


@SDTM_RULES.rule(
    "DR0006",
    "The variable is not for studies in humans, or not for this domain.",
    core="000012 000013 000048 000049 000050 000051 000052 000054 000055 000056 000057 000058 000059 000060 000061 "
    "000064 000065 000066 000067 000068 000069 000070 000071 000074 000075 000111 000112 000113 000114 000207 "
    "000242 000243 000244 000245 000246 000247",
    severity=Severity.WARNING,
)
def misplaced_column(view: SdtmView) -> Iterator[Hits]:
    def bad(part: Part, name: str) -> bool:
        if name in sdtmig.ANIMAL_COLUMNS:
            return True
        stem, kind = name[len(part.name) :], sdtmig.class_of(part.name, set(part.frame))
        if not name.startswith(part.name):
            return False
        return (
            stem in sdtmig.ANIMAL_FRAGMENTS
            or part.name not in sdtmig.ONLY_IN.get(stem, {part.name})
            or stem in sdtmig.NOT_IN.get(part.name, ())
            or (stem == "METHOD" and kind == "interventions")
            or (stem == "STDTC" and kind == "findings")
        )

    yield from _domains(view, bad)


@SDTM_RULES.rule(
    "DR0007",
    "The column may only stand beside another one, which is absent.",
    core="000015 000023 000026 000029 000084 000096 000098 000104 000165 000166 000167 000171 000258 000261 000700 "
    "000708 000862 000864",
    severity=Severity.WARNING,
)
def lonely_column(view: SdtmView) -> Iterator[Hits]:
    def bad(part: Part, name: str) -> bool:
        stem = name[len(part.name) :] if name.startswith(part.name) else ""
        return any(not part.has(part.var(other)) for other in sdtmig.COMPANIONS.get(stem, ()))

    yield from _domains(view, bad)


@SDTM_RULES.rule(
    "DR0008", "Dates have no study days beside them.", core="000321 000328 000776", severity=Severity.WARNING
)
def dates_without_days(view: SdtmView) -> Iterator[Hits]:
    def bad(part: Part, name: str) -> bool:
        day = sdtmig.DAY_OF.get(name[len(part.name) :]) if name.startswith(part.name) else None
        if day is None or part.name in sdtmig.TRIAL_DESIGN or part.has(part.var(day)) or name not in part.date_names:
            return False
        # A date that is never complete has no study day.
        return bool(np.isfinite(part.moments(name).day).any())

    yield from _domains(view, bad)


def _whole_tables(view: SdtmView, bad: dict[str, bool]) -> Iterator[Hits]:
    for table, broken in bad.items():
        yield Hits(of_columns(table, [table]), np.array([broken]), ("column",), 1)


@SDTM_RULES.rule("DR0009", "The table's name does not begin with its DOMAIN.", core="000180 000598")
def name_against_domain(view: SdtmView) -> Iterator[Hits]:
    bad = {}
    for table, frame in view.study.frames().items():
        if "DOMAIN" in frame and frame["DOMAIN"].notna().any():
            said = str(frame["DOMAIN"].mode().iloc[0])
            bad[table] = not table.upper().startswith(said) or len(said) != 2
    yield from _whole_tables(view, bad)


@SDTM_RULES.rule("DR0010", "The table has no rows.", severity=Severity.WARNING)
def empty_table(view: SdtmView) -> Iterator[Hits]:
    yield from _whole_tables(view, {table: not len(view.study[table]) for table in view.study})


@SDTM_RULES.rule("DR0011", "The study has no DM.", core="000581")
def no_demographics(view: SdtmView) -> Iterator[Hits]:
    if any(part.subject for part in view.domains.values()):
        yield from _whole_tables(view, {"DM": "DM" not in view.domains})


@SDTM_RULES.rule("DR0012", "The table is not for studies in humans.", core="000042 000043 000044")
def animal_table(view: SdtmView) -> Iterator[Hits]:
    yield from _whole_tables(view, {table: table.upper() in sdtmig.ANIMAL_TABLES for table in view.study})


@SDTM_RULES.rule("DR0013", "A required variable is not in the table.", core="000355")
def absent_variable(view: SdtmView) -> Iterator[Hits]:
    for table, names in view.required().items():
        held = set(view.study[table].frame)
        yield Hits(of_columns(table, names), np.array([n not in held for n in names]), ("column",), len(names))
