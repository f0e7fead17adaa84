"""`datareplicator repair`: the clean study again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datareplicator.cli import options


def repair(
    dirty: Annotated[str, typer.Argument(help="The study with faults, as `corrupt` wrote it.", show_default=False)],
    answers: Annotated[Path, typer.Argument(help="Its key: answers.parquet or answers.json.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write.", show_default=False)],
    format: options.Format = None,
    overwrite: options.Overwrite = None,
) -> None:
    """Take the faults out again: values, types, order and labels become those of the clean study."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import emit, progress

    run = options.run_from(None, output=output, format=format, overwrite=overwrite)
    with progress() as show:
        folder = pipeline.repair(dirty, answers, output, format=run.format, overwrite=run.overwrite, progress=show)
    emit(f"data      {folder}")
