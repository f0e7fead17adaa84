"""Corrections to what discovery finds: names resolved, columns set right, finds denied, keys and references declared.

What is declared is checked against the data; the first row that contradicts it is named. Derivations, dependencies and
links that are declared are in `declared.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.errors import Place, RequestError
from datareplicator.structure.correction import Correction
from datareplicator.structure.encode import Context, EncodedColumn, EncodedTable
from datareplicator.structure.kinds import DURATION, TIME, classify, decimals_of
from datareplicator.structure.spec import MEMBER, SUPPLEMENT, ColumnSpec, Derivation, Kind, Link, Order

Members = Mapping[str, Sequence[str]]
"""The source tables of each logical table."""


class Corrections:
    """The corrections of a run, in their order. Errors name them by number, from 1."""

    def __init__(self, given: Iterable[Correction] = ()) -> None:
        self.given = tuple(given)
        self.notes: list[str] = []

    def __bool__(self) -> bool:
        return bool(self.given)

    def numbered(self, **form: str) -> list[tuple[int, Correction]]:
        """The corrections of a form, such as ``deny="key"``, with their numbers."""
        numbers = enumerate(self.given, 1)
        return [(n, c) for n, c in numbers if all(getattr(c, verb) == what for verb, what in form.items())]

    def fail(
        self, number: int, problem: str, place: Place | None = None, near: Iterable[str] = (), hint: str | None = None
    ) -> RequestError:
        """The error of one correction."""
        names = " or ".join(repr(name) for name in near)
        return RequestError(
            f"correction {number}, {self.given[number - 1].said}: {problem}",
            place=place,
            hint=f"Did you mean {names}?" if names else hint,
        )

    def table(self, number: int, name: str, tables: Iterable[str], members: Members) -> str:
        """The logical table of a name: its own, one of its parts', in any case where that is clear."""
        known = {**{part: logical for logical, parts in members.items() for part in parts}, **{t: t for t in tables}}
        found = _find(name, known)
        if found is None:
            raise self.fail(number, f"there is no table {name!r}.", near=_near(name, known))
        return known[found]

    def variable(
        self, number: int, text: str, columns: Mapping[str, Iterable[str]], members: Members
    ) -> tuple[str, str]:
        """The logical table and column of ``TABLE.COLUMN``. `columns` are those of the logical tables."""
        if "." not in text:
            raise self.fail(number, f"{text!r} names no table.", hint="Write TABLE.COLUMN.")
        cuts = [k for k, c in enumerate(text) if c == "."]
        known = [*columns, *(part for parts in members.values() for part in parts)]
        cut = next((k for k in cuts if _find(text[:k], dict.fromkeys(known)) is not None), cuts[0])
        table = self.table(number, text[:cut], columns, members)
        names = dict.fromkeys(c for c in columns.get(table, ()) if c != MEMBER)
        column = _find(text[cut + 1 :], names)
        if column is None:
            raise self.fail(number, f"{table} has no column {text[cut + 1 :]!r}.", near=_near(text[cut + 1 :], names))
        return table, column

    # Columns

    def columns(self, tables: dict[str, EncodedTable], members: Members, *, logical: bool) -> dict[str, EncodedTable]:
        """Tables with the kinds set right, before anything is made of them: those of the source first, then the
        `logical` ones, whose joined columns and qualifiers were encoded anew."""
        result = dict(tables)
        columns = {
            name: {
                column: None
                for part in ([name] if logical else parts)
                if part in tables
                for column in tables[part].columns
            }
            for name, parts in members.items()
        }
        seen: dict[tuple[str, str], int] = {}
        for number, c in enumerate(self.given, 1):
            if not self._of_column(c) or (not logical and f".{SUPPLEMENT}" in (c.variable or "").upper()):
                continue
            table, column = self.variable(number, c.variable or "", columns, members)
            if (other := seen.setdefault((table, column), number)) != number:
                raise self.fail(number, f"it contradicts correction {other}, {self.given[other - 1].said}.")
            for part in (p for p in ([table] if logical else members[table]) if column in result[p]):
                old = result[part]
                made = self._corrected(number, c, part, old[column])
                result[part] = EncodedTable(old.name, old.frame, {**old.columns, column: made}, old.n)
        return result

    @staticmethod
    def _of_column(c: Correction) -> bool:
        return bool(c.kind or c.pii or c.ignore or c.keep or c.deny == "pii")

    def _corrected(self, number: int, c: Correction, table: str, column: EncodedColumn) -> EncodedColumn:
        spec = column.spec
        if c.ignore:
            empty = spec.model_copy(update={"kind": Kind.EMPTY, "distinct": 0, "missing": 1.0, "pii": None})
            return EncodedColumn(column.name, np.full_like(column.codes, -1), column.distinct[:0], empty)
        text = spec.encoding == "text"
        if spec.kind == Kind.EMPTY:
            raise self.fail(number, "the column has no values.")
        if c.pii:
            if not text:
                raise self.fail(number, "personal data are replaced by texts, and the column holds none.")
            return EncodedColumn(column.name, column.codes, column.distinct, _set(spec, Kind.PII, c.pii))
        if c.deny == "pii":
            found = classify(column.name, pd.Series(column.distinct), int(column.present.sum()), private=False)
            fresh = replace(column, number=found.number, moments=found.moments, spec=_set(spec, found.kind))
            if spec.kind != Kind.PII:
                self.nothing("pii", table, column.name)
            return fresh if spec.kind == Kind.PII else column
        if c.keep:
            if not text or spec.kind == Kind.DATE:
                raise self.fail(number, "only texts can be kept as they are: numbers and dates are made anew.")
            return EncodedColumn(column.name, column.codes, column.distinct, _set(spec, Kind.CATEGORY))
        return self._of_kind(number, Kind(c.kind), table, column)

    def _of_kind(self, number: int, kind: Kind, table: str, column: EncodedColumn) -> EncodedColumn:
        """A column of another kind, where its values allow it."""
        spec, wrong, moments, figures = column.spec, None, None, column.number
        update: dict[str, object] = {"kind": kind, "pii": None}
        stored = {"date": "date", "datetime": "date", "time": "time"}.get(spec.encoding)
        if stored and kind != stored:
            raise self.fail(number, f"the file declares the column as {spec.encoding}.")
        if kind == Kind.DATE and not stored:
            moments, figures = dates.parse(pd.Series(column.texts, dtype="str")), None
            wrong = ~(moments.valid & (moments.precision > 0)) if spec.encoding == "text" else np.ones(1, dtype=bool)
        elif kind in (Kind.INTEGER, Kind.DECIMAL):
            figures = pd.to_numeric(pd.Series(column.texts, dtype=object), errors="coerce").to_numpy(dtype=float)
            wrong = ~np.isfinite(figures)
            if kind == Kind.INTEGER:
                wrong |= np.where(wrong, True, np.nan_to_num(figures) != np.floor(np.nan_to_num(figures)))
            update |= {"decimals": decimals_of(figures[~wrong]), "numeric_text": spec.encoding == "text"}
        elif kind in (Kind.TIME, Kind.DURATION) and not stored:
            shape = TIME if kind == Kind.TIME else DURATION
            wrong = np.array([shape.fullmatch(t) is None for t in column.texts], dtype=bool)
        elif kind == Kind.FLAG:
            wrong = np.arange(len(column.texts)) > 1
        elif kind == Kind.TEXT and spec.encoding != "text":
            raise self.fail(number, f"the column holds {spec.encoding} values, no texts.")
        if stored:
            moments = column.moments
        if wrong is not None and wrong.any():
            row = int(np.flatnonzero(np.append(wrong, False)[column.codes])[0])
            problem = f"{column.texts[column.codes[row]]!r} does not fit the kind {kind.value}."
            raise self.fail(number, problem, Place(table=table, column=column.name, row=row + 1))
        return EncodedColumn(
            column.name, column.codes, column.distinct, spec.model_copy(update=update), figures, moments
        )

    # What was found

    def check_names(self, ctx: Context, members: Members) -> None:
        """Every table and column that a correction names, before the long work begins."""
        columns = {name: table.columns for name, table in ctx.tables.items()}
        seen: dict[tuple[str, str], int] = {}
        for number, c in enumerate(self.given, 1):
            table = self.table(number, c.table, ctx.tables, members) if c.table is not None else None
            for text in (c.variable, c.to):
                if text is not None:
                    own, _ = self.variable(number, text, columns, members)
                    table = table or own
            for name in (*(c.columns or ()), *(c.by or ()), c.column, c.date):
                if name is not None:
                    self.variable(number, f"{table}.{name}", columns, {table or "": ()})
            if c.variable is not None and (c.kind or c.pii or c.ignore or c.keep or c.formula or c.by):
                other = seen.setdefault(self.variable(number, c.variable, columns, members), number)
                if other != number:
                    raise self.fail(number, f"it contradicts correction {other}, {self.given[other - 1].said}.")

    def resolved(self, ctx: Context, members: Members, *verbs: str, **form: str) -> list[tuple[int, str, str]]:
        """Number, table and column of the corrections with one of these verbs or of this form, names checked."""
        columns = {name: table.columns for name, table in ctx.tables.items()}
        chosen = [n for n, c in enumerate(self.given, 1) if any(getattr(c, verb) is not None for verb in verbs)]
        chosen += [n for n, _ in self.numbered(**form)] if form else []
        return [(n, *self.variable(n, self.given[n - 1].variable or "", columns, members)) for n in chosen]

    def computed(self, ctx: Context, members: Members) -> Denied:
        """What must not be computed."""
        every = [*self.resolved(ctx, members, "keep", "ignore"), *self.resolved(ctx, members, deny="derivation")]
        return Denied(
            {(t, c) for _, t, c in every},
            {(t, c) for _, t, c in self.resolved(ctx, members, deny="dependency")},
            {(t, c) for _, t, c in self.resolved(ctx, members, "pii")},
            ctx,
        )

    def check_subject(
        self, subjects: Mapping[str, str], columns: Mapping[str, Iterable[str]], members: Members
    ) -> None:
        """The subject key (`subjects`, by logical table) is what all rests on: it always gets new values."""
        for number, c in enumerate(self.given, 1):
            if (c.ignore or c.keep or c.pii) and f".{SUPPLEMENT}" not in (c.variable or "").upper():
                table, column = self.variable(number, c.variable or "", columns, members)
                if column == subjects.get(table):
                    raise self.fail(number, "the column names the subject of each row, and always gets new values.")

    def check_names_of_subjects(self, ctx: Context, members: Members, named: set[tuple[str, str]]) -> None:
        """The columns that the subject key is made from (`named`) get new values, one for each subject."""
        for number, table, column in self.resolved(ctx, members, "keep", "kind", "pii"):
            if (table, column) in named and self.given[number - 1].kind != Kind.IDENTIFIER.value:
                raise self.fail(number, f"{ctx.subject} is made from the column, which so must name one subject each.")

    def links(self, ctx: Context, members: Members, found: list[Link]) -> list[Link]:
        """The links that are not denied."""
        kept = found
        for number, table, column in self.resolved(ctx, members, deny="link"):
            c = self.given[number - 1]
            if table != ctx.root:
                raise self.fail(number, f"links start at the table of subjects, {ctx.root}.")
            other = None if c.table is None else self.table(number, c.table, ctx.tables, members)
            left = [k for k in kept if k.root != column or (other is not None and k.table != other)]
            if len(left) == len(kept):
                self.nothing("link", table, column)
            kept = left
        return kept

    def orders(self, ctx: Context, members: Members, found: list[Order]) -> list[Order]:
        """The orders that are not denied."""
        for _, table, column in self.resolved(ctx, members, deny="order"):
            left = [o for o in found if o.table != table or column not in (o.low, o.high)]
            if len(left) == len(found):
                self.nothing("order", table, column)
            found = left
        return found

    def nothing(self, what: str, table: str, column: str) -> None:
        """Note that there was nothing to deny."""
        note = f"{table}: no {what} of {column} was found that could be denied"
        self.notes += [note] if note not in self.notes else []


class Denied:
    """What must not be computed: `every` way, `lookups` only, or, of personal data, from anything but such data."""

    def __init__(
        self,
        every: set[tuple[str, str]],
        lookups: set[tuple[str, str]],
        personal: set[tuple[str, str]],
        ctx: Context,
    ) -> None:
        self.every, self.lookups, self.personal, self._ctx = every, lookups, personal, ctx
        self._met: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """Columns that repeat others are looked at by themselves again."""
        for table, column in {*self.every, *self.personal}:
            self._ctx.constant.get(table, {}).pop(column, None)
            self._ctx.same.get(table, {}).pop(column, None)

    def without(self, finds: Iterable[Derivation]) -> list[Derivation]:
        """The finds that are left."""
        kept = []
        for d in finds:
            if self._denies(d):
                self._met.add((d.table, d.target))
            else:
                kept.append(d)
        return kept

    def idle(self, asked: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Which of these columns were not found to be computed in the first place."""
        return [target for target in asked if target not in self._met]

    def _denies(self, d: Derivation) -> bool:
        target = (d.table, d.target)
        if target in self.every or (d.template == "lookup" and target in self.lookups):
            return True
        return target in self.personal and not (d.sources and all(self._private(s.table, s.column) for s in d.sources))

    def _private(self, table: str, column: str) -> bool:
        return self._ctx.tables[table][column].kind == Kind.PII


def place_of(ctx: Context, table: str, column: str | None, row: int) -> Place:
    """Where a row of a logical table stands in its source table. `row` counts from 0, the place from 1."""
    frame = ctx.tables[table].frame
    if MEMBER not in frame:
        return Place(table=table, column=column, row=row + 1)
    member = frame[MEMBER].iloc[row]
    return Place(table=str(member), column=column, row=int((frame[MEMBER].iloc[: row + 1] == member).sum()))


def _set(spec: ColumnSpec, kind: Kind, pii: str | None = None) -> ColumnSpec:
    return spec.model_copy(update={"kind": kind, "pii": pii})


def _find(name: str, known: Mapping[str, object]) -> str | None:
    if name in known:
        return name
    folded = [other for other in known if other.casefold() == name.casefold()]
    return folded[0] if len(folded) == 1 else None


def _near(name: str, known: Iterable[str]) -> list[str]:
    folded = {other.casefold(): other for other in known}
    cutoff = 0.6 if len(name) > 3 else 0.5
    return [folded[n] for n in difflib.get_close_matches(name.casefold(), folded, n=2, cutoff=cutoff)]
