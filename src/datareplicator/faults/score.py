"""What a system under test found of the faults: recall and precision against the answer key.

A fault (incident) is found when a finding lies on it: on one of its cells or rows, or, for dropped rows and faults of
layout and files, on its subject's rows or variable of that table. A finding is right when it lies on a fault, or, where
a kind spreads, on a subject of it. A finding about a site as a whole (row 0, or none) lies on the faults of whole sites
there. Findings that the clean study has too can be taken out first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.errors import Place, RequestError, SourceError
from datareplicator.faults.answers import Answers

NEEDED = {
    "table": ("table", "dataset", "domain"),
    "row": ("row", "record"),
    "variable": ("variables", "variable"),
    "subject": ("subject", "usubjid"),
    "site": ("site", "siteid"),
    "rule": ("rule", "core-id", "core_id", "rule_id"),
}
"""What a finding may tell, and the names under which others call it."""
SITE = r"(?:^|; )site=([^;]*)"
"""Where `values` of our own findings name a site."""


@dataclass(frozen=True)
class Score:
    """`kinds`, `severities`: one row each with incidents, found, recall, findings, right, precision. `rules`: one row
    a rule with findings, right, precision. `missed`: the answers of incidents that nobody found."""

    kinds: pd.DataFrame
    severities: pd.DataFrame
    rules: pd.DataFrame
    missed: pd.DataFrame
    findings: int
    right: int
    incidents: int
    found: int
    notes: tuple[str, ...] = ()

    @property
    def recall(self) -> float:
        """Share of the faults that were found."""
        return self.found / self.incidents if self.incidents else float("nan")

    @property
    def precision(self) -> float:
        """Share of the findings that lie on a fault."""
        return self.right / self.findings if self.findings else float("nan")

    def to_json(self) -> str:
        """All figures as one JSON object."""
        content = {
            "notes": list(self.notes),
            "incidents": self.incidents,
            "found": self.found,
            "recall": _number(self.recall),
            "findings": self.findings,
            "right": self.right,
            "precision": _number(self.precision),
            "kinds": _records(self.kinds),
            "severities": _records(self.severities),
            "rules": _records(self.rules),
        }
        return json.dumps(content, indent=1, ensure_ascii=False)

    def to_text(self) -> str:
        """For people."""
        lines = [
            *(f"note: {note}" for note in self.notes),
            f"recall     {self.found:,} of {self.incidents:,} faults found ({_percent(self.recall)})",
            f"precision  {self.right:,} of {self.findings:,} findings lie on a fault ({_percent(self.precision)})",
            "",
            f"{'kind':34} {'severity':9} {'faults':>7} {'found':>7} {'recall':>8} {'precision':>10}",
        ]
        for row in self.kinds.itertuples(index=False):
            figures = f"{row.incidents:7,} {row.found:7,} {_percent(row.recall):>8} {_percent(row.precision):>10}"
            lines.append(f"{row.kind:34} {row.severity:9} {figures}")
        return "\n".join(lines)

    def to_html(self) -> str:
        """A page with all figures, complete in itself."""
        from datareplicator.evaluate.report.score import render_score

        return render_score(self)


@dataclass(frozen=True)
class Matches:
    """`findings`: as `normal_findings` gives them. `pairs`: finding (its place there) and incident that it lies on."""

    findings: pd.DataFrame
    pairs: pd.DataFrame


def match(findings: pd.DataFrame, answers: Answers, *, clean: pd.DataFrame | None = None) -> Matches:
    """Which finding lies on which fault. Arguments and errors are those of `score`."""
    held = normal_findings(findings)
    if clean is not None:
        held = _without(held, normal_findings(clean), answers.frame)
    return Matches(held, _matches(held, answers.frame))


def score(findings: pd.DataFrame, answers: Answers, *, clean: pd.DataFrame | None = None) -> Score:
    """Score findings (columns as in `NEEDED`, under any of their names) against an answer key.

    `clean`: findings in the clean study; those that are in both (same table, subject, variable and rule, and the same
    row but for rows put in or dropped) do not count. Raises RequestError where a finding names no table.
    """
    matches = match(findings, answers, clean=clean)
    held, at, key = matches.findings, matches.pairs, answers.frame
    right = np.unique(at["finding"].to_numpy())
    found = np.unique(at["incident"].to_numpy())
    incidents = key.groupby("incident", sort=True).agg(kind=("kind", "first"), severity=("severity", "first"))
    incidents["found"] = incidents.index.isin(found)
    missed = key[~key["incident"].isin(found)]
    return Score(
        _by(incidents, ["kind", "severity"], held, at, right),
        _by(incidents, ["severity"], held, at, right),
        _rules(held, right),
        missed.reset_index(drop=True),
        len(held),
        len(right),
        len(incidents),
        len(found),
    )


def normal_findings(frame: pd.DataFrame) -> pd.DataFrame:
    """Findings with the columns table, row, variable, subject, site and rule, whatever they were called."""
    names = {str(c).strip().lower(): c for c in frame.columns}
    result = pd.DataFrame(index=range(len(frame)))
    for name, known in NEEDED.items():
        source = next((names[k] for k in known if k in names), None)
        result[name] = frame[source].to_numpy(dtype=object) if source is not None else None
    if len(frame) and result["table"].isna().any():
        raise RequestError("a finding names no table.", hint=f"A column is needed: {', '.join(NEEDED['table'])}.")
    result["table"] = result["table"].astype("str").str.lower().str.removesuffix(".xpt")
    result["row"] = pd.to_numeric(result["row"], errors="coerce")
    for name in ("variable", "subject", "site", "rule"):
        result[name] = result[name].astype("str")
    if "values" in names:
        named = frame[names["values"]].astype("str").str.extract(SITE, expand=False)
        result["site"] = result["site"].fillna(pd.Series(named.to_numpy(), dtype="str"))
    return result


def _matches(held: pd.DataFrame, key: pd.DataFrame) -> pd.DataFrame:
    """Pairs of a finding and an incident that it lies on."""
    findings = held.assign(finding=np.arange(len(held)))
    answers = key.assign(table=key["table"].str.lower(), row=key["row_after"].astype("float64"))
    pairs = [
        _join(findings, answers[answers["row"].notna()], ["table", "row"], same_variable=True),
        _join(findings, answers[answers["change"].isin(["delete"])], ["table", "subject"]),
        # Whoever misses a column or a file points at the whole table: at row 0, or at none.
        _join(findings[~(findings["row"] > 0)], answers[answers["change"].isin(["column", "file"])], ["table"]),
        _join(findings[findings["row"] == 0], answers[answers["change"] == "delete"], ["table"]),
        _join(findings, answers[answers["change"] == "column"], ["table"], same_variable=True),
        _join(findings, answers[answers["spreads"] & answers["row"].notna()], ["table", "row"]),
        _join(findings, answers[answers["spreads"] & answers["subject"].notna()], ["subject"]),
        _join(findings, _received(answers), ["subject"]),
        *_of_sites(findings[~(findings["row"] > 0)], answers),
    ]
    return pd.concat(pairs, ignore_index=True).drop_duplicates()


def _of_sites(findings: pd.DataFrame, answers: pd.DataFrame) -> Iterable[pd.DataFrame]:
    """Findings about whole sites on faults of whole sites: in the same table, where they name one that has faults."""
    sites = answers[(answers["family"] == "sites") & answers["site"].notna()]
    known = findings["table"].isin(answers["table"])
    yield _join(findings[known], sites, ["table", "site"])
    yield _join(findings[~known], sites, ["site"])


def _received(answers: pd.DataFrame) -> pd.DataFrame:
    """Edits that put rows under another subject, with that one: it is found on its own rows too."""
    moved = answers["spreads"] & (answers["change"] == "cell") & (answers["old"] == answers["subject"])
    return answers[moved & answers["new"].notna()].assign(subject=answers["new"])


def _join(findings: pd.DataFrame, answers: pd.DataFrame, on: list[str], same_variable: bool = False) -> pd.DataFrame:
    columns = [*on, "incident", "variable"]
    known = findings.dropna(subset=on)
    joined = known.merge(answers[columns].drop_duplicates(), on=on, suffixes=("", "_of_key"))
    if same_variable:
        told = [
            not isinstance(mine, str) or not isinstance(theirs, str) or theirs.upper() in _words(mine)
            for mine, theirs in zip(joined["variable"], joined["variable_of_key"], strict=True)
        ]
        joined = joined[np.array(told, dtype=bool)]
    return joined[["finding", "incident"]]


def _words(variables: str) -> set[str]:
    return {word.strip(" []'\"").upper() for word in variables.replace(";", ",").split(",")}


def _without(held: pd.DataFrame, clean: pd.DataFrame, key: pd.DataFrame) -> pd.DataFrame:
    """Findings that the clean study does not have, compared by their row there, or by their site."""
    here = held.assign(row=_rows_before(held, key))
    same = ["table", "row", "variable", "site", "rule"]
    seen = pd.MultiIndex.from_frame(clean[same].fillna(""))
    return held[~pd.MultiIndex.from_frame(here[same].fillna("")).isin(seen)].reset_index(drop=True)


def _rows_before(held: pd.DataFrame, key: pd.DataFrame) -> np.ndarray:
    """The row in the clean study of each finding's row; NaN for a row that was put in."""
    result = held["row"].to_numpy(dtype=float, copy=True)
    for table, part in key.groupby(key["table"].str.lower()):
        mine = (held["table"] == table).to_numpy() & np.isfinite(result)
        if not mine.any():
            continue
        inserted = np.sort(part.loc[part["change"] == "insert", "row_after"].to_numpy(dtype=float))
        deleted = np.sort(part.loc[part["change"] == "delete", "row_before"].to_numpy(dtype=float))
        row = result[mine]
        before = row - np.searchsorted(inserted, row, side="left")
        gone = np.isin(row, inserted)
        for place in deleted:  # rows at and behind a dropped one were one place further down
            before = before + (before >= place)
        moved = part[part["change"] == "move"]
        places = dict(zip(moved["row_after"].astype(float), moved["row_before"].astype(float), strict=True))
        before = np.array([places.get(r, b) for r, b in zip(row, before, strict=True)])
        result[mine] = np.where(gone, np.nan, before)
    return result


def _by(
    incidents: pd.DataFrame, names: list[str], held: pd.DataFrame, at: pd.DataFrame, right: np.ndarray
) -> pd.DataFrame:
    """Recall and precision by columns of the incidents.

    A finding on nothing belongs to no kind. So the precision of a kind is that of the rules that found it: of all
    their findings, the share that lies on a fault.
    """
    grouped = incidents.groupby(names, sort=False)
    result = grouped.agg(incidents=("found", "size"), found=("found", "sum")).reset_index()
    result["recall"] = result["found"] / result["incidents"]
    good = np.zeros(len(held), dtype=bool)
    good[right] = True
    rule = held["rule"].fillna("").to_numpy(dtype=object)
    met = at.assign(rule=rule[at["finding"].to_numpy()]).join(incidents[names], on="incident")
    rows = []
    for values in result[names].itertuples(index=False):
        mine = met[np.all([met[n] == v for n, v in zip(names, values, strict=True)], axis=0)]
        theirs = np.isin(rule, mine["rule"].unique())
        rows.append((mine["finding"].nunique(), int(theirs.sum()), good[theirs].mean() if theirs.any() else np.nan))
    return result.assign(
        **{name: [row[k] for row in rows] for k, name in enumerate(("right", "findings", "precision"))}
    )


def _rules(held: pd.DataFrame, right: np.ndarray) -> pd.DataFrame:
    """One row a rule of the findings."""
    good = np.zeros(len(held), dtype=bool)
    good[right] = True
    rows = pd.DataFrame({"rule": held["rule"].fillna("").to_numpy(), "right": good})
    result = rows.groupby("rule", sort=True).agg(findings=("right", "size"), right=("right", "sum")).reset_index()
    result["precision"] = result["right"] / result["findings"]
    return result


def read_findings(path: str | Path) -> pd.DataFrame:
    """Read findings: JSON of `validate`, results of the CORE engine (JSON), or CSV with a row a finding.

    `attrs["notes"]` of the frame says what is not in it. Raises SourceError where the file is missing or holds none of
    these.
    """
    path, place = Path(path), Place(file=str(path))
    if not path.is_file():
        raise SourceError("there is no such file.", place=place, hint="Check the path.")
    try:
        if path.suffix.lower() == ".json":
            content = json.loads(path.read_text(encoding="utf-8-sig"))
            found = pd.DataFrame(_rows_of(content))
            found.attrs["notes"] = _cut(content)
            return found
        return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SourceError(
            "holds no findings that are understood.",
            place=place,
            hint="Known are the JSON of `validate --json`, CORE's JSON report, and CSV with dataset, record, variable.",
        ) from error


def _cut(content: Any) -> list[str]:
    """A note where the document counts more findings of its rules than it lists."""
    rules = content.get("rules", ()) if isinstance(content, dict) else ()
    listed = Counter(row.get("rule") for row in content["findings"]) if rules else Counter()
    lost = {rule["rule"]: rule["count"] - listed[rule["rule"]] for rule in rules}
    cut = sorted(rule for rule, number in lost.items() if number > 0)
    if not cut:
        return []
    total = sum(lost[rule] for rule in cut)
    return [f"{total:,} findings of {', '.join(cut)} are counted there but not listed: the score is too low"]


def _rows_of(content: Any) -> list[dict[str, Any]]:
    """The findings of a JSON document."""
    if isinstance(content, list):
        return content
    if "findings" in content:
        return content["findings"]
    details = content["Issue_Details"]
    return [_core_row(row) for row in details]


def _core_row(row: dict[str, Any]) -> dict[str, Any]:
    """One row of CORE's Issue_Details, in the wording of its versions."""
    variables = row.get("variables") or row.get("Variable(s)") or row.get("Variable")
    return {
        "rule": row.get("core_id") or row.get("rule_id") or row.get("CORE-ID"),
        "table": row.get("dataset") or row.get("Dataset"),
        "row": row.get("row") or row.get("Record"),
        "subject": row.get("USUBJID"),
        "variable": ", ".join(variables) if isinstance(variables, list) else variables,
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{k: _number(v) if isinstance(v, float) else v for k, v in r.items()} for r in _plain(frame)]


def _plain(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    return json.loads(frame.to_json(orient="records"))


def _number(value: float) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, 6)


def _percent(share: float) -> str:
    return "-" if share is None or not np.isfinite(share) else f"{share:.1%}"
