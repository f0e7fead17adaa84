"""One's own API keys."""

from __future__ import annotations

import secrets
import uuid
from typing import Annotated

from fastapi import APIRouter, status
from sqlalchemy import select

from datareplicator.server.audit.service import record
from datareplicator.server.auth.principal import KEY_PREFIX, Principal, require
from datareplicator.server.database import SessionDep, now
from datareplicator.server.keys.schemas import KeyMade, KeyNew, KeyOut
from datareplicator.server.keys.tables import ApiKey
from datareplicator.server.problems import Problem, not_found, responses
from datareplicator.server.projects.access import find_access
from datareplicator.server.secrets import digest

router = APIRouter(prefix="/keys", tags=["keys"])
MOST_KEYS = 100
SHOWN = len(KEY_PREFIX) + 6


@router.get("", summary="List one's API keys")
async def list_keys(principal: Annotated[Principal, require("keys.read")], session: SessionDep) -> list[KeyOut]:
    """The latest first, revoked ones too."""
    found = select(ApiKey).where(ApiKey.user_id == principal.user_id).order_by(ApiKey.created_at.desc())
    return [KeyOut.model_validate(key) for key in await session.scalars(found)]


@router.post("", summary="Make an API key", status_code=status.HTTP_201_CREATED, responses=responses(404, 409))
async def make_key(
    asked: KeyNew, principal: Annotated[Principal, require("keys.write")], session: SessionDep
) -> KeyMade:
    """The secret is in this answer and nowhere else. A key can do what its owner's role can, cut to its scopes."""
    if principal.key_id is not None:
        raise Problem(403, "An API key cannot make keys: log in.")
    if asked.expires_at is not None and asked.expires_at <= now():
        raise Problem(422, "expires_at: is over already")
    beyond = sorted(set(asked.scopes or ()) - principal.permissions)
    if beyond:
        raise Problem(403, f"Your role does not have {', '.join(beyond)}, so a key of yours cannot have it.")
    if asked.project_id is not None:
        await find_access(session, principal, asked.project_id)
    live = select(ApiKey.id).where(ApiKey.user_id == principal.user_id, ApiKey.revoked_at.is_(None))
    if len((await session.scalars(live)).all()) >= MOST_KEYS:
        raise Problem(409, f"There are {MOST_KEYS} keys already.", hint="Revoke those that are no longer needed.")
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(user_id=principal.user_id, hint=secret[:SHOWN], secret=digest(secret), **asked.model_dump())
    session.add(key)
    await session.flush()
    said = {"name": key.name, "scopes": key.scopes, "project_id": key.project_id, "expires_at": key.expires_at}
    await record(session, principal, "key.made", "key", key.id, after=said)
    return KeyMade(**KeyOut.model_validate(key).model_dump(), key=secret)


@router.delete(
    "/{key_id}", summary="Revoke an API key", status_code=status.HTTP_204_NO_CONTENT, responses=responses(404)
)
async def revoke_key(
    key_id: uuid.UUID, principal: Annotated[Principal, require("keys.write")], session: SessionDep
) -> None:
    """It stops working at once; it stays in the list."""
    found = select(ApiKey).where(ApiKey.id == key_id, ApiKey.user_id == principal.user_id)
    key = await session.scalar(found)
    if key is None:
        raise not_found("API key")
    if key.revoked_at is None:
        key.revoked_at = now()
        await record(session, principal, "key.revoked", "key", key.id, after={"name": key.name})
