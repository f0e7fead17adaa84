"""Supplemental qualifiers and related records: what they point at exists."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.standards import sdtmig
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


@SDTM_RULES.rule(
    "DR0808",
    "RDOMAIN, IDVAR and IDVARVAL are not given together.",
    core="000017 000090 000134 000135 000136 000158 000218",
)
def half_pointer(view: SdtmView) -> Iterator[Hits]:
    comments = view.get("CO", *POINTER)
    for part in (*view.supplements, *view.relations, *([comments] if comments is not None else [])):
        if not part.has(*POINTER):
            continue
        domain, name, value = (part.present(column) for column in POINTER)
        whole = part.present("RELTYPE") | (part in view.relations and ~part.present(SUBJECT))
        # Demographics need no pointer; relations between whole datasets name a variable and no value.
        needs = domain & ~part.equals("RDOMAIN", "DM") & (part.name != "CO")
        bad = (needs & ~name) | (name & ~value & ~whole) | (value & ~name) | ((name | value) & ~domain)
        yield Hits(part, bad, POINTER, len(part))


@SDTM_RULES.rule("DR0809", "QLABEL is longer than 40 characters.", core="000222")
def long_label(view: SdtmView) -> Iterator[Hits]:
    for part in view.supplements:
        if part.has("QLABEL"):
            bad = [len(str(value)) > 40 for value in part.distinct("QLABEL")]
            yield Hits(part, part.by_distinct("QLABEL", bad), ("QNAM", "QLABEL"), int(part.present("QLABEL").sum()))


@SDTM_RULES.rule("DR0810", "QNAM is a variable that belongs into the parent.", core="000783")
def qualifier_is_variable(view: SdtmView) -> Iterator[Hits]:
    for part in view.supplements:
        for domain in pd.unique(part.frame["RDOMAIN"].dropna()):
            rows = part.equals("RDOMAIN", str(domain))
            parent = view.get(str(domain))
            names = [n for n in part.distinct("QNAM") if parent is not None and n in parent.frame]
            names += [n for n in part.distinct("QNAM") if n != "AESOSP" and sdtmig.known(str(domain), str(n))]
            yield Hits(part, rows & part.equals("QNAM", *map(str, names)), ("RDOMAIN", "QNAM"), int(rows.sum()))


@SDTM_RULES.rule("DR0811", "RDOMAIN is not the domain in the name of the supplement.", core="000538")
def other_supplement(view: SdtmView) -> Iterator[Hits]:
    for part in view.supplements:
        named = part.name[4:6].upper() if part.name.upper().startswith("SUPP") else ""
        if named and named != "QU":
            present = part.present("RDOMAIN")
            yield Hits(part, present & ~part.equals("RDOMAIN", named), ("RDOMAIN",), int(present.sum()))


@SDTM_RULES.rule("DR0812", "RELTYPE is given for a relation by row number.", core="000202")
def type_of_records(view: SdtmView) -> Iterator[Hits]:
    for part in view.relations:
        if part.has("IDVAR", "RELTYPE"):
            ends = [str(value).endswith("SEQ") for value in part.distinct("IDVAR")]
            by_number = part.by_distinct("IDVAR", ends) & part.present("IDVARVAL" if part.has("IDVARVAL") else "IDVAR")
            yield Hits(part, by_number & part.present("RELTYPE"), ("IDVAR", "RELTYPE"), int(by_number.sum()))
