"""`stappenplan replay`: serve a queue again what it may have missed."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from shared.base.moments import EARLIEST

if TYPE_CHECKING:
    from infra.operations.replay.archive import Archive
    from shared.host.settings import Settings


def replay(
    service: Annotated[str, typer.Argument(metavar="SERVICE")],
    since: Annotated[
        str, typer.Option(help="a moment with an offset; everything that is kept when left out")
    ] = "",
) -> None:
    """Send a service again the published events it subscribes to; its inbox makes that harmless."""
    from infra import context
    from infra.operations.replay.archive import Archive

    context.require_service(service)
    settings = context.settings()
    moment = _moment(since)
    context.require_made(settings)
    with Archive(settings, service, moment) as archive:
        count = len(archive)
        typer.echo(f"{context.times(count, 'event')} since {archive.since:%Y-%m-%d %H:%M} UTC")
        sent = _send(settings, service, archive, count)
        typer.echo(f"{sent} handed to {service}; what it had already changes nothing")
        for name, waiting in archive.waiting().items():
            typer.echo(
                f"not sent: {context.times(waiting, 'event')} that {name} has still to publish; "
                "it does so by itself while it runs"
            )


def _send(settings: "Settings", service: str, archive: "Archive", count: int) -> int:
    """Send them all, showing how far it is; how many were sent.

    Raises:
        NotTaken: the broker did not take them all; the text says how to go on from there.
    """
    from rich.console import Console
    from rich.progress import Progress

    from infra.operations.replay.archive import NotTaken, send_again

    sent, reached = 0, None
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"to {service}", total=count)
        try:
            for page in send_again(settings, service, archive):
                sent, reached = sent + len(page), page[-1].at
                progress.update(task, completed=sent)
        except NotTaken as stop:
            again = f"replay {service}" + (f" --since {reached.isoformat()}" if reached else "")
            raise NotTaken(
                f"{stop}; {sent} of {count} were handed over; `stappenplan {again}` goes on there"
            ) from None
    return sent


def _moment(since: str) -> datetime:
    if not since:
        return EARLIEST  # As far back as events are kept, by the clock of the database.
    try:
        moment = datetime.fromisoformat(since)
        if moment.tzinfo is not None:  # Without an offset it would be this machine's time.
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # No moment, or one past the calendar's end: refused like one without an offset.
    typer.echo("--since takes a moment such as 2026-11-24T09:30:00+01:00", err=True)
    raise typer.Exit(2)
