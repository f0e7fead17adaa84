"""`datareplicator fit`: a study in, a model document out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datareplicator.cli import options


def fit(
    source: options.Source,
    output: Annotated[Path, typer.Option("-o", "--output", help="The model document to write.", show_default=False)],
    overwrite: options.Overwrite = None,
) -> None:
    """Learn a study and write the model: one JSON document without any row of the source."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import emit, progress, tell

    with progress() as show:
        model = pipeline.fit_to_file(source, output, overwrite=bool(overwrite), progress=show)
    tell(pipeline.notes(model))
    emit(f"model     {output}")
