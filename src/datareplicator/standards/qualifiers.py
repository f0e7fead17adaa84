"""Which variables describe the thing that a record names, and not the subject who has it.

A medicine brings its dose, unit, form and route along, a term its coding: from twenty subjects, in which most medicines
occur once, no statistics can tell that from chance. The variables are the synonym, grouping and record qualifiers of
the general observation classes (SDTMIG 3.2 to 3.4) and the fields of OMOP CDM 5.4 of the same meaning.
"""

from __future__ import annotations

_CODING = "MODIFY LLT LLTCD DECOD PTCD HLT HLTCD HLGT HLGTCD BODSYS BDSYCD SOC SOCCD CLAS CLASCD ATC ATCCD CAT SCAT"
_DOSING = "DOSE DOSTXT DOSU DOSFRM DOSFRQ DOSTOT DOSRGM ROUTE INDC"
ENDS = frozenset(f"{_CODING} {_DOSING}".split())
OMOP = frozenset(("route_concept_id", "route_source_value", "dose_unit_source_value", "unit_concept_id"))


def goes_with(code: str, column: str) -> bool:
    """Whether a column describes what the column `code` of the same table names.

    >>> goes_with("CMTRT", "CMDOSU"), goes_with("AETERM", "AESEV")
    (True, False)
    """
    if column.lower() in OMOP:
        return code.lower().endswith(("_concept_id", "_source_value"))
    return len(code) > 2 and column[:2] == code[:2] and column[2:] in ENDS
