"""Where a name leads, looked up once: so that what was checked is what is connected to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from datareplicator.errors import DataReplicatorError


class TargetError(DataReplicatorError):
    """A system that data were pushed to does not take them."""

    code = "target"


async def place_of(host: str, port: int, *, private: bool) -> str:
    """The address of a name. Without `private` it must not lie in a private network or on this machine. Raises
    TargetError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TargetError(f"the name {host} is unknown.") from error
    places = [str(entry[4][0]) for entry in found]
    if not private and not all(ipaddress.ip_address(place).is_global for place in places):
        raise TargetError(
            f"{host} lies in a private network.",
            hint="An administrator may allow that: DATAREPLICATOR_ALLOW_PRIVATE_TARGETS.",
        )
    return places[0]
