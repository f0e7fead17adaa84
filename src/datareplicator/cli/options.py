"""The options that several commands share, so that they mean and say the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datareplicator.run import Run


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no whole number.") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number.") from None


Source = Annotated[str, typer.Argument(help="The study: a folder, a file or a zip.", show_default=False)]
Subjects = Annotated[
    int | None,
    typer.Option(
        "-n", "--subjects", parser=_whole, metavar="INTEGER", help="How many new subjects.", show_default=False
    ),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="The folder to write.", show_default=False)]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        parser=_whole,
        metavar="INTEGER",
        help="The same seed gives the same bytes; 0 by default.",
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="Format of the tables: parquet, csv, tsv, xpt, json, ndjson, dataset-json, xlsx, or same (as the source, "
        "the default).",
        show_default=False,
    ),
]
Variation = Annotated[
    float | None,
    typer.Option(
        "--variation",
        parser=_number,
        metavar="NUMBER",
        help="Spread: 0 central subjects, 1 as learned (the default), 2 twice.",
        show_default=False,
    ),
]
Stratified = Annotated[
    bool | None,
    typer.Option(
        "--stratified/--no-stratified",
        help="Spread the subjects evenly over what was learned (the default), or draw as freely as a trial does.",
        show_default=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="A run document (YAML); options given here override it.", show_default=False),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        parser=_whole,
        metavar="INTEGER",
        help="Processes; by default as many as there are cores.",
        show_default=False,
    ),
]
Report = Annotated[
    bool | None,
    typer.Option("--report/--no-report", help="Write report.html, source against synthetic.", show_default=False),
]
MinSubjects = Annotated[
    int | None,
    typer.Option(
        "--min-subjects",
        parser=_whole,
        metavar="INTEGER",
        help="Do not learn categories, terms and patterns that fewer subjects show; 1 by default.",
        show_default=False,
    ),
]
Overwrite = Annotated[
    bool | None,
    typer.Option("--overwrite/--no-overwrite", help="Replace the output of an earlier run.", show_default=False),
]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--faults",
        help="Inject faults and write the answer key: a profile by name or path, several one after another.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def run_from(config: Path | None, *, min_subjects: int | None = None, **options: Any) -> Run:
    """The run document of a command: the file's, overridden by the options that were given."""
    from datareplicator.run import Run, read_run

    run = read_run(config) if config is not None else Run()
    given = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    if given.get("faults") is not None:
        given["faults"] = {"include": given["faults"]}
    if min_subjects is not None:
        given["privacy"] = {"min_subjects": min_subjects}
    return run.updated(**given)
