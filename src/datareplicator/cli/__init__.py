"""The command line. Nothing heavy is imported before a command needs it: `--help` comes at once."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from datareplicator.errors import INTERNAL, INTERRUPTED, TERMINATED, DataReplicatorError, EngineError


def main() -> NoReturn:
    """The entry point of the program."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every error becomes one line on standard error."""
    args = [argument for argument in arguments if argument != "--debug"]
    try:
        return _invoke(args)
    except DataReplicatorError as error:
        return _fail(str(error), error.exit_code, error, debug=len(args) < len(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError as error:
        advice = "there is not enough memory for this study. Try fewer workers (--workers 1)."
        return _fail(advice, EngineError.exit_code, error, debug=len(args) < len(arguments))
    except Exception as error:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        advice = "This is a defect of DataReplicator: please report it with what `--debug` adds to this message."
        return _fail(f"unexpected {text}. {advice}", INTERNAL, error, debug=len(args) < len(arguments))


def _invoke(args: list[str]) -> int:
    import typer

    from datareplicator.cli.app import app

    try:
        return app(args or ["--help"], prog_name="datareplicator", standalone_mode=False) or 0
    except typer.TyperException as error:
        text = " ".join(error.format_message().split())
        return _fail(f"{text} See --help.", error.exit_code, error, debug=False)


def _fail(text: str, code: int, error: BaseException, *, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    print(f"error: {text}", file=sys.stderr)
    return code


def _terminate(number: int, frame: Any) -> NoReturn:
    """Leave as after an error, so that nothing half-written stays."""
    raise SystemExit(TERMINATED)
