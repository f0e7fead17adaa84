"""Jobs: list, read, follow, cancel."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect, WebSocketException, status

from datareplicator.server.database import DatabaseDep, SessionDep, database_of
from datareplicator.server.jobs import service
from datareplicator.server.jobs.hub import Hub, is_open
from datareplicator.server.jobs.schemas import MOST, JobEventOut, JobOut, JobPage, State
from datareplicator.server.problems import Problem, responses
from datareplicator.server.projects.access import ProjectAccess, in_project

router = APIRouter(prefix="/projects/{project_id}/jobs", tags=["jobs"])
Reader = Annotated[ProjectAccess, in_project("viewer", "projects.read")]
Editor = Annotated[ProjectAccess, in_project("editor", "runs.write")]

ALIVE = 20.0
"""Seconds after which a silent connection is told that it is alive."""


@router.get("", summary="List jobs", responses=responses(404))
async def list_jobs(
    access: Reader,
    session: SessionDep,
    kind: Annotated[str | None, Query(max_length=32)] = None,
    state: State | None = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobPage:
    """Jobs of the project, newest first."""
    rows, total = await service.page(session, access.project_id, kind=kind, state=state, offset=offset, limit=limit)
    return JobPage(items=[service.shown(job) for job in rows], total=total)


@router.get("/{job_id}", summary="Read a job", responses=responses(404))
async def read_job(job_id: uuid.UUID, access: Reader, database: DatabaseDep) -> JobOut:
    """State, progress, result or error of a job."""
    return await service.look(database, access.project_id, job_id)


@router.post("/{job_id}/cancel", summary="Cancel a job", responses=responses(404, 409))
async def cancel_job(job_id: uuid.UUID, access: Editor, session: SessionDep) -> JobOut:
    """End a job. What it did so far is thrown away; its process is killed within two seconds."""
    return service.shown(await service.cancel(session, access, job_id))


@router.get("/{job_id}/events", summary="Events of a job, by polling", responses=responses(404))
async def list_events(
    job_id: uuid.UUID,
    access: Reader,
    session: SessionDep,
    after: Annotated[int, Query(ge=0, le=MOST, description="Number of the last event that was seen.")] = 0,
) -> list[JobEventOut]:
    """Up to 1,000 events after a number."""
    await service.find(session, access.project_id, job_id)
    return await service.events(session, job_id, after)


@router.websocket("/{job_id}/events")
async def follow(websocket: WebSocket, job_id: uuid.UUID, access: Reader, after: int = 0) -> None:
    """Events of a job as they come, each a JSON object; the connection is closed after the last one.

    Who comes back gives the number of the last event seen as `after`.
    """
    database = database_of(websocket)
    try:
        async with database.session() as session:
            await service.find(session, access.project_id, job_id)
    except Problem as problem:
        raise WebSocketException(status.WS_1008_POLICY_VIOLATION, problem.detail) from problem
    await websocket.accept()
    hub: Hub = websocket.app.state.hub
    gone = asyncio.create_task(_gone(websocket))
    try:
        async with hub.following(job_id) as news:
            while not gone.done():
                ready = asyncio.create_task(news.wait())
                await asyncio.wait({ready, gone}, timeout=ALIVE, return_when=asyncio.FIRST_COMPLETED)
                ready.cancel()
                if not news.is_set():
                    await websocket.send_json({"event": "alive"})
                    continue
                news.clear()
                async with database.session() as session:
                    try:
                        state = (await service.find(session, access.project_id, job_id)).state
                    except Problem:
                        break
                    events = await service.events(session, job_id, after)
                for event in events:
                    await websocket.send_text(event.model_dump_json())
                    after = event.number
                if not is_open(state):
                    break
        if not gone.done():
            await websocket.close()
    except WebSocketDisconnect:
        return  # the reader went away: nothing is lost, it comes back with `after`
    finally:
        gone.cancel()


async def _gone(websocket: WebSocket) -> None:
    """Ends when the reader does; what it sends is not looked at."""
    try:
        while True:
            await websocket.receive()
    except (WebSocketDisconnect, RuntimeError):
        return
