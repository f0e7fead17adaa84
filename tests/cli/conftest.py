"""The program as a user calls it, and one replication that the tests of a process share."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from datareplicator import cli

PROGRAM = (sys.executable, "-c", "from datareplicator.cli import main; main()")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]):
    """Run a command line in this process."""

    def _call(*args: object) -> Ran:
        code = cli.run([str(arg) for arg in args])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return _call


@pytest.fixture
def program():
    """Run a command line in a process of its own."""

    def _program(*args: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *(str(arg) for arg in args)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, **options)

    return _program


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """150 subjects (two blocks) replicated from the sample study as Parquet, with a report."""
    path = tmp_path_factory.mktemp("replicate") / "out"
    options = ["-n", "150", "--seed", "7", "--format", "parquet", "--workers", "1", "--report"]
    assert cli.run(["replicate", str(sample), "-o", str(path), *options]) == 0
    return path


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """3 subjects of the same model and seed, in the source's format."""
    path = tmp_path_factory.mktemp("generate") / "study"
    assert cli.run(["generate", str(model), "-n", "3", "--seed", "7", "-o", str(path)]) == 0
    return path
