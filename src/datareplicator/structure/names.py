"""What names suggest. Names are priors: they break ties and name roles, and what the data contradict is dropped.

CDISC names are read by their suffix after the two-letter domain prefix (SDTMIG 3.4, section 3.2.2); names of other
standards and homes as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SUBJECT = (
    *("usubjid", "subjid", "subjectid", "personid", "patientid", "participantid", "ptid", "patid", "subject"),
    *("patient", "participant", "patientnum", "subjectnumber", "animalid", "clientid", "customerid", "memberid"),
    *("userid", "customer", "subjectkey", "subjectno", "patientno", "participantno", "enrolmentid", "recordid"),
    "caseid",
)
"""Names of a subject key in order of preference, in lower case without underscores."""

ROOTS = (
    *("dm", "adsl", "person", "persons", "patient", "patients", "subject", "subjects", "participants", "demographics"),
    *("demog", "customer", "customers", "clients", "members", "users"),
)
"""Names of the table with one row a subject."""

NOT_SUBJECT = re.compile(
    r"study|site|concept|product|item|category|store|country|region|location|provider|care|vocab|dep(?:t|artment)|visit"
)
"""Parts of names of keys of what subjects belong to or refer to."""

TRIAL_DESIGN = frozenset({"TA", "TD", "TE", "TI", "TM", "TS", "TT", "TV", "TX", "OI", "DI", "PB", "RELREF", "POOLDEF"})
"""SDTM tables that know no subject (SDTMIG 3.4, section 7)."""

_CDISC = {
    "sequence": "..SEQ|ASEQ",
    "test": "..TESTCD|PARAMCD|..PARMCD",
    "value": "AVAL|..STRESN",
    "text": "AVALC|..STRESC",
    "original": "..ORRES",
    "unit": "..ORRESU",
    "standard_unit": "..STRESU|AVALU",
    "status": "..STAT",
    "visit": "VISITNUM|AVISITN",
    "visit_name": "VISIT|AVISIT",
    "visit_day": "VISITDY",
    "code": "..DECOD",
    "term": "..TERM|..TRT|..TESTCD|ETCD|..LLT",
    "date": "..DTC|ADT|..DT",
    "start": "..STDTC|ASTDT|..STDT|TRSDT",
    "end": "..ENDTC|AENDT|..ENDT|TREDT",
    "group": "ARMCD|TRT01PN|TRT01P|ARM|TRTPN|TRTP",
    "site": "SITEID",
    "reference": "..SPID|..LNKID|..GRPID|..REFID|..LNKGRP|..RECID|SRCSEQ",
    "constant": "STUDYID|DOMAIN|RDOMAIN",
    "axis": "..TPTNUM|..TPT|..POS|..LOC|..LAT|..DIR|..REPNUM|..SPEC|..METHOD|..CAT|..SCAT|ATPTN?|..OBJ|..EVAL|..EVALID",
    "anchor": "RFSTDTC|TRTSDT|RFXSTDTC|RANDDT|RFICDTC",
    "result": "..ORRESU?|..STRES[CNU]|..STAT|..REASND|..NRIND|..(?:OR|ST)NR(?:LO|HI|C)|"
    "AVALC?U?|BASEC?|P?CHG|A[1-9]?(?:LO|HI)",
    "text_partner": "..TEST|PARAM|VISIT|AVISIT|ARM|TRT01P|ELEMENT|EPOCH",
}
_PLAIN = {
    "sequence": r"line_?(?:no|num|number|id)?|row_?(?:no|num|number)|seq(?:uence)?(?:_?(?:no|num|number))?",
    "test": r"(?:measurement|observation|test|param|parameter|analyte)_?(?:concept_id|code|cd)"
    r"|(?:lab_?)?test(?:_?name)?|analyte(?:_?name)?|parameter(?:_?name)?|measurement_?name",
    "value": r"value_as_number|value|result(?:_(?:num|numeric|value))?|(?:analyte|lab|test|numeric)_?(?:value|result)",
    "text": r"value_as_string",
    "original": r"value_source_value|result_text",
    "unit": r"(?:(?:lab|analyte|result|test)_?)?units?|unit_concept_id|unit_source_value",
    "visit": r"visit_?(?:no|num|number)?|folder(?:_?oid)?|study_?event(?:_?oid)?|redcap_event_name",
    "visit_name": r"visit_?(?:name|label)|folder_?name|study_?event_?(?:name|label)|time_?point(?:_?(?:name|label))?",
    "code": r"(?:condition|drug|procedure|device|event|observation)_(?:concept_id|code)",
    "term": r".*term|event|drug|product_id|item_id|medication",
    "date": r"(?:.*_)?date|(?:.*_)?datetime",
    "start": r".*start_?(?:date|datetime|dt)?",
    "end": r".*(?:end|stop)_?(?:date|datetime|dt)?",
    "group": r"(?:planned_?)?arm|treatment(?:_?(?:arm|group))?|trt|group|cohort",
    "site": r"(?:care_)?site(?:_?(?:id|no|number))?|location_id|cent(?:er|re)(?:_?id)?|store_id|provider_id",
}
_ROLES = {
    role: (re.compile(_CDISC.get(role, "(?!)")), re.compile(_PLAIN.get(role, "(?!)"), re.IGNORECASE))
    for role in {*_CDISC, *_PLAIN}
}


def is_named(role: str, name: str) -> bool:
    """Whether a column's name says that it plays a role.

    >>> is_named("test", "LBTESTCD"), is_named("value", "AVAL"), is_named("sequence", "RFSTDTC")
    (True, True, False)
    """
    cdisc, plain = _ROLES[role]
    if len(name) <= 8 and "_" not in name and cdisc.fullmatch(name.upper()):
        return True
    return plain.fullmatch(name) is not None


def named(role: str, names: Iterable[str]) -> list[str]:
    """The names that say the role, best alternative first, then in the given order."""
    found = [name for name in names if is_named(role, name)]
    order = _CDISC.get(role, "").split("|")
    rank = {name: next((i for i, p in enumerate(order) if re.fullmatch(p, name.upper())), len(order)) for name in found}
    return sorted(found, key=lambda name: rank[name])


def bare(name: str) -> str:
    """A name in lower case without underscores, blanks and points.

    >>> bare("Person_ID")
    'personid'
    """
    return re.sub(r"[\W_]", "", name).lower()


def singular(table: str) -> str:
    """The bare singular of a table's name.

    >>> singular("order_lines"), singular("categories"), singular("visit_occurrence")
    ('orderline', 'category', 'visitoccurrence')
    """
    name = bare(table)
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def refers(child: str, parent: str, column: str) -> bool:
    """Whether a child's column name reads like a reference to `column` of the table `parent`.

    The same name, the same after the child's two-letter prefix, ``order_id`` for ``orders.id``, or the parent's
    column name at the end of the child's (``gender_concept_id`` for ``concept_id``).

    >>> refers("order_id", "orders", "id"), refers("gender_concept_id", "concept", "concept_id")
    (True, True)
    >>> refers("AGE", "orders", "id")
    False
    """
    low, high = bare(child), bare(column)
    if low == high:
        return low not in {"id", "key", "code", "name", "number", "no"}
    if high in {"id", "key", "no", "code"}:
        return low == singular(parent) + high or low == bare(parent) + high
    return len(high) >= 4 and low.endswith(high)


def same_stem(left: str, right: str) -> bool:
    """Whether two names differ only in what tells a code from its text: LBTESTCD and LBTEST, VISITNUM and VISIT.

    >>> same_stem("LBTESTCD", "LBTEST"), same_stem("VISITNUM", "VISIT"), same_stem("ARM", "AGE")
    (True, True, False)
    """
    return stem(left) == stem(right)


def stem(name: str) -> str:
    """A name without the ending that makes it a code, number or label."""
    return re.sub(r"(?:_?(?:cd|code|num|name|label|txt|text|desc|n|id))$", "", name, flags=re.IGNORECASE).lower()


def prefix_of(columns: Iterable[str]) -> str | None:
    """The two-letter domain prefix that at least three columns (and a fifth of them) carry, or None."""
    counts: dict[str, int] = {}
    names = [c for c in columns if re.fullmatch(r"[A-Za-z][A-Za-z0-9][A-Za-z0-9_]{2,}", c)]
    for name in names:
        counts[name[:2].upper()] = counts.get(name[:2].upper(), 0) + 1
    best = max(counts, key=lambda p: counts[p], default=None)
    return best if best is not None and counts[best] >= max(3, 0.2 * len(names)) else None


def planned_and_actual(left: str, right: str) -> bool:
    """Whether two names are the planned and the actual side of one thing: a few subjects of a full study differ, so
    that a sample cannot tell them from copies.

    >>> planned_and_actual("ARMCD", "ACTARM"), planned_and_actual("TRT01P", "TRT01AN")
    (True, True)
    >>> planned_and_actual("ARMCD", "ARM")
    False
    """
    sides = [bool(re.match(r"ACT(?:UAL)?_?[A-Z]|TR(?:T|TG|TSEQ)?\d*A[NG]?\d*N?$", n.upper())) for n in (left, right)]
    planned = [bool(re.match(r"ARM|PLANNED|TR(?:T|TG|TSEQ)?\d*P", n.upper())) for n in (left, right)]
    return (sides[0] and planned[1]) or (sides[1] and planned[0])
