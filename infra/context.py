"""What every command stands on: the settings, the console, the services' databases."""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from getpass import getuser
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_settings import BaseSettings
    from rich.console import Console
    from rich.table import Table

    from shared.host.settings import Settings
    from shared.persistence.database import Database
    from shared.processing import Person

T = TypeVar("T", bound="BaseSettings")

STEERING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def settings() -> "Settings":
    """The settings, or exit code 2 with a sentence for each that is wrong, and each misspelt."""
    from infra.environment import misspelt
    from shared.host.settings import Creditor, Settings
    from shared.host.staff_settings import StaffSettings

    faults = misspelt(os.environ)
    # A part that is wrong is replaced: what is wrong elsewhere is to be told as well.
    parts = {
        "creditor": _read(Creditor, faults) or Creditor.model_construct(),
        "staff": _read(StaffSettings, faults) or StaffSettings.model_construct(),
    }
    current = _read(Settings, faults, **parts)
    for name, sentence in faults.items():
        typer.echo(f"{name}: {sentence}", err=True)
    if current is None or faults:
        raise typer.Exit(2)
    return current


def _read(model: "type[T]", faults: dict[str, str], **parts: Any) -> "T | None":
    """Settings as they are set; None when some are wrong, with a sentence for each."""
    from pydantic import ValidationError

    from infra.environment import BY_KUBERNETES, set_by_kubernetes

    try:
        return model(**parts)
    except ValidationError as error:
        prefix = str(model.model_config["env_prefix"])
        for where, what in complaints(error):
            name = prefix + where.replace(".", "_").upper()
            linked = set_by_kubernetes(os.environ.get(name, ""))
            faults[name] = BY_KUBERNETES if linked else what
        return None


def warn_of_strangers() -> None:
    """Tell of variables that begin like settings, and change nothing."""
    from infra.environment import strangers

    for name in strangers(os.environ):
        typer.echo(f"{name}: no setting of this version; it changes nothing", err=True)


def complaints(error: "ValidationError") -> Iterator[tuple[str, str]]:
    """What is wrong with each field; never its value, which may be a secret."""
    for fault in error.errors(include_url=False, include_input=False):
        if fault["type"] == "default_factory_not_called":
            continue  # Its default would follow from another, which is the one at fault.
        where = ".".join(str(part) for part in fault["loc"])
        yield where, fault["msg"].removeprefix("Value error, ")


def console() -> "Console":
    """Standard output, for a person; what is shown is no markup, whatever it holds."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


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


def not_made(settings: "Settings", names: Sequence[str] = ()) -> str | None:
    """Where these services' embedded databases should be, if nothing was ever made there.

    Raises:
        StappenplanError: some of them are not there while others are; the text says what to do.
    """
    from infra.composition import database_addresses
    from infra.whereabouts import (
        how_to_mend,
        missing_beside_others,
        missing_files,
        what_is_missing,
    )
    from shared.base.errors import StappenplanError

    database_addresses(settings, names)
    if lost := missing_beside_others(settings, names):
        raise StappenplanError(f"{what_is_missing(lost)}: {how_to_mend(settings, lost)}")
    files = list(missing_files(settings, names).values())
    if not files:
        return None
    return (
        f"{files[0]} is not there: it is made by the first `stappenplan run`. If there should be "
        "one, look whether STAPPENPLAN_DATA_DIR names its folder"
    )


def require_made(settings: "Settings", names: Sequence[str] = ()) -> None:
    """Refuse to look where one of these services' databases is not there: to look makes none.

    Raises:
        StappenplanError: one is not; the text names the place.
    """
    from shared.base.errors import StappenplanError

    if sentence := not_made(settings, names):
        raise StappenplanError(sentence)


def tell_if_not_made(names: Sequence[str] = (), *, as_list: bool = False) -> bool:
    """Say where databases should be, if none was ever made; `as_list` has a script told of none.

    Raises:
        StappenplanError: as `not_made`; of what is lost, no script is told that it is empty.
    """
    sentence = not_made(settings(), names)
    if sentence:
        typer.echo(sentence, err=True)
        if as_list:
            as_json([])
    return bool(sentence)


@contextmanager
def databases(names: Sequence[str] = ()) -> "Iterator[dict[str, Database]]":
    """The databases of the named services, or of all, with the schema of this version.

    Embedded databases are made and brought to it on the spot, as `run` would; of others the schema
    is changed only when somebody asks for it.

    A schema that a later version has brought further is as good.

    Raises:
        StappenplanError: a database has an older schema, or that of something else; the text says
            what to do.
    """
    from infra.composition import build_services, database_addresses
    from infra.whereabouts import warn_of_new
    from shared.base.errors import StappenplanError
    from shared.persistence.database import Database
    from shared.persistence.schema import is_sufficient, upgrade

    current = settings()
    addresses = database_addresses(current, names)
    warn_of_new(current, names)
    with ExitStack() as open_ones:
        opened = {}
        for service in build_services(current, names):
            database = Database(addresses[service.name])
            open_ones.enter_context(closing(database))
            if not is_sufficient(database, service.migrations):
                if not database.is_sqlite:
                    raise StappenplanError(
                        f"the database of {service.name} has an older schema than this version; "
                        "run `stappenplan db upgrade`"
                    )
                upgrade(database, service.migrations)
            opened[service.name] = database
        yield opened


@contextmanager
def databases_there(names: Sequence[str] = ()) -> "Iterator[dict[str, Database]]":
    """The same for what is to be found in them: what is not there is not made now.

    Raises:
        StappenplanError: one is not there; or as `databases`.
    """
    require_made(settings(), names)
    with databases(names) as opened:
        yield opened


def plain_option(name: str, text: str, most: int = 2000) -> str:
    """What a person wrote for an option, in normal form, as the pages and HTTP take it.

    What is no plain text, too long or holds a citizen number ends with exit code 2: it would be
    kept on record.
    """
    from shared.trade.text import plain_lines

    try:
        plain = str(plain_lines(text))
    except ValueError as refusal:
        typer.echo(f"--{name}: {refusal}", err=True)
        raise typer.Exit(2) from None
    if not 1 <= len(plain) <= most:
        typer.echo(f"--{name}: it has 1 to {most} characters", err=True)
        raise typer.Exit(2)
    return plain


def read_limited(source: str, most_bytes: int) -> bytes:
    """What is in a file, or on standard input for `-`; exit code 2 where that is too much.

    No more is read: whoever has a whole disk on standard input must not fill the memory with it.
    """
    name = "standard input" if source == "-" else source
    try:
        with nullcontext(sys.stdin.buffer) if source == "-" else open(source, "rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        typer.echo(f"cannot read {name}: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    if len(content) > most_bytes:
        megabytes = most_bytes // 1024**2
        typer.echo(f"{name} has more than {megabytes} MiB, which is too much at a time", err=True)
        raise typer.Exit(2)
    return content


def whoever_asks() -> str:
    """The name of the person at the keyboard, for the record."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"  # A container's user need not have a name.


def decider(by: str) -> "Person":
    """Who decides, for the record: whom the option names, else the person at the keyboard."""
    from shared.processing import Person

    return Person(plain_option("by", by, 100) if by else whoever_asks(), None, "command line")


def times(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 event`, `2 events`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
