"""`stappenplan dead`: messages that failed for good, and what a person does about them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infra.dead_letters import DeadLetter

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
    from infra import dead_letters
    from infra.cli import ground

    names = [ground.insist_on_service(service)] if service else []
    with ground.databases(names) as databases:
        found = dead_letters.find(databases, limit=AT_MOST)
    if as_json:
        ground.as_json([asdict(one) for one in found])
        return
    if not found:
        typer.echo("nothing is dead")
        return
    _show_groups(found)
    typer.echo("`stappenplan dead show SERVICE ID` shows one whole; then `retry` or `drop` it")


def _show_groups(found: "Iterable[DeadLetter]") -> None:
    from rich.padding import Padding
    from rich.text import Text

    from infra.cli import ground

    console = ground.console()

    def alike(one: "DeadLetter") -> tuple[str, str, str]:
        return one.service, one.type, one.error

    for (service, what, error), letters in groupby(sorted(found, key=alike), key=alike):
        together = sorted(letters, key=lambda one: one.since)
        heading = Text.assemble((service, "bold"), "  ", (what, "cyan"), f"  {len(together)} dead")
        console.print(heading)
        console.print(Padding(Text(_cut(error), style="red"), (0, 0, 0, 2)))
        for one in together:
            tries = ground.times(one.attempts, "try", "tries")
            typer.echo(f"  {one.short_id:<36}  {one.since:%Y-%m-%d %H:%M}  {tries}")
        console.print()


def _cut(error: str, room: int = 400) -> str:
    return error if len(error) <= room else f"{error[: room - 1]}…"


@app.command()
def show(service: ServiceName, letter_id: LetterId, as_json: Json = False) -> None:
    """One dead letter whole: the event, the error, the attempts."""
    from infra import dead_letters
    from infra.cli import ground

    ground.insist_on_service(service)
    with ground.databases([service]) as databases:
        found = dead_letters.show(databases[service], letter_id)
    if as_json:
        ground.as_json(found)
        return
    from rich.json import JSON
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for name, value in found.items():
        if value not in (None, {}, ""):
            shown = JSON.from_data(value) if isinstance(value, dict | list) else Text(str(value))
            grid.add_row(Text(name.replace("_", " "), style="dim"), shown)
    ground.console().print(grid)


@app.command()
def retry(
    service: ServiceName,
    letter_ids: LetterIds,
    why: Annotated[str, typer.Option(help="what has changed since")] = "by hand",
    by: By = "",
) -> None:
    """Give it back to the service that failed, once; a running service takes it up."""
    from infra import dead_letters

    _decide(dead_letters.retry, service, letter_ids, by, why, "is due again")


@app.command()
def drop(
    service: ServiceName,
    letter_ids: LetterIds,
    why: Annotated[str, typer.Option(help="the reason, kept on record")],
    by: By = "",
) -> None:
    """Let it rest, with a reason; it stays on record."""
    from infra import dead_letters

    _decide(dead_letters.drop, service, letter_ids, by, why, "is dropped")


def _decide(
    decision: Callable[..., str],
    service: str,
    letter_ids: Sequence[str],
    by: str,
    why: str,
    outcome: str,
) -> None:
    """Decide about each letter; one about which nothing can be decided does not stop the rest."""
    from infra.cli import ground
    from infra.dead_letters import NotDead

    ground.insist_on_service(service)
    refused = False
    with ground.databases([service]) as databases:
        for given in letter_ids:
            try:
                letter_id = decision(
                    databases[service], given, by=by or ground.whoever_asks(), why=why
                )
            except NotDead as refusal:
                typer.echo(str(refusal), err=True)
                refused = True
            else:
                typer.echo(f"{letter_id} {outcome} at {service}")
    if refused:
        raise typer.Exit(1)
