"""The examples of the pages run as they stand, on the sample study and with fewer subjects."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from datareplicator import cli
from datareplicator.data import sample_study_path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs/how-to").glob("*.md")),
    *sorted((ROOT / "docs/reference").glob("*.md")),
]


def _blocks(language: str) -> list[tuple[Path, str]]:
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.M | re.S)
    return [(page, block) for page in PAGES for block in fence.findall(page.read_text(encoding="utf-8"))]


def _lines(block: str) -> list[list[str]]:
    commands = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [command for command in commands if command and command[0] == "datareplicator"]


def _names(blocks: list[tuple[Path, str]]) -> list[str]:
    return [f"{page.stem}-{k}" for k, (page, _) in enumerate(blocks)]


PYTHON = _blocks("python")
SHELL = [(page, block) for page, block in _blocks("sh") if _lines(block)]
YAML = _blocks("yaml")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learned: None) -> Path:
    """A folder with the sample study as `study/` and a run document."""
    shutil.copytree(sample_study_path(), tmp_path / "study")
    (tmp_path / "run.yaml").write_text("source: study\nsubjects: 5\noutput: out\n")
    (tmp_path / "findings.csv").write_text("dataset,record,variable\nAE,1,AESEV\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("page", "block"), PYTHON, ids=_names(PYTHON))
def test_python_examples_run(page: Path, block: str, workplace: Path) -> None:
    exec(compile(block, str(page), "exec"), {"__name__": "example"})
    assert any((workplace / "out").iterdir())


@pytest.mark.parametrize(("page", "block"), SHELL, ids=_names(SHELL))
def test_command_examples_run(page: Path, block: str, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in _lines(block):
        small = ["5" if before == "-n" else word for before, word in zip(["", *command], command, strict=False)]
        if small[1] == "demo":
            small += ["-n", "5"]
        code = cli.run(small[1:])
        assert code == 0, f"{shlex.join(small)}\n{capsys.readouterr().err}"


@pytest.mark.parametrize(("page", "block"), YAML, ids=_names(YAML))
def test_run_documents_are_understood(page: Path, block: str) -> None:
    from datareplicator.run import parse_run

    assert parse_run(block).subjects


CONTROL = [(page, block) for page, block in YAML if page.stem == "control-a-study"]


@pytest.mark.parametrize("block", [block for _, block in CONTROL], ids=_names(CONTROL))
def test_what_is_asked_of_a_study_is_made(block: str, model: Path) -> None:
    from datareplicator import pipeline
    from datareplicator.model.store import load_model
    from datareplicator.run import parse_run

    run = parse_run(block)
    made = pipeline.generate_study(load_model(model), run.request(), workers=1)
    assert len(made["dm"].frame) == run.subjects


def test_there_are_examples_to_run() -> None:
    assert len(PYTHON) >= 2
    assert len(SHELL) >= 3
    assert YAML


def test_links_lead_somewhere() -> None:
    pages = [*PAGES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://")):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
