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
        str, typer.Option(help="write the clear passwords to this file (mode 0600)")
    ] = "",
) -> None:
    """Print the file that RabbitMQ imports at boot: topology, users, least privilege."""
    from pathlib import Path

    from infra.cli.ground import settings
    from infra.composition import topology
    from shared.messaging.topology import definitions as build

    made = build(topology(settings()), office or ["0042"], vhost=vhost)
    typer.echo(json.dumps(made.document, indent=2))
    if passwords:
        path = Path(passwords)
        path.touch(mode=0o600)
        path.write_text(json.dumps(made.passwords, indent=2) + "\n")
        typer.echo(f"passwords written to {path}", err=True)
    else:
        typer.echo("passwords are random; --passwords FILE keeps them", err=True)
