"""Writes the reference pages that follow from the code: commands, rules, faults, settings, JSON Schemas."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from datareplicator.cli.app import app
from datareplicator.faults.kind import Kind, all_kinds
from datareplicator.faults.plan import as_plan, plan_schema, profile_names
from datareplicator.model.single.reading import document_schema
from datareplicator.run import run_schema
from datareplicator.server.auth.permissions import GRANTED, PERMISSIONS, Role
from datareplicator.server.policies.model import Policies, Tier
from datareplicator.server.settings import PREFIX, OpenIdProvider, Settings
from datareplicator.validate import Rule, rules

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
        if SHELL_ONLY & set(names) or getattr(parameter, "hidden", False):
            continue
        shown = ", ".join(f"`{name}`" for name in names)
        if parameter.param_type_name == "argument":
            shown = f"`{parameter.name.upper()}`"
        must = " Required." if parameter.required else ""
        lines.append(f"| {shown} | {parameter.help}{must} |")
    return ["| option | meaning |", "|---|---|", *lines] if lines else []


def _commands(group: typer.core.TyperGroup) -> list[tuple[str, typer.core.TyperCommand]]:
    """The commands, those of groups after their group."""
    found = []
    for name, command in group.commands.items():
        found.append((name, command))
        if isinstance(command, typer.core.TyperGroup):
            found += [(f"{name} {inner}", each) for inner, each in command.commands.items()]
    return found


def command_page() -> str:
    """The page of the commands, as Markdown."""
    group = typer.main.get_command(app)
    parts = [HEAD, "\n".join(["## datareplicator", "", group.help or "", "", *_option_table(group)])]
    for name, command in _commands(group):
        parts.append("\n".join([f"## {name}", "", command.help or "", "", *_option_table(command)]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def schema_page() -> str:
    """The JSON Schema of the run document, as text."""
    return json.dumps(run_schema(), indent=2, ensure_ascii=False) + "\n"


RULES_HEAD = """# Rules

Generated from the program by `make docs`. Each rule has an id that never changes its meaning. The columns CORE and
Pinnacle 21 name rules there that look at the same thing; they may be stricter or laxer. Findings with row 0 speak of a
whole table or column. What the rules find in real data, and why: [Validate a study](../how-to/validate-a-study.md).
"""


def _rule_line(rule: Rule) -> str:
    core = ", ".join(id.removeprefix("CORE-") for id in rule.core)
    return f"| {rule.id} | {rule.message} | {rule.severity} | {core} | {' '.join(rule.p21)} |"


def rules_page() -> str:
    """The page of the rules, as Markdown: one table for each scope."""
    parts = [RULES_HEAD]
    held = rules()
    for scope in dict.fromkeys(rule.scope for rule in held):
        lines = [_rule_line(rule) for rule in held if rule.scope == scope]
        head = ["| id | message | severity | CORE | Pinnacle 21 |", "|---|---|---|---|---|"]
        parts.append("\n".join([f"## {scope.title} ({len(lines)})", "", scope.text, "", *head, *lines]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


KINDS_HEAD = """# Kinds of faults

Generated from the program by `make docs`. How to use them: [break data](../how-to/break-data.md); how many of them the
rules find: [what the rules find](fault-detection.md). A plan is a YAML document of the form of
[faults.schema.json](faults.schema.json).

*Counts* is what `rate` and `count` count, and the blast radius; a kind that *spreads* breaks what hangs on it in other
rows or tables. *Rules* are those of this program of which at least one should fire; [the rules](rules.md) name the CORE
and Pinnacle 21 ids that answer to them. A kind without rules is one that no rule here can see.
"""


def _kind_row(kind: Kind) -> str:
    spreads = "yes" if kind.spreads else ""
    fields = kind.parameters.model_fields
    options = "<br>".join(f"`{name}` ({field.default}): {field.description}" for name, field in fields.items())
    cells = [f"`{kind.name}`", kind.summary, kind.unit, spreads, kind.severity, " ".join(kind.rules), options]
    return f"| {' | '.join(cells)} |"


def kinds_page() -> str:
    """The page of the kinds of faults, by family, and of the bundled profiles."""
    families: dict[str, list[Kind]] = {}
    for kind in all_kinds():
        families.setdefault(kind.family, []).append(kind)
    parts = [KINDS_HEAD]
    for family, kinds in families.items():
        head = ["| kind | what | counts | spreads | severity | rules | parameters |", "|---|---|---|---|---|---|---|"]
        parts.append("\n".join([f"## {family.capitalize()}", "", *head, *map(_kind_row, kinds)]))
    rows = [f"| `{name}` | {as_plan(name).summary} |" for name in profile_names()]
    parts.append("\n".join(["## Profiles", "", "| profile | what |", "|---|---|", *rows]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def plan_page() -> str:
    """The JSON Schema of a plan of faults, as text."""
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


def training_page() -> str:
    """The JSON Schema of the models of plain tables, as text."""
    return json.dumps(document_schema(), indent=2, ensure_ascii=False) + "\n"


SETTINGS_HEAD = """# Settings of the service

Generated from the program by `make docs`. [How to run the service](../how-to/run-the-service.md).

## Environment

Read when the service starts, from environment variables or a file `.env` in the working folder. Lists are written with
commas, `OIDC_PROVIDERS` as JSON. An empty variable counts as not set.
"""
ACCESS_NOTE = """## Settings of administrators

Changed while the service runs, on the page of settings or by `PATCH /api/settings`; in force in every process with the
next request; each change stands in the audit trail. What the environment says about registration and login is fixed.
"""
FIELDS = "| setting | default | meaning |\n|---|---|---|"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel | dict):
        return ""
    plain = value.value if isinstance(value, Enum) else value
    return "" if plain in (None, [], {}, PydanticUndefined) else f"`{plain}`"


def _fields(model: type[BaseModel], prefix: str = "", *, upper: bool = False) -> list[str]:
    return [
        f"| `{prefix}{name.upper() if upper else name}` | {_default(field)} | {field.description or ''} |"
        for name, field in model.model_fields.items()
    ]


def settings_page() -> str:
    """The page of the settings, as Markdown."""
    parts = [SETTINGS_HEAD, "\n".join([FIELDS, *_fields(Settings, PREFIX, upper=True)])]
    parts += ["### An OpenID provider", "\n".join([FIELDS, *_fields(OpenIdProvider)]), ACCESS_NOTE]
    for name, field in Policies.model_fields.items():
        kind = Tier if name == "tiers" else field.annotation
        text = (kind.__doc__ or "").splitlines()[0]
        title = "tiers.NAME" if name == "tiers" else name
        parts += [f"### {title}", text, "\n".join([FIELDS, *_fields(kind, f"{title}.")])]
    roles = "| permission | meaning | " + " | ".join(role.value for role in Role) + " |"
    lines = [
        f"| `{name}` | {text} | " + " | ".join("yes" if name in GRANTED[role] else "" for role in Role) + " |"
        for name, text in PERMISSIONS.items()
    ]
    parts += ["## Roles", "\n".join([roles, "|---|---|" + "---|" * len(Role), *lines])]
    return "\n\n".join(part.strip() for part in parts) + "\n"


PAGES = {
    "settings.md": settings_page,
    "faults.md": kinds_page,
    "faults.schema.json": plan_page,
    "rules.md": rules_page,
    "cli.md": command_page,
    "run.schema.json": schema_page,
    "training-model.schema.json": training_page,
}


def main() -> None:
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
        print(REFERENCE / name)


if __name__ == "__main__":
    main()
