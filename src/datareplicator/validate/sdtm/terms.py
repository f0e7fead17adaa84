"""Codes and their texts, controlled terms, and the form of texts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.standards.terminology import CodeList, fold, terminology
from datareplicator.standards.variables import ONLY_YES, list_of
from datareplicator.standards.variables import PAIRS as CONCEPTS
from datareplicator.validate.part import Part, usual
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.spelling import nearest
from datareplicator.validate.sdtm.view import SDTM_RULES, SdtmView

PAIRS = (("TESTCD", "TEST"), ("TPTNUM", "TPT"), ("PTCD", "DECOD"), ("BDSYCD", "BODSYS"), ("SOCCD", "SOC"))
PLAIN_PAIRS = (("ARMCD", "ARM"), ("ACTARMCD", "ACTARM"), ("ETCD", "ELEMENT"), ("QNAM", "QLABEL"))
LONGEST = 200
FORMER = {"SEX": ("UNDIFFERENTIATED",), "NY": ("NA",), "ND": ("NOT DONE",)}
"""Terms that a code list had in earlier releases: a study keeps the release that it began with."""

OF_STUDY = 0.2
"""Most of a column that may lie outside of its list in Define-XML, for the list to be its own."""


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


def list_for(view: SdtmView, part: Part, name: str) -> CodeList | None:
    """The code list of a variable: the study's own from Define-XML, else that of the standard."""
    if view.define is not None:
        for table in (*part.tables, part.name):
            found = view.define.lists.get((table.upper(), name))
            if found is not None:
                return found
    named = list_of(part.name, name)
    return terminology().get(named) if named is not None else None


def _listed(view: SdtmView) -> Iterator[tuple[Part, str, CodeList]]:
    """Every column of text with a code list."""
    for part in (*view.domains.values(), *view.supplements, *view.relations):
        for name in part.frame:
            if not pd.api.types.is_numeric_dtype(part.frame[name].dtype) and part.present(name).any():
                found = list_for(view, part, name)
                if found is not None:
                    yield part, name, found


def _otherwise(found: CodeList, value: str) -> bool:
    """Whether the value is a term of the list, but written in another way."""
    meant = found.meant(value)
    return meant is not None and value not in found.terms and value not in FORMER.get(found.name, ())


@SDTM_RULES.rule(
    "DR0903",
    "The value is not in the code list, and the list may not be extended.",
    core="000087 000123 000124 000125 000126 000127 000128 000129 000130 000131 000006",
    p21="CT2001",
)
def unknown_term(view: SdtmView) -> Iterator[Hits]:
    for part, name, found in _listed(view):
        if found.extensible:
            continue
        only_yes = any(name == flag.replace("--", part.name) for flag in ONLY_YES)
        allowed = {"Y"} if only_yes and found.name == "NY" else {*found.terms, *FORMER.get(found.name, ())}
        values = [str(value) for value in part.distinct(name)]
        bad = part.by_distinct(name, [v not in allowed for v in values])
        count = int(part.present(name).sum())
        if found.source == "Define-XML" and bad.sum() > OF_STUDY * count:
            continue
        yield Hits(part, bad, (name,), count, f"({name}, {found.name} of {found.source})")


@SDTM_RULES.rule("DR0907", "The term is written otherwise than in its code list, and than in other rows.")
def other_writing(view: SdtmView) -> Iterator[Hits]:
    for part, name, found in _listed(view):
        if not found.extensible:
            continue
        values = [str(value) for value in part.distinct(name)]
        # A sponsor may add terms: it is a mistake only beside the right writing.
        bad = [_otherwise(found, v) and found.meant(v) in values for v in values]
        count = int(part.present(name).sum())
        yield Hits(part, part.by_distinct(name, bad), (name,), count, f"({name}, {found.name} of {found.source})")


@SDTM_RULES.rule("DR0908", "--TESTCD and --TEST name different concepts of the terminology.")
def other_concept(view: SdtmView) -> Iterator[Hits]:
    for code, text in CONCEPTS.items():
        part = view.get(code[:2], code, text)
        codes, texts = (terminology().get(list_of(code[:2], n) or "") for n in (code, text))
        if part is None or codes is None or texts is None:
            continue
        pair = part.groups([code, text])
        first = pd.Series(np.arange(len(part))).groupby(pair).first().to_numpy()
        a, b = (part.frame[n].to_numpy(dtype=object)[first] for n in (code, text))
        known = np.array([x in codes.terms and y in texts.terms for x, y in zip(a, b, strict=True)], dtype=bool)[pair]
        same = np.array([codes.terms.get(x) == texts.terms.get(y) for x, y in zip(a, b, strict=True)], dtype=bool)[pair]
        yield Hits(part, known & ~same, (code, text), int(known.sum()))


def _texts(view: SdtmView) -> Iterator[tuple[Part, str, pd.Series]]:
    """Every column of text with its distinct values."""
    for part in (*view.domains.values(), *view.supplements):
        for name in part.frame:
            if pd.api.types.is_string_dtype(part.frame[name].dtype) and part.present(name).any():
                yield part, name, part.texts(name)


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


@SDTM_RULES.rule(
    "DR0909",
    "The text ends with a blank, or holds control characters or several blanks in a row.",
    severity=Severity.WARNING,
)
def untidy_text(view: SdtmView) -> Iterator[Hits]:
    for part, name, values in _texts(view):
        bad = values.str.contains(r"\s$|[\x00-\x1f\x7f]|  ", regex=True)
        yield Hits(part, part.by_distinct(name, bad), (name,), int(part.present(name).sum()), f"({name})")


MOJIBAKE = "[ÃÂ][\x80-\xbfŒœŠšŸŽž€‚ƒ„…†‡ˆ‰‹‘’“”•–—˜™›]|â€|ï»¿|\ufffd"
"""What UTF-8 looks like when it is read as Windows-1252."""


@SDTM_RULES.rule("DR0910", "The text was read in a wrong encoding (mojibake).")
def wrong_encoding(view: SdtmView) -> Iterator[Hits]:
    for part, name, values in _texts(view):
        bad = values.str.contains(MOJIBAKE, regex=True)
        yield Hits(part, part.by_distinct(name, bad), (name,), int(part.present(name).sum()), f"({name})")


def _categories(view: SdtmView) -> Iterator[tuple[Part, str, pd.Series, np.ndarray]]:
    """Columns of text that repeat their values, with the distinct values and their counts."""
    for part, name, values in _texts(view):
        if name in part.date_names or name.endswith(("ORRES", "STRESC", "ID", "REFID", "VAL", "DTC")):
            continue
        codes = part.codes(name)
        count = np.bincount(codes[codes >= 0], minlength=len(values))
        if len(values) <= MOST and count.sum() >= 3 * len(values):
            yield part, name, values, count


MOST = 3000
"""Distinct values up to which a column is looked through for misspelt ones."""

OFTEN = 20
"""How much oftener the right spelling must stand than the wrong one."""


@SDTM_RULES.rule("DR0911", "The text differs from a frequent value in case or blanks alone.", severity=Severity.WARNING)
def other_case(view: SdtmView) -> Iterator[Hits]:
    for part, name, values, count in _categories(view):
        folded = values.map(fold)
        most = pd.Series(count).groupby(folded).transform("max").to_numpy()
        bad = (count < most) & (count * 3 <= most)
        yield Hits(part, part.by_distinct(name, bad), (name,), int(count.sum()), f"({name})")


@SDTM_RULES.rule("DR0912", "The text is a misspelling or cut of a frequent value.", severity=Severity.WARNING)
def misspelt(view: SdtmView) -> Iterator[Hits]:
    for part, name, values, count in _categories(view):
        known = list_for(view, part, name)
        terms = known.terms if known is not None else {}
        texts = values.tolist()
        bad = [
            count[i] <= 2 and texts[i] not in terms and near is not None and count[near] >= OFTEN * count[i]
            for i, near in enumerate(nearest(texts, count))
        ]
        yield Hits(part, part.by_distinct(name, bad), (name,), int(count.sum()), f"({name})")


@SDTM_RULES.rule("DR0913", "A code has no text beside it, or a text no code, as they have elsewhere.")
def half_pair(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        for code, text in (*((part.var(a), part.var(b)) for a, b in PAIRS), *PLAIN_PAIRS, ("VISITNUM", "VISIT")):
            if part.has(code, text):
                a, b = part.present(code), part.present(text)
                either = a | b
                odd = (a != b) & ~part.equals(code, "UNPLAN")
                if either.any() and odd.sum() <= 0.05 * either.sum():
                    yield Hits(part, odd, (code, text), int(either.sum()), f"({code}, {text})")
