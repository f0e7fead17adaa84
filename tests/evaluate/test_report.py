"""The report: well-formed, complete, self-contained, and deaf to what data would have it say."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.studies import sdtm, shop, study_of

from datareplicator.evaluate import Comparison, compare
from datareplicator.evaluate.report import render

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Reader(HTMLParser):
    """Collects tags, and the tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.errors: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.errors.append(f"</{tag}> at {self.getpos()}")


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare(sdtm(40, seed=1), sdtm(60, seed=2), made={"Request": {"seed": 7}})


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> str:
    return render(comparison)


def test_tags_are_closed_in_order(page: str) -> None:
    reader = read(page)
    assert reader.errors == []
    assert reader.open == []


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    reader = read(page)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & {tag for tag, _ in reader.tags}
    for _, attributes in reader.tags:
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page and "@import" not in page and "http://" not in page and "https://" not in page


def test_every_link_has_its_place_and_every_id_is_unique(page: str) -> None:
    reader = read(page)
    ids = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in reader.tags:
        if attributes.get("href"):
            assert (attributes["href"] or "")[1:] in ids
        for part in (attributes.get("aria-labelledby") or "").split():
            assert part in ids


def test_every_drawing_has_words(page: str) -> None:
    named = re.findall(r"<svg[^>]*role=\"img\"[^>]*>\s*<title[^>]*>([^<]+)</title>\s*<desc[^>]*>([^<]+)</desc>", page)
    assert len(named) == page.count('role="img"') > 30


def test_all_sections_are_there(page: str) -> None:
    for section in ("overview", "distributions", "courses", "correlations", "events", "timeline", "rules", "privacy"):
        assert f'<section id="{section}">' in page
    assert "<th>seed</th><td>7</td>" in page
    assert not re.search(r"\bnan\b", page, flags=re.IGNORECASE)


def test_the_same_comparison_gives_the_same_page(comparison: Comparison, page: str, tmp_path: Path) -> None:
    comparison.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page


def test_hostile_text_stays_text() -> None:
    rng = np.random.default_rng(1)
    n = 60

    def table(seed: int) -> pd.DataFrame:
        draw = np.random.default_rng(seed)
        return pd.DataFrame(
            {
                "group": draw.choice([HOSTILE, "b", "c"], n),
                HOSTILE: draw.choice(["x", HOSTILE + "y", "z"], n),
                "value": rng.normal(size=n).round(2),
            }
        )

    source, made = study_of({HOSTILE: table(1)}), study_of({HOSTILE: table(2)})
    source.name = HOSTILE
    source[HOSTILE].label = HOSTILE
    page = render(compare(source, made, notes=(HOSTILE,), made={HOSTILE: {HOSTILE: HOSTILE}}))
    reader = read(page)
    assert reader.errors == []
    assert not {"script", "img"} & {tag for tag, _ in reader.tags}
    assert page.count("&lt;script&gt;alert(1)") > 5


def test_a_study_without_visits_and_arms_has_a_report() -> None:
    page = render(compare(shop(40, seed=3), shop(60, seed=4)))
    assert read(page).errors == []
    assert '<section id="courses">' not in page
