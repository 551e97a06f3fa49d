"""`stappenplan audit`: closes the books over all services while they run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from infra.operations.audit.books import Books, Ledgers, Pair
    from infra.operations.audit.deliveries import Tell
    from shared.host.settings import Settings

SHOWN = 20
"""Findings that a person is shown; more of them are told by their number."""
LISTED = 10_000
"""Findings that a script is given."""
SPEAKERS = ("website", "signup", "registration", "billing", "king-billing", "activation")
"""In the order of the steps; a fifth service would come last."""


FIGURES = ("said", "arrived", "waiting", "dead", "lost")
HEARER = 18
"""Columns for the name of who hears an event."""


def audit(as_json: Annotated[bool, typer.Option("--json", help="for a script")] = False) -> None:
    """Close the books while the services run: accepted, arrived, waiting, dead, lost, doubled."""
    from infra import context
    from infra.operations.audit.closing import close_books
    from infra.operations.audit.queues import queues_of

    settings = context.settings()
    with _ledgers(settings) as ledgers, _progress() as tell:
        books = close_books(ledgers, queues_of(settings), tell=tell)
    if as_json:
        context.as_json(as_document(books))
    else:
        _show(books, settings)
    if not books.balanced:
        raise typer.Exit(1)


@contextmanager
def _ledgers(settings: "Settings") -> "Iterator[Ledgers]":
    """The books of all services.

    Raises:
        StappenplanError: one of them cannot be read; books of a part would not balance.
    """
    from infra.composition import service_names
    from infra.context import not_made
    from infra.operations.doctor.database_checks import usable_databases
    from infra.whereabouts import DOCTOR
    from shared.base.errors import StappenplanError

    if not_made(settings):
        where = f" in {settings.data_dir}" if "{data_dir}" in settings.database_url else ""
        raise StappenplanError(
            f"the books cannot be read{where}: they are made by the first `stappenplan run`"
        )
    with usable_databases(settings) as opened:
        if lacking := [name for name in service_names() if name not in opened]:
            raise StappenplanError(
                f"the books of {', '.join(lacking)} cannot be read: a database does not answer, or "
                f"has an older version's schema; {DOCTOR}"
            )
        yield opened


@contextmanager
def _progress() -> "Iterator[Tell]":
    """Shows on standard error how far it is, where somebody looks."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def tell(what: str, count: int) -> None:
            progress.update(task, description=f"{what}: {count:,}" if count else what)

        yield tell


def as_document(books: "Books") -> dict[str, Any]:
    """The books as a script reads them."""
    from infra.operations.audit.books import some

    return {
        "at": books.at.isoformat(),
        "since": books.since and books.since.isoformat(),
        "balanced": books.balanced,
        "customers": asdict(books.customers),
        "lost": books.lost,
        "doubled": books.doubled,
        "unsaid": books.unsaid,
        "events": [asdict(pair) | {"waiting": pair.waiting} for pair in books.pairs],
        "beside": {name: asdict(number) for name, number in books.beside.items()},
        "findings": [asdict(finding) for finding in some(books.findings, LISTED)],
    }


def _show(books: "Books", settings: "Settings") -> None:
    from rich.text import Text

    from infra import context

    console = context.console()
    console.print(Text.assemble("customers  ", (books.line, "bold")))
    it = books.customers
    if aside := _named(waiting=it.waiting, dead=it.dead, dropped=it.dropped):
        console.print(f"           {aside}")
    _show_events(books, console)
    for name, number in books.beside.items():
        if rest := _named(
            timers=number.timers,
            **{"mails to send": number.unsent, "mails failed": number.failed_mails},
            **{"dead letters": number.dead_letters},
        ):
            console.print(f"{name} has {rest}")
    _show_findings(books, console)


def _named(**numbers: int) -> str:
    """The numbers that are not nothing, each with what it counts."""
    return " · ".join(f"{what} {number:,}" for what, number in numbers.items() if number)


def _show_events(books: "Books", console: "Console") -> None:
    """Each event type, and below it how it stands with each of those who hear it."""
    from rich.text import Text

    console.print(Text(f"\n{'':<{HEARER}}{_line(FIGURES)}", style="dim"))
    shown = ""
    for pair in sorted(books.pairs, key=_by_step):
        if not pair.said:
            continue
        if pair.event != shown:
            console.print(Text(shown := pair.event, style="bold"))
        figures = (pair.said, pair.arrived, pair.waiting, pair.dead + pair.dropped, pair.lost)
        told = _line([f"{figure:,}" for figure in figures])
        style = "red" if pair.lost else ""
        console.print(Text(f"{f'  → {pair.hearer}':<{HEARER}}{told}", style=style))
    console.print()


def _line(words: Sequence[str]) -> str:
    """Figures below each other, in a window of 60 columns as well."""
    return "".join(f"{word:>8}" for word in words)


def _by_step(pair: "Pair") -> tuple[int, str]:
    known = pair.speaker in SPEAKERS
    return SPEAKERS.index(pair.speaker) if known else len(SPEAKERS), pair.event


def _show_findings(books: "Books", console: "Console") -> None:
    from rich.padding import Padding
    from rich.text import Text

    from infra import context
    from infra.operations.audit.books import some

    if books.balanced:
        console.print("The books balance.", style="green")
        return
    console.print("The books do not balance.", style="red")
    shown = some(books.findings, SHOWN)
    for finding in shown:
        console.print(
            Text.assemble((finding.kind, "red"), "  ", context.printable(finding.sentence))
        )
        console.print(Padding(Text(f"→ {context.printable(finding.advice)}"), (0, 0, 0, 2)))
    if more := len(books.findings) - len(shown):
        console.print(f"and {more:,} more; `stappenplan audit --json` lists them")
