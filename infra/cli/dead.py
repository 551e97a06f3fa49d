"""`stappenplan dead`: messages that failed for good, and what a person does about them."""

from dataclasses import asdict
from getpass import getuser
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Messages that failed for good.")

Json = Annotated[bool, typer.Option("--json", help="for a script")]
ServiceName = Annotated[str, typer.Argument(metavar="SERVICE")]
LetterId = Annotated[str, typer.Argument(metavar="ID")]


@app.command("list")
def list_letters(
    service: Annotated[str, typer.Argument(metavar="[SERVICE]")] = "", as_json: Json = False
) -> None:
    """What failed for good, grouped by service and error."""
    from infra import dead_letters
    from infra.cli import ground

    names = [ground.insist_on_service(service)] if service else []
    found = dead_letters.find(ground.databases(names))
    if as_json:
        ground.as_json([asdict(one) for one in found])
        return
    if not found:
        typer.echo("nothing is dead")
        return
    from rich.table import Table

    table = Table("service", "id", "what", "since", "tries", "error")
    for one in sorted(found, key=lambda one: (one.service, one.error, one.since)):
        since = f"{one.since:%Y-%m-%d %H:%M}"
        table.add_row(one.service, one.id, one.type, since, str(one.attempts), one.error[:300])
    ground.console().print(table)
    typer.echo("`stappenplan dead show SERVICE ID` shows one whole; then retry or drop it")


@app.command()
def show(service: ServiceName, letter_id: LetterId) -> None:
    """One dead letter whole: the event, the error, the attempts."""
    from infra import dead_letters
    from infra.cli import ground

    ground.insist_on_service(service)
    ground.as_json(dead_letters.show(ground.databases([service])[service], letter_id))


@app.command()
def retry(
    service: ServiceName,
    letter_id: LetterId,
    why: Annotated[str, typer.Option(help="what has changed since")] = "by hand",
    by: Annotated[str, typer.Option(help="who decides; you, when left out")] = "",
) -> None:
    """Give it back to the service that failed, once; a running service takes it up."""
    from infra import dead_letters
    from infra.cli import ground

    ground.insist_on_service(service)
    database = ground.databases([service])[service]
    dead_letters.retry(database, letter_id, by=by or getuser(), why=why)
    typer.echo(f"{letter_id} is due again at {service}")


@app.command()
def drop(
    service: ServiceName,
    letter_id: LetterId,
    why: Annotated[str, typer.Option(help="the reason, kept on record")],
    by: Annotated[str, typer.Option(help="who decides; you, when left out")] = "",
) -> None:
    """Let it rest, with a reason; it stays on record."""
    from infra import dead_letters
    from infra.cli import ground

    ground.insist_on_service(service)
    database = ground.databases([service])[service]
    dead_letters.drop(database, letter_id, by=by or getuser(), why=why)
    typer.echo(f"{letter_id} is dropped")
