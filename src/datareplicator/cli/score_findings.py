"""`datareplicator score-findings`: what a system under test found of the faults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datareplicator.cli import options


def score_findings(
    findings: Annotated[
        Path,
        typer.Argument(
            help="The system's findings: JSON of `validate --json`, CORE's JSON report, or CSV with dataset, record "
            "and variable.",
            show_default=False,
        ),
    ],
    answers: Annotated[
        Path, typer.Argument(help="The answer key: answers.parquet, .json or .csv.", show_default=False)
    ],
    clean: Annotated[
        Path | None,
        typer.Option(
            "--clean", help="The system's findings in the clean study, which do not count.", show_default=False
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page, too.", show_default=False)] = None,
    json: options.Json = False,
) -> None:
    """Recall and precision of findings, by kind of fault and severity."""
    from datareplicator import pipeline
    from datareplicator.cli.screen import emit

    result = pipeline.score_findings(findings, answers, clean=clean)
    if html is not None:
        pipeline.write_page(html, result.to_html())
    emit(result.to_json() if json else result.to_text())
    if html is not None and not json:
        emit(f"page      {html}")
