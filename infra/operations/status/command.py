"""`stappenplan status`: one customer's seven steps, what blocks them, and how they came there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from infra.operations.status.standing import Standing
    from services.activation.checklist import Step
    from services.activation.history import Entry
    from services.activation.responses import OnboardingAnswer
    from shared.host.settings import Settings
    from shared.persistence.database import Database

MARKS = {
    "done": ("✓", "green"),
    "current": ("►", "yellow"),
    "failed": ("✗", "red"),
    "waiting": ("·", "dim"),
}
WHAT_TO_TYPE = "how company, e-mail address or login name begins; or a whole reference"
MOST_ENTRIES = 100
"""Of a history; `--json` has all of it."""


def status(
    text: Annotated[str, typer.Argument(metavar="NAME|REFERENCE", help=WHAT_TO_TYPE)],
    as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False,
) -> None:
    """One customer's seven steps, what they wait for, and their history."""
    from contextlib import closing

    from infra import context
    from infra.operations.status.standing import find, standing_of
    from shared.persistence.clock import database_now

    with closing(_database(context.settings())) as database, database.read() as session:
        matches, now = find(session, text), database_now(database)
        standings = [standing_of(session, match, now) for match in matches]
    if len(standings) == 1:
        (standing,) = standings
        if as_json:
            context.as_json(standing.as_document())
        else:
            _show(standing, context.console())
        return
    _show_matches(text, standings, as_json=as_json)
    raise typer.Exit(1)


def _database(settings: "Settings") -> "Database":
    """Activation's database; to look does not make it.

    Raises:
        StappenplanError: it cannot be read.
    """
    from infra.composition import build_service
    from infra.context import require_made
    from shared.base.errors import StappenplanError
    from shared.persistence.database import Database
    from shared.persistence.schema import is_sufficient

    require_made(settings, ["activation"])
    service = build_service("activation", settings)
    database = Database(settings.database_url_of("activation"))
    if not (database.answers() and is_sufficient(database, service.migrations)):
        database.close()
        raise StappenplanError(
            "the database of activation does not answer, or has an older version's schema; "
            "`stappenplan doctor` says what to do"
        )
    return database


def _show_matches(text: str, standings: "Sequence[Standing]", *, as_json: bool) -> None:
    """Who may be meant, so that one can be asked for by a reference; or that nobody is found."""
    from pydantic_core import to_jsonable_python

    from infra import context
    from infra.operations.status.standing import MOST_MATCHES

    matches = [standing.onboarding for standing in standings]
    if as_json:
        context.as_json(to_jsonable_python(matches))
    elif not matches:
        typer.echo(
            f"nobody is found by {context.printable(text)!r}: type how a word of the company, the "
            "e-mail address or the login name begins, a postcode with house number, a whole "
            "reference (S-…, O-…, K-…, A-…) or the onboarding id",
            err=True,
        )
    else:
        for match in matches:
            name = context.printable(match.company or "(no name yet)")
            typer.echo(f"{match.reference or match.onboarding_id}  {name}  {_where(match)}")
        more = " at least; type more of the name" if len(matches) == MOST_MATCHES else ""
        asked = f"{len(matches)} customers{more}: ask for one of them by its reference"
        typer.echo(asked, err=True)


def _where(match: "OnboardingAnswer") -> str:
    """The step at which somebody is waited for, or that all is done."""
    for step in match.steps:
        if step.status in ("current", "failed"):
            return f"{step.step}: {_next(match)}"
    return _next(match)


def _next(match: "OnboardingAnswer") -> str:
    """Who must act, as a person says it."""
    if match.next_actor == "nobody":
        return "nobody is waited for"
    return "KING must act" if match.next_actor == "king" else f"the {match.next_actor} must act"


def _show(standing: "Standing", console: "Console") -> None:
    from rich.text import Text

    from infra import context

    it = standing.onboarding
    names = (it.reference, it.order_reference, it.administration_number)
    told = [name for name in names if name]
    told += [f"office {it.office_code}"] if it.office_code else []
    told += [f"logs in as {it.login_name}"] if it.login_name else []
    console.print(Text(context.printable(it.company or "(no name yet)"), style="bold"))
    console.print(Text(context.printable(" · ".join(told)), style="dim"))
    _show_steps(it, console)
    _show_history(standing.history, console)


def _show_steps(it: "OnboardingAnswer", console: "Console") -> None:
    from rich.table import Table
    from rich.text import Text

    from infra import context

    grid = Table.grid(padding=(0, 2))
    for step in it.steps:
        mark, style = MARKS[step.status]
        grid.add_row(Text(mark, style=style), Text(step.step, style=style), _told(step))
    console.print(grid)
    for blocker in it.blockers:
        who = "KING" if blocker.actor == "king" else blocker.actor
        line = Text.assemble((f"{who}: ", "bold"), context.printable(blocker.text))
        console.print(line.append(f" ({blocker.code})", style="dim"))
    console.print()


def _told(step: "Step") -> "Text":
    """When a step was done, and by whom."""
    from rich.text import Text

    from infra import context

    words = {"current": "under way", "failed": "stopped", "waiting": ""}
    at = f"{step.at:%Y-%m-%d %H:%M}" if step.at else words.get(step.status, "")
    by = {"king": "KING", None: ""}.get(step.by, step.by or "")
    return Text(f"{at}  {context.printable(by)}".strip(), overflow="fold")


def _show_history(entries: "Sequence[Entry]", console: "Console") -> None:
    from rich.table import Table
    from rich.text import Text

    hidden = max(0, len(entries) - MOST_ENTRIES)
    first = f", the last {MOST_ENTRIES} of {len(entries)}" if hidden else ""
    console.print(Text(f"History, in UTC{first}", style="bold"))
    grid = Table.grid(padding=(0, 2))
    for entry in entries[hidden:]:
        grid.add_row(Text(f"{entry.at:%Y-%m-%d %H:%M:%S}", style="dim", no_wrap=True), _line(entry))
    console.print(grid)


def _line(entry: "Entry") -> "Text":
    """What happened and by whom, with what it says of itself."""
    from rich.text import Text

    from infra import context

    by = entry.by or entry.source
    office = f" of office {entry.office}" if entry.office else ""
    line = Text(entry.what.removesuffix(".v1"), overflow="fold")
    line.append(f"  {context.printable(by)}{context.printable(office)}", style="cyan")
    said = {name: value for name, value in entry.details.items() if value is not False}
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in said.items())
    return line.append(f"\n{context.printable(told)}", style="dim") if told else line
