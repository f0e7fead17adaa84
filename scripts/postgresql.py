"""A PostgreSQL of one's own, on loopback, in a folder that is thrown away: for tests.

    .venv/bin/python scripts/postgresql.py      starts one, prints its address, stops it at Ctrl-C

Needs PostgreSQL's programs (Debian: apt install postgresql); as root it runs as the user `postgres` or `nobody`, since
PostgreSQL refuses to be root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "listen_addresses=127.0.0.1",
)


class NotHere(Exception):
    """There is no PostgreSQL that could be started; the message says why."""


def programs() -> Path:
    """The folder of initdb and pg_ctl, the newest version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]))
    on_path = shutil.which("initdb")
    folders = [*reversed(found), *([Path(on_path).resolve().parent] if on_path else [])]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise NotHere("PostgreSQL's programs initdb and pg_ctl are not on this machine")


def _other_user() -> str | None:
    """Whom to run as: nobody else, unless we are root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise NotHere("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _call(user: str | None, *words: str | Path) -> None:
    done = subprocess.run([str(word) for word in words], user=user, cwd="/", capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise NotHere(f"{Path(words[0]).name} failed: {done.stderr.strip().splitlines()[-1:]}")


@contextmanager
def running() -> Iterator[str]:
    """Start one, give its address (`postgresql+asyncpg://...`), stop and remove it at the end. Raises NotHere."""
    folder, user, port = programs(), _other_user(), _free_port()
    home = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        if user is not None:
            shutil.chown(home, user)
        data = home / "data"
        _call(
            user, folder / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"
        )
        options = " ".join([f"-p {port}", f"-k {home}", *(f"-c {setting}" for setting in SETTINGS)])
        _call(user, folder / "pg_ctl", "-D", data, "-w", "-t", "30", "-l", home / "log", "-o", options, "start")
        try:
            yield f"postgresql+asyncpg://tester@127.0.0.1:{port}/postgres"
        finally:
            _call(user, folder / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    with running() as address:
        print(address, flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
