from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from datareplicator import __version__
from datareplicator.cli.options import run_from
from datareplicator.run import Privacy, Run

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "pandas", "scipy", "sklearn", "pyarrow", "matplotlib", "faker", "yaml", "jinja2"}


def _reference():
    spec = importlib.util.spec_from_file_location("write_reference", ROOT / "scripts/write_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["cli.md", "run.schema.json", "settings.md"])
def test_the_generated_reference_is_fresh(page: str) -> None:
    fresh = _reference().PAGES[page]()
    assert (ROOT / "docs/reference" / page).read_text(encoding="utf-8") == fresh, "run `make docs`"


@pytest.mark.parametrize("line", ["import datareplicator", "from datareplicator.cli import run; run(['--help'])"])
def test_nothing_heavy_is_imported_before_it_is_needed(line: str) -> None:
    import subprocess

    code = f"{line}\nimport sys\nprint(sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(eval(out.splitlines()[-1]))
    assert not HEAVY & loaded


def test_the_version(call) -> None:
    assert call("--version").out == f"datareplicator {__version__}\n"


@pytest.mark.parametrize("command", ["replicate", "profile", "fit", "generate", "validate", "demo"])
def test_every_command_explains_itself(call, command: str) -> None:
    ran = call(command, "--help")
    assert ran.code == 0
    assert f"datareplicator {command}" in ran.out


def test_every_option_of_replicate_and_generate_is_also_in_the_file() -> None:
    import typer

    from datareplicator.cli.app import app

    commands = typer.main.get_command(app).commands
    for name in ("replicate", "generate"):
        options = {parameter.name for parameter in commands[name].params} - {"config"}
        assert options <= set(Run.model_fields) | set(Privacy.model_fields)


def test_options_override_the_file(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("source: study\nsubjects: 300\nseed: 7\n")
    run = run_from(config, seed=9, output=Path("out"), format=None)
    assert run == Run(source=str(tmp_path / "study"), subjects=300, seed=9, output="out")
