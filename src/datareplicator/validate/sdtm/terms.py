"""Codes and their texts, controlled terms, and the form of texts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.part import Part, usual
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.events import CRITERIA
from datareplicator.validate.sdtm.view import SDTM_RULES, SdtmView

PAIRS = (("TESTCD", "TEST"), ("TPTNUM", "TPT"), ("PTCD", "DECOD"), ("BDSYCD", "BODSYS"), ("SOCCD", "SOC"))
PLAIN_PAIRS = (("ARMCD", "ARM"), ("ACTARMCD", "ACTARM"), ("ETCD", "ELEMENT"), ("QNAM", "QLABEL"))
LONGEST = 200
YES_NO = ("Y", "N", "U", "NA")
# CDISC controlled terminology, code lists that may not be extended (C66731, C66769, C66742, C66768, C66781, C66789).
TERMS = {
    "SEX": ("F", "M", "U", "UNDIFFERENTIATED", "INTERSEX"),
    "AESEV": ("MILD", "MODERATE", "SEVERE"),
    "AESER": YES_NO,
    "AEOUT": (
        "FATAL",
        "NOT RECOVERED/NOT RESOLVED",
        "RECOVERED/RESOLVED",
        "RECOVERED/RESOLVED WITH SEQUELAE",
        "RECOVERING/RESOLVING",
        "UNKNOWN",
    ),
    "AGEU": ("DAYS", "HOURS", "MONTHS", "WEEKS", "YEARS"),
    "DTHFL": ("Y",),
    **dict.fromkeys(CRITERIA, YES_NO),
}


def _mispaired(part: Part, code: str, text: str, both_ways: bool) -> tuple[np.ndarray, np.ndarray]:
    """bool a row: both are present (asked); the text is not the usual one of the code, or the other way (bad)."""
    asked = part.present(code) & part.present(text)
    a, b = part.codes(code), part.codes(text)
    bad = asked & (usual(np.maximum(a, 0), b, asked) != b)
    if both_ways:
        bad |= asked & (usual(np.maximum(b, 0), a, asked) != a)
    return asked, bad


@SDTM_RULES.rule(
    "DR0901", "The code and its text are not the usual pair.", core="000302 000318 000685 000706 000716 000719 000723"
)
def mispaired(view: SdtmView) -> Iterator[Hits]:
    for part in (*view.domains.values(), *view.supplements):
        named = [(part.var(code), part.var(text)) for code, text in PAIRS]
        for code, text in (*named, *PLAIN_PAIRS):
            if part.has(code, text):
                asked, bad = _mispaired(part, code, text, both_ways=True)
                yield Hits(part, bad, (code, text), int(asked.sum()), f"({code}, {text})")


@SDTM_RULES.rule("DR0902", "VISITNUM and VISIT are not the usual pair.", core="000361", p21="SD0051")
def mispaired_visit(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        if part.has("VISITNUM", "VISIT"):
            # Several unscheduled visits may share a name: the number decides.
            asked, bad = _mispaired(part, "VISITNUM", "VISIT", both_ways=False)
            yield Hits(part, bad, ("VISITNUM", "VISIT"), int(asked.sum()))


@SDTM_RULES.rule("DR0903", "The value is not in the code list.", p21="CT2001")
def unknown_term(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        status = {part.var("STAT"): ("NOT DONE",)}
        for name, terms in (TERMS | status).items():
            if part.has(name) and (part.name == "DM" or name.startswith(part.name)):
                present = part.present(name)
                yield Hits(part, present & ~part.equals(name, *terms), (name,), int(present.sum()), f"({name})")


def _texts(view: SdtmView) -> Iterator[tuple[Part, str, pd.Series]]:
    """Every column of text with its distinct values."""
    for part in (*view.domains.values(), *view.supplements):
        for name in part.frame:
            if pd.api.types.is_string_dtype(part.frame[name].dtype) and part.present(name).any():
                yield part, name, pd.Series(part.distinct(name), dtype=object).astype(str)


@SDTM_RULES.rule("DR0904", "The text begins with a blank or is a lone point.", core="000867 000890")
def leading_blank(view: SdtmView) -> Iterator[Hits]:
    for part, name, values in _texts(view):
        bad = values.str.startswith(" ") | (values == ".")
        yield Hits(part, part.by_distinct(name, bad), (name,), int(part.present(name).sum()), f"({name})")


@SDTM_RULES.rule("DR0905", "The text has characters outside ASCII.", p21="SD1029", severity=Severity.WARNING)
def not_ascii(view: SdtmView) -> Iterator[Hits]:
    for part, name, values in _texts(view):
        bad = [not value.isascii() for value in values]
        yield Hits(part, part.by_distinct(name, bad), (name,), int(part.present(name).sum()), f"({name})")


@SDTM_RULES.rule("DR0906", f"The text is longer than {LONGEST} bytes.")
def too_long(view: SdtmView) -> Iterator[Hits]:
    for part, name, values in _texts(view):
        bad = [len(value.encode()) > LONGEST for value in values]
        yield Hits(part, part.by_distinct(name, bad), (name,), int(part.present(name).sum()), f"({name})")
