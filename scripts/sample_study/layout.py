"""Which variables each table has, in which order, with their labels (SDTMIG 3.3 names) and lengths."""

from __future__ import annotations

import pandas as pd

from datareplicator.study import Column

# fmt: off
TABLES = {
    "dm": (
        "Demographics",
        "STUDYID DOMAIN USUBJID SUBJID RFSTDTC RFENDTC RFXSTDTC RFXENDTC RFICDTC RFPENDTC DTHDTC DTHFL SITEID "
        "INVID BRTHDTC AGE AGEU SEX RACE ETHNIC ARMCD ARM ACTARMCD ACTARM ARMNRS ACTARMUD COUNTRY DMDTC DMDY",
    ),
    "suppdm": (
        "Supplemental Qualifiers for DM",
        "STUDYID RDOMAIN USUBJID IDVAR IDVARVAL QNAM QLABEL QVAL QORIG QEVAL",
    ),
    "ae": (
        "Adverse Events",
        "STUDYID DOMAIN USUBJID AESEQ AETERM AELLT AELLTCD AEDECOD AEPTCD AEHLT AEHLTCD AEBODSYS AEBDSYCD AESOC "
        "AESOCCD AESEV AESER AEACN AEREL AEOUT AESCONG AESDISAB AESDTH AESHOSP AESLIFE AESMIE EPOCH AESTDTC "
        "AEENDTC AESTDY AEENDY AEENRTPT AEENTPT",
    ),
    "suppae": (
        "Supplemental Qualifiers for AE",
        "STUDYID RDOMAIN USUBJID IDVAR IDVARVAL QNAM QLABEL QVAL QORIG QEVAL",
    ),
    "cm": (
        "Concomitant/Prior Medications",
        "STUDYID DOMAIN USUBJID CMSEQ CMTRT CMDECOD CMCAT CMINDC CMCLAS CMDOSE CMDOSU CMDOSFRQ CMROUTE CMSTDTC "
        "CMENDTC CMSTDY CMENDY CMENRTPT CMENTPT",
    ),
    "ds": (
        "Disposition",
        "STUDYID DOMAIN USUBJID DSSEQ DSTERM DSDECOD DSCAT DSSCAT EPOCH DSSTDTC DSSTDY",
    ),
    "ex": (
        "Exposure",
        "STUDYID DOMAIN USUBJID EXSEQ EXTRT EXDOSE EXDOSU EXDOSFRM EXDOSFRQ EXROUTE EPOCH EXSTDTC EXENDTC EXSTDY "
        "EXENDY",
    ),
    "lb": (
        "Laboratory Test Results",
        "STUDYID DOMAIN USUBJID LBSEQ LBTESTCD LBTEST LBCAT LBORRES LBORRESU LBORNRLO LBORNRHI LBSTRESC LBSTRESN "
        "LBSTRESU LBSTNRLO LBSTNRHI LBSTNRC LBNRIND LBSTAT LBREASND LBSPEC LBLOBXFL LBBLFL LBFAST VISITNUM VISIT "
        "VISITDY EPOCH LBDTC LBDY",
    ),
    "mh": (
        "Medical History",
        "STUDYID DOMAIN USUBJID MHSEQ MHTERM MHDECOD MHPTCD MHCAT MHBODSYS MHBDSYCD MHDTC MHSTDTC MHENDTC MHDY "
        "MHENRTPT MHENTPT",
    ),
    "qs": (
        "Questionnaires",
        "STUDYID DOMAIN USUBJID QSSEQ QSTESTCD QSTEST QSCAT QSORRES QSSTRESC QSSTRESN QSLOBXFL QSBLFL QSDRVFL "
        "VISITNUM VISIT VISITDY EPOCH QSDTC QSDY",
    ),
    "relrec": (
        "Related Records",
        "STUDYID RDOMAIN USUBJID IDVAR IDVARVAL RELTYPE RELID",
    ),
    "se": (
        "Subject Elements",
        "STUDYID DOMAIN USUBJID SESEQ ETCD ELEMENT TAETORD EPOCH SESTDTC SEENDTC SESTDY SEENDY",
    ),
    "sv": (
        "Subject Visits",
        "STUDYID DOMAIN USUBJID VISITNUM VISIT VISITDY EPOCH SVSTDTC SVENDTC SVSTDY SVENDY SVUPDES",
    ),
    "ta": (
        "Trial Arms",
        "STUDYID DOMAIN ARMCD ARM TAETORD ETCD ELEMENT TABRANCH TATRANS EPOCH",
    ),
    "te": (
        "Trial Elements",
        "STUDYID DOMAIN ETCD ELEMENT TESTRL TEENRL TEDUR",
    ),
    "ti": (
        "Trial Inclusion/Exclusion Criteria",
        "STUDYID DOMAIN IETESTCD IETEST IECAT TIVERS",
    ),
    "ts": (
        "Trial Summary",
        "STUDYID DOMAIN TSSEQ TSPARMCD TSPARM TSVAL",
    ),
    "tv": (
        "Trial Visits",
        "STUDYID DOMAIN VISITNUM VISIT VISITDY TVSTRL TVENRL",
    ),
    "vs": (
        "Vital Signs",
        "STUDYID DOMAIN USUBJID VSSEQ VSTESTCD VSTEST VSPOS VSORRES VSORRESU VSSTRESC VSSTRESN VSSTRESU VSSTAT "
        "VSREASND VSLOBXFL VSBLFL VISITNUM VISIT VISITDY EPOCH VSDTC VSDY VSTPT VSTPTNUM VSELTM VSTPTREF",
    ),
}
# fmt: on

# fmt: off
LABELS = {
    "STUDYID": "Study Identifier", "DOMAIN": "Domain Abbreviation", "RDOMAIN": "Related Domain Abbreviation",
    "USUBJID": "Unique Subject Identifier", "SUBJID": "Subject Identifier for the Study", "EPOCH": "Epoch",
    "RFSTDTC": "Subject Reference Start Date/Time", "RFENDTC": "Subject Reference End Date/Time",
    "RFXSTDTC": "Date/Time of First Study Treatment", "RFXENDTC": "Date/Time of Last Study Treatment",
    "RFICDTC": "Date/Time of Informed Consent", "RFPENDTC": "Date/Time of End of Participation",
    "DTHDTC": "Date/Time of Death", "DTHFL": "Subject Death Flag", "SITEID": "Study Site Identifier",
    "INVID": "Investigator Identifier", "BRTHDTC": "Date/Time of Birth", "AGE": "Age", "AGEU": "Age Units",
    "SEX": "Sex",
    "RACE": "Race", "ETHNIC": "Ethnicity", "ARMCD": "Planned Arm Code", "ARM": "Description of Planned Arm",
    "ACTARMCD": "Actual Arm Code", "ACTARM": "Description of Actual Arm",
    "ARMNRS": "Reason Arm and/or Actual Arm is Null",
    "ACTARMUD": "Description of Unplanned Actual Arm", "COUNTRY": "Country", "DMDTC": "Date/Time of Collection",
    "DMDY": "Study Day of Collection", "IDVAR": "Identifying Variable", "IDVARVAL": "Identifying Variable Value",
    "QNAM": "Qualifier Variable Name", "QLABEL": "Qualifier Variable Label", "QVAL": "Data Value", "QORIG": "Origin",
    "QEVAL": "Evaluator", "RELTYPE": "Relationship Type", "RELID": "Relationship Identifier",
    "VISITNUM": "Visit Number",
    "VISIT": "Visit Name", "VISITDY": "Planned Study Day of Visit", "TAETORD": "Planned Order of Element within Arm",
    "ETCD": "Element Code", "ELEMENT": "Description of Element", "TABRANCH": "Branch", "TATRANS": "Transition Rule",
    "TESTRL": "Rule for Start of Element", "TEENRL": "Rule for End of Element", "TEDUR": "Planned Duration of Element",
    "TVSTRL": "Visit Start Rule", "TVENRL": "Visit End Rule", "IETESTCD": "Incl/Excl Criterion Short Name",
    "IETEST": "Inclusion/Exclusion Criterion", "IECAT": "Inclusion/Exclusion Category",
    "TIVERS": "Protocol Criteria Versions",
    "TSPARMCD": "Trial Summary Parameter Short Name", "TSPARM": "Trial Summary Parameter", "TSVAL": "Parameter Value",
    "SVUPDES": "Description of Unplanned Visit", "MHDTC": "Date/Time of History Collection",
    "MHDY": "Study Day of History Collection", "MHTERM": "Reported Term for the Medical History",
    "AETERM": "Reported Term for the Adverse Event", "CMTRT": "Reported Name of Drug, Med, or Therapy",
    "CMDECOD": "Standardized Medication Name", "CMCLAS": "Medication Class", "EXTRT": "Name of Treatment",
    "DSTERM": "Reported Term for the Disposition Event", "DSDECOD": "Standardized Disposition Term",
    "QSTESTCD": "Question Short Name", "QSTEST": "Question Name", "QSORRES": "Finding in Original Units",
    "QSSTRESC": "Character Result/Finding in Std Format", "QSSTRESN": "Numeric Finding in Standard Units",
}
# fmt: on

# fmt: off
SUFFIX_LABELS = {
    "SEQ": "Sequence Number", "LLT": "Lowest Level Term", "LLTCD": "Lowest Level Term Code",
    "DECOD": "Dictionary-Derived Term",
    "PTCD": "Preferred Term Code", "HLT": "High Level Term", "HLTCD": "High Level Term Code",
    "BODSYS": "Body System or Organ Class",
    "BDSYCD": "Body System or Organ Class Code", "SOC": "Primary System Organ Class",
    "SOCCD": "Primary System Organ Class Code",
    "SEV": "Severity/Intensity", "SER": "Serious Event", "ACN": "Action Taken with Study Treatment", "REL": "Causality",
    "OUT": "Outcome of Adverse Event", "SCONG": "Congenital Anomaly or Birth Defect",
    "SDISAB": "Persist or Signif Disability/Incapacity", "SDTH": "Results in Death",
    "SHOSP": "Requires or Prolongs Hospitalization", "SLIFE": "Is Life Threatening",
    "SMIE": "Other Medically Important Serious Event",
    "STDTC": "Start Date/Time", "ENDTC": "End Date/Time", "STDY": "Study Day of Start", "ENDY": "Study Day of End",
    "ENRTPT": "End Relative to Reference Time Point", "ENTPT": "End Reference Time Point", "CAT": "Category",
    "SCAT": "Subcategory",
    "INDC": "Indication", "DOSE": "Dose", "DOSU": "Dose Units", "DOSFRM": "Dose Form",
    "DOSFRQ": "Dosing Frequency per Interval",
    "ROUTE": "Route of Administration", "TESTCD": "Test Short Name", "TEST": "Test Name", "POS": "Position of Subject",
    "ORRES": "Result or Finding in Original Units", "ORRESU": "Original Units",
    "ORNRLO": "Normal Range Lower Limit-Original Units",
    "ORNRHI": "Normal Range Upper Limit-Original Units", "STRESC": "Character Result/Finding in Std Format",
    "STRESN": "Numeric Result/Finding in Standard Units", "STRESU": "Standard Units",
    "STNRLO": "Normal Range Lower Limit-Standard Units",
    "STNRHI": "Normal Range Upper Limit-Standard Units", "STNRC": "Normal Range for Character Results",
    "NRIND": "Reference Range Indicator", "STAT": "Completion Status", "REASND": "Reason Not Done",
    "SPEC": "Specimen Type",
    "LOBXFL": "Last Observation Before Exposure Flag", "BLFL": "Baseline Flag", "FAST": "Fasting Status",
    "DRVFL": "Derived Flag",
    "DTC": "Date/Time of Measurement", "DY": "Study Day of Measurement", "TPT": "Planned Time Point Name",
    "TPTNUM": "Planned Time Point Number", "ELTM": "Planned Elapsed Time from Time Point Ref",
    "TPTREF": "Time Point Reference",
}
# fmt: on

NUMERIC = {"AGE", "VISITNUM", "TAETORD"}
# fmt: off
NUMERIC_SUFFIXES = ("SEQ", "DY", "STRESN", "STNRLO", "STNRHI", "TPTNUM", "EXDOSE", "CMDOSE", "LLTCD", "PTCD", "HLTCD",
    "BDSYCD", "SOCCD")
# fmt: on
# Room for values that a new subject may have; everything else is as wide as the widest value.
WIDTHS = {"USUBJID": 20, "ORRES": 16, "STRESC": 16, "DTC": 19}


def column(name: str, values: pd.Series) -> Column:
    """What the study declares of a variable: its label and, for text, the length in bytes."""
    label = LABELS.get(name) or SUFFIX_LABELS[name[2:]]
    if is_number(name):
        return Column(name, "float", label, 8)
    widest = int(values.dropna().str.len().max()) if values.notna().any() else 1
    room = next((width for suffix, width in WIDTHS.items() if name.endswith(suffix)), 1)
    return Column(name, "text", label, max(widest, room), blank=True)


def is_number(name: str) -> bool:
    return name in NUMERIC or name.endswith(NUMERIC_SUFFIXES)
