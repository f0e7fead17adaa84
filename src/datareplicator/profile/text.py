"""A profile as plain text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from datareplicator.profile.description import ColumnProfile, Profile, TableProfile

FEW_COLUMNS = 40
MOST_NAMED = 8

LAYOUTS = {
    "subject": "one row a subject",
    "once": "at most one row a subject",
    "findings": "findings by test and visit",
    "visits": "visits",
    "events": "dated events",
    "intervals": "periods",
    "sets": "few rows a subject",
    "children": "rows below another table's",
    "supplement": "supplemental qualifiers",
    "relation": "relations",
    "comment": "comments",
    "reference": "reference, copied",
}


def to_text(profile: Profile, columns: bool | None, width: int) -> str:
    """The whole profile; `columns` None lists columns where there are few."""
    lines = [*_head(profile, width), "", *_tables(profile)]
    if columns or (columns is None and sum(len(t.columns) for t in profile.tables) <= FEW_COLUMNS):
        for table in profile.tables:
            lines += ["", f"COLUMNS OF {table.name}", *_columns(table, width)]
    lines += _visits(profile, width)
    lines += _section("COMPUTED, NEVER SAMPLED", _by_table(profile.computed, width))
    lines += _section("CODES AND WHAT THEY DECIDE", _by_table(profile.lookups, width))
    lines += _section("REFERENCES", _list(profile.references, width))
    lines += _section("SUPPLEMENTAL QUALIFIERS", _list(profile.supplements, width))
    lines += _section("LINKS ACROSS TABLES", _list(profile.links, width))
    lines += _section("ORDER WITHIN A ROW", _flow(profile.orders, width))
    lines += _section("PERSONAL DATA", _flow(profile.pii, width))
    lines += _section("NOTES", _list(_notes(profile.notes), width))
    return "\n".join(line.rstrip() for line in lines)


def _head(profile: Profile, width: int) -> list[str]:
    tables = sum(len(t.members) for t in profile.tables)
    key = f", key {profile.subject_key}, root table {profile.root}" if profile.subject_key else ""
    lines = [
        f"STUDY {profile.name or '(unnamed)'}",
        f"standard  {profile.standard or 'none recognised'}",
        f"subjects  {profile.subjects:,}{key}",
        f"rows      {profile.rows:,} in {tables} tables",
    ]
    if profile.reference_start:
        lines.append(f"day 1     {profile.root}.{profile.reference_start}")
    for name, column, shares in (("arms", profile.arm, profile.arms), ("sites", profile.site, profile.sites)):
        if shares:
            shown = ", ".join(f"{s.value} {s.subjects:,}" for s in shares[:MOST_NAMED])
            more = f", and {len(shares) - MOST_NAMED} more" if len(shares) > MOST_NAMED else ""
            text = f"{column}: {len(shares)} ({shown}{more})"
            lines += textwrap.wrap(text, width, initial_indent=f"{name:<10}", subsequent_indent=" " * 10)
    return lines


def _tables(profile: Profile) -> list[str]:
    rows = [("TABLE", "ROWS", "SUBJECTS", "COLUMNS", "LAYOUT", "KEY")]
    for t in profile.tables:
        layout = LAYOUTS.get(t.layout, t.layout) + (f", {t.tests} test{'s' if t.tests > 1 else ''}" if t.tests else "")
        members = f" [{len(t.members)} tables]" if len(t.members) > 1 else ""
        subjects = f"{t.subjects:,}" if t.subjects else "-"
        rows.append((t.name + members, f"{t.rows:,}", subjects, str(len(t.columns)), layout, ", ".join(t.key)))
    return aligned(rows, right={1, 2, 3})


def aligned(rows: Sequence[Sequence[str]], right: set[int]) -> list[str]:
    """Rows of text as aligned columns; those in `right` are set to the right.

    >>> aligned([("A", "N"), ("long", "12")], right={1})
    ['A      N', 'long  12']
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _columns(table: TableProfile, width: int) -> list[str]:
    rows = [("COLUMN", "KIND", "MISSING", "DISTINCT", "VALUES")]
    for c in table.columns:
        rows.append((c.name, c.pii or c.kind, f"{c.missing:.1%}", f"{c.distinct:,}", _values(c, table.subjects > 0)))
    return [textwrap.shorten(line, width) if len(line) > 4 * width else line for line in aligned(rows, right={2, 3})]


def _values(column: ColumnProfile, suppressed: bool) -> str:
    if column.quantiles is not None:
        low, _, middle, _, high = (f"{q:g}" if isinstance(q, float) else q for q in column.quantiles)
        return f"{middle} (5 %: {low}, 95 %: {high})"
    if column.categories is not None:
        named = [f"{_short(c.value)} {c.rows:,}" for c in column.categories[:5]]
        rest = column.distinct - len(named)
        return ", ".join(named) + (f"{', ' if named else ''}{rest:,} other" if rest > 0 else "")
    if column.lengths is not None:
        return f"text of {column.lengths[0]:.0f} to {column.lengths[2]:.0f} characters"
    return ""


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"


def _visits(profile: Profile, width: int) -> list[str]:
    if not profile.visits:
        return []
    often = [v for v in profile.visits if v.subjects >= max(0.05 * profile.subjects, 2)]
    items = []
    for v in often:
        name = v.visit if v.label == v.visit else f"{v.visit} {v.label}"
        day = f", day {v.days[1]:g} ({v.days[0]:g} to {v.days[2]:g})" if v.days else ""
        items.append(f"{name}: {v.subjects:,}{day}")
    rest = len(profile.visits) - len(often)
    lines = _flow(items, width) + ([f"  and {rest} visits of few subjects"] if rest else [])
    return _section("VISITS (subjects, median day from day 0 = reference start, 5 to 95 %)", lines)


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *lines] if lines else []


def _flow(items: Iterable[str], width: int) -> list[str]:
    text = "; ".join(items)
    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ") if text else []


def _list(items: Iterable[str], width: int) -> list[str]:
    return [
        line for item in items for line in textwrap.wrap(item, width, initial_indent="  ", subsequent_indent="    ")
    ]


def _notes(notes: Iterable[str]) -> list[str]:
    """Notes that say the same of several tables become one.

    >>> _notes(["ta: copied", "te: copied"])
    ['ta, te: copied']
    """
    said: dict[str, list[str]] = {}
    for note in notes:
        table, colon, text = note.partition(": ")
        said.setdefault(text if colon else note, []).append(table if colon else "")
    return [f"{', '.join(tables)}: {text}" if tables[0] else text for text, tables in said.items()]


def _by_table(held: dict[str, tuple[str, ...]], width: int) -> list[str]:
    lines = []
    for table, items in held.items():
        lines += textwrap.wrap("; ".join(items), width, initial_indent=f"  {table:<8} ", subsequent_indent=" " * 11)
    return lines
