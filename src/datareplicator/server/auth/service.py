"""Logging in, registering, verifying, resetting."""

from __future__ import annotations

import uuid

from fastapi.security import OAuth2PasswordRequestForm
from fastapi_users import exceptions
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from datareplicator.server import mail, metrics
from datareplicator.server.audit.service import record
from datareplicator.server.auth import sessions
from datareplicator.server.auth.links import bad_link
from datareplicator.server.auth.lockout import attempts
from datareplicator.server.auth.manager import UserManager, new_password, weak
from datareplicator.server.auth.permissions import Role
from datareplicator.server.auth.principal import Means, Principal
from datareplicator.server.auth.schemas import Me
from datareplicator.server.auth.tables import OAuthAccount, User
from datareplicator.server.database import Database, database_of, now
from datareplicator.server.mail import Mail
from datareplicator.server.policies.model import Access, Policies
from datareplicator.server.problems import Problem
from datareplicator.server.settings import Settings


def _closed(what: str) -> Problem:
    return Problem(403, f"{what} is switched off in this service.", code="switched-off")


async def check_password_login(connection: HTTPConnection, policies: Policies, email: str, password: str) -> User:
    """The account of this address and password, if it may log in."""
    if not policies.access.password_login:
        raise _closed("Login by password")
    database, tries = database_of(connection), attempts(connection, policies.rates, email)
    await tries.check()
    async with database.loose_session() as session:
        form = OAuth2PasswordRequestForm(username=email, password=password)
        user = await UserManager(session, policies.access).authenticate(form)
    if user is None or not user.is_active:
        await tries.failed()
        await _note_failure(database, user)
        raise Problem(401, "The email address or the password is wrong.", code="bad-credentials")
    if database.settings.require_verification and not user.is_verified:
        hint = "Open the link in the mail that was sent to you, or ask for a new one."
        raise Problem(403, "The email address is not verified yet.", code="not-verified", hint=hint)
    await tries.succeeded()
    return user


async def _note_failure(database: Database, user: User | None) -> None:
    metrics.LOGINS.labels("password", "failed").inc()
    if user is not None:
        async with database.session(write=True) as session:
            await record(session, None, "login.failed", "user", user.id)


async def start_session(connection: HTTPConnection, session: AsyncSession, user: User, means: str) -> str:
    """A new login of this account; its token."""
    client = connection.headers.get("user-agent", "")
    token = await sessions.HashedTokens(session, session.info["settings"], client).write_token(user)
    stored = await session.get_one(User, user.id)
    stored.last_login_at = now()
    await record(session, None, "login", "user", user.id, after={"means": means}, user_id=user.id)
    metrics.LOGINS.labels(means, "ok").inc()
    return token


def principal_of(user: User, means: Means, token: str | None) -> Principal:
    """The principal that an account is."""
    return Principal(user.id, user.email, Role(user.role), user.tier, means, session_token=token)


async def me(
    session: AsyncSession, user: User, principal: Principal, access: Access, csrf_token: str | None = None
) -> Me:
    """What somebody is told about themselves."""
    linked = select(OAuthAccount.oauth_name).where(OAuthAccount.user_id == user.id)
    return Me(
        id=user.id,
        email=user.email,
        name=user.name,
        role=principal.role,
        tier=user.tier,
        is_verified=user.is_verified,
        has_password_login=bool(access.password_login),
        permissions=sorted(principal.permissions),
        identities=sorted(await session.scalars(linked)),
        csrf_token=csrf_token,
    )


async def register(database: Database, policies: Policies, email: str, password: str, name: str) -> Mail | None:
    """A new account, and the mail that goes out; the same for an address that has an account, so nobody learns that."""
    settings = database.settings
    if not policies.access.password_login:
        raise _closed("Login by password")
    if settings.require_verification and not mail.can_send(settings):
        hint = "An administrator can make the account, or set up mail."
        raise Problem(503, "The service cannot send the mail that registration needs.", code="no-mail", hint=hint)
    try:
        hashed = await new_password(password)
        async with database.session(write=True) as session:
            user = await UserManager(session, policies.access).register(email, hashed)
            user.name = name
            await record(session, None, "user.registered", "user", user.id, after={"role": user.role})
    except exceptions.InvalidPasswordException as error:
        raise weak(error) from error
    except exceptions.UserAlreadyExists:
        text = "Somebody, perhaps you, tried to register with your email address, which has an account already."
        return Mail(email, "You have an account already", text, f"{settings.public_url}/login")
    return await verification_mail(database, policies, user.id)


async def verification_mail(database: Database, policies: Policies, user_id: uuid.UUID) -> Mail | None:
    """The mail with the link that verifies an address; None when it is verified."""
    async with database.session() as session:
        manager = _Collecting(session, policies.access)
        user = await session.get(User, user_id)
        if user is None or user.is_verified or not user.is_active:
            return None
        await manager.request_verify(user)
    link = f"{database.settings.public_url}/verify#token={manager.token}"
    text = "Open this link within an hour to verify your email address. If you did not register, ignore it."
    return Mail(user.email, "Verify your email address", text, link)


async def reset_mail(database: Database, policies: Policies, email: str) -> Mail | None:
    """The mail with the link that sets a new password; None when there is no such account."""
    async with database.session() as session:
        manager = _Collecting(session, policies.access)
        user = await manager.user_db.get_by_email(email)
        if user is None or not user.is_active:
            return None
        await manager.forgot_password(user)
    link = f"{database.settings.public_url}/reset-password#token={manager.token}"
    text = "Open this link within an hour to set a new password. If you did not ask for it, ignore it."
    return Mail(user.email, "Reset your password", text, link)


async def verify(session: AsyncSession, access: Access, token: str) -> None:
    """Verify the address that a link was sent to."""
    try:
        user = await UserManager(session, access).verify(token)
    except exceptions.UserAlreadyVerified:
        return
    except exceptions.FastAPIUsersException as error:
        raise bad_link() from error
    await record(session, None, "user.verified", "user", user.id, user_id=user.id)


async def reset(database: Database, access: Access, token: str, password: str) -> None:
    """Set a new password with a link; all logins end. Who can read the mail has verified the address."""
    try:
        async with database.loose_session() as session:
            seen = await UserManager(session, access).of_reset_link(token)
        hashed = await new_password(password)
        async with database.session(write=True) as session:
            user = await session.get(User, seen.id)
            if user is None or user.hashed_password != seen.hashed_password:
                raise bad_link()
            await UserManager(session, access).set_password(user, hashed)
            user.is_verified = True
            await sessions.end_all(session, user.id)
            await record(session, None, "user.password-reset", "user", user.id, user_id=user.id)
    except exceptions.InvalidPasswordException as error:
        raise weak(error) from error
    except exceptions.FastAPIUsersException as error:
        raise bad_link() from error


class _Collecting(UserManager):
    """Keeps the token that FastAPI-Users makes, so that the caller can send it."""

    token: str = ""

    async def on_after_request_verify(self, user: User, token: str, request: object = None) -> None:  # type: ignore[override]
        self.token = token

    async def on_after_forgot_password(self, user: User, token: str, request: object = None) -> None:  # type: ignore[override]
        self.token = token


async def send(settings: Settings, made: Mail | None) -> None:
    """Send a mail, if there is one."""
    if made is not None:
        await mail.send(settings, made)


async def keep_an_administrator(session: AsyncSession, user: User) -> None:
    """Refuse to lose the last one."""
    found = select(func.count()).where(User.role == Role.ADMINISTRATOR.value, User.is_active.is_(True))
    if user.role == Role.ADMINISTRATOR.value and user.is_active and (await session.scalar(found) or 0) < 2:
        raise Problem(409, "This is the last administrator.", hint="Make somebody else administrator first.")


async def has_identity(session: AsyncSession, user_id: uuid.UUID) -> bool:
    """Whether the account is linked to an identity provider."""
    return await session.scalar(select(OAuthAccount.id).where(OAuthAccount.user_id == user_id).limit(1)) is not None
