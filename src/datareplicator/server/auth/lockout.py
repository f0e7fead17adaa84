"""Guessing passwords is slow: failed logins are counted for the account and address, the account, the address.

The account is counted by the address that was typed, whether there is such an account or not, so the answers of both
are the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from datareplicator.server.database import settings_of
from datareplicator.server.limits.rate import address_of
from datareplicator.server.limits.store import SqlStorage
from datareplicator.server.policies.model import Rates
from datareplicator.server.problems import Problem
from datareplicator.server.secrets import fingerprint

QUARTER = 15 * 60
HOUR = 3600


@dataclass(frozen=True)
class Attempts:
    """The counters of one attempt to log in."""

    storage: SqlStorage
    limits: dict[str, tuple[int, float]]
    own: str

    async def check(self) -> None:
        """429 when there were too many failures."""
        for key, (limit, _) in self.limits.items():
            if await self.storage.get(key) >= limit:
                seconds = str(max(1, round(await self.storage.get_expiry(key) - time.time())))
                detail = "Too many failed logins. Wait, or reset the password."
                raise Problem(429, detail, code="locked", headers={"Retry-After": seconds})

    async def failed(self) -> None:
        """Count a failure."""
        await self.storage.incr_all({key: (1, seconds) for key, (_, seconds) in self.limits.items()})

    async def succeeded(self) -> None:
        """Forget the failures of this account at this address."""
        await self.storage.clear(self.own)


def attempts(connection: HTTPConnection, rates: Rates, email: str) -> Attempts:
    """The counters for a login with this email address from where it comes."""
    account = fingerprint(settings_of(connection), "login", email.strip().lower())[:32]
    address = address_of(connection)
    own = f"login:{account}:{address}"
    limits = {
        own: (rates.login_failures, QUARTER),
        f"login-account:{account}": (rates.login_failures_of_account, HOUR),
        f"login-address:{address}": (rates.login_failures_of_address, QUARTER),
    }
    return Attempts(connection.app.state.counters, limits, own)


async def may_mail(connection: HTTPConnection, rates: Rates, email: str) -> bool:
    """Whether one more mail may go to this address within the hour."""
    who = fingerprint(settings_of(connection), "mail", email.strip().lower())[:32]
    storage: SqlStorage = connection.app.state.counters
    return await storage.incr(f"mail:{who}", HOUR) <= rates.mails_per_hour
