"""Reading and changing the policies: one stored row, a number that rises, and a copy in each process.

A process asks for the number with each request, so a change counts everywhere with the next one.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from datareplicator.server.database import Database
from datareplicator.server.policies.model import Policies
from datareplicator.server.policies.tables import StoredPolicies
from datareplicator.server.problems import Problem
from datareplicator.server.settings import Settings

_VERSION = select(StoredPolicies.version)
ENVIRONMENT = ("allow_registration", "allowed_emails", "allowed_domains", "password_login", "social_login")
"""What may be said in the environment too; said there it is fixed."""


def with_environment(policies: Policies, settings: Settings) -> Policies:
    """The policies with what the environment fixes, and with its defaults where nothing is said.

    >>> settings = Settings(_env_file=None, allow_registration=True)
    >>> with_environment(Policies(access={"allow_registration": False}), settings).access.allow_registration
    True
    """
    fixed = fixed_fields(settings)
    values = {
        name: getattr(settings, name) for name in ENVIRONMENT if name in fixed or getattr(policies.access, name) is None
    }
    return policies.model_copy(update={"access": policies.access.model_copy(update=values)})


def fixed_fields(settings: Settings) -> list[str]:
    """Names of the fields of `access` that the environment fixes."""
    return [name for name in ENVIRONMENT if name in settings.model_fields_set]


async def stored(session: AsyncSession) -> StoredPolicies:
    """The one row, as the database has it now."""
    return (await session.scalars(select(StoredPolicies).execution_options(populate_existing=True))).one()


async def load(session: AsyncSession) -> Policies:
    """The policies in force, read from the database: for workers and whoever has no request."""
    return with_environment(Policies(**(await stored(session)).changed), session.info["settings"])


class PolicyHolder:
    """The policies of one process, read anew when their number rose."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version = -1
        self._policies = Policies()

    async def current(self) -> Policies:
        """The policies in force now."""
        ((version,),) = await self._database.look(_VERSION, {})
        return await self.of(version)

    async def of(self, version: int) -> Policies:
        """The same, where their number was read already."""
        if version != self._version:
            async with self._database.session() as session:
                self._policies = await load(session)
            self._version = version
        return self._policies


def merged(old: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A JSON merge (RFC 7396), but null is a value: what is to be as before is left out, what is not, is named.

    >>> merged({"cost": {"per_cpu_hour": 1}}, {"cost": {"currency": "EUR"}})
    {'cost': {'per_cpu_hour': 1, 'currency': 'EUR'}}
    """
    result = dict(old)
    for name, value in change.items():
        known = result.get(name)
        result[name] = merged(known, value) if isinstance(value, dict) and isinstance(known, dict) else value
    return result


async def change(session: AsyncSession, settings: Settings, asked: dict[str, Any]) -> tuple[Policies, Policies]:
    """Merge what is asked into the policies; those before and after. A removed tier is one whose value is null."""
    before = await load(session)
    fixed = [name for name in asked.get("access") or {} if name in fixed_fields(settings)]
    if fixed:
        hint = "Change it there, or remove it there to have it changed here."
        raise Problem(409, f"The environment of the service fixes {', '.join(fixed)}.", code="fixed", hint=hint)
    row = await _locked(session)
    whole = merged(Policies(**row.changed).model_dump(mode="json"), asked)
    whole["tiers"] = {name: tier for name, tier in whole["tiers"].items() if tier is not None}
    try:
        checked = Policies(**whole)
    except ValidationError as error:
        errors = [{"place": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        raise Problem(422, f"{errors[0]['place']}: {errors[0]['message']}", errors=errors) from error
    if checked.access.default_tier not in checked.tiers:
        raise Problem(422, f"There is no tier {checked.access.default_tier}, which would be the default.")
    row.changed = checked.model_dump(mode="json")
    row.version += 1
    await session.flush()
    return before, with_environment(checked, settings)


async def _locked(session: AsyncSession) -> StoredPolicies:
    found = select(StoredPolicies).with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(found)).one()


async def policies_of(connection: HTTPConnection) -> Policies:
    """The policies in force for this request; whoever looked up the principal read them along."""
    known: Policies | None = getattr(connection.state, "policies", None)
    return known or await connection.app.state.policies.current()


PoliciesDep = Annotated[Policies, Depends(policies_of)]
