"""`datareplicator generate`: new subjects from a model alone."""

from __future__ import annotations

from typing import Annotated

import typer

from datareplicator.cli import options


def generate(
    model: Annotated[
        str | None, typer.Argument(help="The model document that `fit` wrote.", show_default=False)
    ] = None,
    subjects: options.Subjects = None,
    output: options.Output = None,
    seed: options.Seed = None,
    format: options.Format = None,
    variation: options.Variation = None,
    stratified: options.Stratified = None,
    config: options.Config = None,
    workers: options.Workers = None,
    overwrite: options.Overwrite = None,
    faults: options.Faults = None,
) -> None:
    """Write a study of new subjects from a model, with no source at hand."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import progress, summarise

    run = options.run_from(
        config,
        model=model,
        subjects=subjects,
        output=output,
        seed=seed,
        format=format,
        variation=variation,
        stratified=stratified,
        workers=workers,
        overwrite=overwrite,
        faults=faults or None,
    )
    with progress() as show:
        outcome = pipeline.generate(run, progress=show)
    summarise(outcome)
