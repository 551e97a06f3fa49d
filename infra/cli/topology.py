"""`stappenplan topology`: exchanges, queues, bindings, users, derived from the subscriptions."""

import json
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Exchanges, queues, bindings, users, permissions.")


@app.command()
def show(as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False) -> None:
    """Who hears what, and who may say what."""
    from infra.cli.ground import console, settings
    from infra.composition import topology

    found = topology(settings())
    if as_json:
        rows = [vars(one) for one in found.listeners]
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.table import Table

    table = Table("queue", "hears", "says", show_lines=True)
    for one in found.listeners:
        table.add_row(one.name, "\n".join(one.hears), "\n".join(one.says))
    console().print(table)


@app.command()
def apply() -> None:
    """Declare exchange, queues and bindings on the broker; needs a user who may configure."""
    from infra.cli.ground import settings
    from infra.composition import topology
    from shared.messaging.declare import apply as declare
    from shared.messaging.topology import ADMIN

    found = settings()
    if found.embedded:
        typer.echo("the embedded broker declares its topology by itself; nothing to do")
        return
    declare(topology(found), found.broker_url_of(ADMIN))
    typer.echo("exchange, queues and bindings are there")


@app.command()
def definitions(
    office: Annotated[
        list[str] | None, typer.Option(help="a website user for this office; repeatable")
    ] = None,
    vhost: Annotated[str, typer.Option(help="the virtual host")] = "/",
    passwords: Annotated[
        str, typer.Option(help="keep the clear passwords in this file (mode 0600), and reuse them")
    ] = "",
) -> None:
    """Print the file that RabbitMQ imports at boot: topology, users, least privilege.

    With --passwords FILE, users who are in it keep their password and new ones get one.
    """
    from pathlib import Path

    from infra.broker_passwords import BadPasswords, keep_passwords, read_passwords
    from infra.cli.ground import settings
    from infra.composition import topology
    from shared.messaging.topology import definitions as build

    wanted = topology(settings()), office or ["0042"]
    try:
        known = read_passwords(Path(passwords)) if passwords else {}
        made = build(*wanted, known, vhost=vhost)
        if passwords:
            # Kept first: definitions with passwords that nobody knows are of no use.
            keep_passwords(Path(passwords), made.passwords)
    except BadPasswords as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(json.dumps(made.document, indent=2))
    if passwords:
        new = len(made.passwords.keys() - known.keys())
        typer.echo(f"passwords are in {passwords}: {new} new, {len(known)} as before", err=True)
    else:
        typer.echo("passwords are random; --passwords FILE keeps them", err=True)
