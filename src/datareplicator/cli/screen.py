"""What the user sees: results on standard output, progress and notes on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from datareplicator.errors import PIPE_CLOSED

if TYPE_CHECKING:
    from datareplicator.pipeline import Outcome, Step


def emit(text: str) -> None:
    """Print a result. When nobody reads any more (`| head`), leave quietly."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more on its way out, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(PIPE_CLOSED) from None


def tell(notes: Iterable[str]) -> None:
    """Print notes for the user, one a line."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def summarise(outcome: Outcome) -> None:
    """Say what was written and where."""
    tell(outcome.notes)
    manifest = outcome.manifest
    tables = sum(entry.rows is not None for entry in manifest.files.values())
    emit(f"{_count(manifest.request.subjects, 'subject')}, {_count(manifest.rows, 'row')} in {_count(tables, 'table')}")
    emit(f"data      {outcome.folder}")
    if outcome.key is not None:
        emit(f"key       {outcome.key}")
    if outcome.report is not None:
        emit(f"report    {outcome.report}")
    for ended in outcome.conditions:
        emit(f"{ended.outcome:<10}{ended.condition}{f': {ended.done}' if ended.done else ''}")
    if outcome.in_all is not None:
        emit(f"in all    {outcome.in_all}")
    if outcome.findings is not None:
        emit(f"findings  {outcome.findings.headline()}")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"


@contextmanager
def progress() -> Iterator[Callable[[Step], None] | None]:
    """Bars on standard error for a person, nothing for a pipe or a file."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(step: Step) -> None:
            if step.name not in tasks:
                tasks[step.name] = bars.add_task(step.name, total=None, unit="")
            unit = f"{step.done:,} of {step.total:,} {step.unit}" if step.total else step.unit
            bars.update(tasks[step.name], completed=step.done, total=step.total or None, unit=unit)

        yield show
