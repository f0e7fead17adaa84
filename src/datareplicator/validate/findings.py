"""What validation found: counts by rule, and the first findings of each rule in full."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from datareplicator.validate.rule import Hits, Rule

COLUMNS = ("rule", "severity", "table", "row", "subject", "variables", "values", "message")


@dataclass(frozen=True)
class Tally:
    """One rule's outcome. `checked` counts the rows that the rule applied to, `count` those that broke it."""

    rule: Rule
    checked: int
    count: int
    baseline_rate: float | None = None

    @property
    def rate(self) -> float:
        return self.count / self.checked if self.checked else 0.0

    @property
    def above_baseline(self) -> bool:
        """More findings than the baseline's own rate lets expect, beyond chance (two standard errors)."""
        expected = (self.baseline_rate or 0.0) * self.checked
        return self.count > expected + 2 * np.sqrt(expected)


@dataclass(frozen=True)
class Findings:
    """All findings of one validation. Only the first of each rule are kept in full; `tallies` counts them all.

    `details`: counts by rule, table and what in particular was checked (a derivation, a reference, a column).
    """

    tallies: tuple[Tally, ...]
    frame: pd.DataFrame
    details: pd.DataFrame
    compared: bool = False
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(tally.count for tally in self.tallies)

    @property
    def ok(self) -> bool:
        """No rule of severity error is broken, beyond the baseline's rate where there is one."""
        return not any(tally.above_baseline for tally in self.tallies if tally.rule.severity == "error")

    def to_frame(self) -> pd.DataFrame:
        """One row a finding: rule, severity, table, row (from 1), subject, variables, values, message."""
        return self.frame

    def first(self, limit: int) -> Findings:
        """The same with at most `limit` findings of each rule in full."""
        return replace(self, frame=self.frame[self.frame.groupby("rule").cumcount() < limit].reset_index(drop=True))

    def summary(self) -> pd.DataFrame:
        """One row a rule that applied: rule, severity, message, count, checked, rate, [baseline_rate,] core, p21."""
        rows = []
        for tally in self.tallies:
            row = {"rule": tally.rule.id, "severity": str(tally.rule.severity), "message": tally.rule.message}
            row |= {"count": tally.count, "checked": tally.checked, "rate": tally.rate}
            if self.compared:
                row["baseline_rate"] = tally.baseline_rate
            rows.append(row | {"core": " ".join(tally.rule.core), "p21": " ".join(tally.rule.p21)})
        return pd.DataFrame(rows)

    def headline(self) -> str:
        """One line: how many rules were checked, how many broken, and how many beyond the baseline."""
        broken = sum(tally.count > 0 for tally in self.tallies)
        text = f"{len(self.tallies)} rules checked, {broken} broken, {len(self):,} findings"
        if self.compared:
            above = sum(tally.above_baseline for tally in self.tallies)
            text += f", {above} rules broken more often than in the baseline"
        return text

    def to_json(self) -> str:
        """The summary and the kept findings as one JSON object; missing values are null."""
        content = {
            "headline": self.headline(),
            "notes": list(self.notes),
            "rules": _records(self.summary()),
            "findings": _records(self.frame),
        }
        return json.dumps(content, indent=1, ensure_ascii=False)

    def to_text(self, examples: int = 3) -> str:
        """For people: each broken rule with its count and a few examples."""
        lines = [self.headline(), *(f"note: {note}" for note in self.notes)]
        for tally in self.tallies:
            if not tally.count:
                continue
            rule = tally.rule
            rate = f"{tally.count:,} of {tally.checked:,} rows ({tally.rate:.2%})"
            if tally.baseline_rate is not None:
                rate += f", baseline {tally.baseline_rate:.2%}"
            lines += ["", f"{rule.id} {rule.severity}: {rule.message}", f"  {rate}{_answers(rule)}"]
            kept = self.frame[self.frame["rule"] == rule.id].head(examples)
            for found in kept.itertuples(index=False):
                who = f", {found.subject}" if isinstance(found.subject, str) else ""
                lines.append(f"  {found.table} row {found.row}{who}: {found.values}")
        return "\n".join(lines)


def _answers(rule: Rule) -> str:
    ids = " ".join((*rule.core, *rule.p21))
    return f" [{ids}]" if ids else ""


def _records(frame: pd.DataFrame) -> list[dict]:
    return [
        {k: None if v is None or v is pd.NA or (isinstance(v, float) and np.isnan(v)) else v for k, v in row.items()}
        for row in frame.to_dict(orient="records")
    ]


def kept(rule: Rule, hits: list[Hits], limit: int) -> pd.DataFrame:
    """The first `limit` findings of a rule, as rows of the findings' frame."""
    parts, left = [], limit
    for hit in hits:
        rows = np.flatnonzero(hit.bad)[:left]
        left -= len(rows)
        if len(rows):
            parts.append(_rows(rule, hit, rows))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _rows(rule: Rule, hit: Hits, rows: np.ndarray) -> pd.DataFrame:
    part = hit.part
    shown = {v: part.frame[v].to_numpy(dtype=object)[rows] for v in dict.fromkeys(hit.variables) if v in part.frame}
    values = ["; ".join(f"{v}={_plain(column[i])}" for v, column in shown.items()) for i in range(len(rows))]
    subject = part.frame[part.subject].to_numpy(dtype=object)[rows] if part.subject in part.frame else None
    return pd.DataFrame(
        {
            "rule": rule.id,
            "severity": str(rule.severity),
            "table": np.array(part.tables, dtype=object)[part.table[rows]],
            "row": part.row[rows] + 1,
            "subject": None if subject is None else [None if pd.isna(s) else str(s) for s in subject],
            "variables": ", ".join(shown),
            "values": values,
            "message": f"{rule.message} {hit.detail}".strip(),
        }
    )


def _plain(value: object) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
