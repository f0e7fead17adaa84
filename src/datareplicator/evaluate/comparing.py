"""Source against synthetic: everything measured, and said in one document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from datareplicator.evaluate.correlations import compare_correlations
from datareplicator.evaluate.courses import Findings as FindingsTable
from datareplicator.evaluate.courses import compare_tests, read_findings
from datareplicator.evaluate.events import compare_events, compare_sizes
from datareplicator.evaluate.features import subject_features
from datareplicator.evaluate.indistinct import classify
from datareplicator.evaluate.pair import Pair, column_labels, make_pair
from datareplicator.evaluate.privacy import compare_privacy
from datareplicator.evaluate.results import Content, RuleRate, Score
from datareplicator.evaluate.scores import scores
from datareplicator.evaluate.timeline import compare_timeline
from datareplicator.evaluate.variables import compare_variables
from datareplicator.structure.discover import discover
from datareplicator.structure.spec import Structure
from datareplicator.study import Study
from datareplicator.validate import Findings, validate


class Comparison(Content):
    """How a synthetic study compares with its source. The source's own variation is the yardstick throughout."""

    @property
    def scores(self) -> dict[str, Score]:
        """The main figures by name, each with a sentence and a verdict."""
        return scores(self)

    def to_json(self) -> str:
        """Everything as one JSON object; unknown figures are null."""
        content = json.loads(self.model_dump_json())
        content["scores"] = {name: json.loads(score.model_dump_json()) for name, score in self.scores.items()}
        return json.dumps(content, ensure_ascii=False)

    def to_html(self, path: str | Path) -> None:
        """Write the report: one HTML file that needs nothing else."""
        from datareplicator.evaluate.report import render

        Path(path).write_text(render(self), encoding="utf-8")


def compare(
    source: Study,
    synthetic: Study,
    *,
    structure: Structure | None = None,
    findings: Findings | None = None,
    holdout: Study | None = None,
    made: Mapping[str, Mapping[str, object]] | None = None,
    notes: tuple[str, ...] = (),
) -> Comparison:
    """Compare a synthetic study with its source.

    `structure`: what discovery found in the source (discovered where none is given). `findings`: of validating the
    synthetic study against the source (validated here where none are given). `holdout`: real subjects that the model
    never saw, for the guess who was in the source. `made`: how the study was made, for the report (headings with
    names and values). `notes`: what could not be learned.

    Raises StructureError where one of the studies has no subjects.
    """
    structure = structure or discover(source)
    pair = make_pair(source, synthetic, structure)
    if findings is None:
        findings = validate(synthetic, baseline=source, structure=structure, detectors=False)
    tables = read_findings(pair)
    names, real, fake = subject_features(pair, tables)
    labels = column_labels(source, structure)
    sizes = compare_sizes(pair, source, synthetic)
    return Comparison(
        name=source.name,
        subjects=(pair.source.n, pair.synthetic.n),
        rows=(source.rows, synthetic.rows),
        tables=tuple(sizes),
        variables=tuple(compare_variables(pair, labels)),
        tests=tuple(compare_tests(pair, tables)),
        correlations=tuple(compare_correlations(pair, tables)),
        events=tuple(compare_events(pair, {size.table: size.label for size in sizes})),
        timeline=compare_timeline(pair),
        rules=_rules(findings),
        privacy=compare_privacy(pair, tables, real, fake, _held_out(source, holdout, structure, names)),
        indistinct=classify(names, real, fake),
        arms=pair.arms,
        notes=_all_notes(pair, structure, findings, notes),
        made={heading: {k: str(v) for k, v in held.items()} for heading, held in (made or {}).items()},
    )


def _all_notes(pair: Pair, structure: Structure, findings: Findings, notes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*pair.lacks, *notes, *structure.notes, *findings.notes)))


def _held_out(source: Study, holdout: Study | None, structure: Structure, names: list[str]) -> np.ndarray | None:
    """The features of the holdout's subjects, in the columns of the source's."""
    if holdout is None:
        return None
    pair = make_pair(source, holdout, structure)
    tables: list[FindingsTable] = read_findings(pair)
    found, _, other = subject_features(pair, tables)
    columns = {name: other[:, i] for i, name in enumerate(found)}
    unknown = np.full(pair.synthetic.n, np.nan)
    return np.column_stack([columns.get(name, unknown) for name in names])


def _rules(findings: Findings) -> tuple[RuleRate, ...]:
    return tuple(
        RuleRate(
            rule=t.rule.id,
            severity=str(t.rule.severity),
            message=t.rule.message,
            checked=t.checked,
            count=t.count,
            rate=t.rate,
            source_rate=t.baseline_rate,
            above=bool(t.above_baseline),
        )
        for t in findings.tallies
    )
