"""Work that a request waits for, in a child: killed when it takes too long."""

from __future__ import annotations

import asyncio
import json
import shutil
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from datareplicator.server.jobs.children import nursery
from datareplicator.server.problems import Problem
from datareplicator.server.settings import Settings
from datareplicator.server.training.work import ANSWER

SECONDS = 120
AT_ONCE = 2


class Desk:
    """Children for requests, a few at a time."""

    def __init__(self, settings: Settings) -> None:
        self.scratch = settings.data_dir.resolve() / "scratch"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self._room = asyncio.Semaphore(AT_ONCE)

    async def done(
        self, work: str, spec: dict[str, Any], fill: Callable[[Path], Coroutine[Any, Any, None]]
    ) -> tuple[Any, dict[str, Any], dict[str, float]]:
        """Do it; the answer, the child's result, and what it used. Raises problems."""
        folder = self.scratch / f"request-{uuid.uuid4().hex}"
        (folder / "in").mkdir(parents=True)
        try:
            await fill(folder / "in")
            async with self._room:
                end = await self._end(work, spec, folder)
            if "error" in end:
                error = end["error"]
                hint, place = error.get("hint"), error.get("place")
                raise Problem(422, error["message"], code=error["code"], hint=hint, place=place)
            if "result" not in end:
                raise Problem(500, "The work ended unexpectedly.")
            answer = json.loads(await asyncio.to_thread((folder / "out" / ANSWER).read_bytes))
            return answer, end["result"], end.get("used", {})
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _end(self, work: str, spec: dict[str, Any], folder: Path) -> dict[str, Any]:
        child = await nursery().child()
        end: dict[str, Any] = {}
        try:
            async with asyncio.timeout(SECONDS):
                async for message in child.work(work, spec, folder):
                    if "step" not in message and "ready" not in message:
                        end = message
        except TimeoutError as error:
            hint = "Make a dataset and a run of it: jobs may take their time."
            raise Problem(422, f"This takes more than {SECONDS} seconds.", code="too-long", hint=hint) from error
        finally:
            await child.end()
        return end


def desk_of(app: FastAPI) -> Desk:
    """The desk of an application, made when it is first needed."""
    if not hasattr(app.state, "training"):
        app.state.training = Desk(app.state.settings)
    return app.state.training
