"""What every command stands on: the settings, the console, one service's database."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from shared.database import Database
    from shared.settings import Settings


def settings() -> "Settings":
    """The settings, or exit code 2 with a sentence for each that is wrong."""
    from pydantic import ValidationError

    from shared.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            name = "STAPPENPLAN_" + "_".join(str(part) for part in one["loc"]).upper()
            typer.echo(f"{name}: {one['msg']}", err=True)
        raise typer.Exit(2) from None


def console() -> "Console":
    """Standard output, for a person."""
    from rich.console import Console

    return Console(highlight=False)


def as_json(value: Any) -> None:
    """Standard output, for a script."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def insist_on_service(name: str) -> str:
    """A service's name, or exit code 2 with the names there are."""
    from infra.composition import service_names

    if name not in service_names():
        known = ", ".join(service_names())
        typer.echo(f"there is no service {name!r}; the services are {known}", err=True)
        raise typer.Exit(2)
    return name


def databases(names: Sequence[str] = ()) -> "dict[str, Database]":
    """The databases of the named services, or of all."""
    from infra.composition import service_names
    from shared.database import Database

    found = settings()
    return {name: Database(found.database_url_of(name)) for name in names or service_names()}
