"""OpenSSH's server on loopback, for whoever runs the tests, with a key of its own.

Root may log in by password as well: the server sees, in a mount namespace of its own, a copy of the system's list of
passwords in which root's is ours. Nobody else sees it, and it is gone with the server.
"""

from __future__ import annotations

import getpass
import os
import secrets
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
    password: str | None
    """None where we are not root, or may make no namespaces."""


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
    password = secrets.token_urlsafe(12)
    before = _other_passwords(folder, password)
    said = [
        f"ListenAddress 127.0.0.1:{port}",
        f"HostKey {folder}/host",
        f"AuthorizedKeysFile {folder}/allowed",
        f"PidFile {folder}/pid",
        "StrictModes no",
        "UsePAM no",
        f"PasswordAuthentication {'yes' if before else 'no'}",
        f"PermitRootLogin {'yes' if before else 'prohibit-password'}",
        "Subsystem sftp internal-sftp",
    ]
    (folder / "config").write_text("\n".join(said) + "\n")
    command = [*before, program, "-D", "-e", "-f", folder / "config"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(port, process)
            own = (folder / "own").read_text()
            yield Server(port, getpass.getuser(), own, host_key, password if before else None)
        finally:
            process.terminate()


def _other_passwords(folder: Path, password: str) -> list[str | Path]:
    """The words before a command that make it see this password of root; none where that cannot be."""
    apart = ["unshare", "--mount"]
    if os.getuid() != 0 or subprocess.run([*apart, "true"], capture_output=True).returncode:
        return []
    hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password, capture_output=True, text=True)
    lines = [line for line in Path("/etc/shadow").read_text().splitlines() if not line.startswith("root:")]
    shadow = folder / "shadow"
    shadow.touch(mode=0o600)
    shadow.write_text("\n".join([f"root:{hashed.stdout.strip()}:19000:0:99999:7:::", *lines]) + "\n")
    return [*apart, "sh", "-c", 'mount --bind "$0" /etc/shadow && exec "$@"', shadow]


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if process.poll() is not None:
            raise NotHere("OpenSSH's server does not start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotHere("OpenSSH's server does not answer")
