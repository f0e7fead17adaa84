"""Text that was harmed on its way: characters, blanks, case, length, spelling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydantic import Field

from datareplicator.document import Document
from datareplicator.faults.job import Job, Pool, Values
from datareplicator.faults.kind import Family
from datareplicator.faults.kinds.pools import filled
from datareplicator.faults.roles import text_columns
from datareplicator.faults.scene import Piece

FAMILY = Family("text")

_ACCENTS = str.maketrans("aeiounAEIOUNcC", "áéíöüñÁÉÍÖÜÑçÇ")
_DASHES = str.maketrans({"-": "–", "'": "’"})
TRIMMED = {"xpt"}  # formats that cut blanks off the end of a text


def _texts(job: Job, alter: Callable[[str, float], str], what: str, pools: list[Pool] | None = None) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        draws = rng.random(len(rows))
        return {column: [alter(str(t), r) for t, r in zip(pool.piece.texts(column, rows), draws, strict=True)]}

    job.cells(filled(job, text_columns, text=True) if pools is None else pools, change, what)


@FAMILY.kind("non-ascii", "Letters with accents and typographic dashes.", rules="DR0905")
def non_ascii(job: Job, params: Document) -> None:
    def alter(text: str, draw: float) -> str:
        places = [i for i, mark in enumerate(text) if mark.translate(_ACCENTS).translate(_DASHES) != mark]
        if not places:
            return text
        i = places[int(draw * len(places))]
        return text[:i] + text[i].translate(_ACCENTS).translate(_DASHES) + text[i + 1 :]

    _texts(job, alter, "texts with letters")


@FAMILY.kind("mojibake", "UTF-8 that was read as Windows-1252: é became Ã©.", rules="DR0910 DR0905")
def mojibake(job: Job, params: Document) -> None:
    def alter(text: str, draw: float) -> str:
        places = [i for i, mark in enumerate(text) if mark.translate(_ACCENTS) != mark]
        if not places:
            return text
        i = places[int(draw * len(places))]
        broken = text[i].translate(_ACCENTS).encode("utf-8").decode("cp1252", errors="replace")
        return text[:i] + broken + text[i + 1 :]

    _texts(job, alter, "texts with letters")


@FAMILY.kind("leading-blanks", "Blanks before the text.", rules="DR0904")
def leading_blanks(job: Job, params: Document) -> None:
    _texts(job, lambda text, draw: " " * (1 + int(draw * 3)) + text, "texts")


@FAMILY.kind("trailing-blanks", "Blanks after the text; XPORT cannot hold them, so it gets none.", rules="DR0909")
def trailing_blanks(job: Job, params: Document) -> None:
    pools = [p for p in filled(job, text_columns, text=True) if p.piece.format not in TRIMMED]
    _texts(job, lambda text, draw: text + " " * (1 + int(draw * 3)), "texts in a format that keeps blanks", pools)


@FAMILY.kind(
    "case-changed", "The same word in other case: MILD became Mild.", rules="DR0911 DR0907 DR0903 DR1601 DR1301 DR1302"
)
def case_changed(job: Job, params: Document) -> None:
    def alter(text: str, draw: float) -> str:
        choices = [c for c in (text.capitalize(), text.lower(), text.upper(), text.swapcase()) if c != text]
        return choices[int(draw * len(choices))] if choices else text

    _texts(job, alter, "texts with letters")


@FAMILY.kind("misspelled", "Two letters swapped, one left out or doubled.", rules="DR0912 DR1601 DR1301")
def misspelled(job: Job, params: Document) -> None:
    _texts(job, _misspell, "texts of four letters or more")


def _misspell(text: str, draw: float) -> str:
    places = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if len(places) < 2:
        return text
    at = draw * len(places)
    i, how = places[int(at)], int((at % 1) * 3)
    if how == 0 and text[i] != text[i + 1]:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return text[:i] + text[i + 1 :] if how == 1 else text[:i] + text[i] + text[i:]


@FAMILY.kind(
    "text-truncated", "The end of a text is cut off, as by a column that was too short.", rules="DR0912 DR1601 DR1301"
)
def text_truncated(job: Job, params: Document) -> None:
    def alter(text: str, draw: float) -> str:
        kept = text[: max(3, int(len(text) * (0.4 + 0.4 * draw)))].rstrip()
        return kept if len(kept) >= 3 else text

    def long(piece: Piece, column: str) -> np.ndarray:
        return np.array([len(t or "") >= 6 for t in piece.texts(column)], dtype=bool)

    _texts(job, alter, "texts of six characters or more", filled(job, text_columns, text=True, allowed=long))


@FAMILY.kind("blank-text", "A text that is a lone point, as some systems write what is missing.", rules="DR0904")
def blank_text(job: Job, params: Document) -> None:
    _texts(job, lambda text, draw: ".", "texts")


@FAMILY.kind(
    "delimiter-in-text", "A comma, a quotation mark and a line end inside the text.", rules="DR0909 DR1601 DR1301"
)
def delimiter_in_text(job: Job, params: Document) -> None:
    def alter(text: str, draw: float) -> str:
        middle = max(1, len(text) // 2)
        return text[:middle] + (', "', ";\t", '",\n"')[int(draw * 3)] + text[middle:]

    _texts(job, alter, "texts")


class Length(Document):
    """How long."""

    length: int = Field(10_000, ge=201, le=1_000_000, description="Characters.")


@FAMILY.kind(
    "huge-text",
    "A text of 10,000 characters; XPORT version 5 cannot hold it, so it gets none.",
    rules="DR0906",
    parameters=Length,
)
def huge_text(job: Job, params: Length) -> None:
    def alter(text: str, draw: float) -> str:
        return ((text + " ") * (params.length // (len(text) + 1) + 1))[: params.length].rstrip()

    pools = [p for p in filled(job, text_columns, text=True) if p.piece.format not in TRIMMED]
    _texts(job, alter, "texts in a format that holds long ones", pools)
