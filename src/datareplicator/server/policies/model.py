"""The settings that an administrator changes while the service runs, with their defaults."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from datareplicator.run import OutputFormat
from datareplicator.server.auth.permissions import Role

GIB = 2**30
Count = Annotated[int, Field(ge=0, le=10**15)]
Maybe = Annotated[int | None, Field(ge=0, le=10**15)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Lower = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=3, max_length=320)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Access(_Part):
    """Who may register and how people log in. Null: as the environment says. What the environment sets is fixed."""

    allow_registration: bool | None = Field(None, description="Anyone may register.")
    allowed_emails: list[Lower] | None = Field(None, description="These may register in any case.")
    allowed_domains: list[Lower] | None = Field(None, description="Those of these domains may register in any case.")
    password_login: bool | None = Field(None, description="Login by email and password.")
    social_login: bool | None = Field(None, description="Login by Google, GitHub and OpenID providers.")
    default_role: Role = Field(Role.ANALYST, description="Role of those who register.")
    default_tier: Name = Field("standard", description="Tier of those who register.")


class Tier(_Part):
    """What somebody may use. Null: without limit."""

    requests_per_minute: Maybe = Field(600, description="Requests in a minute, of the person.")
    requests_per_minute_of_key: Maybe = Field(300, description="Requests in a minute, of one API key.")
    requests_per_day: Maybe = Field(100_000, description="Requests in a day (UTC).")
    subjects_per_day: Maybe = Field(1_000_000, description="Generated subjects in a day.")
    rows_per_day: Maybe = Field(500_000_000, description="Generated rows in a day.")
    subjects_per_run: Maybe = Field(1_000_000, description="Generated subjects in one run.")
    concurrent_runs: Annotated[int | None, Field(ge=1, le=1000)] = Field(2, description="Jobs at a time.")
    storage_bytes: Maybe = Field(100 * GIB, description="Bytes kept by the service.")
    rows_per_second: Annotated[int | None, Field(ge=1, le=10**9)] = Field(
        None, description="Speed of generation; slower jobs are not hurried."
    )
    batch_subjects: Annotated[int, Field(ge=128, le=1_000_000)] = Field(
        1024, description="Subjects generated between two looks at the speed: how long a burst may be."
    )
    priority: Annotated[int, Field(ge=1, le=1000)] = Field(100, description="Smaller goes first.")


def _tiers() -> dict[Name, Tier]:
    return {
        "free": Tier(
            requests_per_minute=120,
            requests_per_minute_of_key=60,
            requests_per_day=10_000,
            subjects_per_day=10_000,
            rows_per_day=5_000_000,
            subjects_per_run=5_000,
            concurrent_runs=1,
            storage_bytes=5 * GIB,
            rows_per_second=20_000,
            priority=200,
        ),
        "standard": Tier(),
        "priority": Tier(
            requests_per_minute=3000,
            requests_per_minute_of_key=3000,
            requests_per_day=None,
            subjects_per_day=None,
            rows_per_day=None,
            subjects_per_run=None,
            concurrent_runs=8,
            storage_bytes=None,
            priority=10,
        ),
    }


class Rates(_Part):
    """Rates of requests that hold for everyone."""

    address_per_minute: Maybe = Field(1200, description="Requests in a minute from one address.")
    stranger_per_minute: Maybe = Field(120, description="Requests in a minute from one address without a login.")
    routes: dict[str, Count] = Field(
        {}, description="Requests in a minute of one person to one route, e.g. {'POST /api/projects': 10}."
    )
    login_failures: Annotated[int, Field(ge=3, le=1000)] = Field(
        5, description="Failed logins to one account from one address in 15 minutes before it is locked for that time."
    )
    login_failures_of_account: Annotated[int, Field(ge=5, le=10_000)] = Field(
        50, description="Failed logins to one account in an hour, from anywhere."
    )
    login_failures_of_address: Annotated[int, Field(ge=5, le=100_000)] = Field(
        50, description="Failed logins from one address in 15 minutes, to any account."
    )
    mails_per_hour: Annotated[int, Field(ge=1, le=1000)] = Field(5, description="Mails to one address of email.")


class Global(_Part):
    """Limits of all people together. Null: without limit."""

    subjects_per_day: Maybe = Field(None, description="Generated subjects in a day.")
    rows_per_day: Maybe = Field(None, description="Generated rows in a day.")
    concurrent_runs: Annotated[int | None, Field(ge=1, le=10_000)] = Field(None, description="Jobs at a time.")
    storage_bytes: Maybe = Field(None, description="Bytes kept by the service.")


class Defaults(_Part):
    """What new projects and runs start from."""

    format: OutputFormat = Field("same", description="Output format; `same` is the source's.")
    standard: Annotated[str | None, StringConstraints(max_length=40)] = Field("SDTM", description="Data standard.")
    subjects: Annotated[int, Field(ge=1, le=1_000_000)] = Field(1000, description="Number of subjects.")
    validate_runs: bool = Field(True, description="Validate what was generated.")


class Cache(_Part):
    """The store of profiles, models and results that were asked for before."""

    enabled: bool = Field(True, description="Use the cache.")
    max_bytes: Maybe = Field(
        50 * GIB, description="The newest results of so many bytes, of all projects, answer requests."
    )
    lifetime_days: Annotated[int | None, Field(ge=1, le=3650)] = Field(30, description="Older ones do not answer.")


class Retention(_Part):
    """How long things are kept. Null: until somebody deletes them."""

    runs_days: Annotated[int | None, Field(ge=1, le=36_500)] = Field(None, description="Generated data.")
    datasets_days: Annotated[int | None, Field(ge=1, le=36_500)] = Field(None, description="Uploaded data.")
    logs_days: Annotated[int | None, Field(ge=1, le=36_500)] = Field(90, description="The record of operations.")


class Cost(_Part):
    """What computing costs."""

    per_cpu_hour: Annotated[float, Field(ge=0, le=10_000)] = Field(0.05, description="Price of an hour of one core.")
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = Field("USD", description="ISO 4217.")


class Policies(_Part):
    """All that an administrator sets.

    >>> Policies().tier("standard").concurrent_runs
    2
    >>> Policies().tier("gone") == Policies().tier("standard")
    True
    """

    access: Access = Access()
    tiers: dict[Name, Tier] = Field(default_factory=_tiers, min_length=1, max_length=50)
    rates: Rates = Rates()
    overall: Global = Global()
    defaults: Defaults = Defaults()
    cache: Cache = Cache()
    retention: Retention = Retention()
    cost: Cost = Cost()

    def tier(self, name: str) -> Tier:
        """The tier of this name; the default tier when it was removed."""
        return self.tiers.get(name) or self.tiers.get(self.access.default_tier) or next(iter(self.tiers.values()))
