"""What lies in a project of the service: studies, models, runs, validations."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datareplicator.client.wire import Wire, raised
from datareplicator.errors import RequestError, WriteError

if TYPE_CHECKING:
    from datareplicator.api import Study
    from datareplicator.profile import Explanation, Profile

Progress = Callable[[dict[str, Any]], None] | None
"""Called with the progress of a job whenever it changed: step, done, total, unit, remaining_seconds."""
FIRST_LOOK, SELDOM = 0.1, 1.0
"""Seconds between two looks at a job: at first, and at last."""


class Thing:
    """Something in a project. `shown` is what the service last said of it."""

    def __init__(self, wire: Wire, home: str, kind: str, shown: dict[str, Any], progress: Progress = None) -> None:
        self._wire, self._home, self._kind, self._progress = wire, home, kind, progress
        self.shown = shown

    @property
    def id(self) -> str:
        """Its id in the service."""
        return self.shown["id"]

    @property
    def _path(self) -> str:
        return f"{self._home}/{self._kind}/{self.id}"

    def refresh(self) -> dict[str, Any]:
        """Ask the service anew; what it says."""
        self.shown = self._wire.call("GET", self._path)
        return self.shown

    def delete(self) -> None:
        """Delete it in the service, with its files."""
        self._wire.call("DELETE", self._path)

    def wait(self) -> dict[str, Any]:
        """Wait for the job that makes it; what the service says then. Raises the error of the job."""
        self._finish((self.shown.get("latest") or self.shown)["job"])
        return self.refresh()

    def _finish(self, job: dict[str, Any]) -> None:
        pause, told = FIRST_LOOK, None
        while job["state"] in ("queued", "running"):
            time.sleep(pause)
            pause = min(pause * 1.3, SELDOM)
            job = self._wire.call("GET", f"{self._home}/jobs/{job['id']}")
            if self._progress is not None and job["progress"] and job["progress"] != told:
                told = job["progress"]
                self._progress(told)
        if job["state"] != "done":
            raise raised(job["error"] or {"code": "engine", "message": f"the job was {job['state']}."})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.shown.get('name') or self.id}>"


class _Written(Thing, ABC):
    """What has files that can be taken out."""

    @abstractmethod
    def _files(self) -> dict[str, str]:
        """Names below the folder, and the path of each in the service."""

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Download all files into a new or empty folder, which appears whole or not at all. Raises WriteError."""
        target = Path(folder)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise WriteError(f"{target} is there and not empty.", hint="Name a new folder.")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            for name, at in self._files().items():
                path = part / name
                if not path.resolve().is_relative_to(part.resolve()):
                    raise RequestError(f"{name!r} leads out of the folder.")
                self._wire.download(at, path)
            part.chmod(0o755)
            part.replace(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return target

    def study(self) -> Study:
        """The tables in memory, as the library has them."""
        from datareplicator.api import read_study

        with tempfile.TemporaryDirectory() as folder:
            return read_study(self.write(Path(folder) / "study"))


class RemoteStudy(_Written):
    """A study in the service."""

    def _files(self) -> dict[str, str]:
        latest = self.shown["latest"]
        return {
            file["name"]: f"{self._path}/versions/{latest['number']}/files/{file['name']}" for file in latest["files"]
        }

    def profile(self) -> Profile:
        """Describe the study, as `Study.profile` does."""
        from datareplicator.profile import Profile

        made = self._wire.call("POST", f"{self._home}/analyses", {"dataset_id": self.id})
        analysis = Thing(self._wire, self._home, "analyses", made, self._progress)
        analysis.wait()
        return Profile.model_validate_json(self._wire.send("GET", f"{analysis._path}/profile").content)


class RemoteModel(Thing):
    """A model in the service."""

    def explain(self) -> Explanation:
        """What was found in the study, and what could not be learned."""
        from datareplicator.profile import Explanation

        return Explanation.model_validate_json(self._wire.send("GET", f"{self._path}/explanation").content)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model document; `load_model` of the library reads it as well."""
        self._wire.download(f"{self._path}/document", Path(path))

    def generate(self, subjects: int | None = None, *, check: bool | None = None, **document: Any) -> RemoteRun:
        """New subjects. `document` is what else a run document can say; `check`: whether they are validated."""
        return _run(self, {"model_id": self.id}, subjects, check, document)


class RemoteRun(_Written):
    """Generated subjects, or a study with faults, in the service."""

    @property
    def summary(self) -> dict[str, Any]:
        """Subjects, rows, tables, and what validation found."""
        return self.shown["summary"]

    def _files(self) -> dict[str, str]:
        return {
            file["name"]: f"{self._path}/files/{file['name']}" for file in self._wire.call("GET", f"{self._path}/files")
        }

    def report(self, path: str | os.PathLike[str]) -> None:
        """Write the report of source against synthetic; the run must have been asked for with ``report=True``."""
        self._wire.download(f"{self._path}/report", Path(path))

    def answers(self) -> list[dict[str, Any]]:
        """The faults that were put in, one a change."""
        return _all(self._wire, f"{self._path}/answers")


class RemoteValidation(Thing):
    """What the rules and detectors found."""

    @property
    def ok(self) -> bool:
        """Whether no rule of severity error is broken, beyond the baseline's rate where there is one."""
        return self.shown["summary"]["ok"]

    def findings(self) -> list[dict[str, Any]]:
        """The findings that are kept in full: rule, severity, table, row, subject, variables, values, message."""
        return _all(self._wire, f"{self._path}/findings")

    def __len__(self) -> int:
        return self.shown["summary"]["findings"]


def _run(
    thing: Thing, of: dict[str, Any], subjects: int | None, check: bool | None, document: dict[str, Any]
) -> RemoteRun:
    asked = {**of, "document": {**({} if subjects is None else {"subjects": subjects}), **document}}
    made = thing._wire.call("POST", f"{thing._home}/runs", asked if check is None else {**asked, "check": check})
    run = RemoteRun(thing._wire, thing._home, "runs", made, thing._progress)
    if made["waits_for"] is not None:
        run._finish(made["waits_for"])
    run.wait()
    return run


def _all(wire: Wire, path: str) -> list[dict[str, Any]]:
    """All items of something that comes in pages."""
    items: list[dict[str, Any]] = []
    while True:
        page = wire.call("GET", path, params={"offset": len(items), "limit": 500})
        items += page["items"]
        if not page["items"] or len(items) >= page["matching"]:
            return items
