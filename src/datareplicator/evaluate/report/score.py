"""The page of a score: what a system found of the faults in a study."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from datareplicator.evaluate.report import svg


def render_score(score: Any) -> str:
    """The score (`faults.score.Score`) as one HTML page; everything that comes from the data is escaped."""
    environment = Environment(
        loader=PackageLoader("datareplicator.evaluate.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": svg.number, "percent": svg.percent}
    return environment.get_template("score.html.j2").render(
        s=score,
        kinds=_rows(score.kinds),
        severities=_rows(score.severities),
        rules=_rows(score.rules),
        missed=_rows(score.missed.head(200)),
        verdict=_verdict,
    )


def _rows(frame: Any) -> list[dict[str, Any]]:
    return [
        {k: None if v != v else v for k, v in row.items()} for row in frame.astype(object).to_dict(orient="records")
    ]


def _verdict(share: float | None) -> str:
    """The class of a share, as the report of a comparison has them."""
    if share is None or share != share:
        return "none"
    return "good" if share >= 0.95 else "fair" if share >= 0.5 else "poor"
