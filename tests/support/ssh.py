"""OpenSSH's server on loopback, for whoever runs the tests, with a key of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class NotHere(Exception):
    """There is no OpenSSH that could be started."""


@dataclass(frozen=True)
class Server:
    """Where it listens, who may log in with which key, and its own public key."""

    port: int
    user: str
    private_key: str
    host_key: str


def _key(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True)
    return path.with_suffix(".pub").read_text().strip()


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Start one and stop it at the end. Raises NotHere."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise NotHere("OpenSSH's server is not on this machine")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    host_key = _key(folder / "host")
    (folder / "allowed").write_text(_key(folder / "own"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = [
        f"ListenAddress 127.0.0.1:{port}",
        f"HostKey {folder}/host",
        f"AuthorizedKeysFile {folder}/allowed",
        f"PidFile {folder}/pid",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "PermitRootLogin prohibit-password",
        "Subsystem sftp internal-sftp",
    ]
    (folder / "config").write_text("\n".join(said) + "\n")
    with subprocess.Popen([program, "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL) as process:
        try:
            _wait(port, process)
            yield Server(port, getpass.getuser(), (folder / "own").read_text(), host_key)
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if process.poll() is not None:
            raise NotHere("OpenSSH's server does not start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotHere("OpenSSH's server does not answer")
