"""PostgreSQL: each table of a run becomes a table of a schema, all in one transaction, once."""

from __future__ import annotations

import math
import ssl
from typing import Any

import asyncpg
import pyarrow as pa
from asyncpg.exceptions import InterfaceError, InvalidAuthorizationSpecificationError, PostgresError

from datareplicator.server.targets.errand import Errand
from datareplicator.server.targets.network import TargetError, place_of
from datareplicator.server.targets.schemas import PostgresOptions

DONE = "datareplicator_push"
BATCH = 20_000
FAILURES = (PostgresError, InterfaceError, OSError, TimeoutError)


class _Named(ssl.SSLContext):
    """Checks the certificate against the name, though the connection is made to the address that was looked up."""

    name: str

    def wrap_bio(self, incoming: Any, outgoing: Any, server_side: bool = False, *args: Any, **options: Any) -> Any:
        return super().wrap_bio(incoming, outgoing, server_side, self.name)


def _encryption(options: PostgresOptions) -> Any:
    if options.encryption != "verified":
        return "require" if options.encryption == "unverified" else "disable"
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    context.name = options.host
    return context


async def _connect(
    options: PostgresOptions, secret: str | None, *, private: bool, timeout: float
) -> asyncpg.Connection:
    place = await place_of(options.host, options.port, private=private)
    return await asyncpg.connect(
        host=place,
        port=options.port,
        user=options.user,
        database=options.database,
        password=secret or "",
        ssl=_encryption(options),
        timeout=timeout,
    )


async def probe(options: PostgresOptions, secret: str | None, *, private: bool) -> tuple[bool, str]:
    """Whether the database lets us in and its schema may be written."""
    try:
        connection = await _connect(options, secret, private=private, timeout=10.0)
    except InvalidAuthorizationSpecificationError:
        return False, f"{options.host} refuses the credentials."
    except FAILURES as error:
        return False, f"{options.host} cannot be reached ({type(error).__name__})."
    try:
        there = "SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1"
        may = await connection.fetchval(there, options.db_schema)
    finally:
        await connection.close()
    if may is None:
        return False, f"The database has no schema {options.db_schema}."
    return bool(may), f"The schema {options.db_schema} may {'' if may else 'not '}be written."


async def push(errand: Errand, options: PostgresOptions, secret: str | None, *, private: bool) -> dict[str, Any]:
    """Write all tables in one transaction, which also notes the push: done twice, it is there once. Raises
    TargetError."""
    try:
        connection = await _connect(options, secret, private=private, timeout=30.0)
        try:
            async with connection.transaction():
                return await _written(errand, options, connection)
        finally:
            await connection.close()
    except FAILURES as error:
        # The message may quote data: its kind is enough.
        raise TargetError(f"{options.host} does not take the tables ({type(error).__name__}).") from error


async def _written(errand: Errand, options: PostgresOptions, connection: asyncpg.Connection) -> dict[str, Any]:
    chosen = await errand.tables()
    total, done = sum(entry["rows"] for entry in chosen), 0
    told = {"requests": len(chosen), "rows": total, "bytes": 0}
    home = quoted(options.db_schema)
    await connection.execute(f"CREATE TABLE IF NOT EXISTS {home}.{DONE} (push text PRIMARY KEY, at timestamptz)")
    note = f"INSERT INTO {home}.{DONE} VALUES ($1, now()) ON CONFLICT DO NOTHING RETURNING push"
    if await connection.fetchval(note, errand.key) is None:
        return told
    for entry in chosen:
        table = await errand.fetched(entry)
        name = f"{home}.{quoted(entry['table'])}"
        if options.mode == "replace":
            await connection.execute(f"DROP TABLE IF EXISTS {name}")
        columns = ", ".join(f"{quoted(field.name)} {type_of(field.type)}" for field in table.schema_arrow)
        await connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
        names = table.schema_arrow.names
        async for batch in errand.batches(table, BATCH):
            await connection.copy_records_to_table(
                entry["table"], schema_name=options.db_schema, columns=names, records=_records(batch)
            )
            done += batch.num_rows
            errand.told(done, total)
    return told


def quoted(name: str) -> str:
    """A name as SQL has it.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def type_of(kind: pa.DataType) -> str:
    """The type of a column.

    >>> type_of(pa.float32()), type_of(pa.dictionary(pa.int8(), pa.string()))
    ('double precision', 'text')
    """
    for is_kind, name in (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "bigint"),
        (pa.types.is_floating, "double precision"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "timestamptz" if getattr(kind, "tz", None) else "timestamp"),
    ):
        if is_kind(kind):
            return name
    return "text"


def _records(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    columns = [_values(column, type_of(field.type)) for column, field in zip(batch.columns, batch.schema, strict=True)]
    return list(zip(*columns, strict=True))


def _values(column: pa.Array, kind: str) -> list[Any]:
    values = column.to_pylist()
    if kind == "text":
        return [None if value is None else str(value) for value in values]
    if kind == "double precision":
        return [None if value is None or math.isnan(value) else value for value in values]
    return values
