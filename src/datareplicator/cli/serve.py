"""`datareplicator serve`: the web service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on; 127.0.0.1 by default.", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="Port to listen on; 8000 by default.", show_default=False),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            help="Folder of all data; ./datareplicator-data by default.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=0, max=64, help="Worker processes beside it; 1 by default.", show_default=False),
    ] = None,
) -> None:
    """Start the service: API, accounts, jobs. Settings are environment variables (DATAREPLICATOR_...)."""
    from datareplicator.errors import RequestError

    try:
        from datareplicator.server import run_serve
    except ImportError as error:
        raise RequestError(
            f"the service's parts are not installed ({error.name}).", hint="pip install 'datareplicator[server]'"
        ) from error
    run_serve.serve({"host": host, "port": port, "data_dir": data_dir, "workers": workers})
