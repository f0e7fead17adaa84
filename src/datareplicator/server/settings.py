"""What is set where the service is started: environment variables, or a file `.env` beside it.

What an administrator changes while it runs (limits, quotas, default formats...) is in `policies`.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "DATAREPLICATOR_"
KEY_FILE = "secret.key"
LEAST_SECRET = 32


def _words(value: Any) -> Any:
    """Lists are written with commas in the environment."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _lower(words: list[str]) -> list[str]:
    return [word.lower() for word in words]


Words = Annotated[list[str], NoDecode]
Emails = Annotated[list[str], NoDecode, AfterValidator(_lower)]


class OpenIdProvider(BaseModel):
    """One provider of identities that speaks OpenID Connect."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="Stands in addresses.")
    title: str = Field(description="What the button says.")
    discovery_url: str = Field(description="Address of its openid-configuration document.")
    client_id: str
    client_secret: SecretStr
    scopes: list[str] = ["openid", "email", "profile"]
    assume_verified: bool = Field(
        False, description="Take its emails for verified where it does not say so. Only for a directory of your own."
    )


class Settings(BaseSettings):
    """The settings of one installation.

    >>> Settings(_env_file=None, data_dir="here").database_address
    'sqlite+aiosqlite:///here/datareplicator.db'
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True)

    environment: Literal["production", "development"] = Field(
        "production", description="`development` writes mails, with their links, to the log when no SMTP host is set."
    )
    data_dir: Path = Field(Path("datareplicator-data"), description="Folder of the database, the files and the key.")
    database_url: str | None = Field(
        None,
        description="SQLAlchemy address, e.g. `postgresql+asyncpg://user:password@host/name`; SQLite in the data "
        "folder by default.",
    )
    storage_url: str | None = Field(
        None,
        description="Where files are kept: `s3://bucket/path`, `gs://`, `az://`; a folder in the data folder by "
        "default.",
    )
    workers: int = Field(
        0,
        ge=0,
        le=64,
        description="Workers beside the service on its machine, each one job of each queue at a time; `serve` takes 1 "
        "where nothing is said.",
    )
    worker_nice: int = Field(
        10, ge=0, le=19, description="How far the work of those workers stands back behind the answers of the service."
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Signs links and encrypts stored secrets; 32 characters at least, the same for every process. Made "
        "at the first start and kept in the data folder (`secret.key`, readable by the owner only) by default.",
    )
    public_url: str = Field("http://127.0.0.1:8000", description="Where people reach the service; stands in mails.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    api_workers: int = Field(1, ge=1, le=64, description="Processes that answer requests.")
    trusted_proxies: Words = Field([], description="Addresses of proxies whose X-Forwarded-For is believed.")
    cors_origins: Words = Field([], description="Other origins whose pages may call the API; none by default.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["json", "text"] = Field("json", description="Form of the log lines.")

    admin_email: str | None = Field(None, description="First administrator, created at the start if there is none.")
    admin_password: SecretStr | None = Field(None, description="Their password; without it a one-time link is logged.")

    allow_registration: bool = Field(False, description="Anyone may register. Off: only those of the two lists below.")
    allowed_emails: Emails = Field([], description="Email addresses that may register.")
    allowed_domains: Emails = Field([], description="Domains of email addresses that may register.")
    password_login: bool = Field(True, description="Login by email and password.")
    social_login: bool = Field(True, description="Login by Google, GitHub and the OpenID providers that are set up.")
    require_verification: bool = Field(True, description="Email addresses must be verified before the first login.")
    session_hours: int = Field(168, ge=1, le=8760, description="A login lasts this long at most.")
    idle_hours: int = Field(24, ge=1, le=8760, description="A login ends after this time without a request.")

    google_client_id: str | None = Field(None, description="OAuth client of Google.")
    google_client_secret: SecretStr | None = Field(None, description="Its secret.")
    google_discovery_url: str = Field(
        "https://accounts.google.com/.well-known/openid-configuration", description="Where Google describes itself."
    )
    github_client_id: str | None = Field(None, description="OAuth app of GitHub.")
    github_client_secret: SecretStr | None = Field(None, description="Its secret.")
    github_url: str = Field("https://github.com", description="GitHub, or a GitHub Enterprise server.")
    github_api_url: str = Field("https://api.github.com", description="Its API.")
    oidc_providers: list[OpenIdProvider] = Field([], description="Enterprise providers, as a JSON list.")

    smtp_host: str | None = Field(None, description="Mail server; without one no mail can be sent.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_user: str | None = Field(None, description="Login there.")
    smtp_password: SecretStr | None = Field(None, description="Password there.")
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", description="Encryption of the connection.")
    mail_from: str = Field("datareplicator@localhost", description="Sender of mails.")

    redis_url: str | None = Field(
        None, description="Keep the counters of rate limits in Redis and not in the database."
    )
    metrics_token: SecretStr | None = Field(None, description="Bearer token that /metrics asks for; open without one.")
    allow_private_targets: bool = Field(
        False, description="Data may be pushed to addresses of private networks and of this machine."
    )
    max_upload_bytes: int = Field(5_000_000_000, ge=1, description="Largest file that may be uploaded.")
    max_body_bytes: int = Field(2_000_000, ge=1024, description="Largest body of any other request.")
    audit_trail_key: SecretStr | None = Field(
        None, description="Key of the audit trail's seal, if it is to outlive the secret key; derived from that else."
    )

    _split = field_validator("trusted_proxies", "cors_origins", "allowed_emails", "allowed_domains", mode="before")(
        _words
    )

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < LEAST_SECRET:
            raise ValueError(f"must have at least {LEAST_SECRET} characters")
        return value

    @field_validator("public_url", "github_url", "github_api_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def database_address(self) -> str:
        """The address of the database, the default filled in."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'datareplicator.db').as_posix()}"

    @property
    def secure(self) -> bool:
        """Whether people reach the service by https: cookies are then sent by https only."""
        return self.public_url.startswith("https://")

    @property
    def origins(self) -> frozenset[str]:
        """The origins of pages that may write with a cookie."""
        return frozenset({self.public_url.lower(), *(origin.rstrip("/").lower() for origin in self.cors_origins)})

    def key(self) -> bytes:
        """The secret key; made and kept in the data folder at the first call if none is set.

        Two processes that start together agree: the file is created exclusively, and the second reads the first's.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        path = self.data_dir / KEY_FILE
        if not path.exists():
            _write_key(path)
        return path.read_bytes().strip()


def _write_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    made.touch(mode=0o600)
    made.write_text(secrets.token_urlsafe(48), encoding="ascii")
    try:
        path.hardlink_to(made)
    except FileExistsError:
        pass  # another process was first: its key counts
    finally:
        made.unlink()
