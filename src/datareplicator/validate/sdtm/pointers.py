"""Supplemental qualifiers and related records: what they point at exists."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.structure.logical import plain_number
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView

POINTER = ("RDOMAIN", "IDVAR", "IDVARVAL")


def _dangling(view: SdtmView, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """bool a row: the row names a value (asked); no row of the subject has it (bad)."""
    asked = part.present("IDVAR") & part.present("IDVARVAL") & part.present("RDOMAIN")
    bad = np.zeros(len(part), dtype=bool)
    wanted = part.frame.loc[asked, [SUBJECT, *POINTER]].astype(object)
    for (domain, variable), rows in wanted.groupby(["RDOMAIN", "IDVAR"]):
        parent = view.get(str(domain), SUBJECT, str(variable))
        if parent is None:
            bad[rows.index] = True
            continue
        written = [plain_number(str(value)) for value in parent.distinct(str(variable))]
        held = np.array([*written, None], dtype=object)[parent.codes(str(variable))]
        known = pd.MultiIndex.from_arrays([parent.frame[SUBJECT].astype(object), held])
        asking = pd.MultiIndex.from_arrays([rows[SUBJECT], rows["IDVARVAL"].map(lambda v: plain_number(str(v)))])
        bad[rows.index] = ~asking.isin(known)
    return asked, bad


@SDTM_RULES.rule("DR0801", "A supplemental qualifier points at no row.", core="000206 000712", p21="SD0077")
def dangling_supplement(view: SdtmView) -> Iterator[Hits]:
    for part in view.supplements:
        if part.subject and part.has(*POINTER):
            asked, bad = _dangling(view, part)
            yield Hits(part, bad, (*POINTER, "QNAM"), int(asked.sum()))


@SDTM_RULES.rule("DR0802", "A related record points at no row.", core="000206 000916", p21="SD0077")
def dangling_relation(view: SdtmView) -> Iterator[Hits]:
    for part in view.relations:
        if part.subject and part.has(*POINTER):
            asked, bad = _dangling(view, part)
            yield Hits(part, bad & part.present(SUBJECT), (*POINTER, "RELID"), int(asked.sum()))


@SDTM_RULES.rule("DR0803", "A supplemental qualifier is given twice for one row.", core="000203", p21="SD0086")
def repeated_qualifier(view: SdtmView) -> Iterator[Hits]:
    for part in view.supplements:
        names = [name for name in (SUBJECT, *POINTER, "QNAM") if part.has(name)]
        yield Hits(part, part.repeated(names), tuple(names[1:]), len(part))


@SDTM_RULES.rule(
    "DR0804",
    "QNAM is no name: up to 8 capital letters, digits and underscores, not a digit first.",
    core="000221",
    p21="SD1022",
)
def odd_name(view: SdtmView) -> Iterator[Hits]:
    for part in view.supplements:
        good = pd.Series(part.distinct("QNAM"), dtype=object).astype(str).str.fullmatch(r"[A-Z_][A-Z0-9_]{0,7}")
        present = part.present("QNAM")
        yield Hits(part, present & ~part.by_distinct("QNAM", good), ("QNAM",), int(present.sum()))


@SDTM_RULES.rule("DR0805", "RDOMAIN names no domain of the study.", core="000457")
def unknown_domain(view: SdtmView) -> Iterator[Hits]:
    for part in (*view.supplements, *view.relations):
        present = part.present("RDOMAIN")
        yield Hits(part, present & ~part.equals("RDOMAIN", *view.domains), ("RDOMAIN",), int(present.sum()))


@SDTM_RULES.rule("DR0806", "A relation (RELID) has only one record.", core="000484")
def lonely_relation(view: SdtmView) -> Iterator[Hits]:
    for part in view.relations:
        group = part.groups([name for name in (SUBJECT, "RELID") if part.has(name)])
        present = part.present("RELID")
        yield Hits(
            part, present & (np.bincount(group)[group] < 2), ("RELID", "RDOMAIN", "IDVARVAL"), int(present.sum())
        )


@SDTM_RULES.rule("DR0807", "A supplemental qualifier has no value.")
def empty_qualifier(view: SdtmView) -> Iterator[Hits]:
    for part in view.supplements:
        yield Hits(part, ~part.present("QVAL"), ("QNAM", "QVAL"), len(part))
