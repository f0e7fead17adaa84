"""The one table of permissions: what each role may do.

A permission says what may be done at all; what it may be done to is a matter of membership in projects.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The roles of people, from least to most."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"


PERMISSIONS: dict[str, str] = {
    "projects.read": "See projects and their members",
    "projects.write": "Make, change and delete projects, invite members",
    "datasets.read": "See and download datasets and their analyses",
    "datasets.write": "Upload, analyse and delete datasets",
    "models.read": "See, compare and export models",
    "models.write": "Train, import, change and delete models",
    "runs.read": "See, preview and download generated data",
    "runs.write": "Generate, validate, corrupt and delete data",
    "targets.read": "See targets that data can be pushed to",
    "targets.write": "Set up targets and push to them",
    "keys.read": "See one's own API keys",
    "keys.write": "Make and revoke one's own API keys",
    "usage.read": "See one's own usage and limits",
    "settings.read": "See the settings of the service",
    "settings.write": "Change the settings of the service",
    "users.read": "See the accounts",
    "users.write": "Make, change and delete accounts",
    "audit.read": "Read the audit trail",
    "logs.read": "Read the operations of everyone",
}

_VIEWER = {
    "projects.read",
    "datasets.read",
    "models.read",
    "runs.read",
    "targets.read",
    "keys.read",
    "keys.write",
    "usage.read",
}
_ANALYST = _VIEWER | {"projects.write", "datasets.write", "models.write", "runs.write"}
_MANAGER = _ANALYST | {"targets.write", "users.read", "logs.read", "settings.read"}

GRANTED: dict[Role, frozenset[str]] = {
    Role.VIEWER: frozenset(_VIEWER),
    Role.ANALYST: frozenset(_ANALYST),
    Role.MANAGER: frozenset(_MANAGER),
    Role.ADMINISTRATOR: frozenset(PERMISSIONS),
}


def known(permission: str) -> str:
    """The permission itself; ValueError for one that is not in the table."""
    if permission not in PERMISSIONS:
        raise ValueError(f"there is no permission {permission!r}; there are {', '.join(PERMISSIONS)}")
    return permission
