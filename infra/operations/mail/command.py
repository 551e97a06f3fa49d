"""`stappenplan mail`: what customers, payers and offices are sent, to look at."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The mails and texts, to look at.")


@app.callback()
def mail() -> None:
    """The mails and texts, to look at."""


@app.command()
def preview(
    to: Annotated[Path, typer.Option(help="the folder to write to")] = Path("mail-preview"),
) -> None:
    """Write every mail and text in both languages, about made-up people; nothing is sent."""
    from datetime import UTC, datetime

    from infra.context import settings
    from infra.operations.mail.preview import render_all, write
    from shared.base.errors import StappenplanError

    rendered = render_all(settings(), datetime.now(UTC))
    try:
        index = write(rendered, to)
    except OSError as error:
        raise StappenplanError(f"{to} cannot be written: {error.strerror}") from None
    typer.echo(f"{len(rendered)} mails and texts; open {index}")
