"""Writes the reference pages that follow from the code: the commands and the run document's JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from datareplicator.cli.app import app
from datareplicator.run import run_schema

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
HEAD = """# Command line

Generated from the program by `make docs`. Results go to standard output, progress and notes to standard error; bars
show only where standard error is a terminal. [Exit codes](exit-codes.md) and the [run document](run-document.md) have
pages of their own.
"""
SHELL_ONLY = {"--install-completion", "--show-completion"}


def _option_table(command: typer.core.TyperCommand) -> list[str]:
    lines = []
    for parameter in command.params:
        names = [*parameter.opts, *parameter.secondary_opts]
        if SHELL_ONLY & set(names):
            continue
        shown = ", ".join(f"`{name}`" for name in names)
        if parameter.param_type_name == "argument":
            shown = f"`{parameter.name.upper()}`"
        must = " Required." if parameter.required else ""
        lines.append(f"| {shown} | {parameter.help}{must} |")
    return ["| option | meaning |", "|---|---|", *lines] if lines else []


def command_page() -> str:
    """The page of the commands, as Markdown."""
    group = typer.main.get_command(app)
    parts = [HEAD, "\n".join(["## datareplicator", "", group.help or "", "", *_option_table(group)])]
    for name, command in group.commands.items():
        parts.append("\n".join([f"## {name}", "", command.help or "", "", *_option_table(command)]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def schema_page() -> str:
    """The JSON Schema of the run document, as text."""
    return json.dumps(run_schema(), indent=2, ensure_ascii=False) + "\n"


PAGES = {"cli.md": command_page, "run.schema.json": schema_page}


def main() -> None:
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
        print(REFERENCE / name)


if __name__ == "__main__":
    main()
