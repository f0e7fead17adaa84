"""Model documents on disk: plain JSON, checked on reading, never executed."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from datareplicator.errors import ModelError, Place, WriteError
from datareplicator.model.study_model import FORMAT, VERSION, StudyModel

MOST_BYTES = 2_000_000_000
MOST_DEPTH_HINT = "It was cut, edited, or made by something else; fit the model again."


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the block is over: pydantic would take the exception that they raise for a failed
    choice of a union, try the next, and go on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def wait(number: int, frame: Any) -> None:
        waiting.append(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    callables = {number: handler for number, handler in before.items() if callable(handler)}
    for number in callables:
        signal.signal(number, wait)
    try:
        yield
    finally:
        for number, handler in callables.items():
            signal.signal(number, handler)
        if waiting:
            signal.raise_signal(waiting[0])


def model_text(model: StudyModel) -> str:
    """The model document as JSON text."""
    with _undisturbed():
        return model.model_dump_json()


def save_model(model: StudyModel, path: str | Path) -> None:
    """Write a model document, whole or not at all."""
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    try:
        partial.write_text(model_text(model), encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise WriteError(
            f"the model cannot be written ({error.strerror or error}).",
            place=Place(file=str(target)),
            hint="Write elsewhere, or make room.",
        ) from error


def load_model(path: str | Path) -> StudyModel:
    """Read a model document.

    Raises ModelError naming the place in the document when it is no model, of an unknown version, or damaged.
    """
    source = Path(path)
    place = Place(file=str(source))
    try:
        if source.stat().st_size > MOST_BYTES:
            raise ModelError("the file is too large for a model.", place=place)
        text = source.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"the model cannot be read ({error.strerror or error}).", place=place) from error
    except UnicodeDecodeError as error:
        raise ModelError("the file is no text in UTF-8.", place=place, hint=MOST_DEPTH_HINT) from error
    return parse_model(text, place)


def parse_model(text: str, place: Place | None = None) -> StudyModel:
    """The model in a JSON text; see `load_model` for the errors."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the file is no valid JSON ({error}).", place=place, hint=MOST_DEPTH_HINT) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelError(f'the document is no model: its "format" is not "{FORMAT}".', place=place)
    if document.get("version") != VERSION:
        raise ModelError(
            f"the model is of version {document.get('version')!r}, this software reads version {VERSION}.",
            place=place,
            hint="Use the software that made it, or fit the model again.",
        )
    try:
        return StudyModel.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"at {path or 'the top'}: {first['msg']}.", place=place, hint=MOST_DEPTH_HINT) from error
    except (TypeError, LookupError, ArithmeticError, AttributeError) as error:
        # A check of one part that met numbers of another shape than it compares.
        raise ModelError(f"a part has an unexpected shape ({error}).", place=place, hint=MOST_DEPTH_HINT) from error
