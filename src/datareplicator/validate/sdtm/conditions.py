"""Conditions between the variables of one record, each a line of a table: what needs what, what excludes what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from datareplicator.standards import sdtmig
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits, Severity
from datareplicator.validate.sdtm.view import SDTM_RULES, SUBJECT, SdtmView

# Where the first has a value, one of the others must have one.
NEEDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("BODSYS", ("BDSYCD",)),
    ("PTCD", ("DECOD",)),
    ("ELTM", ("TPTREF",)),
    ("RFTDTC", ("TPTREF",)),
    ("STTPT", ("STRTPT",)),
    ("STRTPT", ("STTPT",)),
    ("ENTPT", ("ENRTPT",)),
    ("ENRTPT", ("ENTPT",)),
    ("VAMT", ("TRTV",)),
    ("RESCAT", ("STRESC",)),
    ("STRESU", ("STRESC",)),
    ("TOX", ("TOXGR",)),
    ("SCAT", ("CAT",)),
    ("ORREF", ("STREFC",)),
    ("STREFC", ("STREFN",)),
    ("OCCUR", ("PRESP",)),
)
WITHIN_DM = (("AGE", "AGEU"), ("AGEU", "AGE"))
DIFFER = (("SCAT", "DECOD"), ("CAT", "DECOD"), ("CAT", "BODSYS"), ("SCAT", "BODSYS"), ("CAT", "SCAT"))
NOT_NEGATIVE = ("DOSTOT", "VAMT", "DUR")
LENGTHS = {"ARMCD": 20, "ACTARMCD": 20, "ETCD": 8, "SETCD": 8, "TSPARMCD": 8, "TSPARM": 40, "TESTCD": 8, "TEST": 40}
CATCH_ALLS = ("OTHER", "MULTIPLE")


@SDTM_RULES.rule(
    "DR0951",
    "A value is given without the one that it needs.",
    core="000024 000028 000085 000100 000101 000102 000103 000106 000110 000133 000189 000190 000248 000257 000265 "
    "000267 000295",
)
def needs_another(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        named = [(part.var(a), [part.var(b) for b in others]) for a, others in NEEDS]
        if part.name == "DM":
            named += [(a, [b]) for a, b in WITHIN_DM]
        for name, others in named:
            held = [other for other in others if part.has(other)]
            if part.has(name) and held:
                given = part.present(name)
                met = np.any([part.present(other) for other in held], axis=0)
                # A reference that is no number, and a code system left out altogether, need no partner.
                if name.endswith("STREFC"):
                    given = given & np.isfinite(part.number(name))
                if name.endswith("BODSYS") and not met.any():
                    continue
                yield Hits(part, given & ~met, (name, *held), int(given.sum()), f"({name}, {held[0]})")


@SDTM_RULES.rule("DR0952", "Two variables of different levels say the same.", core="000195 000196 000197 000198 000237")
def say_the_same(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        for names in ((part.var(a), part.var(b)) for a, b in DIFFER):
            if part.has(*names):
                both = part.present(names[0]) & part.present(names[1])
                same = part.frame[names[0]].astype(object).eq(part.frame[names[1]].astype(object)).to_numpy(dtype=bool)
                yield Hits(part, both & same, names, int(both.sum()))


@SDTM_RULES.rule("DR0953", "An amount or duration is negative.", core="000305 000517 000518")
def negative_amount(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        for name in part.vars(*NOT_NEGATIVE):
            if pd.api.types.is_numeric_dtype(part.frame[name].dtype):
                bad = part.number(name) < 0
            else:
                bad = part.by_distinct(name, [str(value).strip().startswith("-") for value in part.distinct(name)])
            yield Hits(part, bad, (name,), int(part.present(name).sum()))


@SDTM_RULES.rule(
    "DR0954",
    "The text is longer than the standard allows for it.",
    core="000010 000088 000143 000147 000148 000157 000185 000199",
)
def beyond_length(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        for stem, limit in LENGTHS.items():
            for name in {stem, part.var(stem)}:
                if part.has(name) and not (part.name in ("IE", "TI") and stem == "TEST"):
                    bad = part.by_distinct(name, [len(str(value)) > limit for value in part.distinct(name)])
                    yield Hits(part, bad, (name,), int(part.present(name).sum()), f"({name}, {limit})")


@SDTM_RULES.rule(
    "DR0955",
    "What was asked for (--PRESP), occurred (--OCCUR) and was not done (--STAT) do not go together.",
    core="000014 000016 000018 000117 000260",
)
def occurrence(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("PRESP"):
        if part.name in ("DS", "DV", "EX"):
            continue
        asked_for, given = part.equals(part.var("PRESP"), "Y"), part.present(part.var("PRESP"))
        occurred, undone = part.present(part.var("OCCUR")), part.equals(part.var("STAT"), "NOT DONE")
        bad = (given & ~asked_for) | (occurred & ~asked_for) | (occurred & undone)
        if part.vars("OCCUR"):
            bad |= asked_for & ~occurred & ~undone
        yield Hits(part, bad, tuple(part.vars("PRESP", "OCCUR", "STAT")), len(part))


@SDTM_RULES.rule(
    "DR0956", "A topic is a catch-all: OTHER or MULTIPLE.", core="000159 000160 000161 000162 000163 000164"
)
def catch_all(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        for name in part.vars("TESTCD", "TRT", "TERM"):
            yield Hits(part, part.equals(name, *CATCH_ALLS), (name,), int(part.present(name).sum()))


@SDTM_RULES.rule(
    "DR0957", "--TESTCD is no name: up to 8 letters, digits and underscores, not a digit first.", core="000220 000541"
)
def odd_test_code(view: SdtmView) -> Iterator[Hits]:
    for part in view.domains.values():
        for name in part.vars("TESTCD"):
            good = pd.Series(part.distinct(name), dtype=object).astype(str).str.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,7}")
            yield Hits(part, ~part.by_distinct(name, good) & part.present(name), (name,), int(part.present(name).sum()))


@SDTM_RULES.rule("DR0958", "A dose is given both as number and as text, or the text is a number.", core="000092 000094")
def dose_twice(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("DOSTXT"):
        text = part.var("DOSTXT")
        bad = np.isfinite(part.number(text)) | (part.present(text) & part.present(part.var("DOSE")))
        yield Hits(part, bad, tuple(part.vars("DOSE", "DOSTXT")), int(part.present(text).sum()))


@SDTM_RULES.rule(
    "DR0959", "The collected treatment has no dose, or one that was not given.", core="000004 000137 000217"
)
def collected_dose(view: SdtmView) -> Iterator[Hits]:
    ec = view.get("EC", "ECDOSE")
    if ec is not None:
        dose, none = ec.number("ECDOSE"), ec.equals("ECOCCUR", "N")
        spoken = ec.present("ECSTAT") | ec.present("ECDOSTXT")
        bad = (none & (dose <= 0)) | (~none & ~spoken & ((dose <= 0) | ~ec.present("ECDOSE")))
        yield Hits(ec, bad, ("ECDOSE", *[n for n in ("ECOCCUR", "ECSTAT") if ec.has(n)]), len(ec))


@SDTM_RULES.rule(
    "DR0960", "An unplanned element (UNPLAN) is not described, or a planned one is.", core="000009 000020 000095 000256"
)
def unplanned_element(view: SdtmView) -> Iterator[Hits]:
    se = view.get("SE", "ETCD")
    if se is not None:
        unplanned, described = se.equals("ETCD", "UNPLAN"), se.present("SEUPDES")
        bad = (unplanned & (se.present("ELEMENT") | se.present("TAETORD"))) | (unplanned != described)
        yield Hits(se, bad, tuple(n for n in ("ETCD", "ELEMENT", "TAETORD", "SEUPDES") if se.has(n)), len(se))


@SDTM_RULES.rule(
    "DR0961", "The number is repeated where the trial's design needs it once.", core="000144 000152 000154 000534"
)
def repeated_design(view: SdtmView) -> Iterator[Hits]:
    ta = view.get("TA", "ARMCD", "TAETORD")
    if ta is not None:
        number = ta.number("TAETORD")
        bad = ta.repeated(["ARMCD", "TAETORD"], ta.present("TAETORD")) | (number % 1 > 0)
        yield Hits(ta, bad, ("ARMCD", "TAETORD"), len(ta))
    ts = view.get("TS", "TSPARMCD", "TSSEQ")
    if ts is not None:
        yield Hits(ts, ts.repeated(["TSPARMCD", "TSSEQ"]), ("TSPARMCD", "TSSEQ"), len(ts))


@SDTM_RULES.rule(
    "DR0962",
    "A relation to a period of the study is given, but the period has no such date.",
    core="000177 000240 000241 000262",
)
def relative_to_nothing(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        for stem, reference in (("STRF", "RFSTDTC"), ("ENRF", "RFENDTC")):
            name, date = part.var(stem), view.from_dm(part, reference)
            if part.has(name):
                bad = part.equals(part.var("OCCUR"), "N")
                if date is not None:
                    bad = bad | (date.precision == 0)
                yield Hits(part, part.present(name) & bad, (name,), int(part.present(name).sum()))


@SDTM_RULES.rule("DR0963", "Treatment lies before the reference start.", core="000516", severity=Severity.WARNING)
def treated_too_early(view: SdtmView) -> Iterator[Hits]:
    for domain in ("EX", "EC"):
        part = view.get(domain)
        for name in part.vars("STDY", "ENDY") if part is not None else ():
            if part is not None:
                day = part.number(name)
                yield Hits(part, day < 0, (name,), int(np.isfinite(day).sum()))


ALLOWED: dict[str, tuple[str, ...]] = {
    "STRTPT": ("BEFORE", "COINCIDENT", "AFTER", "UNKNOWN", "U"),
    "ENRTPT": ("BEFORE", "COINCIDENT", "ONGOING", "AFTER", "UNKNOWN", "U"),
}


@SDTM_RULES.rule(
    "DR0964", "The relation to a time point is none that the standard knows.", core="000324 000572 000710 000763"
)
def odd_relation(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects():
        for stem, words in ALLOWED.items():
            name = part.var(stem)
            if part.has(name):
                present = part.present(name)
                yield Hits(part, present & ~part.equals(name, *words), (name,), int(present.sum()))


@SDTM_RULES.rule(
    "DR0965", "The planned time point's name, number and elapsed time are not one to one.", core="000141 000142"
)
def odd_time_point(view: SdtmView) -> Iterator[Hits]:
    for part in view.of_subjects("TPT", "TPTNUM", "ELTM"):
        key = [n for n in ("VISITNUM", part.var("TPTREF"), part.var("TPT"), part.var("TPTNUM")) if part.has(n)]
        yield from _several(part, key, part.var("ELTM"))


def _several(part: Part, key: Iterable[str], name: str) -> Iterator[Hits]:
    """Rows whose key goes with more than one value."""
    names = list(key)
    asked = np.all([part.present(n) for n in (*names, name)], axis=0)
    group = part.groups(names)
    different = pd.Series(part.codes(name)).where(pd.Series(asked)).groupby(group).transform("nunique").to_numpy() > 1
    yield Hits(part, asked & different, (*names, name), int(asked.sum()))


@SDTM_RULES.rule(
    "DR0966",
    "A link has nothing in another domain, or a comment on a record its own date.",
    core="000187 000358 000571",
)
def lonely_link(view: SdtmView) -> Iterator[Hits]:
    for stem in ("LNKID", "LNKGRP"):
        held = [(part, part.var(stem)) for part in view.of_subjects(stem)]
        if len(held) == 1:
            part, name = held[0]
            yield Hits(part, part.present(name), (SUBJECT, name), int(part.present(name).sum()), f"({name})")
    co = view.get("CO", "IDVAR", "CODTC")
    if co is not None:
        both = co.present("IDVAR") & co.present("CODTC")
        yield Hits(co, both, ("IDVAR", "CODTC"), len(co), "(CODTC)")


OBSERVATIONS = frozenset({"findings", "events", "interventions"})


@SDTM_RULES.rule("DR0967", "A record has no date, day or visit at all.", core="000575", severity=Severity.WARNING)
def timeless(view: SdtmView) -> Iterator[Hits]:
    timing = ("DTC", "STDTC", "ENDTC", "DY", "STDY", "ENDY", "TPT", "STRF", "ENRF", "STRTPT", "ENRTPT", "DUR")
    for part in view.of_subjects():
        if part.name in ("IE", "SC", "DM") or sdtmig.class_of(part.name, set(part.frame)) not in OBSERVATIONS:
            continue
        names = [*part.vars(*timing), *[n for n in ("VISITNUM", "VISIT", "EPOCH") if part.has(n)]]
        held = np.any([part.present(n) for n in names], axis=0) if names else np.zeros(len(part), dtype=bool)
        yield Hits(part, ~held, tuple(names[:3]), len(part))
