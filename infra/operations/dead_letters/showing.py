"""Dead letters on a terminal, for whoever decides about them."""

from collections.abc import Iterable, Mapping
from itertools import groupby

import typer
from rich.highlighter import JSONHighlighter
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra import context
from infra.operations.dead_letters.foretelling import Foretold
from infra.operations.dead_letters.letters import DeadLetter

ROOM_FOR_A_LINE = 68
"""Columns in which an id, its moment and its tries stand beside each other."""


def groups(dead: Iterable[DeadLetter]) -> None:
    """Each error once, with the letters that died of it."""
    console = context.console()

    def cause(letter: DeadLetter) -> tuple[str, str, str]:
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


def whole(letter: Mapping[str, object]) -> None:
    """Every field that holds something, under its name."""
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


def foretold(foretold: Foretold) -> None:
    """What a retry would come to, in lines for a person."""
    if foretold.error is not None:
        end = "dead at once" if foretold.permanent else "tried again later"
        typer.echo(context.printable(f"it would fail again, and be {end}: {foretold.error}"))
        return
    typer.echo("it would succeed; nothing of this was done:")
    for row in foretold.rows:
        typer.echo(f"  {'new' if row.is_new else 'changes'}  {row.table}")
        for name, before, after in row.fields:
            change = after if row.is_new else f"{before} -> {after}"
            typer.echo(context.printable(f"      {name}: {change}"))
    for event_type, _ in foretold.events:
        typer.echo(f"  says  {event_type}")
    for kind, channel, to in foretold.mails:
        typer.echo(context.printable(f"  sends  {kind} by {channel} to {to}"))
    for command, due in foretold.timers:
        typer.echo(f"  plans  {command} for {due:%Y-%m-%d %H:%M} UTC")
