"""Results of findings: original and standard, units, ranges, tests not done."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from datareplicator.validate.part import Part, share_of, usual
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.limits import BOUNDS, factor
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView

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
        # Temperatures have no factor; DR0314 knows their formula.
        by_factor = ~(part.equals(names[2], "F", "C") & part.equals(names[4], "F", "C"))
        asked = known & by_factor & (share_of(group, near, known) >= CLEAR)
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
        # Conversion may carry a result over its limit: then the original one decides.
        original = [part.var(s) for s in ("ORRES", "ORNRLO", "ORNRHI")]
        if part.has(*original):
            value, low, high = (part.number(name) for name in original)
            right |= (said["LOW"] & (value < low)) | (said["HIGH"] & (value > high))
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


@SDTM_RULES.rule("DR0314", "The numbers do not differ as their units do.")
def units_contradict(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "ORRES", "STRESN", "STRESC", "ORRESU", "STRESU"):
        names = tuple(part.var(s) for s in ("TESTCD", "ORRES", "ORRESU", "STRESN", "STRESU"))
        original, standard = part.number(names[1]), part.number(names[3])
        pair = part.groups([names[2], names[4]])
        first = pd.Series(np.arange(len(part))).groupby(pair).first().to_numpy()
        texts = [part.frame[name].to_numpy(dtype=object)[first] for name in (names[2], names[4])]
        known = [np.nan if (f := factor(str(a), str(b))) is None else f for a, b in zip(*texts, strict=True)]
        expected = original * np.array(known, dtype=float)[pair]
        f_to_c = part.equals(names[2], "F") & part.equals(names[4], "C")
        expected = np.where(f_to_c, (original - 32) / 1.8, expected)
        c_to_f = part.equals(names[2], "C") & part.equals(names[4], "F")
        expected = np.where(c_to_f, original * 1.8 + 32, expected)
        asked = np.isfinite(expected) & np.isfinite(standard)
        # A tenth is far more than rounding takes, and far less than any two units lie apart.
        room = 0.1 * np.abs(expected) + _step(part, names[1]) + _step(part, part.var("STRESC"))
        yield Hits(part, asked & (np.abs(standard - expected) > room), names, int(asked.sum()))


RARE, SELDOM, ENOUGH = 0.01, 0.1, 50
"""Shares of a test's rows (of so many at least) under which a unit is not one of the test's own; the second where the
number is the standard one, though the unit is another."""


@SDTM_RULES.rule("DR0315", "The test is nearly never reported in this unit.", severity=Severity.WARNING)
def rare_unit(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "ORRESU"):
        unit = part.var("ORRESU")
        given = part.present(unit)
        group, both = part.groups(_test(part)), part.groups([*_test(part), unit])
        size = np.bincount(group[given], minlength=int(group.max(initial=0)) + 1)[group]
        count = np.bincount(both[given], minlength=int(both.max(initial=0)) + 1)[both]
        asked = given & (size >= ENOUGH)
        rare = count < np.where(_label_alone(part), SELDOM, RARE) * size
        yield Hits(part, asked & rare, (part.var("TESTCD"), unit), int(asked.sum()))


def _label_alone(part: Part) -> np.ndarray:
    """bool a row: the unit is not the standard one, though the number is."""
    if not part.has(part.var("ORRES"), part.var("STRESN"), part.var("STRESU")):
        return np.zeros(len(part), dtype=bool)
    original, standard = part.number(part.var("ORRES")), part.number(part.var("STRESN"))
    units = [part.frame[part.var(name)].astype("str").to_numpy(dtype=object) for name in ("ORRESU", "STRESU")]
    return (original == standard) & (original != 0) & part.present(part.var("STRESU")) & (units[0] != units[1])


@SDTM_RULES.rule("DR0316", "A numeric standard result has no unit, though its test has one elsewhere.")
def missing_standard_unit(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "STRESN", "STRESU"):
        group, unit = part.groups(_test(part)), part.present(part.var("STRESU"))
        given = np.isfinite(part.number(part.var("STRESN")))
        asked = given & (share_of(group, unit, given) >= CLEAR)
        yield Hits(part, asked & ~unit, (part.var("TESTCD"), part.var("STRESN"), part.var("STRESU")), int(asked.sum()))


@SDTM_RULES.rule("DR0317", "No living body shows this value.")
def impossible_value(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD"):
        for number, unit in (("STRESN", "STRESU"), ("ORRES", "ORRESU")):
            names = part.var("TESTCD"), part.var(number), part.var(unit)
            if not part.has(*names):
                continue
            pair = part.groups([names[0], names[2]])
            first = pd.Series(np.arange(len(part))).groupby(pair).first().to_numpy()
            tests, units = (part.frame[name].to_numpy(dtype=object)[first] for name in (names[0], names[2]))
            # Only blood, serum and plasma have these bounds: urine has others.
            bounds = [
                BOUNDS.get((str(a), _usual_unit(str(b))), (np.nan, np.nan)) for a, b in zip(tests, units, strict=True)
            ]
            low, high = (
                (np.array(side, dtype=float)[pair] for side in zip(*bounds, strict=True)) if bounds else ((), ())
            )
            value = part.number(names[1])
            urine = part.equals(part.var("SPEC"), "URINE") | part.equals(part.var("CAT"), "URINALYSIS")
            asked = np.isfinite(value) & np.isfinite(low) & ~urine
            yield Hits(part, asked & ((value < low) | (value > high)), names, int(asked.sum()), f"({names[1]})")


UNIT_NAMES = {
    "BEATS/MIN": "beats/min",
    "bpm": "beats/min",
    "BPM": "beats/min",
    "BREATHS/MIN": "breaths/min",
    "MMHG": "mmHg",
    "mm Hg": "mmHg",
    "CM": "cm",
    "KG": "kg",
    "IN": "in",
    "lb": "LB",
    "lbs": "LB",
    "GI/L": "10^9/L",
    "10*9/L": "10^9/L",
    "TI/L": "10^12/L",
    "fraction of 1": "1",
    "L/L": "1",
    "ms": "msec",
}


def _usual_unit(unit: str) -> str:
    return UNIT_NAMES.get(unit, unit)


@SDTM_RULES.rule("DR0318", "The result is below 0, as no other of its test is.")
def negative_result(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD"):
        group = part.groups(_test(part))
        for name in part.vars("STRESN", "ORRES"):
            value = part.number(name)
            known = np.isfinite(value)
            share = share_of(group, value >= 0, known)
            enough = np.bincount(group[known], minlength=int(group.max(initial=-1)) + 1)[group] >= 20
            asked = known & enough & (share >= 0.98)
            yield Hits(part, asked & (value < 0), (part.var("TESTCD"), name), int(asked.sum()), f"({name})")


@SDTM_RULES.rule(
    "DR0319", "The result holds a number but is none, as others of its test are.", severity=Severity.WARNING
)
def number_as_text(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "ORRES"):
        name = part.var("ORRES")
        if pd.api.types.is_numeric_dtype(part.frame[name].dtype):
            continue
        text = pd.Series(part.distinct(name), dtype=object).astype(str)
        # A result beyond what can be measured is written with a sign of comparison.
        spoken = part.by_distinct(name, text.str.contains(r"\d") & ~text.str.contains(r"^\s*[<>≤≥]"))
        number, present = np.isfinite(part.number(name)), part.present(name)
        asked = present & (share_of(part.groups(_test(part)), number, present) >= 0.95)
        yield Hits(part, asked & spoken & ~number, (part.var("TESTCD"), name), int(asked.sum()))


@SDTM_RULES.rule(
    "DR0323",
    "A range is given for a result that is no number.",
    core="000289 000290 000298 000299",
    severity=Severity.WARNING,
)
def range_of_words(view: SdtmView) -> Iterator[Hits]:
    lb = view.get("LB", "LBORRES")
    names = lb.vars("ORNRLO", "ORNRHI", "STNRLO", "STNRHI") if lb is not None else []
    if lb is None or not names:
        return
    text = pd.Series(lb.distinct("LBORRES"), dtype=object).astype(str)
    beyond = lb.by_distinct("LBORRES", text.str.contains(r"^\s*[<>≤≥]"))
    words = lb.present("LBORRES") & ~np.isfinite(lb.number("LBORRES")) & ~beyond
    ranged = np.any([lb.present(name) for name in names], axis=0)
    yield Hits(lb, words & ranged, ("LBTESTCD", "LBORRES", *names), int(words.sum()))


@SDTM_RULES.rule("DR0324", "The range indicator is missing, though the result has a range.", severity=Severity.WARNING)
def missing_indicator(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "STRESN", "STNRLO", "STNRHI", "NRIND"):
        names = tuple(part.var(s) for s in ("TESTCD", "STRESN", "STNRLO", "STNRHI", "NRIND"))
        known = np.all([np.isfinite(part.number(name)) for name in names[1:4]], axis=0)
        said = part.present(names[4])
        asked = known & (share_of(part.groups(_test(part)), said, known) >= CLEAR)
        yield Hits(part, asked & ~said, names, int(asked.sum()))


@SDTM_RULES.rule("DR0325", "The standard text is not the usual one for this result of the test.")
def other_translation(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TESTCD", "ORRES", "STRESC"):
        names = part.var("TESTCD"), part.var("ORRES"), part.var("STRESC")
        words = part.present(names[1]) & part.present(names[2]) & ~np.isfinite(part.number(names[1]))
        group = part.groups([*_test(part), names[1], *part.vars("ORRESU", "STRESU")])
        same = part.codes(names[2]) == usual(group, part.codes(names[2]), words)
        many = np.bincount(group[words], minlength=int(group.max(initial=-1)) + 1)[group] >= 10
        asked = words & many & (share_of(group, same, words) >= 0.95)
        yield Hits(part, asked & ~same, names, int(asked.sum()))


@SDTM_RULES.rule("DR0326", "The height of an adult is not that of the other visits.", severity=Severity.WARNING)
def other_height(view: SdtmView) -> Iterator[Hits]:
    vs = view.get("VS", SUBJECT, "VSTESTCD", "VSSTRESN")
    if vs is None:
        return
    value = np.where(vs.equals("VSTESTCD", "HEIGHT"), vs.number("VSSTRESN"), np.nan)
    own = pd.Series(value).groupby(vs.codes(SUBJECT))
    middle, several = own.transform("median").to_numpy(), own.transform("count").to_numpy() > 1
    asked = np.isfinite(value) & several
    if view.dm is not None and view.dm.has("AGE"):
        asked &= np.append(view.dm.number("AGE"), np.nan)[view.in_dm(vs)] >= 20
    yield Hits(vs, asked & (np.abs(value / middle - 1) > 0.04), ("VSTESTCD", "VSSTRESN"), int(asked.sum()))


@SDTM_RULES.rule("DR0327", "The body mass index does not follow from height and weight.", severity=Severity.WARNING)
def wrong_bmi(view: SdtmView) -> Iterator[Hits]:
    vs = view.get("VS", SUBJECT, "VSTESTCD", "VSSTRESN")
    if vs is None:
        return
    value, subject = vs.number("VSSTRESN"), vs.codes(SUBJECT)
    when = vs.groups([SUBJECT, *[c for c in ("VISITNUM", "VSDTC") if vs.has(c)]])

    def of(test: str, group: np.ndarray) -> np.ndarray:
        return (
            pd.Series(np.where(vs.equals("VSTESTCD", test), value, np.nan)).groupby(group).transform("mean").to_numpy()
        )

    height, weight = of("HEIGHT", when), of("WEIGHT", when)
    height = np.where(np.isfinite(height), height, of("HEIGHT", subject))
    index = weight / (height / 100) ** 2
    asked = vs.equals("VSTESTCD", "BMI") & np.isfinite(index) & np.isfinite(value)
    yield Hits(vs, asked & (np.abs(value / index - 1) > 0.03), ("VSTESTCD", "VSSTRESN"), int(asked.sum()))
