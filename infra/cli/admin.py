"""`stappenplan db`, `token` and `office`: small chores."""

from contextlib import closing
from typing import Annotated

import typer

db = typer.Typer(no_args_is_help=True, help="The services' databases.")
token = typer.Typer(no_args_is_help=True, help="Bearer tokens.")
office = typer.Typer(no_args_is_help=True, help="The accounting offices.")


@db.callback()
def _db() -> None:
    """The services' databases."""


@db.command()
def upgrade() -> None:
    """Bring every service's own database to the current schema."""
    from infra.cli.ground import settings
    from infra.composition import build_services
    from shared.database import Database
    from shared.schema import upgrade as bring_up

    found = settings()
    for service in build_services(found):
        with closing(Database(found.database_url_of(service.name))) as database:
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
    from infra.cli.ground import settings
    from shared.auth import issue_token

    try:
        made = issue_token(
            settings().signing_key(), scope, name=name, office=office_code or None, days=days
        )
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(made)


@office.command()
def add(
    code: str,
    name: Annotated[str, typer.Option(help="the office's name")],
    email: Annotated[str, typer.Option(help="where its copies go")],
    review: Annotated[str, typer.Option(help="always or flagged")] = "flagged",
    language: Annotated[str, typer.Option(help="nl or en")] = "nl",
    pays_for_customers: Annotated[bool, typer.Option(help="it may pay for its clients")] = False,
) -> None:
    """Add an office, or change it."""
    from pydantic import ValidationError

    from infra.cli.ground import complaints, databases
    from services.signup.api import OfficeBody
    from services.signup.models import Office

    try:
        body = OfficeBody.model_validate(
            {
                "name": name,
                "email": email,
                "review": review,
                "language": language,
                "pays_for_customers": pays_for_customers,
            }
        )
    except ValidationError as error:
        for option, what in complaints(error):
            typer.echo(f"--{option.replace('_', '-')}: {what}", err=True)
        raise typer.Exit(2) from None
    with databases(["signup"]) as opened, opened["signup"].begin() as session:
        session.merge(Office(code=code, **body.model_dump()))
    typer.echo(f"office {code} is there")


@office.command("list")
def list_offices(
    as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False,
) -> None:
    """The offices there are."""
    from sqlmodel import col, select

    from infra.cli import ground
    from services.signup.models import Office

    with ground.databases(["signup"]) as opened, opened["signup"].read() as session:
        rows = [one.model_dump() for one in session.exec(select(Office).order_by(col(Office.code)))]
    if as_json:
        ground.as_json(rows)
        return
    for one in rows:
        typer.echo(f"{one['code']}  {one['name']}  {one['email']}  review {one['review']}")
