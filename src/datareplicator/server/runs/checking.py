"""Looking at a request before it is asked for: what is wrong with it, and what it would take.

Expressions are checked for names and types against what an analysis or a model says of the columns. Where the model is
there, a process of its own does with it what a run does first: so contradictions and what cannot be are told here.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.errors import RequestError
from datareplicator.expressions import ExpressionError, Schema, Type, parse
from datareplicator.expressions.problems import near_names
from datareplicator.generate.control.asked import Variation
from datareplicator.run import Run as RunDocument
from datareplicator.server.analyses.tables import Analysis
from datareplicator.server.analyses.work import PROFILE
from datareplicator.server.cache.tables import Result
from datareplicator.server.database import Database
from datareplicator.server.datasets import service as datasets
from datareplicator.server.datasets.tables import DatasetVersion
from datareplicator.server.jobs.children import nursery
from datareplicator.server.jobs.tables import DONE, Job
from datareplicator.server.models import service as models
from datareplicator.server.models.tables import Model
from datareplicator.server.models.work import EXPLANATION, MODEL
from datareplicator.server.policies.service import load
from datareplicator.server.previews.service import local_path
from datareplicator.server.problems import Problem
from datareplicator.server.projects.access import ProjectAccess
from datareplicator.server.runs.document import parse_document
from datareplicator.server.runs.schemas import RequestChecked, RequestProblem, RunNew
from datareplicator.server.runs.service import ROWS_OF_A_SUBJECT
from datareplicator.server.settings import Settings
from datareplicator.server.storage import Missing, Storage

log = structlog.get_logger("datareplicator.requests")

USUAL = {"run": 15_000.0, "model": 3_000.0}
"""Rows a second of a service that has made nothing yet."""
START = 3.0
"""Seconds that any job takes."""
NUMBERS = ("integer", "decimal")
ONE_ROW = ("subject", "once")
COPIED = ("reference", "supplement", "relation")
RECENT = 30
ASKED = {"constraints", "rare_events", "scenarios", "counts", "clones", "enrolment", "study", "identifiers"}
"""What of a document a model may have something against, beside changes."""
PATIENCE = 30.0
"""Seconds; then the run itself has to find out."""
AT_ONCE = asyncio.Semaphore(2)


@dataclass(frozen=True)
class Source:
    """What a request is about, as far as it is known without opening it: its columns, its rows, its bytes."""

    tables: list[Mapping[str, Any]]
    subject: str | None
    all_rows: int
    rows: float
    """Of a subject."""
    bytes: float
    """Of a row."""


async def check(
    database: Database, storage: Storage, settings: Settings, access: ProjectAccess, asked: RunNew
) -> RequestChecked:
    """What is wrong with a request, and about how many rows and bytes it makes in how many seconds."""
    async with database.session() as session:
        defaults = (await load(session)).defaults
        document = {"format": defaults.format, **asked.document}
        if not {"subjects", "counts"} & set(document):
            document["subjects"] = defaults.subjects
        source = await _source(session, storage, access, asked)
        try:
            wanted = parse_document(document)
            subjects = wanted.request().subjects
        except RequestError as error:
            return _refused(error)
        model = await _model(session, access, asked, wanted)
        rows = round(source.rows * subjects)
        seconds = await _seconds(session, access.project_id, "run", rows)
        if model is None:
            seconds += await _seconds(session, access.project_id, "model", source.all_rows)
    problems, checked = list(_problems(source, wanted)), "names" if source.tables else "grammar"
    if model is not None:
        nursery().open()  # it takes some seconds, and whoever fills in a form will ask again
        if not problems and _is_asked(wanted):
            path = await local_path(storage, settings, f"{model.prefix}/{MODEL}")
            found = await _settled(path, document, settings)
            problems, checked = (problems, checked) if found is None else (found, "model")
    return RequestChecked(
        problems=problems,
        subjects=subjects,
        rows=rows,
        bytes=round(source.bytes * rows) if source.bytes else None,
        seconds=seconds,
        checked=checked,
        learned=model is not None,
    )


def _refused(error: RequestError) -> RequestChecked:
    told = RequestProblem(place="", message=error.message, hint=error.hint)
    return RequestChecked(
        problems=[told], subjects=None, rows=None, bytes=None, seconds=None, checked="nothing", learned=False
    )


async def _model(session: AsyncSession, access: ProjectAccess, asked: RunNew, wanted: RunDocument) -> Result | None:
    """The model that a run of this request would take, if it is learned."""
    if asked.model_id is not None:
        model: Model | None = await models.find(session, access.project_id, asked.model_id)
    else:
        assert asked.dataset_id is not None
        version = await datasets.usable_version(session, access.project_id, asked.dataset_id, asked.version)
        model = await models.open_or_done(session, access.project_id, version, wanted)
    return await session.get(Result, model.result_id) if model is not None and model.result_id else None


def _is_asked(wanted: RunDocument) -> bool:
    return bool(wanted.model_dump(exclude_defaults=True, include=ASKED)) or isinstance(wanted.variation, Variation)


async def _settled(model: Path, document: dict[str, Any], settings: Settings) -> list[RequestProblem] | None:
    """What the model has against a request; None where that cannot be found out in time. A process of its own looks:
    models come from anywhere."""
    async with AT_ONCE:
        child = await nursery().child()
        try:
            async with asyncio.timeout(PATIENCE):
                spec = {"model": str(model), "document": document}
                async for message in child.work("datareplicator.server.runs.work:settle", spec, settings.data_dir):
                    if "result" in message:
                        return list(_told(message["result"]["problem"]))
                    log.warning("a request could not be checked", **message)
        except TimeoutError:
            log.warning("a request takes too long to check", seconds=PATIENCE)
        finally:
            await child.end()
    return None


def _told(problem: dict[str, Any] | None) -> Iterator[RequestProblem]:
    if problem is not None:
        about = problem.pop("about")
        for place in about or ("",):
            yield RequestProblem(place=place, **problem)


async def _source(session: AsyncSession, storage: Storage, access: ProjectAccess, asked: RunNew) -> Source:
    if (asked.dataset_id is None) == (asked.model_id is None):
        raise Problem(422, "A run is made of a dataset or of a model: give dataset_id or model_id.")
    if asked.model_id is not None:
        model = await models.find(session, access.project_id, asked.model_id)
        version = await session.get(DatasetVersion, model.version_id) if model.version_id else None
        result = await session.get(Result, model.result_id) if model.result_id else None
        document = EXPLANATION
    else:
        assert asked.dataset_id is not None
        version = await datasets.usable_version(session, access.project_id, asked.dataset_id, asked.version)
        own = (Analysis.version_id == version.id) & (Analysis.project_id == access.project_id)
        result = await _newest(session, Analysis, own)
        document = PROFILE
        if result is None:
            result, document = await _newest(session, Model, Model.version_id == version.id), EXPLANATION
    found: Mapping[str, Any] = {}
    if result is not None:
        try:
            found = json.loads(await storage.read(f"{result.prefix}/{document}"))
        except Missing:  # the analysis was deleted meanwhile
            found = {}
    told = (version.summary if version else None) or (result.summary if result else None) or {}
    known = told.get("rows") and told.get("subjects")
    return Source(
        tables=found.get("tables", []),
        subject=found.get("subject_key"),
        all_rows=told.get("rows") or 0,
        rows=told["rows"] / told["subjects"] if known else ROWS_OF_A_SUBJECT,
        bytes=version.size / told["rows"] if version is not None and known else 0.0,
    )


async def _newest(session: AsyncSession, table: type[Analysis] | type[Model], own: Any) -> Result | None:
    query = select(Result).join(table, table.result_id == Result.id).where(own).order_by(table.created_at.desc())
    return await session.scalar(query.limit(1))


async def _seconds(session: AsyncSession, project_id: uuid.UUID, kind: str, rows: float) -> float:
    """What a job of so many rows takes, as the latest of the project (else of the service) did, else as is usual: a
    while whatever the rows, and the rows at their speed."""
    made = (Job.kind == kind) & (Job.state == DONE) & (Job.cache == "miss") & (Job.seconds > 0) & (Job.rows > 0)
    for own in (Job.project_id == project_id, Job.project_id.is_not(None)):
        latest = select(Job.rows, Job.seconds).where(made, own).order_by(Job.created_at.desc()).limit(RECENT)
        found = (await session.execute(latest)).all()
        if found:
            for_rows = sum(max(seconds - START, seconds / 2) for _, seconds in found)
            return START + rows * for_rows / sum(count for count, _ in found)
    return START + rows / USUAL[kind]


def _problems(source: Source, wanted: RunDocument) -> Iterator[RequestProblem]:
    """Expressions that cannot be read, or name what the source does not have."""
    schema, tables = _schema(source), _names(source)
    conditions = [(f"constraints.{i}", one.domain, one.rule) for i, one in enumerate(wanted.constraints)]
    conditions += [(f"rare_events.{i}", one.domain, one.where) for i, one in enumerate(wanted.rare_events)]
    for place, domain, text in conditions:
        try:
            expression = parse(text)
            if not tables:
                continue
            table = tables.get(domain.casefold())
            if table is None:
                near = near_names(domain, tables)
                hint = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(schema.tables)}."
                yield RequestProblem(place=place, message=f"There is no table {domain}.", hint=hint)
                continue
            expression.check(schema.at(table))
        except ExpressionError as error:
            near = f" Did you mean {' or '.join(error.near)}?" if error.near else ""
            expected = f" Expected {error.expected}." if error.expected else ""
            yield RequestProblem(
                place=place,
                message=f"{error.problem}.{expected}",
                hint=near.strip() or None,
                position=error.position,
            )


def _schema(source: Source) -> Schema:
    """The columns of the source as expressions take them; of unknown type fits everywhere."""
    tables = {t["name"]: dict(_types(t["columns"])) for t in source.tables if t["layout"] not in COPIED}
    key = source.subject
    subjects = {name: key for name, columns in tables.items() if key is not None and key in columns}
    single = {t["name"] for t in source.tables if t["layout"] in ONE_ROW}
    return Schema("", tables, subjects, frozenset(single & set(subjects)))


def _types(columns: Any) -> Iterator[tuple[str, Type]]:
    """Names and types of the columns of a profile (a list with encodings) or of an explanation (names and kinds)."""
    if isinstance(columns, Mapping):
        for name, kind in columns.items():
            yield name, Type.DATE if kind == "date" else Type.ANY if kind in (*NUMBERS, "empty", "time") else Type.TEXT
        return
    stored = {"integer": Type.NUMBER, "float": Type.NUMBER, "boolean": Type.TRUTH, "date": Type.DATE}
    for column in columns:
        if column["kind"] == "empty":
            yield column["name"], Type.ANY
        elif column["kind"] == "date" or column["type"] == "datetime":
            yield column["name"], Type.DATE
        else:
            yield column["name"], stored.get(column["type"], Type.NUMBER if column["type"] == "time" else Type.TEXT)


def _names(source: Source) -> dict[str, str]:
    """Tables by all names that they go by: their own, their parts', their domain's."""
    known: dict[str, str] = {}
    for table in source.tables:
        if table["layout"] in COPIED:
            continue
        for name in (table["name"], *table["members"], *_domains(table)):
            known.setdefault(name.casefold(), table["name"])
    return known


def _domains(table: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(table["columns"], Mapping):
        return
    for column in table["columns"]:
        values = column.get("categories") or ()
        if column["name"].upper() == "DOMAIN" and len(values) == 1:
            yield values[0]["value"]
