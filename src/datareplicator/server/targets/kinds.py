"""The kinds of targets: what each does to be tested, and to be pushed to."""

from __future__ import annotations

from types import ModuleType

from datareplicator.server.secrets import unseal
from datareplicator.server.settings import Settings
from datareplicator.server.targets import endpoint, odm, postgresql, redcap, s3, sftp
from datareplicator.server.targets.network import TargetError
from datareplicator.server.targets.schemas import OPTIONS, Options
from datareplicator.server.targets.tables import Target

PURPOSE = "target"
"""What secrets of targets are sealed for."""
MODULES: dict[str, ModuleType] = {
    "http": endpoint,
    "s3": s3,
    "postgresql": postgresql,
    "redcap": redcap,
    "sftp": sftp,
    "odm": odm,
}
"""Each has `probe(options, secret, private=...)` and `push(errand, options, secret, private=...)`."""


def options_of(target: Target) -> Options:
    """The options of a target."""
    return OPTIONS[target.kind].model_validate(target.options)


def secret_of(settings: Settings, target: Target) -> str | None:
    """The secret of a target, opened."""
    return None if target.secret is None else unseal(settings, PURPOSE, target.secret)


async def probe(settings: Settings, target: Target) -> tuple[bool, str]:
    """Whether a target answers and lets us in; nothing is sent."""
    try:
        return await MODULES[target.kind].probe(
            options_of(target), secret_of(settings, target), private=settings.allow_private_targets
        )
    except TargetError as error:
        return False, str(error)
