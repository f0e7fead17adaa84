"""Results of findings: original and standard, units, ranges, tests not done."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.part import Part, share_of, usual
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SdtmView

CLEAR = 0.9
"""Share of a test's rows from which a habit (a unit, a factor) counts as the rule of that test."""


def _test(part: Part) -> list[str]:
    return part.vars("TESTCD", "CAT", "SCAT", "SPEC", "METHOD")


@SDTM_RULES.rule("DR0301", "The standard result is missing although there is a result.", core="000021", p21="SD0036")
def missing_standard(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("ORRES", "STRESC"):
        given = part.present(part.var("ORRES"))
        yield Hits(
            part, given & ~part.present(part.var("STRESC")), (part.var("ORRES"), part.var("STRESC")), int(given.sum())
        )


@SDTM_RULES.rule("DR0302", "--STRESN is not the number in --STRESC.", core="000542")
def number_differs(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STRESC", "STRESN"):
        names = part.var("STRESC"), part.var("STRESN")
        text, number = (part.number(name) for name in names)
        asked = np.isfinite(text)
        # A number with as many digits as the text has room for is the same number.
        same = np.abs(text - number) <= 1e-9 * np.maximum(np.abs(text), 1)
        yield Hits(part, asked & ~same, names, int(asked.sum()))


@SDTM_RULES.rule("DR0303", "--STRESN is given although --STRESC is no number.")
def number_without_text(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STRESC", "STRESN"):
        names = part.var("STRESC"), part.var("STRESN")
        words = ~np.isfinite(part.number(names[0]))
        yield Hits(part, words & part.present(names[1]), names, int(words.sum()))


@SDTM_RULES.rule("DR0304", "The test has another standard unit than most of its rows.", core="000699", p21="SD0007")
def second_unit(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "STRESU"):
        unit = part.var("STRESU")
        given = part.present(unit)
        common = usual(part.groups(_test(part)), part.codes(unit), given)
        yield Hits(part, given & (part.codes(unit) != common), (part.var("TESTCD"), unit), int(given.sum()))


@SDTM_RULES.rule("DR0305", "A numeric result has no unit, though its test has one elsewhere.", p21="SD0026")
def missing_unit(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "ORRES", "ORRESU"):
        group = part.groups(_test(part))
        given = np.isfinite(part.number(part.var("ORRES")))
        unit = part.present(part.var("ORRESU"))
        share = share_of(group, unit, given)
        asked = given & (share >= CLEAR)
        yield Hits(part, asked & ~unit, (part.var("TESTCD"), part.var("ORRES"), part.var("ORRESU")), int(asked.sum()))


@SDTM_RULES.rule(
    "DR0306",
    "The standard result does not follow from the original one by the factor of its units.",
)
def other_factor(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "ORRES", "STRESN", "ORRESU", "STRESU"):
        names = part.var("TESTCD"), part.var("ORRES"), part.var("ORRESU"), part.var("STRESN"), part.var("STRESU")
        original, standard = part.number(names[1]), part.number(names[3])
        known = np.isfinite(original) & np.isfinite(standard) & (original != 0) & (standard != 0)
        group = part.groups([names[0], *part.vars("SPEC"), names[2], names[4]])
        ratio = np.full(len(part), np.nan)
        np.divide(standard, original, out=ratio, where=known)
        factor = pd.Series(ratio).groupby(group).transform("median").to_numpy()
        # A result of few digits cannot show its factor better than to half of its last digit.
        near = np.abs(ratio / factor - 1) <= 0.02 + 0.5 * _step(part, names[1]) / np.maximum(np.abs(original), 1e-300)
        asked = known & (share_of(group, near, known) >= CLEAR)
        yield Hits(part, asked & ~near, names, int(asked.sum()))


def _step(part: Part, name: str) -> np.ndarray:
    """The value of the last digit of numbers written as text; 0 for numbers."""
    if pd.api.types.is_numeric_dtype(part.frame[name].dtype):
        return np.zeros(len(part))
    digits = [len(str(value).partition(".")[2]) for value in part.distinct(name)]
    return np.append(10.0 ** -np.array(digits, dtype=float), 0.0)[part.codes(name)]


@SDTM_RULES.rule("DR0307", "A test that was not done has a result.", core="000099", p21="SD0048")
def result_of_nothing(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STAT"):
        undone = part.equals(part.var("STAT"), "NOT DONE")
        names = part.vars("ORRES", "STRESC", "STRESN")
        bad = np.any([part.present(name) for name in names], axis=0) if names else np.zeros(len(part), dtype=bool)
        yield Hits(part, undone & bad, (part.var("STAT"), *names), int(undone.sum()))


@SDTM_RULES.rule("DR0308", "A reason not done is given for a test that was done.")
def reason_without_status(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STAT", "REASND"):
        names = part.var("STAT"), part.var("REASND")
        reason = part.present(names[1])
        yield Hits(part, reason & ~part.present(names[0]), names, int(reason.sum()))


@SDTM_RULES.rule(
    "DR0309", "The lower limit of the range is not below the upper one.", core="000672 000889", p21="SD0028"
)
def range_upside_down(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        for low, high in (("STNRLO", "STNRHI"), ("ORNRLO", "ORNRHI")):
            if part.has(part.var(low), part.var(high)):
                names = part.var(low), part.var(high)
                a, b = (part.number(name) for name in names)
                yield Hits(part, a >= b, names, int((np.isfinite(a) & np.isfinite(b)).sum()))


@SDTM_RULES.rule("DR0310", "The range indicator does not follow from the result and its range.")
def wrong_indicator(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STRESN", "STNRLO", "STNRHI", "NRIND"):
        names = tuple(part.var(s) for s in ("STRESN", "STNRLO", "STNRHI", "NRIND"))
        value, low, high = (part.number(name) for name in names[:3])
        said = {word: part.equals(names[3], word) for word in ("LOW", "NORMAL", "HIGH")}
        asked = np.isfinite(value) & np.isfinite(low) & np.isfinite(high) & np.any(list(said.values()), axis=0)
        right = (said["LOW"] & (value < low)) | (said["HIGH"] & (value > high))
        right |= said["NORMAL"] & (value >= low) & (value <= high)
        yield Hits(part, asked & ~right, names, int(asked.sum()))


@SDTM_RULES.rule("DR0312", "A test that was done and not derived has no result.", core="000200")
def missing_result(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "ORRES"):
        asked = ~part.present(part.var("STAT")) & ~part.equals(part.var("DRVFL"), "Y")
        names = (part.var("TESTCD"), part.var("ORRES"), *part.vars("STAT", "DRVFL"))
        yield Hits(part, asked & ~part.present(part.var("ORRES")), names, int(asked.sum()))


@SDTM_RULES.rule("DR0313", "No reason is given for a test that was not done.", core="000774", severity=Severity.WARNING)
def no_reason(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("STAT", "REASND"):
        undone = part.equals(part.var("STAT"), "NOT DONE")
        yield Hits(
            part, undone & ~part.present(part.var("REASND")), (part.var("STAT"), part.var("REASND")), int(undone.sum())
        )


@SDTM_RULES.rule("DR0311", "Systolic pressure is not above diastolic pressure.", severity=Severity.WARNING)
def pressure_upside_down(view: SdtmView) -> Iterator[Hits]:
    vs = view.get("VS", "VSTESTCD", "VSSTRESN", "USUBJID")
    if vs is None:
        return
    keys = ["USUBJID", *[c for c in ("VISITNUM", "VSDTC", "VSTPT", "VSTPTNUM", "VSPOS", "VSLOC", "VSLAT") if vs.has(c)]]
    systolic, diastolic = vs.equals("VSTESTCD", "SYSBP"), vs.equals("VSTESTCD", "DIABP")
    value, group = vs.number("VSSTRESN"), vs.groups(keys)
    least = pd.Series(np.where(systolic, value, np.nan)).groupby(group).transform("min").to_numpy()
    both = diastolic & np.isfinite(value) & np.isfinite(least)
    yield Hits(vs, both & (value >= least), ("VSTESTCD", "VSSTRESN", *keys[1:]), int(both.sum()))
