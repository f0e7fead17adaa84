"""Small helps for tests of the service."""

from __future__ import annotations

from typing import Any

from datareplicator.server.settings import Settings


def changed(settings: Settings, **values: Any) -> None:
    """Change settings in place, as if the environment had said so from the beginning."""
    for name, value in values.items():
        setattr(settings, name, value)
