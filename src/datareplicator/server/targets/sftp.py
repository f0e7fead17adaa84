"""SFTP: the files of a run are put into a folder of a server whose key is known."""

from __future__ import annotations

import posixpath
from typing import Any

import asyncssh

from datareplicator.server.targets.errand import Errand
from datareplicator.server.targets.network import TargetError, place_of
from datareplicator.server.targets.schemas import SftpOptions

FAILURES = (asyncssh.Error, OSError, TimeoutError)
PRIVATE = "-----BEGIN"
"""How a private key begins; any other secret is a password."""


async def _connect(
    options: SftpOptions, secret: str | None, *, private: bool, timeout: float
) -> asyncssh.SSHClientConnection:
    """A connection by our options alone: nothing of the account that we run in takes part. Raises TargetError."""
    if secret is None:
        raise TargetError("the target has no secret: it is the password or a private key.")
    place = await place_of(options.host, options.port, private=private)
    try:
        known = asyncssh.import_public_key(options.host_key)
        own = [asyncssh.import_private_key(secret)] if secret.startswith(PRIVATE) else None
    except asyncssh.KeyImportError as error:
        raise TargetError("a key cannot be read.", hint="Keys have the form of OpenSSH, without passphrase.") from error
    try:
        return await asyncssh.connect(
            place,
            options.port,
            username=options.user,
            password=None if own else secret,
            client_keys=own,
            known_hosts=([known], [], []),
            config=None,
            agent_path=None,
            connect_timeout=timeout,
            login_timeout=timeout,
            keepalive_interval=15,
        )
    except asyncssh.HostKeyNotVerifiable as error:
        raise TargetError(f"{options.host} shows another key than the target's: it may be somebody else.") from error
    except asyncssh.PermissionDenied as error:
        raise TargetError(f"{options.host} refuses the credentials.") from error
    except FAILURES as error:
        raise TargetError(f"{options.host} cannot be reached ({type(error).__name__}).") from error


async def probe(options: SftpOptions, secret: str | None, *, private: bool) -> tuple[bool, str]:
    """Whether the server has the key that we know, lets us in, and has the folder."""
    async with await _connect(options, secret, private=private, timeout=10.0) as connection:
        try:
            async with connection.start_sftp_client() as client:
                there = await client.isdir(options.folder)
        except FAILURES as error:
            return False, f"{options.host} offers no SFTP ({type(error).__name__})."
    return there, f"The folder {options.folder} is {'' if there else 'not '}there."


async def push(errand: Errand, options: SftpOptions, secret: str | None, *, private: bool) -> dict[str, Any]:
    """Put the files of the output folder below ours. A file takes its name when it is whole; doing it twice leaves the
    same files."""
    size = requests = 0
    async with await _connect(options, secret, private=private, timeout=60.0) as connection:
        try:
            async with connection.start_sftp_client() as client:
                async for name, content in errand.files():
                    await _put(client, posixpath.join(options.folder, name), content)
                    size, requests = size + len(content), requests + 1
        except FAILURES as error:
            raise TargetError(f"{options.host} did not take a file ({type(error).__name__}).") from error
    return {"requests": requests, "rows": 0, "bytes": size}


async def _put(client: asyncssh.SFTPClient, path: str, content: bytes) -> None:
    await client.makedirs(posixpath.dirname(path), exist_ok=True)
    part = f"{path}.part"
    async with client.open(part, "wb") as file:
        await file.write(content)
    await client.posix_rename(part, path)
