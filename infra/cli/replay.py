"""`stappenplan replay`: serve a queue again what it may have missed."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer


def replay(
    service: Annotated[str, typer.Argument(metavar="SERVICE")],
    since: Annotated[
        str, typer.Option(help="a moment with an offset; everything that is kept when left out")
    ] = "",
) -> None:
    """Send a service again the published events it subscribes to; its inbox makes that harmless."""
    from rich.progress import track

    from infra.cli import ground
    from infra.replaying import published, send_again

    ground.insist_on_service(service)
    settings = ground.settings()
    moment = _moment(since)
    events = published(settings, service, moment)
    typer.echo(f"{len(events)} events since {moment:%Y-%m-%d %H:%M} UTC")
    sent = sum(send_again(settings, service, track(events, description=f"to {service}")))
    typer.echo(f"{sent} handed to {service}; what it had already changes nothing")


def _moment(since: str) -> datetime:
    if not since:
        return datetime.now(UTC) - timedelta(days=7)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        typer.echo("--since takes a moment such as 2026-11-24T09:30:00+01:00", err=True)
        raise typer.Exit(2) from None
    return moment.astimezone(UTC)
