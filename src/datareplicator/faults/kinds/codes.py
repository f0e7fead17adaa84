"""Coded values: wrong codes, codes without their text, pairs that do not belong together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.document import Document
from datareplicator.faults.job import Job, Pool, Values
from datareplicator.faults.kind import Family, Severity
from datareplicator.faults.kinds.pools import filled
from datareplicator.faults.roles import code_columns, code_pairs
from datareplicator.faults.scene import Piece
from datareplicator.structure.spec import Layout

FAMILY = Family("codes")


@FAMILY.kind(
    "wrong-code",
    "A coded value that is not in the code list.",
    severity=Severity.MAJOR,
    rules="DR0903 DR1601",
)
def wrong_code(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        known = {str(v).upper() for v in pool.piece.clean[column].dropna().unique()}
        return {
            column: [
                _outside(str(t), known, r)
                for t, r in zip(pool.piece.texts(column, rows), rng.random(len(rows)), strict=True)
            ]
        }

    job.cells(filled(job, code_columns, text=True), change, "coded values")


def _outside(code: str, known: set[str], draw: float) -> str:
    """A value like the code that is none of the known ones, of the same length where that can be."""
    tried = [code[:-1] + mark for mark in "XQZ79"] if len(code) > 1 else list("XQZ79")
    free = [value for value in tried if value.upper() not in known] or [code + "X"]
    return free[int(draw * len(free))]


@FAMILY.kind(
    "other-code",
    "A coded value is another one of the same list: nothing but the source can tell.",
    severity=Severity.MAJOR,
)
def other_code(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        known = sorted(str(v) for v in pool.piece.clean[column].dropna().unique())
        old = pool.piece.texts(column, rows)
        others = [[k for k in known if k != t] or [t] for t in old]
        return {column: [o[int(r * len(o))] for o, r in zip(others, rng.random(len(rows)), strict=True)]}

    job.cells(filled(job, code_columns, text=True), change, "coded values")


def _pairs(job: Job) -> list[tuple[Piece, str, str]]:
    """Pairs of code and text whose text is in the target."""
    found = []
    for piece in job.pieces():
        for code, text in code_pairs(piece):
            if text in job.columns(piece, [text]) and piece.clean[text].nunique() >= 2:
                found.append((piece, code, text))
    return found


def _pair_pools(job: Job) -> list[Pool]:
    pools = []
    for piece, code, text in _pairs(job):
        rows = job.rows(piece) & piece.free([text]) & piece.present(text) & piece.present(code)
        pools.append(Pool(piece, np.flatnonzero(rows), text, (), {"code": code}))
    return pools


@FAMILY.kind("code-without-decode", "A code is there, its text is not.", rules="DR0913 DR0116 DR0105 DR1301")
def code_without_decode(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return {str(pool.column): [None] * len(rows)}

    job.cells(_pair_pools(job), change, "pairs of a code and its text")


@FAMILY.kind(
    "code-pair-broken",
    "The text is that of another code.",
    severity=Severity.MAJOR,
    rules="DR0901 DR0902 DR1301",
    spreads=True,
)
def code_pair_broken(job: Job, params: Document) -> None:
    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        known = sorted(str(v) for v in pool.piece.clean[column].dropna().unique())
        old = pool.piece.texts(column, rows)
        others = [[k for k in known if k != t] or [t] for t in old]
        return {column: [o[int(r * len(o))] for o, r in zip(others, rng.random(len(rows)), strict=True)]}

    job.cells(_pair_pools(job), change, "pairs of a code and its text")


@FAMILY.kind("wrong-domain", "DOMAIN does not say the table's domain.", severity=Severity.MAJOR, rules="DR0106")
def wrong_domain(job: Job, params: Document) -> None:
    codes = sorted(
        {str(p.clean["DOMAIN"].iloc[0]) for p in job.scene.pieces.values() if "DOMAIN" in p.columns and len(p)}
    )

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        others = [[c for c in codes if c != t] or ["XX"] for t in pool.piece.texts(column, rows)]
        return {column: [o[int(r * len(o))] for o, r in zip(others, rng.random(len(rows)), strict=True)]}

    usual = filled(job, lambda piece: ["DOMAIN"] if "DOMAIN" in piece.columns else [], text=True)
    job.cells(usual, change, "tables with a column DOMAIN")


@FAMILY.kind("flag-no", "A flag that is Y or empty says N.", rules="DR0321 DR1601")
def flag_no(job: Job, params: Document) -> None:
    def flags(piece: Piece) -> list[str]:
        return [
            c.name
            for c in piece.spec.columns
            if c.name in piece.columns and c.kind == "flag" and c.encoding == "text" and c.distinct == 1
            and c.name.upper().endswith("FL") and piece.spec.layout == Layout.FINDINGS
        ]  # fmt: skip

    def only_yes(piece: Piece, column: str) -> np.ndarray:
        return (piece.frame[column].astype("str") == "Y").to_numpy(dtype=bool)

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return {str(pool.column): ["N"] * len(rows)}

    job.cells(filled(job, flags, text=True, allowed=only_yes), change, "flags that are Y or empty")


@FAMILY.kind(
    "second-baseline",
    "A second record of a test is flagged as the subject's baseline.",
    severity=Severity.MAJOR,
    spreads=True,
    rules="DR0320",
)
def second_baseline(job: Job, params: Document) -> None:
    def flags(piece: Piece) -> list[str]:
        return [c for c in piece.columns if c.upper().endswith(("BLFL", "LOBXFL")) and piece.present(c).any()]

    pools = []
    for piece in job.pieces(Layout.FINDINGS):
        spec = piece.spec
        keys = [c for c in (spec.subject, spec.test, *spec.axes) if c is not None and piece.has(c)]
        held = piece.spec.value if piece.has(piece.spec.value) else None
        for column in job.columns(piece, flags(piece)):
            flagged = piece.present(column)
            series = piece.clean.groupby(keys, dropna=False, sort=False).ngroup().to_numpy()
            rows = job.rows(piece) & piece.free([column]) & ~flagged & np.isin(series, series[flagged])
            rows &= piece.present(held) if held is not None else True
            pools.append(Pool(piece, np.flatnonzero(rows), column))

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        column = str(pool.column)
        return {column: [pool.piece.clean[column].dropna().iloc[0]] * len(rows)}

    job.cells(pools, change, "records of a test beside its baseline")


@FAMILY.kind("status-with-result", "A test marked as not done has a result.", severity=Severity.MAJOR, rules="DR0307")
def status_with_result(job: Job, params: Document) -> None:
    pools = []
    for piece in job.pieces(Layout.FINDINGS):
        status, original = piece.spec.status, piece.spec.original or piece.spec.text
        if status is None or original is None or not piece.has(status, original):
            continue
        held = pd.unique(piece.clean[status].dropna())
        rows = job.rows(piece) & piece.free([status]) & ~piece.present(status) & piece.present(original)
        pools.append(Pool(piece, np.flatnonzero(rows), status, (), {"say": str(held[0]) if len(held) else "NOT DONE"}))

    def change(pool: Pool, rows: np.ndarray, rng: np.random.Generator) -> Values:
        return {str(pool.column): [pool.data["say"]] * len(rows)}

    job.cells(pools, change, "findings with a result and a column that says what was not done")
