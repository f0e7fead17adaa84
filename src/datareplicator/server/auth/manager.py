"""FastAPI-Users' manager of accounts, with what it leaves open: who may register, strength of passwords, hashing off
the event loop, and what may be believed of an identity provider."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
from fastapi import Request
from fastapi.security import OAuth2PasswordRequestForm
from fastapi_users import BaseUserManager, UUIDIDMixin, exceptions, schemas
from fastapi_users.jwt import decode_jwt
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyUserDatabase
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from datareplicator.server.auth.passwords import weakness
from datareplicator.server.auth.registration import may_register, not_allowed
from datareplicator.server.auth.tables import OAuthAccount, User
from datareplicator.server.policies.model import Access
from datareplicator.server.problems import Problem
from datareplicator.server.secrets import derived_key
from datareplicator.server.settings import Settings

HELPER = PasswordHelper()
_DUMMY = HELPER.hash(secrets.token_urlsafe())
"""The hash of what nobody knows: of accounts without a password, and compared with where there is no account, so that
both take the same time."""


@dataclass(frozen=True)
class NewPassword:
    """A password that is to be set, with its hash."""

    text: str
    hashed: str


async def new_password(text: str) -> NewPassword:
    """Hash a password, which is slow on purpose: before the transaction that writes it begins, since SQLite has one
    writer. Raises InvalidPasswordException for what is too weak for anybody."""
    reason = weakness(text)
    if reason:
        raise exceptions.InvalidPasswordException(reason)
    return NewPassword(text, await asyncio.to_thread(HELPER.hash, text))


class Users(SQLAlchemyUserDatabase):
    """FastAPI-Users' access to the tables, within the caller's transaction (theirs commits by itself)."""

    session: AsyncSession

    async def get_by_email(self, email: str) -> User | None:
        return await self.session.scalar(select(User).where(User.email == email.strip().lower()))

    async def create(self, create_dict: dict[str, Any]) -> User:
        user = User(**{**create_dict, "email": create_dict["email"].strip().lower()})
        self.session.add(user)
        await self.session.flush()
        return user

    async def update(self, user: User, update_dict: dict[str, Any]) -> User:  # type: ignore[override]
        for name, value in update_dict.items():
            setattr(user, name, value.lower() if name == "email" else value)
        await self.session.flush()
        return user

    async def delete(self, user: User) -> None:  # type: ignore[override]
        await self.session.execute(delete(User).where(User.id == user.id))

    async def add_oauth_account(self, user: User, create_dict: dict[str, Any]) -> User:  # type: ignore[override]
        self.session.add(OAuthAccount(user_id=user.id, **create_dict))
        await self.session.flush()
        return user


class UserManager(UUIDIDMixin, BaseUserManager):
    """Accounts, in one session."""

    def __init__(self, session: AsyncSession, access: Access) -> None:
        super().__init__(Users(session, User, OAuthAccount), HELPER)
        self.session = session
        self.access = access
        settings: Settings = session.info["settings"]
        self.reset_password_token_secret = derived_key(settings, "reset-password").hex()
        self.verification_token_secret = derived_key(settings, "verify-email").hex()

    async def validate_password(self, password: str, user: Any) -> None:
        """Raise FastAPI-Users' exception with the reason why a password will not do."""
        reason = weakness(password, user.email)
        if reason:
            raise exceptions.InvalidPasswordException(reason)

    async def create(
        self, user_create: schemas.BaseUserCreate, safe: bool = False, request: Request | None = None
    ) -> User:
        """Closed on purpose: it would hash within the transaction and pass by the rules of registration."""
        raise NotImplementedError("accounts are made by `register` and `make`, with a password hashed before")

    async def register(self, email: str, password: NewPassword) -> User:
        """A new account, with the default role and tier, of somebody who registers; a problem when they may not."""
        if not may_register(self.access, email):
            raise not_allowed()
        return await self.make(email, password, **self._defaults())

    async def make(self, email: str, password: NewPassword | None, **fields: Any) -> User:
        """A new account by whoever may make any; without password it has one that nobody knows."""
        if password is not None:
            await self.validate_password(password.text, User(email=email))
        hashed = _DUMMY if password is None else password.hashed
        if await self.user_db.get_by_email(email) is not None:
            raise exceptions.UserAlreadyExists
        return await self.user_db.create({"email": email, "hashed_password": hashed, **fields})

    def _defaults(self) -> dict[str, Any]:
        return {"role": self.access.default_role.value, "tier": self.access.default_tier}

    async def authenticate(self, credentials: OAuth2PasswordRequestForm) -> User | None:
        """The account, if the password is right. An unknown address takes as long as a known one."""
        user = await self.user_db.get_by_email(credentials.username)
        await self.session.commit()  # nothing is held while hashing
        known = user.hashed_password if user else _DUMMY
        right, better = await asyncio.to_thread(HELPER.verify_and_update, credentials.password, known)
        if user is None or not right:
            return None
        if better is not None:
            user.hashed_password = better
        return user

    async def oauth_callback(  # type: ignore[override]
        self,
        oauth_name: str,
        access_token: str,
        account_id: str,
        account_email: str,
        *args: Any,
        email_verified: bool = False,
        **options: Any,
    ) -> User:
        """The account of somebody who comes from an identity provider; made or linked if need be.

        Linked are only an address that the provider has verified and an account whose address was verified here:
        otherwise one could take over the other. A new account needs a verified address that may register.
        """
        try:
            return await self.get_by_oauth_account(oauth_name, account_id)
        except exceptions.UserNotExists:
            pass
        if not email_verified or not account_email:
            raise Problem(
                403, "The provider does not say that your email address is verified.", code="email-unverified"
            )
        known = await self.user_db.get_by_email(account_email)
        if known is not None and not known.is_verified:
            detail = "An account with this email address exists, but the address was never verified here."
            raise Problem(409, detail, code="not-linked", hint="Log in by password and verify the address first.")
        if known is None and not may_register(self.access, account_email):
            raise not_allowed()
        identity = {"oauth_name": oauth_name, "account_id": account_id, "account_email": account_email.lower()}
        if known is None:
            known = await self.make(account_email, None, is_verified=True, **self._defaults())
        return await self.user_db.add_oauth_account(known, {**identity, "access_token": ""})

    async def set_password(self, user: User, password: NewPassword) -> None:
        """A new password; an exception when it will not do."""
        await self.validate_password(password.text, user)
        user.hashed_password = password.hashed
        await self.session.flush()

    async def of_reset_link(self, token: str) -> User:
        """The account that a link to reset the password was sent to. The link holds the digest of the password's hash,
        so it ends when the password changes. Raises FastAPI-Users' exceptions."""
        try:
            data = decode_jwt(token, self.reset_password_token_secret, [self.reset_password_token_audience])
            user = await self.get(self.parse_id(data["sub"]))
            given = data["password_fgpt"]
        except (jwt.PyJWTError, KeyError) as error:
            raise exceptions.InvalidResetPasswordToken from error
        await self.session.commit()
        right, _ = await asyncio.to_thread(HELPER.verify_and_update, user.hashed_password, given)
        if not right or not user.is_active:
            raise exceptions.InvalidResetPasswordToken
        return user

    async def is_right(self, user_id: uuid.UUID, password: str) -> bool:
        """Whether this is the account's password."""
        user = await self.user_db.get(user_id)
        await self.session.commit()
        known = user.hashed_password if user else _DUMMY
        right, _ = await asyncio.to_thread(HELPER.verify_and_update, password, known)
        return right and user is not None


def weak(error: exceptions.InvalidPasswordException) -> Problem:
    """The answer to a password that will not do."""
    return Problem(422, str(error.reason), code="weak-password")
