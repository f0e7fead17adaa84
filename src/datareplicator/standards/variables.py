"""Which code list of CDISC controlled terminology an SDTM variable takes (SDTMIG 3.2 to 3.4), by the list's name.

Names of the domain itself stand with two dashes, as in the standard: ``--STAT`` is AESTAT in AE.
"""

from __future__ import annotations

YES_NO = (
    *("AESER", "AESCAN", "AESCONG", "AESDISAB", "AESDTH", "AESHOSP", "AESLIFE", "AESOD", "AESMIE", "AECONTRT"),
    *("--PRESP", "--OCCUR", "--BLFL", "--LOBXFL", "--DRVFL", "--FAST", "DTHFL"),
)

LISTS: dict[str, str] = {
    **dict.fromkeys(YES_NO, "NY"),
    "SEX": "SEX",
    "RACE": "RACE",
    "ETHNIC": "ETHNIC",
    "AGEU": "AGEU",
    "ARMNRS": "ARMNULRS",
    "AESEV": "AESEV",
    "AEOUT": "OUT",
    "AEACN": "ACN",
    "DSCAT": "DSCAT",
    "DSSCAT": "DSSCAT",
    "EPOCH": "EPOCH",
    "--STAT": "ND",
    "--NRIND": "NRIND",
    "--LOC": "LOC",
    "--LAT": "LAT",
    "--DIR": "DIR",
    "--POS": "POSITION",
    "--SPEC": "SPECTYPE",
    "--SPCCND": "SPECCOND",
    "--METHOD": "METHOD",
    "--EVAL": "EVAL",
    "--DOSFRM": "FRM",
    "--DOSFRQ": "FREQ",
    "--ROUTE": "ROUTE",
    "--DOSU": "UNIT",
    "--PORTOT": "PORTOT",
    **dict.fromkeys(("--STRF", "--ENRF", "--STRTPT", "--ENRTPT"), "STENRF"),
    "LBORRESU": "UNIT",
    "LBSTRESU": "UNIT",
    "VSORRESU": "VSRESU",
    "VSSTRESU": "VSRESU",
    "EGORRESU": "UNIT",
    "EGSTRESU": "UNIT",
    "PCORRESU": "PKUNIT",
    "PPORRESU": "PKUNIT",
    "PPSTRESU": "PKUNIT",
    "VSTESTCD": "VSTESTCD",
    "VSTEST": "VSTEST",
    "LBTESTCD": "LBTESTCD",
    "LBTEST": "LBTEST",
    "EGTESTCD": "EGTESTCD",
    "EGTEST": "EGTEST",
    "SCTESTCD": "SCTESTCD",
    "SCTEST": "SCTEST",
    "DDTESTCD": "DTHDXCD",
    "DDTEST": "DTHDX",
    "DATESTCD": "DATESTCD",
    "DATEST": "DATEST",
    "RSTESTCD": "ONCRTSCD",
    "RSTEST": "ONCRTS",
    "TRTESTCD": "TRTESTCD",
    "TRTEST": "TRTEST",
    "TUTESTCD": "TUTESTCD",
    "TUTEST": "TUTEST",
    "RETESTCD": "RETESTCD",
    "RETEST": "RETEST",
    "MBTESTCD": "MBTESTCD",
    "MBTEST": "MBTEST",
    "ISTESTCD": "ISTESTCD",
    "ISTEST": "ISTEST",
    "CVTESTCD": "CVTESTCD",
    "CVTEST": "CVTEST",
    "OETESTCD": "OETESTCD",
    "OETEST": "OETEST",
    "NVTESTCD": "NVTESTCD",
    "NVTEST": "NVTEST",
    "PPTESTCD": "PKPARMCD",
    "PPTEST": "PKPARM",
    "SSTESTCD": "SSTESTCD",
    "SSTEST": "SSTEST",
    "EGLEAD": "EGLEAD",
    "IECAT": "IECAT",
    "TSPARMCD": "TSPARMCD",
    "TSPARM": "TSPARM",
    "RELTYPE": "RELTYPE",
    "DOMAIN": "DOMAIN",
    "RDOMAIN": "DOMAIN",
}

ONLY_YES = ("--BLFL", "--LOBXFL", "--DRVFL", "DTHFL", "--PRESP")
"""Flags that are Y or empty, although their list knows more."""

PAIRS = {f"{domain}TESTCD": f"{domain}TEST" for domain in ("VS", "LB", "EG", "SC", "DD", "DA", "RS", "TR", "TU", "RE")}
"""Code and name variables whose lists name the same concepts."""


def list_of(domain: str, variable: str) -> str | None:
    """The code list of a variable of a domain; None where the standard names none.

    >>> list_of("AE", "AEOUT"), list_of("LB", "LBSTAT"), list_of("AE", "AETERM")
    ('OUT', 'ND', None)
    """
    found = LISTS.get(variable)
    if found is None and variable.startswith(domain):
        found = LISTS.get(f"--{variable[len(domain) :]}")
    return found
