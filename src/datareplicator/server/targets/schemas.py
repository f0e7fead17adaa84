"""What goes in and out about targets."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from datareplicator.server.jobs.schemas import JobOut
from datareplicator.server.projects.schemas import Name

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$", max_length=2000)]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")]


Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
Sql = Annotated[str, StringConstraints(pattern=r"^[^\x00]{1,63}$")]


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HttpOptions(_Options):
    """An HTTP endpoint that takes POST requests: files as they are, or rows in batches."""

    url: Address = Field(
        description="Without credentials; those go into the secret.", examples=["https://hub.example.org/ingest"]
    )
    form: Literal["files", "json", "ndjson"] = Field(
        "json", description="A request for each file, or for each batch of rows of a table."
    )
    batch_rows: int = Field(1000, ge=1, le=100_000)
    auth_header: Header = Field("Authorization", description="The header that carries the secret.")


class S3Options(_Options):
    """A bucket of object storage that speaks S3; the files of the run are put there. The secret is the secret access
    key."""

    endpoint: Address = Field(description="Such as https://s3.eu-central-1.amazonaws.com; the bucket follows as path.")
    bucket: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$")]
    prefix: Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=500)] = Field(
        "", description="Folder in the bucket."
    )
    region: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,50}$")] = "us-east-1"
    access_key_id: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]


class PostgresOptions(_Options):
    """A PostgreSQL database; each table of the run becomes a table of the schema. The secret is the password."""

    host: Host
    port: int = Field(5432, ge=1, le=65535)
    database: Sql
    user: Sql
    db_schema: Sql = Field("public", description="The schema; it must be there.")
    mode: Literal["replace", "append"] = Field("replace", description="What becomes of tables that are there.")
    encryption: Literal["verified", "unverified", "none"] = Field(
        "verified", description="TLS with a certificate that is checked, TLS with any, or none."
    )


class RedcapOptions(_Options):
    """A REDCap project, by its API's import of records. The secret is the API token. Tables with one row of each
    record become its fields, others repeating instruments of the table's name."""

    url: Address = Field(description="Address of the API, such as https://redcap.example.org/api/.")
    record_column: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        "USUBJID", description="The column that names the record; tables without it are not sent."
    )
    record_field: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,99}$")] = Field(
        "record_id", description="The project's field of the record's name."
    )
    batch_rows: int = Field(500, ge=1, le=10_000)


class SftpOptions(_Options):
    """A server that speaks SFTP; the files of the run are put into its folder. The secret is the password, or a
    private key in OpenSSH's form without passphrase."""

    host: Host
    port: int = Field(22, ge=1, le=65535)
    user: Annotated[str, StringConstraints(pattern=r"^[^\x00\s]{1,100}$")]
    host_key: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\r\n]*)?$", max_length=4000)
    ] = Field(description="The server's public key, as `ssh-keyscan` shows it without the name: `ssh-ed25519 AAAA...`.")
    folder: Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", max_length=1000)] = Field(
        ".", description="It must be there."
    )


class OdmOptions(_Options):
    """The web service of an EDC that takes ODM-XML 1.3 as Rave Web Services do. The secret is the password. A table is
    a form and an item group of its name, a column the item `TABLE.COLUMN`."""

    url: Address = Field(description="Such as https://example.mdsol.com/RaveWebServices.")
    user: Annotated[str, StringConstraints(pattern=r"^[^\x00:\s]{1,200}$")]
    study_oid: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The study and its environment, such as `Mediflex(UAT)`."
    )
    metadata_version: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "1"
    subject_column: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        "USUBJID", description="The column that names the subject; tables without it are not sent."
    )
    site_column: Annotated[str, StringConstraints(max_length=200)] = "SITEID"
    event_column: Annotated[str, StringConstraints(max_length=200)] = Field(
        "VISIT", description="The column that names the study event."
    )
    event_oid: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        "SUBJECT", description="The study event of rows without one."
    )
    batch_rows: int = Field(200, ge=1, le=5000)


Kind = Literal["http", "s3", "postgresql", "redcap", "sftp", "odm"]
Options = HttpOptions | S3Options | PostgresOptions | RedcapOptions | SftpOptions | OdmOptions
OPTIONS: dict[str, type[_Options]] = {
    "http": HttpOptions,
    "s3": S3Options,
    "postgresql": PostgresOptions,
    "redcap": RedcapOptions,
    "sftp": SftpOptions,
    "odm": OdmOptions,
}


class TargetNew(BaseModel):
    """A target to be set up. What `options` hold depends on `kind`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "Data hub",
                "options": {"url": "https://hub.example.org/ingest", "form": "ndjson"},
                "secret": "Bearer abc",
            }
        },
    )

    name: Name
    kind: Kind = "http"
    options: Options
    secret: SecretStr | None = Field(None, max_length=10_000, description="Kept encrypted, never shown again.")

    @model_validator(mode="before")
    @classmethod
    def _of_the_kind(cls, asked: Any) -> Any:
        if not isinstance(asked, dict) or not isinstance(asked.get("options"), dict):
            return asked
        kind = asked.get("kind", "http")
        return {**asked, "options": OPTIONS[kind](**asked["options"])} if kind in OPTIONS else asked

    @field_validator("secret")
    @classmethod
    def _header_value(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        text = "" if value is None else value.get_secret_value()
        if info.data.get("kind") == "sftp":  # private keys have lines
            text = text.replace("\r", "").replace("\n", "")
        if not (text.isascii() and text.isprintable()):
            raise ValueError("must be printable ASCII")
        return value


class TargetOut(BaseModel):
    """A target, without its secret."""

    id: uuid.UUID
    name: str
    kind: Kind
    options: Options
    has_secret: bool
    created_at: datetime


class Reached(BaseModel):
    """Whether a target answers."""

    ok: bool
    detail: str


class PushNew(BaseModel):
    """A run to be pushed; all of its tables by default."""

    model_config = ConfigDict(extra="forbid")

    run_id: uuid.UUID
    tables: list[str] | None = Field(None, min_length=1, max_length=2000)


class PushOut(BaseModel):
    """A push; the job's result counts requests, rows and bytes."""

    id: uuid.UUID
    target_id: uuid.UUID
    run_id: uuid.UUID
    created_at: datetime
    job: JobOut
