"""What a child tells of its progress, on its way into the database: steps in order, repetitions left out."""

from __future__ import annotations

import time
from typing import Any


class Notes:
    """Collects messages between two writes and adds what only a clock knows: how long is left."""

    def __init__(self) -> None:
        self._waiting: list[dict[str, Any]] = []
        self._name = ""
        self._since = 0.0
        self._first = 0
        self.rows = 0

    def add(self, message: dict[str, Any]) -> None:
        """Take in a message; a later one of the same step takes the place of an earlier."""
        moment = time.monotonic()
        if message["step"] != self._name:
            self._name, self._since, self._first = message["step"], moment, message["done"]
        note = {**message, "remaining_seconds": self._remaining(message, moment)}
        if self._waiting and self._waiting[-1]["step"] == message["step"]:
            self._waiting[-1] = note
        else:
            self._waiting.append(note)

    def take(self) -> list[dict[str, Any]]:
        """What came since the last call."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def _remaining(self, message: dict[str, Any], moment: float) -> float | None:
        """Seconds until this step ends at its speed so far; None where nobody knows."""
        done, total = message["done"] - self._first, message["total"] - self._first
        if done <= 0 or total <= 0:
            return None
        return round((moment - self._since) * (total - done) / done, 1)
