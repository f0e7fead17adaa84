"""`datareplicator fit`: a study in, a model document out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datareplicator.cli import options


def fit(
    source: Annotated[
        str | None, typer.Argument(help="The study: a folder, a file or a zip.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The model document to write.", show_default=False)
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Say what was found: keys, dependencies, derivations with their exceptions, layouts, links, personal "
            "data, what is suppressed and what could not be learned. Without -o no model is written.",
        ),
    ] = False,
    json: options.Json = False,
    config: options.Config = None,
    min_subjects: options.MinSubjects = None,
    earlier: Annotated[
        Path | None,
        typer.Option(
            "--earlier",
            help="An earlier model of the same study: only what a correction changes is learned again.",
            show_default=False,
        ),
    ] = None,
    overwrite: options.Overwrite = None,
) -> None:
    """Learn a study and write the model: one JSON document without any row of the source."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import emit, progress, tell
    from datareplicator.errors import RequestError

    run = options.run_from(config, source=source, min_subjects=min_subjects, overwrite=overwrite)
    if run.source is None:
        raise RequestError("the study to learn from is missing (source).", hint="Name it first or as `source:`.")
    if output is None and not explain:
        raise RequestError("the model document to write is missing.", hint="Give it with -o, or add --explain.")
    if json and not explain:
        raise RequestError("--json says how to explain.", hint="Add --explain.")
    with progress() as show:
        model = pipeline.fit_to_file(
            run.source,
            output,
            min_subjects=run.privacy.min_subjects,
            text_subjects=run.privacy.text_subjects,
            corrections=run.corrections,
            earlier=earlier,
            overwrite=run.overwrite,
            progress=show,
        )
    if explain:
        found = pipeline.explain(model)
        emit(found.to_json() if json else found.to_text())
    else:
        tell(pipeline.notes(model))
    if output is not None and not json:
        emit(f"model     {output}")
