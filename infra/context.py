"""What every command stands on: the settings, the console, the services' databases."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from getpass import getuser
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pydantic import ValidationError
    from rich.console import Console
    from rich.table import Table

    from shared.host.settings import Settings
    from shared.persistence.database import Database


STEERING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def settings() -> "Settings":
    """The settings, or exit code 2 with a sentence for each that is wrong."""
    from pydantic import ValidationError

    from shared.host.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        for where, what in complaints(error):
            name = "STAPPENPLAN_" + where.replace(".", "_").upper()
            typer.echo(f"{name}: {what}", err=True)
        raise typer.Exit(2) from None


def complaints(error: "ValidationError") -> Iterator[tuple[str, str]]:
    """What is wrong with each field; never its value, which may be a secret."""
    for fault in error.errors(include_url=False, include_input=False):
        if fault["type"] == "default_factory_not_called":
            continue  # Its default would follow from another, which is the one at fault.
        where = ".".join(str(part) for part in fault["loc"])
        yield where, fault["msg"].removeprefix("Value error, ")


def console() -> "Console":
    """Standard output, for a person."""
    from rich.console import Console

    return Console(highlight=False)


def table(*headers: str) -> "Table":
    """A table as all commands show one."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(*headers, box=SIMPLE_HEAD, pad_edge=False)


def printable(text: str) -> str:
    """Text that a stranger wrote, with what would steer the terminal made visible, as in JSON.

    That is every control character but the line break and the tabulator, what turns the direction
    of writing around, and half a character.
    """
    return STEERING.sub(lambda character: f"\\u{ord(character[0]):04x}", text)


def json_for_people(value: Any) -> str:
    """A value as JSON that is fit for a terminal, with its letters as they are."""
    return printable(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def as_json(value: Any) -> None:
    """Standard output, for a script."""
    typer.echo(json_for_people(value))


def require_service(name: str) -> str:
    """A service's name, or exit code 2 with the names there are."""
    from infra.composition import service_names

    if name not in service_names():
        names = ", ".join(service_names())
        typer.echo(f"there is no service {name!r}; the services are {names}", err=True)
        raise typer.Exit(2)
    return name


@contextmanager
def databases(names: Sequence[str] = ()) -> "Iterator[dict[str, Database]]":
    """The databases of the named services, or of all, with the schema of this version.

    Embedded databases are brought to it on the spot, as `run` would; of others the schema is
    changed only when somebody asks for it.

    Raises:
        StappenplanError: a database has another schema; the text says what to do.
    """
    from infra.composition import build_services
    from shared.base.errors import StappenplanError
    from shared.persistence.database import Database
    from shared.persistence.schema import is_current, upgrade

    current = settings()
    with ExitStack() as open_ones:
        opened = {}
        for service in build_services(current, names):
            database = Database(current.database_url_of(service.name))
            open_ones.enter_context(closing(database))
            if database.is_sqlite:
                upgrade(database, service.migrations)
            elif not is_current(database, service.migrations):
                raise StappenplanError(
                    f"the database of {service.name} does not have the schema of this version; "
                    "run `stappenplan db upgrade`"
                )
            opened[service.name] = database
        yield opened


def whoever_asks() -> str:
    """The name of the person at the keyboard, for the record."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"  # A container's user need not have a name.


def times(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 event`, `2 events`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
