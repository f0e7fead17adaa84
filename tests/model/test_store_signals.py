"""An interrupt while a model becomes text waits, and is not swallowed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from datareplicator.model.store import load_model, model_text
from datareplicator.model.study_model import StudyModel


@pytest.fixture(autouse=True)
def _interrupts_count() -> Iterator[None]:
    """A background job of a shell starts with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_while_serialising_comes_afterwards(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document, done = load_model(model), []
    write = StudyModel.model_dump_json

    def interrupted(self: StudyModel) -> str:
        signal.raise_signal(signal.SIGINT)
        done.append(write(self))
        return done[0]

    monkeypatch.setattr(StudyModel, "model_dump_json", interrupted)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        model_text(document)
    assert done == [model.read_text()]
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_write_models_too(model: Path) -> None:
    document, texts = load_model(model), []
    thread = threading.Thread(target=lambda: texts.append(model_text(document)))
    thread.start()
    thread.join()
    assert texts == [model.read_text()]
