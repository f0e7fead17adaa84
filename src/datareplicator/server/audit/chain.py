"""The seal of an event: a keyed digest (HMAC-SHA-256) of what it says and of the seal before.

Who changes, removes, adds or reorders events cannot make the seals fit again without the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from datareplicator.server.audit.tables import AuditEvent
from datareplicator.server.secrets import derived_key
from datareplicator.server.settings import Settings

FIRST = "0" * 64
"""What stands for the seal before the first event."""

SEALED = ("number", "user_id", "key_id", "action", "object_kind", "object_id", "project_id", "request_id")


def audit_key(settings: Settings) -> bytes:
    """The key of the seals."""
    if settings.audit_trail_key is not None:
        return hashlib.sha256(settings.audit_trail_key.get_secret_value().encode()).digest()
    return derived_key(settings, "audit")


def seal_of(event: AuditEvent, key: bytes) -> str:
    """The seal that this event must have, as 64 hexadecimal digits."""
    said: dict[str, Any] = {name: _plain(getattr(event, name)) for name in SEALED}
    said["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    said |= {"before": event.before, "after": event.after, "previous": event.previous}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else str(value)


def as_json(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Values as JSON gives them back, so that what is sealed is what is stored."""
    return None if values is None else json.loads(json.dumps(dict(values), default=str))
