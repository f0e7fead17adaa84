"""`datareplicator fit`: a study in, a model document out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datareplicator.cli import options


def fit(
    source: options.Source,
    output: Annotated[Path, typer.Option("-o", "--output", help="The model document to write.", show_default=False)],
    min_subjects: options.MinSubjects = None,
    overwrite: options.Overwrite = None,
) -> None:
    """Learn a study and write the model: one JSON document without any row of the source."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import emit, progress, tell

    run = options.run_from(None, min_subjects=min_subjects, overwrite=overwrite)
    with progress() as show:
        model = pipeline.fit_to_file(
            source, output, min_subjects=run.privacy.min_subjects, overwrite=run.overwrite, progress=show
        )
    tell(pipeline.notes(model))
    emit(f"model     {output}")
