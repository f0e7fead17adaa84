"""Logging in and out, registering, one's own account."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response, status
from fastapi.security import OAuth2PasswordRequestForm
from fastapi_users import exceptions
from sqlalchemy import delete, select

from datareplicator.server.audit.service import record
from datareplicator.server.auth import csrf, links, service, sessions
from datareplicator.server.auth.cookies import remove_cookies, set_cookies
from datareplicator.server.auth.lockout import may_mail
from datareplicator.server.auth.manager import UserManager, new_password, weak
from datareplicator.server.auth.permissions import Role
from datareplicator.server.auth.principal import CurrentPrincipal, Principal
from datareplicator.server.auth.providers import provider_list
from datareplicator.server.auth.registration import is_open
from datareplicator.server.auth.schemas import (
    Accepted,
    AccessToken,
    DeletionAsked,
    EmailAsked,
    LoginAsked,
    Me,
    MeChange,
    Methods,
    PasswordChange,
    RegistrationAsked,
    ResetAsked,
    SessionOut,
    SetupAsked,
    TokenAsked,
)
from datareplicator.server.auth.tables import LoginSession, User
from datareplicator.server.database import DatabaseDep, SessionDep, SettingsDep
from datareplicator.server.mail import can_send
from datareplicator.server.policies.service import PoliciesDep
from datareplicator.server.problems import Problem, not_found, responses
from datareplicator.server.projects.members import keep_owners
from datareplicator.server.secrets import digest

router = APIRouter(prefix="/auth", tags=["account"])
SameOrigin = Depends(csrf.check_origin)
SENT = "If the address can be used, a mail is on its way to it."


def _person(principal: CurrentPrincipal) -> Principal:
    """People only: a key must not change the account that it belongs to, nor make a login of itself."""
    if principal.key_id is not None:
        raise Problem(403, "This needs a login; an API key will not do.")
    return principal


Person = Annotated[Principal, Depends(_person)]


@router.get("/methods", summary="How to get in")
async def methods(session: SessionDep, settings: SettingsDep, policies: PoliciesDep) -> Methods:
    """What a page of login offers."""
    access = policies.access
    return Methods(
        registration=is_open(access) and bool(access.password_login),
        registration_open_to_all=bool(access.allow_registration),
        password=bool(access.password_login),
        providers=provider_list(settings) if access.social_login else [],
        setup_needed=not await links.has_administrator(session),
        mail=can_send(settings),
    )


@router.post("/login", summary="Log in with a browser", dependencies=[SameOrigin], responses=responses(401))
async def login(
    asked: LoginAsked,
    request: Request,
    response: Response,
    database: DatabaseDep,
    settings: SettingsDep,
    policies: PoliciesDep,
) -> Me:
    """Sets the cookie of the session. What writes with the cookie must send `csrf_token` as X-CSRF-Token."""
    user = await service.check_password_login(request, policies, asked.email, asked.password)
    async with database.session(write=True) as session:
        token = await service.start_session(request, session, user, "password")
        made = set_cookies(response, settings, token)
        return await service.me(session, user, service.principal_of(user, "cookie", token), policies.access, made)


@router.post("/token", summary="Log in with a program", dependencies=[SameOrigin], responses=responses(401))
async def token(
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    policies: PoliciesDep,
) -> AccessToken:
    """A bearer token for email address (`username`) and password. For programs that run on, make an API key."""
    user = await service.check_password_login(request, policies, form.username, form.password)
    async with database.session(write=True) as session:
        made = await service.start_session(request, session, user, "password")
    return AccessToken(access_token=made, expires_in=settings.session_hours * 3600)


@router.post("/logout", summary="Log out", status_code=status.HTTP_204_NO_CONTENT)
async def logout(response: Response, principal: Person, session: SessionDep, settings: SettingsDep) -> None:
    """End this login."""
    user = await session.get_one(User, principal.user_id)
    await sessions.HashedTokens(session, settings).destroy_token(principal.session_token or "", user)
    await record(session, principal, "logout", "user", principal.user_id)
    remove_cookies(response, settings)


@router.get("/me", summary="Who am I")
async def read_me(principal: CurrentPrincipal, session: SessionDep, settings: SettingsDep, policies: PoliciesDep) -> Me:
    """The asker's account and permissions; of an API key those of its scopes."""
    user = await session.get_one(User, principal.user_id)
    made = csrf.token_for(settings, principal.session_token or "") if principal.means == "cookie" else None
    return await service.me(session, user, principal, policies.access, made)


@router.patch("/me", summary="Change one's name")
async def change_me(asked: MeChange, principal: Person, session: SessionDep, policies: PoliciesDep) -> Me:
    """The name that others in projects see."""
    user = await session.get_one(User, principal.user_id)
    user.name = asked.name.strip()
    await record(session, principal, "user.renamed", "user", user.id)
    return await service.me(session, user, principal, policies.access)


@router.delete(
    "/me",
    summary="Delete one's account",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(401, 409, 422),
)
async def delete_me(
    asked: DeletionAsked,
    request: Request,
    response: Response,
    principal: Person,
    database: DatabaseDep,
    policies: PoliciesDep,
) -> None:
    """With its logins, keys and memberships. Projects of others stay as they are; the audit trail keeps the id only.
    Refused while one is the only owner of a project, or the last administrator."""
    if asked.email.strip().lower() != principal.email:
        raise Problem(422, "This is not the address of your account.", code="wrong-address")
    async with database.session() as session:
        by_provider = await service.has_identity(session, principal.user_id)
    if asked.current_password is not None or not by_provider:
        await service.check_password_login(request, policies, principal.email, asked.current_password or "")
    async with database.session(write=True) as session:
        user = await session.get_one(User, principal.user_id)
        await service.keep_an_administrator(session, user)
        await keep_owners(session, user.id)
        await record(session, principal, "user.deleted", "user", user.id, before={"role": user.role})
        await UserManager(session, policies.access).delete(user)
    remove_cookies(response, database.settings)


@router.post("/password", summary="Change one's password", status_code=status.HTTP_204_NO_CONTENT)
async def change_password(
    asked: PasswordChange, request: Request, principal: Person, database: DatabaseDep, policies: PoliciesDep
) -> None:
    """All other logins end."""
    await service.check_password_login(request, policies, principal.email, asked.current_password)
    try:
        password = await new_password(asked.new_password)
        async with database.session(write=True) as session:
            user = await session.get_one(User, principal.user_id)
            await UserManager(session, policies.access).set_password(user, password)
            await sessions.end_all(session, user.id, but=principal.session_token)
            await record(session, principal, "user.password-changed", "user", user.id)
    except exceptions.InvalidPasswordException as error:
        raise weak(error) from error


@router.get("/sessions", summary="List one's logins")
async def list_sessions(principal: Person, session: SessionDep) -> list[SessionOut]:
    """Where one is logged in, the latest used first."""
    found = select(LoginSession).where(LoginSession.user_id == principal.user_id).order_by(LoginSession.used_at.desc())
    own = digest(principal.session_token or "")
    return [
        SessionOut(
            id=row.id, created_at=row.created_at, used_at=row.used_at, client=row.client, current=row.token == own
        )
        for row in await session.scalars(found)
    ]


@router.delete(
    "/sessions/{session_id}",
    summary="End a login",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(404),
)
async def end_session(session_id: uuid.UUID, principal: Person, session: SessionDep) -> None:
    """Log out elsewhere."""
    own = (LoginSession.id == session_id) & (LoginSession.user_id == principal.user_id)
    done = await session.execute(delete(LoginSession).where(own).returning(LoginSession.id))
    if done.first() is None:
        raise not_found("login")
    await record(session, principal, "logout", "user", principal.user_id)


@router.post(
    "/register",
    summary="Register",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[SameOrigin],
    responses=responses(403, 503),
)
async def register(
    asked: RegistrationAsked, request: Request, later: BackgroundTasks, database: DatabaseDep, policies: PoliciesDep
) -> Accepted:
    """An account, once the address is verified by the link of a mail. The answer is the same for an address that has
    an account."""
    made = await service.register(database, policies, asked.email, asked.password, asked.name.strip())
    if await may_mail(request, policies.rates, asked.email):
        later.add_task(service.send, database.settings, made)
    return Accepted(detail=SENT)


async def _mail_later(kind: str, request: Request, policies: PoliciesDep, database: DatabaseDep, email: str) -> None:
    """All that depends on whether there is such an account happens after the answer."""
    if not await may_mail(request, policies.rates, email):
        return
    if kind == "reset":
        made = await service.reset_mail(database, policies, email)
    else:
        async with database.session() as session:
            user_id = await session.scalar(select(User.id).where(User.email == email.strip().lower()))
        made = await service.verification_mail(database, policies, user_id) if user_id else None
    await service.send(database.settings, made)


@router.post(
    "/verify/request",
    summary="Ask for a mail to verify one's address",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[SameOrigin],
)
async def request_verify(
    asked: EmailAsked, request: Request, later: BackgroundTasks, database: DatabaseDep, policies: PoliciesDep
) -> Accepted:
    """The answer is the same for every address."""
    later.add_task(_mail_later, "verify", request, policies, database, asked.email)
    return Accepted(detail=SENT)


@router.post(
    "/verify",
    summary="Verify one's address",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[SameOrigin],
    responses=responses(400),
)
async def verify(asked: TokenAsked, session: SessionDep, policies: PoliciesDep) -> None:
    """With the token of the mail's link."""
    await service.verify(session, policies.access, asked.token)


@router.post(
    "/forgot-password",
    summary="Ask for a mail to reset one's password",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[SameOrigin],
)
async def forgot_password(
    asked: EmailAsked, request: Request, later: BackgroundTasks, database: DatabaseDep, policies: PoliciesDep
) -> Accepted:
    """The answer is the same for every address."""
    later.add_task(_mail_later, "reset", request, policies, database, asked.email)
    return Accepted(detail=SENT)


@router.post(
    "/reset-password",
    summary="Set a new password",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[SameOrigin],
    responses=responses(400),
)
async def reset_password(asked: ResetAsked, database: DatabaseDep, policies: PoliciesDep) -> None:
    """With the token of the mail's link. All logins end."""
    await service.reset(database, policies.access, asked.token, asked.password)


@router.post(
    "/setup",
    summary="Make the first administrator",
    status_code=status.HTTP_201_CREATED,
    dependencies=[SameOrigin],
    responses=responses(400, 409),
)
async def setup(asked: SetupAsked, session: SessionDep, policies: PoliciesDep) -> Accepted:
    """With the token of the link that the service prints when it starts without an administrator."""
    try:
        password = await new_password(asked.password)
    except exceptions.InvalidPasswordException as error:
        raise weak(error) from error
    if await links.has_administrator(session):
        raise Problem(409, "There is an administrator already.")
    await links.use(session, links.SETUP, asked.token)
    manager = UserManager(session, policies.access)
    fields = {"role": Role.ADMINISTRATOR.value, "tier": "priority", "is_verified": True, "name": asked.name.strip()}
    try:
        user = await manager.make(asked.email, password, **fields)
    except exceptions.InvalidPasswordException as error:
        raise weak(error) from error
    except exceptions.UserAlreadyExists as error:
        raise Problem(409, "There is an account with this email address already.") from error
    await record(session, None, "user.made-administrator", "user", user.id, after={"role": user.role}, user_id=user.id)
    return Accepted(detail="Log in now.")


@router.post(
    "/accept-invitation",
    summary="Set the password of an account that was made for one",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[SameOrigin],
    responses=responses(400),
)
async def accept_invitation(asked: ResetAsked, session: SessionDep, policies: PoliciesDep) -> None:
    """With the token of the link that an administrator handed over."""
    try:
        password = await new_password(asked.password)
        link = await links.use(session, links.INVITE, asked.token)
        user = await session.get_one(User, link.user_id)
        await UserManager(session, policies.access).set_password(user, password)
    except exceptions.InvalidPasswordException as error:
        raise weak(error) from error
    user.is_verified = True
    await sessions.end_all(session, user.id)
    await record(session, None, "user.password-set", "user", user.id, user_id=user.id)
