"""`stappenplan dead`: messages that failed for good, and what a person does about them."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infra.operations.dead_letters.letters import DeadLetter
    from shared.persistence.database import Database

app = typer.Typer(no_args_is_help=True, help="Messages that failed for good.")

Json = Annotated[bool, typer.Option("--json", help="for a script")]
ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="which service's")]
LetterId = Annotated[str, typer.Argument(metavar="ID", help="its id, or how the id begins")]
LetterIds = Annotated[
    list[str], typer.Argument(metavar="ID...", help="their ids, or how the ids begin")
]
By = Annotated[str, typer.Option(help="who decides; you, when left out")]
AT_MOST = 500


@app.command("list")
def list_letters(
    service: Annotated[str, typer.Argument(metavar="[SERVICE]", help="all, when left out")] = "",
    as_json: Json = False,
) -> None:
    """What failed for good, grouped by service and error."""
    from infra.cli import context
    from infra.operations.dead_letters import letters

    names = [context.require_service(service)] if service else []
    with context.databases(names) as databases:
        found = letters.find(databases, limit=AT_MOST)
    if as_json:
        context.as_json([asdict(one) for one in found])
        return
    if not found:
        typer.echo("nothing is dead")
        return
    _show_groups(found)
    typer.echo("`stappenplan dead show SERVICE ID` shows one whole; then `retry` or `drop` it")


def _show_groups(found: "Iterable[DeadLetter]") -> None:
    from rich.padding import Padding
    from rich.text import Text

    from infra.cli import context

    console = context.console()

    def alike(one: "DeadLetter") -> tuple[str, str, str]:
        return one.service, one.type, one.error

    for (service, what, error), letters in groupby(sorted(found, key=alike), key=alike):
        together = sorted(letters, key=lambda one: one.since)
        of_type = (context.printable(what), "cyan")
        heading = Text.assemble((service, "bold"), "  ", of_type, f"  {len(together)} dead")
        console.print(heading)
        console.print(Padding(Text(context.printable(_cut(error)), style="red"), (0, 0, 0, 2)))
        for one in together:
            tries = context.times(one.attempts, "try", "tries")
            typer.echo(f"  {one.short_id:<36}  {one.since:%Y-%m-%d %H:%M}  {tries}")
        console.print()


def _cut(error: str, room: int = 400) -> str:
    return error if len(error) <= room else f"{error[: room - 1]}…"


@app.command()
def show(service: ServiceName, letter_id: LetterId, as_json: Json = False) -> None:
    """One dead letter whole: the event, the error, the attempts."""
    from infra.cli import context
    from infra.operations.dead_letters import letters

    context.require_service(service)
    with context.databases([service]) as databases:
        found = letters.show(databases[service], letter_id)
    if as_json:
        context.as_json(found)
        return
    from rich.highlighter import JSONHighlighter
    from rich.table import Table
    from rich.text import Text

    colour = JSONHighlighter()
    grid = Table.grid(padding=(0, 2))
    for name, value in found.items():
        if value not in (None, {}, [], ""):
            shown = (
                colour(context.json_for_people(value))
                if isinstance(value, dict | list)
                else Text(context.printable(str(value)))
            )
            grid.add_row(Text(name.replace("_", " "), style="dim"), shown)
    context.console().print(grid)


@app.command()
def retry(
    service: ServiceName,
    letter_ids: LetterIds,
    why: Annotated[str, typer.Option(help="what has changed since")] = "by hand",
    by: By = "",
    body: Annotated[
        str,
        typer.Option(
            metavar="FILE|-",
            help="a corrected event (or body) to put in its place; the original is kept beside it",
        ),
    ] = "",
) -> None:
    """Give it back to the service that failed, once; a running service takes it up."""
    from infra.cli import context
    from infra.composition import decoder
    from infra.operations.dead_letters import decisions

    if body and len(letter_ids) > 1:
        typer.echo("--body corrects one letter: name that one alone", err=True)
        raise typer.Exit(2)
    correction = _read(body) if body else None
    judge = decoder(context.settings(), context.require_service(service))

    def decide(database: "Database", given: str, who: str) -> str:
        return decisions.retry(database, judge, given, by=who, why=why, correction=correction)

    _decide(decide, service, letter_ids, by, "is due again")


@app.command()
def drop(
    service: ServiceName,
    letter_ids: LetterIds,
    why: Annotated[str, typer.Option(help="the reason, kept on record")],
    by: By = "",
) -> None:
    """Let it rest, with a reason; it stays on record."""
    from infra.operations.dead_letters import decisions

    def decide(database: "Database", given: str, who: str) -> str:
        return decisions.drop(database, given, by=who, why=why)

    _decide(decide, service, letter_ids, by, "is dropped")


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        typer.echo(f"cannot read {path}: {error.strerror}", err=True)
        raise typer.Exit(2) from None


def _decide(
    decide: "Callable[[Database, str, str], str]",
    service: str,
    letter_ids: Sequence[str],
    by: str,
    outcome: str,
) -> None:
    """Decide about each letter; one about which nothing can be decided does not stop the rest."""
    from infra.cli import context
    from shared.processing.resolutions import NotDeadLettered, WouldBeRejected

    context.require_service(service)
    refused = False
    with context.databases([service]) as databases:
        for given in letter_ids:
            try:
                letter_id = decide(databases[service], given, by or context.whoever_asks())
            except (NotDeadLettered, WouldBeRejected) as refusal:
                typer.echo(str(refusal), err=True)
                refused = True
            else:
                typer.echo(f"{letter_id} {outcome} at {service}")
    if refused:
        raise typer.Exit(1)
