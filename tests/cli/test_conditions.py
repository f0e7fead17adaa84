"""What the command says of constraints, rare events and scenarios, and what the report shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from datareplicator import cli

ASKED = """
subjects: 12
report: true
constraints:
  - {domain: DM, rule: "AGE >= 60"}
  - {domain: DM, rule: "AGE < 200"}
scenarios:
  - {name: lost-to-follow-up, subjects: 1}
"""


def test_closing_lines_and_report_say_how_each_ended(
    sample: Path, learned: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.yaml").write_text(ASKED)
    code = cli.run(["replicate", str(sample), "-o", str(tmp_path / "out"), "--config", str(tmp_path / "run.yaml")])
    out = capsys.readouterr().out
    assert code == 0
    assert "repaired  constraint 1 (DM: AGE >= 60): " in out
    assert "kept      constraint 2 (DM: AGE < 200)" in out
    assert "supplied  scenario lost-to-follow-up: 1 subject that show" in out
    assert re.search(r"^in all    \d+ subjects? replaced, .*\d+ subjects? as drawn$", out, re.M)
    report = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "scenario lost-to-follow-up" in report
    assert "subjects replaced by others that fit" in report or "subject replaced by others that fit" in report


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('constraints: [{domain: DM, rul: "AGE > 1"}]', "Did you mean 'rule'"),
        ('constraints: [{domain: DM, rule: "AGE >"}]', "position 6"),
        (
            "rare_events: [{domain: AE, where: \"AESER = 'Y'\", times: 0}]",
            "rare_events, entry 1: times: greater than 0",
        ),
        ("scenarios: [{name: fatal, subjects: 1}]", "there is no scenario 'fatal'"),
    ],
)
def test_what_is_not_understood_is_refused_and_nothing_written(
    entry: str, message: str, sample: Path, learned: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.yaml").write_text(f"subjects: 5\n{entry}\n")
    code = cli.run(["replicate", str(sample), "-o", str(tmp_path / "out"), "--config", str(tmp_path / "run.yaml")])
    assert code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
