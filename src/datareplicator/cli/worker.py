"""`datareplicator worker`: more hands for the service, on this machine or another."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    queues: Annotated[
        str, typer.Option("--queues", help="The queues to work on, with commas between them.")
    ] = "analysis,training,generation",
    slots: Annotated[
        int, typer.Option("--slots", min=1, max=64, help="Jobs of each queue at a time; each takes a core.")
    ] = 1,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="End when the process that started this one does.")
    ] = False,
) -> None:
    """Work on the jobs of the service, with the same settings (DATAREPLICATOR_...) as it has, until stopped.

    Workers on other machines need the same database (PostgreSQL) and the same storage.
    """
    from datareplicator.errors import RequestError

    try:
        from datareplicator.server.jobs.run_worker import known_queues, work_with
    except ImportError as error:
        raise RequestError(
            f"the service's parts are not installed ({error.name}).", hint="pip install 'datareplicator[server]'"
        ) from error
    work_with(known_queues(queues), slots=slots, with_parent=with_parent)
