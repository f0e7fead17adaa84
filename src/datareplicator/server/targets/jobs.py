"""The job that pushes a run: in the worker itself, which has the network and the secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.errors import RequestError
from datareplicator.server.cache.tables import Result, ResultFile
from datareplicator.server.jobs.inputs import identity
from datareplicator.server.jobs.kind import Desk, Kind, Outcome
from datareplicator.server.jobs.tables import Job
from datareplicator.server.runs.tables import Run
from datareplicator.server.targets import kinds
from datareplicator.server.targets.errand import Errand
from datareplicator.server.targets.tables import Target

Tell = Callable[[dict[str, Any]], None]


async def _perform(desk: Desk, job: Job, folder: Path, tell: Tell) -> dict[str, Any]:
    async with desk.database.session() as session:
        target = await session.scalar(
            select(Target).where(Target.id == identity(job.request["target_id"]), Target.project_id == job.project_id)
        )
        found = select(Result).join(Run, Run.result_id == Result.id)
        run = (Run.id == identity(job.request["run_id"])) & (Run.project_id == job.project_id)
        result = await session.scalar(found.where(run))
        if target is None or result is None:
            raise RequestError("the target or the run was deleted meanwhile.")
        query = select(ResultFile.name).where(ResultFile.result_id == result.id).order_by(ResultFile.name)
        names = list(await session.scalars(query))
    module = kinds.MODULES[target.kind]
    errand = Errand(desk, job, result, names, folder, tell)
    secret = kinds.secret_of(desk.settings, target)
    return await module.push(errand, kinds.options_of(target), secret, private=desk.settings.allow_private_targets)


async def _publish(session: AsyncSession, job: Job, outcome: Outcome) -> dict[str, Any]:
    return outcome.result


KINDS = (Kind("push", "generation", perform=_perform, publish=_publish),)
