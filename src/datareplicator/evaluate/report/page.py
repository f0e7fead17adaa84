"""Puts the report together: what the template shows, and the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from datareplicator.evaluate.report import sections, svg

if TYPE_CHECKING:
    from datareplicator.evaluate.comparing import Comparison

LEVELS = 15
WORDS = {"good": "good", "fair": "look at it", "poor": "poor", "none": ""}
SIGNS = {"good": "✓", "fair": "△", "poor": "✕", "none": ""}


def render(comparison: Comparison) -> str:
    """The report as one HTML page: style, drawings and numbers are all in it.

    The page is a function of the comparison alone. Everything that comes from the data is escaped.
    """
    svg.restart()
    environment = Environment(
        loader=PackageLoader("datareplicator.evaluate.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": svg.number, "percent": svg.percent, "fixed": svg.fixed}
    page = environment.get_template("report.html.j2").render(
        c=comparison,
        words=WORDS,
        signs=SIGNS,
        scores=comparison.scores,
        cards=sections.cards(comparison),
        worst=sections.worst(comparison),
        variables=sections.variables(comparison),
        tests=sections.tests(comparison),
        correlations=sections.correlations(comparison),
        events=sections.events(comparison),
        timeline=sections.timeline(comparison),
        rules=sections.rules(comparison),
        nearness=sections.nearness(comparison),
        shades=sections.shades(LEVELS),
    )
    return page
