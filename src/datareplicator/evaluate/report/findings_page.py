"""The findings of a validation as one HTML page, in the style of the report."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from datareplicator.validate import Findings, Rule, Scope, Severity

SHOWN = 50
"""Findings of a rule on the page; all of them stand in the other formats."""


@dataclass(frozen=True)
class Headline:
    """A headline figure."""

    title: str
    figure: str
    text: str
    css: str = ""


@dataclass(frozen=True)
class Broken:
    """A rule that is broken, and what the page shows of it."""

    rule: Rule
    count: int
    checked: int
    rate: float
    baseline: float | None
    answers: str
    examples: list[dict[str, object]]


def render_findings(findings: Findings, name: str = "") -> str:
    """The page: style and numbers are all in it, and everything that comes from the data is escaped."""
    environment = Environment(
        loader=PackageLoader("datareplicator.evaluate.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("findings.html.j2").render(
        f=findings, name=name, cards=_cards(findings), broken=_broken(findings)
    )


def _cards(findings: Findings) -> list[Headline]:
    counts = dict.fromkeys(Severity, 0)
    for tally in findings.tallies:
        counts[tally.rule.severity] += tally.count
    broken = sum(tally.count > 0 for tally in findings.tallies)
    errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
    return [
        Headline("Rules checked", f"{len(findings.tallies):,}", "that apply to these tables"),
        Headline("Rules broken", f"{broken:,}", "at least once", "poor" if broken else "good"),
        Headline("Errors", f"{errors:,}", "against the standard or the study itself", "poor" if errors else "good"),
        Headline("Warnings", f"{warnings:,}", "unlikely, to be looked at", "fair" if warnings else "good"),
    ]


def _broken(findings: Findings) -> list[tuple[Scope, list[Broken]]]:
    shown = {rule: rows.head(SHOWN).to_dict(orient="records") for rule, rows in findings.frame.groupby("rule")}
    rules = [
        Broken(
            t.rule,
            t.count,
            t.checked,
            t.rate,
            t.baseline_rate,
            " ".join((*t.rule.core, *t.rule.p21)),
            [{k: v if v == v else None for k, v in row.items()} for row in shown.get(t.rule.id, [])],
        )
        for t in findings.tallies
        if t.count
    ]
    scopes = [(scope, [b for b in rules if b.rule.scope == scope]) for scope in Scope]
    return [(scope, held) for scope, held in scopes if held]
