"""Tables that stand in files of two formats: one is read, and said which."""

from __future__ import annotations

from datareplicator.errors import Place, SourceError
from datareplicator.study import Table


def one_of_each(tables: list[Table], shown: str) -> tuple[dict[str, Table], tuple[str, ...]]:
    """The tables by name, and notes on those that were left out.

    Of a table in files of two formats, that of the format in which more tables stand is read. Raises SourceError where
    that does not decide: two files of one format, or formats with as many tables.
    """
    by_name: dict[str, list[Table]] = {}
    for table in tables:
        by_name.setdefault(table.name.lower(), []).append(table)
    counts: dict[str, int] = {}
    for table in tables:
        counts[_format(table)] = counts.get(_format(table), 0) + 1
    kept, notes = {}, []
    for same in by_name.values():
        ranked = sorted(same, key=lambda t: -counts[_format(t)])
        if len(same) > 1 and counts[_format(ranked[0])] == counts[_format(ranked[1])]:
            files = " and ".join(_file(t) for t in same)
            raise SourceError(
                f"the table occurs twice ({files}).",
                place=Place(shown, same[-1].name),
                hint="Keep one of the files, or name the format to read.",
            )
        kept[ranked[0].name] = ranked[0]
        notes += [_note(ranked[0], other) for other in ranked[1:]]
    return kept, tuple(notes)


def _format(table: Table) -> str:
    return table.origin.format if table.origin is not None else ""


def _file(table: Table) -> str:
    return table.origin.file if table.origin is not None else table.name


def _note(read: Table, left: Table) -> str:
    like = "with as many rows and the same columns"
    if len(read) != len(left) or set(read.columns) != set(left.columns):
        like = f"with {len(left)} rows against {len(read)}" if len(read) != len(left) else "with other columns"
    return (
        f"{read.name}: {_file(read)} is read, {_file(left)} ({like}) is left out, since most tables are "
        f"{_format(read)} files; name the format to read the other"
    )
