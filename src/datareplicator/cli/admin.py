"""`datareplicator admin`: what an administrator of the service does at its machine."""

from __future__ import annotations

from types import ModuleType
from typing import Annotated

import typer

admin = typer.Typer(name="admin", help="Look after the service, with the settings (DATAREPLICATOR_...) that it has.")
Email = Annotated[str, typer.Argument(help="Email address of the account.", show_default=False)]


def _acts() -> ModuleType:
    from datareplicator.errors import RequestError

    try:
        from datareplicator.server import run_admin
    except ImportError as error:
        raise RequestError(
            f"the service's parts are not installed ({error.name}).", hint="pip install 'datareplicator[server]'"
        ) from error
    return run_admin


@admin.command("create-administrator")
def create_administrator(
    email: Email,
    password: Annotated[
        str,
        typer.Option("--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for else."),
    ],
) -> None:
    """Make an administrator, or make an account one and give it a new password."""
    _acts().create_administrator(email, password)
    typer.echo("done")


@admin.command("setup-link")
def setup_link() -> None:
    """Print a new link, good once, for the first administrator."""
    typer.echo(_acts().setup_link() or "There is an administrator already.")


@admin.command("password-link")
def password_link(email: Email) -> None:
    """Print a link, good once, that sets the password of an account."""
    typer.echo(_acts().password_link(email))


@admin.command("verify-audit")
def verify_audit() -> None:
    """Check that the audit trail is as it was written."""
    typer.echo(f"The audit trail is whole: {_acts().verify_audit().events} events.")


@admin.command("migrate")
def migrate() -> None:
    """Bring the database to the form of this version; `serve` does it by itself."""
    _acts().migrate_database()
    typer.echo("done")


@admin.command("openapi")
def openapi() -> None:
    """Print the description of the API (OpenAPI 3.1)."""
    typer.echo(_acts().openapi(), nl=False)
