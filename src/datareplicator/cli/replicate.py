"""`datareplicator replicate`: a study in, a study of new subjects out."""

from __future__ import annotations

from typing import Annotated

import typer

from datareplicator.cli import options


def replicate(
    source: Annotated[
        str | None, typer.Argument(help="The study: a folder, a file or a zip.", show_default=False)
    ] = None,
    subjects: options.Subjects = None,
    output: options.Output = None,
    seed: options.Seed = None,
    format: options.Format = None,
    variation: options.Variation = None,
    stratified: options.Stratified = None,
    config: options.Config = None,
    workers: options.Workers = None,
    report: options.Report = None,
    min_subjects: options.MinSubjects = None,
    overwrite: options.Overwrite = None,
    faults: options.Faults = None,
) -> None:
    """Learn a study from its files and write a study of new subjects in the same form."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import progress, summarise

    run = options.run_from(
        config,
        source=source,
        subjects=subjects,
        output=output,
        seed=seed,
        format=format,
        variation=variation,
        stratified=stratified,
        workers=workers,
        report=report,
        min_subjects=min_subjects,
        overwrite=overwrite,
        faults=faults or None,
    )
    with progress() as show:
        outcome = pipeline.replicate(run, progress=show)
    summarise(outcome)
