"""`datareplicator corrupt`: a study with faults in known places, and the key to them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datareplicator.cli import options


def corrupt(
    study: options.Source,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write.", show_default=False)],
    profile: Annotated[
        list[str] | None,
        typer.Option(
            "--profile",
            help="The faults: light, messy-site, uat, stress, fraud-site, migration, edge-cases, second-delivery, or "
            "the path of a plan; several one after another. Light by default.",
            show_default=False,
        ),
    ] = None,
    seed: options.Seed = None,
    format: options.Format = None,
    overwrite: options.Overwrite = None,
) -> None:
    """Inject faults into a study and write the answer key beside it, in the folder `answers`."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import emit, progress, tell

    run = options.run_from(None, output=output, seed=seed, format=format, overwrite=overwrite)
    with progress() as show:
        done = pipeline.corrupt(
            study,
            profile or ["light"],
            output,
            seed=run.seed,
            format=run.format,
            overwrite=run.overwrite,
            progress=show,
        )
    tell(done.answers.notes)
    emit(done.answers.to_text(notes=False))
    emit(f"data      {done.folder}")
    emit(f"key       {done.key}")
