"""Errors are one line with a place and a way out, and have the documented exit codes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from datareplicator import cli, errors, pipeline
from datareplicator.cli import screen
from datareplicator.client import wire as _wire  # noqa: F401  as those of its client do
from datareplicator.server import run_admin as _admin  # noqa: F401  errors of the service belong to the families
from datareplicator.server.targets import network as _network  # noqa: F401

from .conftest import PROGRAM

EXIT_CODES = Path(__file__).resolve().parents[2] / "docs/reference/exit-codes.md"


def _families(base: type[errors.DataReplicatorError]) -> list[type[errors.DataReplicatorError]]:
    return [base, *(family for child in base.__subclasses__() for family in _families(child))]


def test_the_documented_exit_codes_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \| (?:`(\w+)`)? *\|", EXIT_CODES.read_text(), re.M)
    families = list({(str(family.exit_code), family.code) for family in _families(errors.DataReplicatorError)})
    plain = ["0", *(str(code) for code in (errors.INTERNAL, errors.INTERRUPTED, errors.PIPE_CLOSED, errors.TERMINATED))]
    assert sorted(rows) == sorted(families + [(code, "") for code in plain])


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["replicate", "-n", "abc"], 2, "'abc' is no whole number"),
        (["replicate", "-n", "1.5"], 2, "'1.5' is no whole number"),
        (["replicate", "-n", "0"], 2, "subjects must be greater than or equal to 1, not 0"),
        (["replicate", "-n", "-5"], 2, "subjects must be greater than or equal to 1, not -5"),
        (["replicate", "--variation", "much"], 2, "'much' is no number"),
        (["replicate", "--variation", "nan"], 2, "variation must be"),
        (["replicate", "--seed", "-1"], 2, "seed must be"),
        (["replicate", "--workers", "0"], 2, "workers must be"),
        (["replicate", "--format", "doc"], 2, "format must be 'same', 'parquet'"),
        (["replicate", "-n", "5", "-o", "out"], 2, "source"),
        (["replicate", "nowhere", "-n", "5"], 2, "-o"),
        (["replicate", "nowhere", "-o", "out"], 2, "-n"),
        (["replicate", "nowhere", "-n", "5", "-o", "out"], 3, "file nowhere: there is no such file"),
        (["replicate", "a", "b"], 2, "unexpected extra argument"),
        (["replicate", "--config", "none.yaml"], 2, "file none.yaml: cannot be read"),
        (["generate", "nowhere.json", "-n", "5", "-o", "out"], 5, "nowhere.json"),
        (["generate", "-n", "5", "-o", "out"], 2, "model"),
        (["fit", "nowhere", "-o", "model.json"], 3, "nowhere"),
        (["fit", "nowhere"], 2, "model document to write is missing"),
        (["profile", "nowhere"], 3, "nowhere"),
        (["validate", "nowhere"], 3, "nowhere"),
        (["demo", "-n", "0", "-o", "out"], 2, "subjects must be"),
        (["replicte"], 2, "Did you mean 'replicate'?"),
        (["--bogus"], 2, "No such option"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = call(*args)
    assert ran.code == code
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert message in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_defect_is_reported_as_one_and_the_traceback_comes_on_demand(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(pipeline, "profile", fail)
    ran = call("profile", "study")
    assert ran.code == 70
    assert ran.err.count("\n") == 1
    assert "ZeroDivisionError: division by zero" in ran.err
    assert "--debug" in ran.err
    assert "Traceback" in call("profile", "study", "--debug").err
    assert "Traceback" in call("--debug", "profile", "study").err


def test_want_of_memory_is_no_defect(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pipeline, "profile", fail)
    ran = call("profile", "study")
    assert ran.code == 7
    assert "memory" in ran.err


def test_ctrl_c_leaves_with_130(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "profile", interrupt)
    assert call("profile", "study").code == 130


def test_a_closed_pipe_ends_quietly() -> None:
    text = "from datareplicator.cli import screen; import sys\n[screen.emit('x' * 1000) for _ in range(1000)]"
    run = f"exec({text!r})"
    code = f"import typer\ntry:\n    {run}\nexcept typer.Exit as error:\n    raise SystemExit(error.exit_code)"
    command = [PROGRAM[0], "-c", code]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(60) == errors.PIPE_CLOSED
    assert process.stderr.read() == b""


def test_text_goes_out_with_one_line_end(capfd: pytest.CaptureFixture[str]) -> None:
    screen.emit("a")
    screen.emit("b\n")
    assert capfd.readouterr().out == "a\nb\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, errors.INTERRUPTED), (signal.SIGTERM, errors.TERMINATED)])
def test_a_signal_leaves_nothing_behind(tmp_path: Path, sample: Path, number: int, code: int) -> None:
    args = ("replicate", str(sample), "-n", "20000", "-o", str(tmp_path / "out"), "--workers", "2")
    # A background job of a shell starts with interrupts ignored, and would hand that down.
    process = subprocess.Popen(
        [*PROGRAM, *args],
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    end = time.monotonic() + 120
    while not list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.1)
    assert list(tmp_path.iterdir()), "the output was never begun"
    time.sleep(1.0)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # a terminal sends it to the workers as well
    else:
        process.send_signal(number)
    assert process.wait(60) == code
    assert list(tmp_path.iterdir()) == []
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()


def test_no_arguments_show_the_help(call) -> None:
    ran = call()
    assert ran.code == 0
    assert "replicate" in ran.out
    assert cli.run(["--help"]) == 0
