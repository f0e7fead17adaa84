"""Facts that a subject's row and the rows of other tables tell alike: a death flag and a fatal outcome, the date of
death, no exposure for a screen failure.

Only templates are tried: a free search over pairs of conditions finds attendance and little else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from datareplicator.structure.encode import Context, EncodedColumn
from datareplicator.structure.names import is_named
from datareplicator.structure.spec import MEMBER, Kind, Link

EVIDENCE = 5.0
"""Nats against chance, beyond the number of pairs of conditions tried."""

DATED = 3
"""Subjects whose dates must agree; a date agrees by chance in one of hundreds."""

CODES = 60
"""Most distinct values of a column whose values are facts."""

BUNDLES = (
    ("DTHFL", "Y", "AEOUT", "FATAL", "DTHDTC", "AEENDTC"),
    ("DTHFL", "Y", "AESDTH", "Y", None, None),
    ("DTHFL", "Y", "DSDECOD", "DEATH", "DTHDTC", "DSSTDTC"),
)
"""Root column, its value, column and code of a child, the root's date and the child's: SDTMIG 3.4 (5.2 DM, 6.2 AE, DS)
says that these tell one fact. Deaths are too rare for a small sample to show it."""


CALLS = (("DSDECOD", "ADVERSE EVENT", "AEACN", "DRUG WITHDRAWN"),)
"""Column and value of a row that asks for a row with a column and value (SDTMIG 3.4, 6.2 AE and DS)."""


@dataclass(frozen=True)
class _Fact:
    """A condition on subjects: those with a row of `table` where `column` is `code`."""

    table: str
    column: str
    code: str
    holds: np.ndarray
    rows: np.ndarray


def mine_links(ctx: Context) -> list[Link]:
    """Flags, dates and absences of the root that agree with other tables without exception, and the standard's
    bundles that no subject contradicts."""
    if ctx.root is None or ctx.n_subjects == 0:
        return []
    facts = {name: list(_facts(ctx, name)) for name in ctx.tables if _tells(ctx, name)}
    found = _flags(ctx, facts)
    found += _dates(ctx, facts)
    found += _absences(ctx)
    found += _calls(ctx)
    return found + _bundles(ctx, found)


def _tells(ctx: Context, name: str) -> bool:
    """Whether rows of the table tell of the subject: not the root, not findings (their codes say who attended)."""
    findings = ctx.test.get(name) is not None or any(is_named("test", c) for c in ctx.tables[name].columns)
    return name != ctx.root and name in ctx.subject_codes and not findings


def evidence(population: int, inside: int, drawn: int) -> float:
    """Nats against `drawn` subjects all falling among `inside` of `population` by chance (hypergeometric).

    >>> round(evidence(306, 3, 3), 1)
    15.4
    """
    return float(_ways(population, drawn) - _ways(inside, drawn))


def _ways(n: int, k: int) -> float:
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)) if n >= k else -np.inf


def _facts(ctx: Context, name: str) -> Iterator[_Fact]:
    """Values of categories that not all subjects with rows have; a term is left out where its code says the same."""
    table, subjects = ctx.tables[name], ctx.subject_codes[name]
    anybody = len(np.unique(subjects[subjects >= 0]))
    seen: set[bytes] = set()
    for column in sorted(table.columns.values(), key=lambda c: not is_named("code", c.name)):
        attended = any(is_named(role, column.name) for role in ("visit", "visit_name", "visit_day", "sequence"))
        if column.kind not in (Kind.CATEGORY, Kind.FLAG) or len(column.distinct) > CODES or attended:
            continue
        if column.name in ctx.constant.get(name, {}) or column.name in (MEMBER, "EPOCH", "ETCD", "ELEMENT"):
            continue
        for code, text in enumerate(column.texts):
            rows = np.flatnonzero((column.codes == code) & (subjects >= 0))
            holds = np.zeros(ctx.n_subjects, dtype=bool)
            holds[subjects[rows]] = True
            if holds.sum() < anybody and rows.tobytes() not in seen:
                if is_named("code", column.name):
                    seen.add(rows.tobytes())
                yield _Fact(name, column.name, str(text), holds, rows)


def _conditions(ctx: Context, most: int = 10) -> Iterator[tuple[EncodedColumn, str, np.ndarray]]:
    """The root's categories as (column, value, bool per subject), the arm first; each set of subjects once."""
    seen: set[bytes] = set()
    for column in sorted(ctx.tables[ctx.root or ""].columns.values(), key=lambda c: not is_named("group", c.name)):
        if column.kind in (Kind.CATEGORY, Kind.FLAG) and 1 <= len(column.distinct) <= most:
            for code, text in enumerate(column.texts):
                holds = _per_subject(ctx, column.codes == code)
                if holds.tobytes() not in seen:
                    seen.add(holds.tobytes())
                    yield column, str(text), holds


def _per_subject(ctx: Context, rows: np.ndarray) -> np.ndarray:
    return np.where(ctx.root_rows >= 0, np.append(rows, False)[ctx.root_rows], False).astype(bool)


def _flags(ctx: Context, facts: dict[str, list[_Fact]]) -> list[Link]:
    found = []
    n = ctx.n_subjects
    conditions = list(_conditions(ctx))
    bar = EVIDENCE + np.log(max(1, len(conditions) * sum(map(len, facts.values()))))
    for column, value, holds in conditions:
        subjects = int(holds.sum())
        if not 2 <= subjects <= n - 2 or (len(column.distinct) == 2 and value.upper() in ("N", "NO", "FALSE", "0")):
            continue
        if evidence(n, subjects, subjects) < bar:
            continue
        for fact in (f for known in facts.values() for f in known if np.array_equal(f.holds, holds)):
            found.append(
                Link(
                    kind="flag", root=column.name, value=value, table=fact.table, column=fact.column, code=fact.code,
                    subjects=subjects,
                )
            )  # fmt: skip
    return found


def _dates(ctx: Context, facts: dict[str, list[_Fact]]) -> list[Link]:
    """Root dates that stand exactly for the subjects with a fact and equal a date of its row."""
    root = ctx.tables[ctx.root or ""]
    found = []
    for column in root.columns.values():
        if column.kind != Kind.DATE or column.name in ctx.same.get(ctx.root or "", {}):
            continue
        day = np.where(ctx.root_rows >= 0, np.append(column.days, np.nan)[ctx.root_rows], np.nan)
        dated = np.isfinite(day)
        for fact in (f for known in facts.values() for f in known):
            if dated.sum() >= DATED and np.array_equal(fact.holds, dated):
                found += _dated(ctx, column.name, day, fact)
    return found


def _dated(ctx: Context, root: str, day: np.ndarray, fact: _Fact) -> list[Link]:
    table = ctx.tables[fact.table]
    subjects = ctx.subject_codes[fact.table][fact.rows]
    for column in table.columns.values():
        if column.kind == Kind.DATE and (column.days[fact.rows] == day[subjects]).all():
            return [
                Link(
                    kind="date", root=root, table=fact.table, column=fact.column, code=fact.code, date=column.name,
                    subjects=len(np.unique(subjects)),
                )
            ]  # fmt: skip
    return []


def _absences(ctx: Context) -> list[Link]:
    """Values of the root under which a table that nearly all others have is empty; one column a table speaks for all
    that say the same."""
    best: dict[tuple[str, bytes], Link] = {}
    n = ctx.n_subjects
    for column, value, holds in _conditions(ctx, 20):
        subjects = int(holds.sum())
        if not DATED <= subjects <= n - DATED:
            continue
        for table, codes in ctx.subject_codes.items():
            if table == ctx.root:
                continue
            present = np.zeros(n, dtype=bool)
            present[codes[codes >= 0]] = True
            if (present & holds).any() or present[~holds].mean() < 0.8:
                continue
            if evidence(n, int((~present).sum()), subjects) >= 5.0:
                link = Link(kind="presence", root=column.name, value=value, table=table, subjects=subjects)
                best.setdefault((table, holds.tobytes()), link)
    return list(best.values())


def _bundles(ctx: Context, found: list[Link]) -> list[Link]:
    """The standard's bundles whose columns exist and that data do not contradict, beside those found already: of one
    or two deaths too, which prove nothing by themselves."""
    known = {(k.kind, k.root, k.table, k.column, k.code) for k in found}
    root = ctx.tables[ctx.root or ""]
    result = []
    for flag, value, column, code, root_date, date in BUNDLES:
        for name, table in ctx.tables.items():
            if name == ctx.root or name not in ctx.subject_codes or column not in table or flag not in root:
                continue
            flagged = _per_subject(ctx, _is(root[flag], value))
            rows = np.flatnonzero(_is(table[column], code) & (ctx.subject_codes[name] >= 0))
            told = np.zeros(ctx.n_subjects, dtype=bool)
            told[ctx.subject_codes[name][rows]] = True
            if not np.array_equal(flagged, told):
                continue
            told_by = {"table": name, "column": column, "code": code, "subjects": int(told.sum())}
            links = [Link(kind="flag", root=flag, value=value, prior=not told.any(), **told_by)]
            if root_date is not None and date is not None and root_date in root and date in table:
                day = np.append(root[root_date].days, np.nan)[ctx.root_rows[ctx.subject_codes[name][rows]]]
                if (table[date].days[rows] == day).all():
                    links.append(Link(kind="date", root=root_date, date=date, prior=not told.any(), **told_by))
            result += [k for k in links if (k.kind, k.root, k.table, k.column, k.code) not in known]
    return result


def _calls(ctx: Context) -> list[Link]:
    """The standard's calls that somebody shows and nobody contradicts."""
    found = []
    named = [name for name in ctx.tables if name in ctx.subject_codes and name != ctx.root]
    for column, value, other, code in CALLS:
        for by in (name for name in named if column in ctx.tables[name]):
            for name in (name for name in named if name != by and other in ctx.tables[name]):
                calling = _subjects(ctx, by, column, value)
                if calling and calling <= _subjects(ctx, name, other, code):
                    found.append(
                        Link(
                            kind="call", root=column, value=value, by=by, table=name, column=other, code=code,
                            subjects=len(calling),
                        )
                    )  # fmt: skip
    return found


def _subjects(ctx: Context, table: str, column: str, value: str) -> set[int]:
    """The subjects with a row of a table whose column has a value."""
    return set(ctx.subject_codes[table][_is(ctx.tables[table][column], value)].tolist()) - {-1}


def _is(column: EncodedColumn, value: str) -> np.ndarray:
    return np.append(np.array([str(t).upper() == value for t in column.texts], dtype=bool), False)[column.codes]
