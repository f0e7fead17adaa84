"""`datareplicator validate`: does a study keep its own rules?"""

from __future__ import annotations

from typing import Annotated

import typer

from datareplicator.cli import options


def validate(
    study: options.Source,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", help="The source study, whose own rates are the yardstick.", show_default=False),
    ] = None,
    json: options.Json = False,
) -> None:
    """Check keys, references, code pairs, derivations, dates and links; list the findings by rule."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import emit, progress

    with progress() as show:
        findings = pipeline.validate(study, baseline, progress=show)
    emit(findings.to_json() if json else findings.to_text())
