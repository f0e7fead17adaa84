"""Who may register: by password and by social login alike."""

from __future__ import annotations

from datareplicator.server.policies.model import Access
from datareplicator.server.problems import Problem


def may_register(access: Access, email: str) -> bool:
    """Whether this address may register.

    >>> closed = Access(allow_registration=False, allowed_domains=["example.org"])
    >>> may_register(closed, "Ann@Example.org"), may_register(closed, "ann@mail.example.org")
    (True, False)
    """
    email = email.strip().lower()
    domain = email.rpartition("@")[2]
    listed = email in (access.allowed_emails or ()) or domain in _domains(access)
    return bool(access.allow_registration) or listed


def _domains(access: Access) -> set[str]:
    return {domain.lstrip("@") for domain in access.allowed_domains or ()}


def is_open(access: Access) -> bool:
    """Whether registering makes sense for anybody."""
    return bool(access.allow_registration or access.allowed_emails or access.allowed_domains)


def not_allowed() -> Problem:
    """The answer to those who may not."""
    hint = "Ask an administrator for an account."
    return Problem(403, "Registration is closed for this email address.", code="registration-closed", hint=hint)
