"""Arbitrary small studies for property tests: related tables with keys, odd names, all kinds of columns and gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import strategies as st

NAMES = ["age", "a b", "größe", "class", "1st", "%", "Sex", "value (mmol/l)", "_x", "日付", "select", "x" * 40]
WORDS = ["A", "low", "größer", "N/A?", "1", "0", "yes", "O'Brien, X", "日本", "two words"]
KINDS = ["category", "constant", "empty", "whole", "decimal", "date", "iso", "boolean", "text"]


@st.composite
def columns(draw: st.DrawFn, rows: int, most: int = 4) -> dict[str, pd.Series]:
    """Up to `most` columns of drawn kinds, each with a drawn share of gaps."""
    out = {}
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=most, unique=True)):
        rng = np.random.default_rng(draw(st.integers(0, 1000)))
        values = _values(draw(st.sampled_from(KINDS)), rows, rng)
        gaps = rng.random(rows) < draw(st.sampled_from([0.0, 0.0, 0.3, 0.9]))
        out[name] = values.mask(gaps) if gaps.any() else values
    return out


def _values(kind: str, rows: int, rng: np.random.Generator) -> pd.Series:
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    made = {
        "category": lambda: pd.Series(rng.choice(WORDS[: rng.integers(2, 7)], rows), dtype="str"),
        "constant": lambda: pd.Series(["same"] * rows, dtype="str"),
        "empty": lambda: pd.Series([None] * rows, dtype="str"),
        "whole": lambda: pd.Series(rng.integers(-3, 10 ** int(rng.integers(1, 9)), rows), dtype="Int64"),
        "decimal": lambda: pd.Series(np.round(rng.normal(0, 10.0 ** rng.integers(-2, 6), rows), 2)),
        "date": lambda: pd.Series(days).astype("datetime64[us]"),
        "iso": lambda: pd.Series(days.strftime(["%Y-%m-%d", "%Y-%m", "%Y"][rng.integers(0, 3)]), dtype="str"),
        "boolean": lambda: pd.Series(rng.random(rows) < 0.4, dtype="boolean"),
        "text": lambda: pd.Series([" ".join(rng.choice(WORDS, 4)) for _ in range(rows)], dtype="str"),
    }
    return made[kind]().reset_index(drop=True)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, pd.DataFrame]:
    """A study of up to five tables: subjects, rows of theirs, rows below those, a vocabulary.

    Subject keys are of four characters or more, so that they can be told from other values.
    """
    n = draw(st.sampled_from([1, 2, 3, 5, 12, 30]))
    style = draw(st.sampled_from(["S-{:04d}", "Prüf {:03d}/a", "number", "{:05d}"]))
    key = draw(st.sampled_from(["subject_id", "USUBJID", "patient"]))
    ids = pd.Series(range(1001, 1001 + n)) if style == "number" else pd.Series([style.format(i) for i in range(n)])
    out = {}
    if draw(st.booleans()) or draw(st.booleans()):
        out["subjects"] = pd.DataFrame({key: ids, **draw(columns(n))})
    for table in ["visits", "Ärger"][: draw(st.integers(0 if out else 1, 2))]:
        rng = np.random.default_rng(draw(st.integers(0, 1000)))
        who = np.repeat(np.arange(n), rng.integers(1 if not out else 0, 4, n))
        frame = {key: ids.iloc[who].reset_index(drop=True)}
        if draw(st.booleans()):
            frame["visit"] = pd.Series(who).groupby(who).cumcount() + 1
        if draw(st.booleans()):
            frame["row_id"] = pd.Series(np.arange(len(who)) + 1)
        out[table] = pd.DataFrame({**frame, **draw(columns(len(who)))})
    if "row_id" in out.get("visits", ()) and len(out["visits"]) > 1 and draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 1000)))
        rows = np.sort(rng.choice(out["visits"]["row_id"], 2 * len(out["visits"])))
        below = {"visits_row_id": pd.Series(rows), "item": pd.Series(rows).groupby(rows).cumcount() + 1}
        out["items"] = pd.DataFrame({**below, **draw(columns(len(rows)))})
    if draw(st.booleans()):
        out["vocabulary"] = pd.DataFrame({"code": WORDS, "label": [f"label of {w}" for w in WORDS]})
    return out
