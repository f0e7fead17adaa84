"""The first administrator: from the environment, or by a link that works once."""

from __future__ import annotations

from fastapi_users import exceptions

from datareplicator.errors import RequestError
from datareplicator.server.audit.service import record
from datareplicator.server.auth.links import SETUP, has_administrator, make_link
from datareplicator.server.auth.manager import UserManager, new_password
from datareplicator.server.auth.permissions import Role
from datareplicator.server.database import Database
from datareplicator.server.policies.service import load


async def prepare(database: Database) -> str | None:
    """Make the administrator that the environment names, if there is none; without one there a link for the setup.

    The link is None when there is an administrator already.
    """
    settings = database.settings
    async with database.session(write=True) as session:
        if await has_administrator(session):
            return None
        if settings.admin_email is None or settings.admin_password is None:
            return await make_link(session, settings, SETUP, "setup")
    await create_administrator(database, settings.admin_email, settings.admin_password.get_secret_value())
    return None


async def create_administrator(database: Database, email: str, password: str) -> None:
    """Make an administrator, or make the account of this address one and give it this password."""
    try:
        hashed = await new_password(password)
        async with database.session(write=True) as session:
            manager = UserManager(session, (await load(session)).access)
            known = await manager.user_db.get_by_email(email)
            if known is None:
                role = Role.ADMINISTRATOR.value
                known = await manager.make(email, hashed, role=role, tier="priority", is_verified=True)
            else:
                await manager.set_password(known, hashed)
                known.role, known.is_active, known.is_verified = Role.ADMINISTRATOR.value, True, True
            await record(session, None, "user.made-administrator", "user", known.id, after={"role": known.role})
    except exceptions.InvalidPasswordException as error:
        raise RequestError(f"the administrator's password will not do: {error.reason}") from error
