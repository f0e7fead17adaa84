"""`datareplicator demo`: the bundled sample study, replicated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datareplicator.cli import options


def demo(
    subjects: options.Subjects = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write.")] = Path("datareplicator-demo"),
    workers: options.Workers = None,
    overwrite: options.Overwrite = None,
) -> None:
    """Replicate the sample study of 20 that comes with the program into 1,000, with a report."""
    from datareplicator import pipeline, sample_study_path
    from datareplicator.cli.screen import progress, summarise

    run = options.run_from(
        None,
        source=str(sample_study_path()),
        subjects=1000 if subjects is None else subjects,
        output=output,
        workers=workers,
        overwrite=overwrite,
        report=True,
    )
    with progress() as show:
        outcome = pipeline.replicate(run, progress=show)
    summarise(outcome)
