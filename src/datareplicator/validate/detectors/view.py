"""A study seen by the detectors: courses of numbers by subject and test, sites, events, dates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import chi2

from datareplicator.structure.spec import Kind, Layout
from datareplicator.validate.part import Part
from datareplicator.validate.rule import Hits, Register, Scope
from datareplicator.validate.sdtm.view import SUBJECT, SdtmView
from datareplicator.validate.structural.view import StructuralView

DETECTORS = Register(Scope.STATISTICS)

ALARM = 0.01
"""Chance of at least one false alarm that a detector of sites has in a whole study in which nothing is wrong."""

SERIES = (
    "CAT",
    "SCAT",
    "SPEC",
    "METHOD",
    "POS",
    "LOC",
    "LAT",
    "DIR",
    "TPT",
    "TPTNUM",
    "EVAL",
    "EVALID",
    "OBJ",
    "LNKID",
)
MANY_VALUES = 15
"""Distinct values from which a test counts as measured and not as graded."""


@dataclass
class Courses:
    """Numeric results of one table. All arrays have one entry a result, ordered by series and time.

    `rows`: row of the part; `value`: finite; `test`, `subject`, `series`, `visit`: int codes (series: the results of a
    subject that are comparable); `site`: int code, -1 where unknown; `day`: calendar day or visit number, NaN unknown;
    `names`: of the tests; `original`: the result as collected, as text; `has_unit`: bool a test.
    """

    part: Part
    rows: np.ndarray
    value: np.ndarray
    test: np.ndarray
    subject: np.ndarray
    series: np.ndarray
    visit: np.ndarray
    site: np.ndarray
    day: np.ndarray
    names: np.ndarray
    original: np.ndarray
    has_unit: np.ndarray
    shown: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def measured(self) -> np.ndarray:
        """bool a test: it takes many values."""
        distinct = pd.Series(self.value).groupby(self.test).nunique().reindex(range(len(self.names)), fill_value=0)
        return (distinct >= MANY_VALUES).to_numpy()

    @cached_property
    def log(self) -> np.ndarray:
        """bool a test: all its values are positive and they spread over a wide range, so that ratios count."""
        by_test = pd.Series(self.value).groupby(self.test)
        found = (by_test.quantile(0.01) > 0) & (by_test.quantile(0.9) > 1.2 * by_test.quantile(0.1))
        return found.reindex(range(len(self.names)), fill_value=False).to_numpy()

    @cached_property
    def scaled(self) -> np.ndarray:
        """The values, as logarithms for tests where ratios count; a value that has none becomes very small."""
        least = pd.Series(np.where(self.value > 0, self.value, np.nan)).groupby(self.test).transform("min").to_numpy()
        positive = np.where(self.value > 0, self.value, least / 100)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.log[self.test], np.log(positive), self.value)

    @cached_property
    def apart(self) -> np.ndarray:
        """Distance from the median of the series' other values on the scale of `scaled`; NaN below three values."""
        return self.scaled - _median_of_others(self.scaled, self.series)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """A test's robust standard deviation of these values, on each row; at least a digit's step."""
        middle = pd.Series(np.abs(values)).groupby(self.test).transform("median").to_numpy()
        return np.maximum(1.4826 * middle, self.step)

    @cached_property
    def tail(self) -> np.ndarray:
        """Distance from their own median that 98 % of a test's values keep, on each row."""
        apart = pd.Series(np.abs(self.apart)).groupby(self.test).quantile(0.98)
        return apart.reindex(range(len(self.names))).to_numpy(dtype=float)[self.test]

    @cached_property
    def step(self) -> np.ndarray:
        """What the last digit of a test counts for on the scale of `scaled`, on each row."""
        gap = (
            pd.Series(_smallest_gap(self.value, self.test))
            .reindex(range(len(self.names)))
            .to_numpy(dtype=float)[self.test]
        )
        size = pd.Series(np.abs(self.value)).groupby(self.test).transform("median").to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.log[self.test], gap / np.where(size > 0, size, np.nan), gap)

    def hits(self, bad: np.ndarray, checked: int, detail: str = "") -> Hits:
        """Findings at single results; `bad`: bool a result."""
        mask = np.zeros(len(self.part), dtype=bool)
        mask[self.rows[bad]] = True
        return Hits(self.part, mask, self.shown, checked, detail)


class DetectorView:
    """What the detectors look at: by the names of SDTM where a study has that form, else by its structure."""

    def __init__(self, sdtm: SdtmView, structural: StructuralView | None) -> None:
        self.sdtm, self.structural = sdtm, structural
        self.is_sdtm = bool(sdtm) and sdtm.dm is not None

    @cached_property
    def courses(self) -> list[Courses]:
        found = self._sdtm_courses() if self.is_sdtm else self._structural_courses()
        return [course for course in found if len(course)]

    @cached_property
    def sites(self) -> tuple[np.ndarray, pd.Series]:
        """Names of the sites, and the site's code by subject; both empty where there are none."""
        if self.is_sdtm:
            root, subject, site = self.sdtm.dm, SUBJECT, "SITEID"
        else:
            root = self.structural.root if self.structural is not None else None
            subject = root.subject if root is not None else None
            site = self.structural.structure.site if self.structural is not None else None
        if root is None or subject is None or site is None or not root.has(subject, site):
            return np.zeros(0, dtype=object), pd.Series(dtype=float)
        codes = pd.Series(root.codes(site), index=root.frame[subject].astype(object))
        return root.distinct(site), codes[(codes >= 0).to_numpy() & ~codes.index.duplicated() & codes.index.notna()]

    def site_of(self, subjects: pd.Series) -> np.ndarray:
        """int64 a row: the subject's site, -1 where unknown."""
        return subjects.astype(object).map(self.sites[1]).fillna(-1).to_numpy(dtype=np.int64)

    def tables(self) -> Iterator[Part]:
        """All tables whose rows belong to subjects."""
        if self.is_sdtm:
            yield from self.sdtm.of_subjects()
        elif self.structural is not None:
            for _, part in self.structural.tables():
                if part.subject:
                    yield part

    def _sdtm_courses(self) -> Iterator[Courses]:
        for part in self.sdtm.of_subjects("TESTCD", "STRESN"):
            date = part.var("DTC")
            day = part.moments(date).day if date in part.date_names else np.full(len(part), np.nan)
            visit = [name for name in ("VISITNUM", "VISIT") if part.has(name)][:1] or ([date] if part.has(date) else [])
            yield self._course(
                part, SUBJECT, part.var("STRESN"), part.vars("TESTCD", "CAT", "SPEC"), part.vars(*SERIES), visit, day,
                next(iter(part.vars("ORRES")), None), next(iter(part.vars("STRESU")), None),
                tuple(part.vars("TESTCD", "STRESN", "DTC")),
            )  # fmt: skip

    def _structural_courses(self) -> Iterator[Courses]:
        if self.structural is None:
            return
        for spec, part in self.structural.tables():
            date = spec.date or spec.start
            visit = [name for name in (spec.visit, date) if name is not None and part.has(name)][:1]
            if not part.subject:
                continue
            day = part.moments(date).day if date is not None and part.has(date) else np.full(len(part), np.nan)
            tests = [spec.test] if spec.test is not None and part.has(spec.test) else []
            axes = [axis for axis in spec.axes if part.has(axis)]
            # A table without a column of tests has a test in each column of numbers.
            wide = spec.layout in (Layout.VISITS, Layout.FINDINGS) and spec.value is None
            numbers = [c.name for c in spec.columns if wide and c.kind == Kind.DECIMAL and c.encoding != "text"]
            for name in [spec.value] if spec.value is not None else numbers:
                if part.has(name) and pd.api.types.is_numeric_dtype(part.frame[name].dtype):
                    unit = spec.unit if spec.unit is not None and part.has(spec.unit) else None
                    shown = (*tests, name, *visit)
                    yield self._course(part, part.subject, name, tests, axes, visit, day, None, unit, shown)

    def _course(
        self,
        part: Part,
        subject: str,
        value: str,
        tests: list[str],
        axes: list[str],
        visit: list[str],
        day: np.ndarray,
        original: str | None,
        unit: str | None,
        shown: tuple[str, ...],
    ) -> Courses:
        number, who = part.number(value), part.codes(subject)
        test = part.groups(tests) if tests else np.zeros(len(part), dtype=np.int64)
        series = part.groups([subject, *tests, *axes])
        rows = np.flatnonzero(np.isfinite(number) & (who >= 0))
        when = np.where(np.isfinite(day), day, part.number(visit[0]) if visit else np.nan)
        rows = rows[np.lexsort((rows, np.nan_to_num(when[rows], nan=np.inf), series[rows]))]
        code, kept = pd.factorize(test[rows])
        names = part.frame[tests[0]].to_numpy(dtype=object) if tests else np.full(len(part), value, dtype=object)
        first = pd.Series(rows).groupby(code).first().to_numpy() if len(rows) else np.zeros(0, dtype=np.int64)
        texts = part.frame[original if original is not None else value].to_numpy(dtype=object)
        return Courses(
            part=part,
            rows=rows,
            value=number[rows],
            test=code.astype(np.int64),
            subject=who[rows],
            series=pd.factorize(series[rows])[0].astype(np.int64),
            visit=(part.groups(visit) if visit else np.zeros(len(part), dtype=np.int64))[rows],
            site=self.site_of(part.frame[subject])[rows],
            day=when[rows],
            names=names[first] if len(kept) else np.zeros(0, dtype=object),
            original=texts[rows],
            has_unit=_mostly(part.present(unit)[rows], code, len(kept)) if unit else np.ones(len(kept), dtype=bool),
            shown=shown,
        )


def _mostly(held: np.ndarray, code: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(code, weights=held, minlength=size) > 0.5 * np.bincount(code, minlength=size)


def _median_of_others(value: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Median of the other values of each row's series; NaN where there are fewer than two others.

    `series` must be in blocks. Within a series sorted by value the median of the others needs two entries only.
    """
    order = np.lexsort((value, series))
    held, group = value[order], series[order]
    start = np.flatnonzero(np.diff(group, prepend=-1) != 0)
    size = np.diff(np.append(start, len(group)))
    begin, n = np.repeat(start, size), np.repeat(size, size)
    at = np.arange(len(group)) - begin
    others = n - 1
    low, high = (others - 1) // 2, others // 2
    last = np.maximum(len(held) - 1, 0)
    a = held[np.minimum(begin + np.maximum(low, 0) + (at <= low), last)] if len(held) else held
    b = held[np.minimum(begin + high + (at <= high), last)] if len(held) else held
    result = np.full(len(value), np.nan)
    result[order] = np.where(others >= 2, (a + b) / 2, np.nan)
    return result


def _smallest_gap(value: np.ndarray, test: np.ndarray) -> pd.Series:
    """The usual step between the values of a test: a low quantile of the gaps between its distinct values."""
    frame = pd.DataFrame({"test": test, "value": value}).drop_duplicates().sort_values(["test", "value"])
    gap = frame["value"].diff().where(frame["test"].eq(frame["test"].shift()))
    return gap.groupby(frame["test"]).quantile(0.1)


def at_sites(
    found: list[tuple[str, pd.DataFrame]], shown: tuple[str, ...], remarkable: Callable[[pd.DataFrame], pd.Series]
) -> Iterator[Hits]:
    """Findings of comparisons of sites: those with a p that one study in a hundred reaches, if also remarkable.

    `found`: table and its comparisons with a column p; all comparisons of the study share the chance of a false alarm.
    """
    total = sum(len(frame) for _, frame in found)
    for table, frame in found:
        if len(frame):
            bad = (frame["p"] < ALARM / total) & remarkable(frame)
            yield Hits(of_sites(table, frame), bad.to_numpy(dtype=bool), shown, len(frame))


def of_sites(table: str, frame: pd.DataFrame) -> Part:
    """Findings about whole sites or subjects: one row each, with the row number 0."""
    subject = "subject" if "subject" in frame else None
    return Part(
        table,
        frame.reset_index(drop=True),
        (table,),
        np.zeros(len(frame), dtype=np.int64),
        np.full(len(frame), -1, dtype=np.int64),
        subject,
    )


FEW_SITES = 4
CAUTION = 2.0
"""By what the statistics of fewer sites than that are taken to be too large: what is ordinary cannot be seen then."""


def against_others(statistic: np.ndarray, size: np.ndarray, df: int) -> np.ndarray:
    """p of each site's chi-square statistic, where ordinary sites differ more than by chance.

    Visits of a subject are not independent, and each site has habits. A statistic of n values is taken as
    (1 + n t) times a chi-square, and t from the median site, as genomic control does (Devlin and Roeder 1999). Half of
    the sites must be sound. Of few sites only the most remarkable one is judged.
    """
    middle = float(chi2.ppf(0.5, df))
    if len(statistic) < FEW_SITES:
        p = chi2.sf(statistic / CAUTION, df)
        return np.where(statistic == statistic.max(initial=0), p, 1.0)
    extra = float(np.median(np.maximum(statistic / middle - 1, 0) / size))
    return chi2.sf(statistic / (1 + size * extra), df)
