"""What SDTMIG 3.2 to 3.4 say of variables: required ones, types, fragments of names, and where some may not stand."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TRIAL_DESIGN = frozenset({"TA", "TD", "TE", "TI", "TM", "TS", "TV"})
INTERVENTIONS = frozenset({"AG", "CM", "EC", "EX", "ML", "PR", "SU"})
EVENTS = frozenset({"AE", "BE", "CE", "DS", "DV", "HO", "MH"})
SPECIAL_PURPOSE = frozenset({"CO", "DM", "SE", "SM", "SV"})
RELATIONSHIP = frozenset({"RELREC", "RELSPEC", "RELSUB"})

_FINDINGS = ("STUDYID", "DOMAIN", "USUBJID", "--SEQ", "--TESTCD", "--TEST")
_TRIAL = ("STUDYID", "DOMAIN")
REQUIRED: dict[str, tuple[str, ...]] = {
    "AE": ("STUDYID", "DOMAIN", "USUBJID", "AESEQ", "AETERM", "AEDECOD"),
    "CE": ("STUDYID", "DOMAIN", "USUBJID", "CESEQ", "CETERM"),
    "CM": ("STUDYID", "DOMAIN", "USUBJID", "CMSEQ", "CMTRT"),
    "CO": ("STUDYID", "DOMAIN", "COSEQ", "COVAL"),
    "DM": ("STUDYID", "DOMAIN", "USUBJID", "SUBJID", "SITEID", "SEX", "COUNTRY"),
    "DS": ("STUDYID", "DOMAIN", "USUBJID", "DSSEQ", "DSTERM", "DSDECOD"),
    "DV": ("STUDYID", "DOMAIN", "USUBJID", "DVSEQ", "DVTERM"),
    "EC": ("STUDYID", "DOMAIN", "USUBJID", "ECSEQ", "ECTRT"),
    "EX": ("STUDYID", "DOMAIN", "USUBJID", "EXSEQ", "EXTRT"),
    "HO": ("STUDYID", "DOMAIN", "USUBJID", "HOSEQ", "HOTERM"),
    "IE": (*_FINDINGS, "IECAT", "IEORRES", "IESTRESC"),
    "MH": ("STUDYID", "DOMAIN", "USUBJID", "MHSEQ", "MHTERM"),
    "ML": ("STUDYID", "DOMAIN", "USUBJID", "MLSEQ", "MLTRT"),
    "PR": ("STUDYID", "DOMAIN", "USUBJID", "PRSEQ", "PRTRT"),
    "QS": (*_FINDINGS, "QSCAT"),
    "SE": ("STUDYID", "DOMAIN", "USUBJID", "SESEQ", "ETCD", "SESTDTC"),
    "SU": ("STUDYID", "DOMAIN", "USUBJID", "SUSEQ", "SUTRT"),
    "SV": ("STUDYID", "DOMAIN", "USUBJID", "VISITNUM"),
    "TA": (*_TRIAL, "ARMCD", "ARM", "TAETORD", "ETCD", "EPOCH"),
    "TE": (*_TRIAL, "ETCD", "ELEMENT", "TESTRL"),
    "TI": (*_TRIAL, "IETESTCD", "IETEST", "IECAT"),
    "TS": (*_TRIAL, "TSSEQ", "TSPARMCD", "TSPARM"),
    "TV": (*_TRIAL, "VISITNUM", "TVSTRL"),
}
SUPPLEMENT = ("STUDYID", "RDOMAIN", "USUBJID", "QNAM", "QLABEL", "QVAL", "QORIG")
RELATION = ("STUDYID", "RDOMAIN", "IDVAR", "RELID")

NUMERIC = (
    *("--SEQ", "--DY", "--STDY", "--ENDY", "--STRESN", "--STNRLO", "--STNRHI", "--DOSE", "--DOSTOT", "--TPTNUM"),
    *("VISITNUM", "VISITDY", "AGE", "TAETORD"),
)
"""Variables of type Num; all others are Char."""

# SDTM's fragments of variable names after the two letters of the domain (SDTM 1.4 to 2.0).
FRAGMENTS = _words(
    """
    ACN ACNDEV ACNOTH ADJ ALTRS ANMETH ANTREG BDAGNT BDSYCD BEATNO BLFL BODSYS CAT CHRON CLAS CLASCD CLMETH
    CLSIG COLSRT CONTRT CSTATE DECOD DETECT DIR DISTR DOSE DOSFRM DOSFRQ DOSRGM DOSTOT DOSTXT DOSU DRVFL DTC
    DTHREL DUR DY ELTM ENDTC ENDY ENRF ENRTPT ENTPT EVAL EVALID EVINTX EVLINT EVTYP EVDTYP EXCLFL FAST FOCID
    GATE GRPID HLGT HLGTCD HLT HLTCD IMPLBL INDC INDRNK INHERT INTFAST INTP LAT LEAD LLOD LLOQ LLT LLTCD LNKGRP
    LNKID LOBXFL LOC LOINC LOT METHOD MODIFY MSTYPE MRKSTR NAM NOMDY NOMLBL NRIND NSPCES NSTRN OBJ OCCUR OCCRFL
    ORNRHI ORNRLO ORREF ORRES ORRESU OUT PARM PARMCD PARTY PATT PORTOT POS PRDSTR PRESP PRTYID PSTRG PTCD REASEX
    REASND REASOC RECCAT REF REFID REL RELNST REPNUM RESCAT RESLOC RESTYP RFTDTC ROUTE RPDY RPENDY RPSTDY RSLSCL
    RSTIND RSTMOD RUNID SBMRKS SCAN SCAT SCONG SDISAB SDTH SER SETCD SEQ SEV SHOSP SIZE SLIFE SMIE SOC SOCCD SOD
    SPCCND SPCIES SPCUFL SPEC SPID SPTRNK STAT STDTC STDY STINT STNRC STNRHI STNRLO STOXLO STOXHI STREASN STREF
    STREFC STREFN STRESC STRESN STRESU STRF STRTPT STTPT SYM SYMTYP TERM TEST TESTCD TMTHSN TOX TOXGR TPT TPTNUM
    TPTREF TRT TRTV TSTCND TSTDTL TSTOPO TSTPNL ULOQ URNSTS USCHFL VAMT VAMTU XFN AGENT CONC CONCU CONTMODE
    CNTMOD EPCHGI CHGI LDOS LDOSU SYMTY GENRI GENSR GENSMP SEQID SSID RDIND ORREFU BNDAGT ALTTRT MODE WDTH INTNT
    TSTINT RESTP ENINT COPY PVRID GNROI RSNUM CALNR ACPTFL DEADJ
    """
)
IDENTIFIERS = _words(
    """
    STUDYID DOMAIN USUBJID SUBJID SITEID POOLID SPDEVID NHOID FETUSID APID RSUBJID FOCID VISITNUM VISIT VISITDY
    TAETORD EPOCH RPHASE RPPLDY RPPLSTDY RPPLENDY ETCD ELEMENT RDOMAIN IDVAR IDVARVAL RELID RELTYPE QNAM QLABEL
    QVAL QORIG QEVAL ARM ARMCD MIDS MIDSTYPE RELMIDS MIDSDTC DRVNAM SETCD SREL TSTDTL DTHFL ACTARM ACTARMCD
    ARMNRS ACTARMUD AGE AGEU AGETXT SEX RACE ETHNIC COUNTRY INVID INVNAM BRTHDTC SPECIES STRAIN SBSTRAIN RFSTDTC
    RFENDTC RFXSTDTC RFXENDTC RFCSTDTC RFCENDTC RFICDTC RFPENDTC DTHDTC IETEST IETESTCD IECAT IESCAT COVAL COREF
    TABRANCH TATRANS TESTRL TEENRL TEDUR TVSTRL TVENRL TIRL TIVERS TSPARMCD TSPARM TSVAL TSVALNF TSVALCD
    TSVCDREF TSVCDVER TSGRPID TSSEQ SEUPDES SVUPDES SVPRESP SVOCCUR SVREASOC SVCNTMOD SVEPCHGI AERLNSYN AECONTRT
    AESOSP EXADJ TDORDER TDANCVAR TDSTOFF TDTGTPAI TDMINPAI TDMAXPAI TDNUMRPT TMDEF TMRPT
    """
)

# CDISC: "should not be used in human clinical trials" (SDTM 2.0).
ANIMAL_COLUMNS = _words(
    """
    FETUSID RPHASE RPPLDY RPPLSTDY RPPLENDY AGETXT SPECIES STRAIN SBSTRAIN
    """
)
ANIMAL_FRAGMENTS = _words(
    """
    USCHFL RSTIND RSTMOD IMPLBL DTHREL EXCLFL REASEX RPDY RPSTDY RPENDY DETECT NOMDY NOMLBL RESLOC
    """
)
ANIMAL_TABLES = frozenset({"SJ", "TP", "TT"})
ONLY_IN = {"AGENT": {"MS"}, "CONC": {"MS"}, "CONCU": {"MS"}, "EVDTYP": {"MH"}}
NOT_IN = {"AE": ("OCCUR", "STAT", "REASND")}

# A column that may only stand beside another one.
COMPANIONS = {
    "TPT": ("TPTNUM",),
    "TPTNUM": ("TPT",),
    "ENTPT": ("ENRTPT",),
    "ENRTPT": ("ENTPT",),
    "STTPT": ("STRTPT",),
    "STRTPT": ("STTPT",),
    "TOX": ("TOXGR",),
    "SCAT": ("CAT",),
    "PORTOT": ("LOC",),
    "DIR": ("LOC",),
    "OCCUR": ("PRESP",),
    "ELTM": ("TPTREF",),
    "RFTDTC": ("TPTREF",),
    "DY": ("DTC",),
    "STDY": ("STDTC",),
    "ENDY": ("ENDTC",),
}
DAY_OF = {"DTC": "DY", "STDTC": "STDY", "ENDTC": "ENDY"}


def class_of(domain: str, columns: frozenset[str] | set[str]) -> str:
    """The general observation class: by the code, or by the topic variable of a domain of the sponsor's own.

    >>> class_of("LB", set()), class_of("XX", {"XXTRT"})
    ('findings', 'interventions')
    """
    for name, members in (("interventions", INTERVENTIONS), ("events", EVENTS), ("special", SPECIAL_PURPOSE)):
        if domain in members:
            return name
    if domain in TRIAL_DESIGN:
        return "trial design"
    if f"{domain}TRT" in columns:
        return "interventions"
    return "events" if f"{domain}TERM" in columns else "findings"


def required(domain: str, columns: frozenset[str] | set[str]) -> tuple[str, ...]:
    """The required variables of a domain."""
    found = REQUIRED.get(domain)
    if found is None:
        topic = {"interventions": "--TRT", "events": "--TERM"}.get(class_of(domain, columns))
        found = ("STUDYID", "DOMAIN", "USUBJID", "--SEQ", topic) if topic else _FINDINGS
    return tuple(name.replace("--", domain) for name in found)


def known(domain: str, column: str) -> bool:
    """Whether SDTM knows a variable of this name in the domain.

    >>> known("AE", "AETERM"), known("AE", "AETREM"), known("AE", "CMTRT")
    (True, False, False)
    """
    if column in IDENTIFIERS:
        return True
    stem = column[len(domain) :] if column.startswith(domain) else None
    return stem is not None and (stem in FRAGMENTS or re.fullmatch(r"(COVAL|TSVAL|VAL)\d+", stem) is not None)
