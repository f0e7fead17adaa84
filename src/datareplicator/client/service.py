"""The service and its projects."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datareplicator.client.things import (
    Progress,
    RemoteModel,
    RemoteRun,
    RemoteStudy,
    RemoteValidation,
    Thing,
    _run,
)
from datareplicator.client.wire import Wire
from datareplicator.errors import RequestError, SourceError

if TYPE_CHECKING:
    from datareplicator.api import Study
    from datareplicator.evaluate import Comparison

AT_ONCE = 16 << 20
"""Bytes of files that go in one request; more go file by file, in parts."""


class Client:
    """A service of DataReplicator, with an API key or a token: `Client("https://replicator.example.org", "dr_...")`.

    `progress` is called with the steps of what is waited for. Errors are those of the library; `ServiceError` says that
    the service refuses or is away.
    """

    def __init__(self, url: str, key: str, *, timeout: float = 60.0, progress: Progress = None) -> None:
        if not url.startswith(("https://", "http://")):
            raise RequestError(f"{url!r} is no address of a service.", hint="It begins with https://.")
        self._wire = Wire(url, key, timeout)
        self._progress = progress

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def projects(self) -> list[dict[str, Any]]:
        """The projects that this key may enter."""
        found: list[dict[str, Any]] = []
        while True:
            page = self._wire.call("GET", "/projects", params={"offset": len(found), "limit": 200})
            found += page["items"]
            if not page["items"] or len(found) >= page["total"]:
                return found

    def project(self, name: str, **described: Any) -> Project:
        """The project of this name, made where there is none. `described`: description, standard, domains of a new one.

        Raises RequestError where several have the name: take one by `Project`'s id then.
        """
        found = [each for each in self.projects() if name in (each["name"], each["id"])]
        if len(found) > 1:
            raise RequestError(f"{len(found)} projects are called {name!r}.", hint="Name one by its id.")
        shown = found[0] if found else self._wire.call("POST", "/projects", {"name": name, **described})
        return Project(self._wire, shown, self._progress)


class Project:
    """A project: studies go in, models and runs come out. Whatever takes long is waited for."""

    def __init__(self, wire: Wire, shown: dict[str, Any], progress: Progress = None) -> None:
        self._wire, self._progress = wire, progress
        self.shown = shown
        self.id: str = shown["id"]
        self._home = f"/projects/{self.id}"

    def read_study(self, source: str | os.PathLike[str], *, name: str | None = None) -> RemoteStudy:
        """Upload a study: a folder, a file or a zip; files are streamed. Raises SourceError as the library does."""
        path = Path(source)
        files = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            raise SourceError("there is no file." if not files else "there is no such file.", hint=str(path))
        made = self._wire.call("POST", f"{self._home}/datasets", {"name": name or path.stem or "study"})
        study = RemoteStudy(self._wire, self._home, "datasets", made, self._progress)
        try:
            version = self._uploaded(study._path, files)
            study._finish(version["job"])
        except BaseException:
            study.delete()
            raise
        found = study.refresh()["latest"]["inspection"]
        if not found["usable"]:
            study.delete()
            first = (found["problems"] or [{"message": "nothing in it can be read."}])[0]
            place = ", ".join(f"{key} {value}" for key, value in (first.get("place") or {}).items())
            raise SourceError(f"{place}: {first['message']}" if place else first["message"])
        return study

    def sample_study(self) -> RemoteStudy:
        """The sample study that comes with the product."""
        shown = self._wire.call("POST", f"{self._home}/datasets/sample")
        study = RemoteStudy(self._wire, self._home, "datasets", shown, self._progress)
        study.wait()
        return study

    def fit(
        self,
        study: RemoteStudy,
        *,
        name: str | None = None,
        corrections: Iterable[Mapping[str, Any]] = (),
        **privacy: Any,
    ) -> RemoteModel:
        """Learn a study. `privacy`: min_subjects and text_subjects, as `fit` of the library has them."""
        asked = {"dataset_id": study.id, "corrections": list(corrections), "privacy": privacy}
        made = self._wire.call("POST", f"{self._home}/models", {**asked, **({} if name is None else {"name": name})})
        return self._waited(RemoteModel(self._wire, self._home, "models", made, self._progress))

    def load_model(self, path: str | os.PathLike[str], *, name: str | None = None) -> RemoteModel:
        """Take in a model document. Raises ModelError."""
        file = Path(path)
        headers = {"Content-Type": "application/json"}
        with file.open("rb") as content:
            answer = self._wire.send(
                "POST",
                f"{self._home}/models/import",
                content=content.read(),
                headers=headers,
                params={"name": name or file.stem},
            )
        return self._waited(RemoteModel(self._wire, self._home, "models", answer.json(), self._progress))

    def replicate(
        self, study: RemoteStudy, subjects: int | None = None, *, check: bool | None = None, **document: Any
    ) -> RemoteRun:
        """Learn a study and generate new subjects. `document` is what else a run document can say, such as seed,
        format, report, faults; `check`: whether they are validated."""
        return _run(study, {"dataset_id": study.id}, subjects, check, document)

    def corrupt(self, study: RemoteStudy, plan: Any, *, seed: int = 0, format: str = "same") -> RemoteRun:
        """A copy of a study with faults, and the answer key. `plan`: the name of a profile or a mapping."""
        asked = {"dataset_id": study.id, "plan": {"include": plan} if isinstance(plan, str) else plan}
        made = self._wire.call("POST", f"{self._home}/runs/corrupt", {**asked, "seed": seed, "format": format})
        return self._waited(RemoteRun(self._wire, self._home, "runs", made, self._progress))

    def validate(
        self, data: RemoteStudy | RemoteRun, *, baseline: RemoteStudy | None = None, detectors: bool = True
    ) -> RemoteValidation:
        """Check a study or a run with all rules and detectors."""
        asked: dict[str, Any] = {"run_id" if isinstance(data, RemoteRun) else "dataset_id": data.id}
        if baseline is not None:
            asked["baseline_dataset_id"] = baseline.id
        made = self._wire.call("POST", f"{self._home}/validations", {**asked, "detectors": detectors})
        return self._waited(RemoteValidation(self._wire, self._home, "validations", made, self._progress))

    def compare(self, source: RemoteStudy, synthetic: RemoteRun | RemoteStudy) -> Comparison:
        """A synthetic study beside its source, as `compare` of the library has it. The service keeps such a report for
        each run that is asked for with ``report=True``; for any other pair the tables are fetched and compared here."""
        from datareplicator.evaluate import compare

        return compare(source.study(), synthetic.study())

    def repair(self, dirty: RemoteRun) -> Study:
        """The clean study again from one with faults, as `repair` of the library has it: both are fetched, and the
        values put back here. Raises RequestError where no faults were put in, or where they are faults of files."""
        from datareplicator.api import read_study, repair
        from datareplicator.faults import read_answers

        if dirty.shown["kind"] != "corrupt":
            raise RequestError(f"{dirty.shown['name']} has no answer key: no faults were put in.")
        with tempfile.TemporaryDirectory() as folder:
            written = dirty.write(Path(folder) / "dirty")
            return repair(read_study(written), read_answers(written / "answers" / "answers.parquet"))

    def delete(self) -> None:
        """Delete the project with all that is in it."""
        self._wire.call("DELETE", self._home)

    def _waited(self, thing: Any) -> Any:
        made: Thing = thing
        made.wait()
        return made

    def _uploaded(self, path: str, files: list[Path]) -> dict[str, Any]:
        """A version of a dataset with these files."""
        if sum(file.stat().st_size for file in files) <= AT_ONCE:
            parts = [("files", (file.name, file.read_bytes())) for file in files]
            return self._wire.call("POST", f"{path}/files", files=parts)
        uploads = []
        for file in files:
            size = file.stat().st_size
            upload = self._wire.call("POST", f"{path}/uploads", {"name": file.name, "size": size})
            with file.open("rb") as content:
                self._wire.upload(f"{path}/uploads/{upload['id']}", content, size)
            uploads.append(upload["id"])
        return self._wire.call("POST", f"{path}/versions", {"uploads": uploads})

    def __repr__(self) -> str:
        return f"<Project {self.shown['name']}>"
