"""`stappenplan dead`: messages that failed for good, and what a person does about them."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infra.operations.dead_letters.letters import DeadLetter
    from shared.persistence.database import Database
    from shared.processing import Person

app = typer.Typer(no_args_is_help=True, help="Messages that failed for good.")

Json = Annotated[bool, typer.Option("--json", help="for a script")]
ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="which service's")]
LetterId = Annotated[str, typer.Argument(metavar="ID", help="its id, or how the id begins")]
LetterIds = Annotated[
    list[str], typer.Argument(metavar="ID...", help="their ids, or how the ids begin")
]
By = Annotated[str, typer.Option(help="who decides; you, when left out")]
AT_MOST = 500
ROOM_FOR_A_LINE = 68
"""Columns in which an id, its moment and its tries stand beside each other."""


@app.command("list")
def list_letters(
    service: Annotated[str, typer.Argument(metavar="[SERVICE]", help="all, when left out")] = "",
    as_json: Json = False,
) -> None:
    """What failed for good, grouped by service and error."""
    from infra import context
    from infra.operations.dead_letters import letters

    names = [context.require_service(service)] if service else []
    with context.databases(names) as databases:
        dead = letters.find(databases, limit=AT_MOST)
        not_kept = letters.not_kept(databases)
    if as_json:
        context.as_json([letter.model_dump() for letter in dead])
        return
    if not dead:
        typer.echo("nothing is dead")
        return
    _show_groups(dead)
    for overflow in not_kept:
        typer.echo(context.printable(overflow.sentence))
    typer.echo("`stappenplan dead show SERVICE ID` shows one whole; then `retry` or `drop` it")


def _show_groups(dead: "Iterable[DeadLetter]") -> None:
    """Each error once, with the letters that died of it."""
    from rich.padding import Padding
    from rich.text import Text

    from infra import context

    console = context.console()

    def cause(letter: "DeadLetter") -> tuple[str, str, str]:
        return letter.service, letter.type, letter.error

    for (service, what, error), letters in groupby(sorted(dead, key=cause), key=cause):
        together = sorted(letters, key=lambda letter: letter.since)
        of_type = (context.printable(what), "cyan")
        heading = Text.assemble((service, "bold"), "  ", of_type, f"  {len(together)} dead")
        console.print(heading)
        console.print(Padding(Text(context.printable(_cut(error)), style="red"), (0, 0, 0, 2)))
        for letter in together:
            tries = context.times(letter.attempts, "try", "tries")
            story = f"{letter.since:%Y-%m-%d %H:%M}  {tries}"
            # An id that is broken over two lines could not be copied.
            beside = console.width >= ROOM_FOR_A_LINE
            name = f"{letter.short_id:<36}  " if beside else f"{letter.short_id}\n    "
            typer.echo(f"  {name}{story}")
        console.print()


def _cut(error: str, room: int = 400) -> str:
    return error if len(error) <= room else f"{error[: room - 1]}…"


@app.command()
def show(service: ServiceName, letter_id: LetterId, as_json: Json = False) -> None:
    """One dead letter whole: the event, the error, the attempts."""
    from infra import context
    from infra.operations.dead_letters import letters

    context.require_service(service)
    with context.databases([service]) as databases:
        letter = letters.show(databases[service], letter_id).model_dump(exclude_unset=True)
    if as_json:
        context.as_json(letter)
    else:
        _show_whole(letter)


def _show_whole(letter: "Mapping[str, object]") -> None:
    """Every field that holds something, under its name."""
    from rich.highlighter import JSONHighlighter
    from rich.table import Table
    from rich.text import Text

    from infra import context

    colour = JSONHighlighter()
    grid = Table.grid(padding=(0, 2))
    for name, value in letter.items():
        if value in (None, {}, [], ""):
            continue
        if isinstance(value, dict | list):
            shown = colour(context.json_for_people(value))
        else:
            shown = Text(context.printable(str(value)), overflow="fold")
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
    from infra import context
    from infra.composition import decoder
    from infra.operations.dead_letters import decisions

    if body and len(letter_ids) > 1:
        typer.echo("--body corrects one letter: name that one alone", err=True)
        raise typer.Exit(2)
    correction = _read(body) if body else None
    own_decoder = decoder(context.settings(), context.require_service(service))

    def decide(database: "Database", letter_id: str, who: "Person") -> str:
        return decisions.retry(
            database, own_decoder, letter_id, by=who, why=why, correction=correction
        )

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

    def decide(database: "Database", letter_id: str, who: "Person") -> str:
        return decisions.drop(database, letter_id, by=who, why=why)

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
    decide: "Callable[[Database, str, Person], str]",
    service: str,
    letter_ids: Sequence[str],
    by: str,
    outcome: str,
) -> None:
    """Decide about each letter; one about which nothing can be decided does not stop the rest."""
    from infra import context
    from shared.processing import Person
    from shared.processing.resolutions import NotDeadLettered, WouldBeRejected

    context.require_service(service)
    who, refused = Person(by or context.whoever_asks(), None, "command line"), False
    with context.databases([service]) as databases:
        for prefix in letter_ids:
            try:
                letter_id = decide(databases[service], prefix, who)
            except (NotDeadLettered, WouldBeRejected) as refusal:
                typer.echo(str(refusal), err=True)
                refused = True
            else:
                typer.echo(f"{letter_id} {outcome} at {service}")
    if refused:
        raise typer.Exit(1)
