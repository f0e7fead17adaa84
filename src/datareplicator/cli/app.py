"""The commands and the options that stand before them."""

from __future__ import annotations

from typing import Annotated

import typer

from datareplicator.cli.admin import admin
from datareplicator.cli.corrupt import corrupt
from datareplicator.cli.demo import demo
from datareplicator.cli.fit import fit
from datareplicator.cli.generate import generate
from datareplicator.cli.profile import profile
from datareplicator.cli.repair import repair
from datareplicator.cli.replicate import replicate
from datareplicator.cli.score_findings import score_findings
from datareplicator.cli.serve import serve
from datareplicator.cli.validate import validate
from datareplicator.cli.worker import worker

app = typer.Typer(
    name="datareplicator",
    help="Learns a clinical study from its files and makes any number of new subjects.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from datareplicator import __version__

        typer.echo(f"datareplicator {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")] = False,
) -> None:
    """Options of the program itself."""


for command in (replicate, profile, fit, generate, validate, corrupt, repair, score_findings, demo, serve, worker):
    app.command()(command)
app.add_typer(admin)
