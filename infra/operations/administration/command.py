"""`stappenplan db` and `token`: small chores."""

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.host.service import Service
    from shared.host.settings import Settings
    from shared.persistence.database import Database
    from shared.processing import Person
    from shared.web.auth import Grant

db = typer.Typer(no_args_is_help=True, help="The services' databases.")
token = typer.Typer(no_args_is_help=True, help="Bearer tokens.")


@db.callback()
def _db() -> None:
    """The services' databases."""


@db.command()
def upgrade() -> None:
    """Bring every service's own database to the schema of this version.

    One that a later version has brought further is left as it is.
    """
    from infra.composition import build_services, database_addresses
    from infra.context import settings
    from infra.whereabouts import warn_of_new
    from shared.persistence.database import Database

    current = settings()
    addresses = database_addresses(current)
    warn_of_new(current)
    for service in build_services(current):
        with closing(Database(addresses[service.name])) as database:
            typer.echo(f"{service.name}: {_upgrade(service, database)}")


def _upgrade(service: "Service", database: "Database") -> str:
    """Bring one to the schema of this version; what was done, in words."""
    from shared.persistence.schema import compare
    from shared.persistence.schema import upgrade as bring_up

    present = compare(database, service.migrations)
    changed = not present.is_sufficient and bring_up(
        database,
        service.migrations,
        tell=lambda sentence: typer.echo(f"{service.name}: {sentence}", err=True),
    )
    done = "brought to the current schema" if changed else "is current"
    if not present.unknown:
        return done
    newer = f"newer than this version ({', '.join(present.unknown)})"
    return f"{done} where it was older; the rest is {newer}" if changed else f"is {newer}; left so"


@token.callback()
def _token() -> None:
    """Bearer tokens."""


@token.command()
def create(
    scope: Annotated[list[str], typer.Option(help="what it may do; repeatable")],
    office_code: Annotated[
        str | None, typer.Option("--office", help="for this office's data alone")
    ] = None,
    all_offices: Annotated[
        bool, typer.Option("--all-offices", help="for every office's data, as KING's own")
    ] = False,
    days: Annotated[int, typer.Option(help="how long it is valid")] = 30,
    name: Annotated[str, typer.Option(help="whose it is, for the record of acts")] = "staff",
) -> None:
    """Print a bearer token, alone, on standard output: for one office, or for all."""
    from infra.composition import scopes
    from infra.context import settings
    from shared.web.auth import make_grant, sign

    if (office_code is None) is not all_offices:
        raise _refuse("say whose data it is for: --office CODE or --all-offices, one of the two")
    current = settings()
    make = partial(
        make_grant,
        scope,
        known=scopes(current),
        name=name,
        office=office_code,
        all_offices=all_offices,
        days=days,
    )
    try:
        make()  # What makes no sense is refused before anything is opened for it.
    except ValueError as error:
        raise _refuse(str(error)) from None
    key = current.signing_key()
    typer.echo(sign(key, _recorded(current, make)))


def _recorded(current: "Settings", make: "Callable[..., Grant]") -> "Grant":
    """The grant, by the time of the databases that know of it from now on."""
    from infra.context import databases
    from infra.operations.administration import tokens

    with databases() as opened:
        grant = make(now=tokens.time_of(opened))
        try:
            if grant.office:
                tokens.require_office(opened, current, grant.office)
        except ValueError as error:
            raise _refuse(str(error)) from None
        tokens.record(opened, grant, _whoever_asks())
    return grant


@token.command("list")
def list_tokens(
    as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False,
) -> None:
    """The tokens that were made, with what they allow and until when."""
    from dataclasses import asdict

    from infra import context
    from infra.operations.administration import tokens

    if context.tell_if_not_made(as_list=as_json):
        return
    with context.databases() as opened:
        listed, now = tokens.find(opened), tokens.time_of(opened)
    if as_json:
        context.as_json([asdict(row) | {"state": row.state(now)} for row in listed])
        return
    for row in listed:
        office = "all offices" if row.office is None else f"office {row.office}"
        line = f"{row.state(now):<7}  until {row.expires_at:%Y-%m-%d}  {office}  {row.name}"
        typer.echo(f"{row.id}  {context.printable(line)}")
        typer.echo(f"    {' '.join(row.scopes)}")


@token.command()
def revoke(token_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """End a token: within seconds no process takes it any more."""
    from infra import context
    from infra.operations.administration import tokens

    exists = False
    if not context.tell_if_not_made():
        with context.databases() as opened:
            exists = tokens.revoke(opened, token_id, _whoever_asks())
    if not exists:
        shown = context.printable(token_id)
        typer.echo(f"no token has the id {shown}: `stappenplan token list` shows them", err=True)
        raise typer.Exit(1)
    typer.echo(f"the token {token_id} is ended")


def _whoever_asks() -> "Person":
    from infra.context import whoever_asks
    from shared.processing import Person

    return Person(whoever_asks(), None, "command line")


def _refuse(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(2)
