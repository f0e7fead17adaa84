"""Settings of the service."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from datareplicator.server.audit.service import record
from datareplicator.server.auth.principal import CurrentPrincipal, Principal, require
from datareplicator.server.database import SessionDep, SettingsDep
from datareplicator.server.policies.model import Defaults, Policies, Tier
from datareplicator.server.policies.service import PoliciesDep, change, fixed_fields
from datareplicator.server.problems import responses

router = APIRouter(prefix="/settings", tags=["settings"])


class SettingsOut(BaseModel):
    """The settings in force."""

    settings: Policies
    fixed: list[str] = Field(description="Fields of `access` that the environment fixes: they cannot be changed here.")


class MySettings(BaseModel):
    """What everybody may know: their tier, and what new projects and runs start from."""

    defaults: Defaults
    tier: Tier


@router.get("", summary="Read the settings")
async def read_settings(
    principal: Annotated[Principal, require("settings.read")], settings: SettingsDep, policies: PoliciesDep
) -> SettingsOut:
    """Who may register, tiers, limits, defaults, cache, retention, cost."""
    return SettingsOut(settings=policies, fixed=fixed_fields(settings))


@router.get("/mine", summary="Read what applies to oneself")
async def read_mine(principal: CurrentPrincipal, policies: PoliciesDep) -> MySettings:
    """One's own tier, and the defaults."""
    return MySettings(defaults=policies.defaults, tier=policies.tier(principal.tier))


@router.patch("", summary="Change the settings", responses=responses(409))
async def change_settings(
    asked: Annotated[
        dict[str, Any],
        Body(
            description="Only what is to change, in the form of GET's `settings`; a tier is removed by null.",
            examples=[{"access": {"allow_registration": True}, "tiers": {"free": {"rows_per_day": 1000000}}}],
        ),
    ],
    principal: Annotated[Principal, require("settings.write")],
    session: SessionDep,
    settings: SettingsDep,
) -> SettingsOut:
    """Counts in every process with the next request; the audit trail has what was and what is."""
    before, after = await change(session, settings, asked)
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    changed = [name for name in new if new[name] != old[name]]
    await record(
        session,
        principal,
        "settings.changed",
        "settings",
        "service",
        {name: old[name] for name in changed},
        {name: new[name] for name in changed},
    )
    return SettingsOut(settings=after, fixed=fixed_fields(settings))
