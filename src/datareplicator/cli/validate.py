"""`datareplicator validate`: does a study keep its own rules?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datareplicator.cli import options


def validate(
    study: options.Source,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", help="The source study, whose own rates are the yardstick.", show_default=False),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            help="A file to write the findings to: .json, .csv, .xlsx or .html; may be given several times.",
            show_default=False,
        ),
    ] = None,
    define: Annotated[
        Path | None,
        typer.Option(
            "--define",
            help="The study's Define-XML, whose code lists come first; by default define.xml beside the tables.",
            show_default=False,
        ),
    ] = None,
    detectors: Annotated[
        bool, typer.Option("--detectors/--no-detectors", help="Run the statistical detectors too (the default).")
    ] = True,
    json: options.Json = False,
    overwrite: options.Overwrite = None,
) -> None:
    """Check a study against SDTM, where it has that form, and against itself; list the findings by rule."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import emit, progress

    with progress() as show:
        findings = pipeline.validate(
            study,
            baseline,
            define=define,
            detectors=detectors,
            outputs=output or (),
            every=json,
            overwrite=bool(overwrite),
            progress=show,
        )
    emit(findings.to_json() if json else findings.to_text())
