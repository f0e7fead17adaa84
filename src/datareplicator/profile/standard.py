"""Which standard a study follows, by the names that only it uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SDTM_MARKS = ("USUBJID", "STUDYID")
OMOP_TABLES = frozenset(
    {"person", "visit_occurrence", "measurement", "condition_occurrence", "drug_exposure", "observation_period"}
)


def recognise(columns: Mapping[str, Iterable[str]]) -> str | None:
    """SDTM, ADaM, OMOP, or None; `columns` are the column names by table.

    SDTM tables name their domain (SDTMIG 3.4, section 2.2.4), ADaM ones carry ADSL or parameters with an analysis
    value (ADaMIG 1.3), OMOP ones are the common data model's own tables with a ``person_id``.

    >>> recognise({"dm": ["STUDYID", "DOMAIN", "USUBJID", "RFSTDTC"]})
    'SDTM'
    >>> recognise({"adlb": ["USUBJID", "PARAMCD", "AVAL"]}), recognise({"orders": ["id", "customer_id"]})
    ('ADaM', None)
    """
    names = {table.lower(): {c.upper() for c in held} for table, held in columns.items()}
    if "adsl" in names or any({"PARAMCD", "AVAL"} <= held for held in names.values()):
        return "ADaM"
    if any({*SDTM_MARKS, "DOMAIN"} <= held for held in names.values()):
        return "SDTM"
    if len(OMOP_TABLES & set(names)) >= 1 and any("PERSON_ID" in held for held in names.values()):
        return "OMOP"
    return None
