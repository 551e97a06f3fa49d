"""`stappenplan db` and `token`: small chores."""

from contextlib import closing
from typing import Annotated

import typer

db = typer.Typer(no_args_is_help=True, help="The services' databases.")
token = typer.Typer(no_args_is_help=True, help="Bearer tokens.")


@db.callback()
def _db() -> None:
    """The services' databases."""


@db.command()
def upgrade() -> None:
    """Bring every service's own database to the current schema."""
    from infra.composition import build_services
    from infra.context import settings
    from shared.persistence.database import Database
    from shared.persistence.schema import upgrade as bring_up

    current = settings()
    for service in build_services(current):
        with closing(Database(current.database_url_of(service.name))) as database:
            changed = bring_up(database, service.migrations)
        done = "brought to the current schema" if changed else "is current"
        typer.echo(f"{service.name}: {done}")


@token.callback()
def _token() -> None:
    """Bearer tokens."""


@token.command()
def create(
    scope: Annotated[list[str], typer.Option(help="what it may do; repeatable")],
    office_code: Annotated[
        str, typer.Option("--office", help="only this office's data; without it, every office's")
    ] = "",
    days: Annotated[int, typer.Option(help="how long it is valid")] = 30,
    name: Annotated[str, typer.Option(help="whose it is, for the audit trail")] = "staff",
) -> None:
    """Print a bearer token, alone, on standard output."""
    from infra.composition import scopes
    from infra.context import settings
    from shared.web.auth import issue_token

    current = settings()
    try:
        signed = issue_token(
            current.signing_key(),
            scope,
            known=scopes(current),
            name=name,
            office=office_code or None,
            days=days,
        )
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(signed)
