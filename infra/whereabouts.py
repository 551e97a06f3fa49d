"""Where each service's database is: which file is not there, and how its place is told."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs

import structlog

from infra.composition import service_names
from shared.base.addresses import read_address
from shared.host.settings import Settings
from shared.persistence.addresses import FORM, POSTGRES, SQLITE
from shared.persistence.faults import address_of

log = structlog.get_logger()

DOCTOR = "`stappenplan doctor` says what to do"


def missing_files(settings: Settings, names: Sequence[str] = ()) -> dict[str, Path]:
    """The files of these services' embedded databases, or of all, that are not there."""
    files = {name: file_of(settings.database_url_of(name)) for name in names or service_names()}
    return {name: file for name, file in files.items() if file and not file.exists()}


def missing_beside_others(settings: Settings, names: Sequence[str] = ()) -> dict[str, Path]:
    """The same where another service's database is there: it is lost, or that one never ran here.

    Where there is none at all, nothing was ever started.
    """
    if len(missing_files(settings)) == len(service_names()):
        return {}
    return missing_files(settings, names)


def what_is_missing(missing: Mapping[str, Path]) -> str:
    """Which files are not there, in words."""
    are = "is" if len(missing) == 1 else "are"
    files = _listed([str(file) for file in missing.values()])
    return f"{files} {are} not there, while the databases of other services are"


def how_to_mend(settings: Settings, missing: Mapping[str, Path]) -> str:
    """What to do about files that are lost, or of services that never ran here."""
    them = "it" if len(missing) == 1 else "them"
    # The embedded broker has all services in one process: a single one cannot be started on it.
    names = "" if settings.embedded else " " + " ".join(missing)
    return (
        f"restore {them} from a backup; or, if {_listed([*missing])} never ran in this folder, "
        f"start {them} once with `stappenplan run{names}`"
    )


def warn_of_new(settings: Settings, names: Sequence[str] = ()) -> None:
    """Tell the log of each database that is about to be made beside others.

    Whoever adds a service wants that; whoever has lost a file would otherwise not hear of it.
    """
    for name, file in missing_beside_others(settings, names).items():
        log.warning(
            "database_made_beside_others",
            service=name,
            file=str(file),
            advice="if there was one, stop, and restore it from a backup",
        )


def told_of_trouble(settings: Settings, error: Exception) -> str:
    """What a database says that cannot do what it was asked, in a sentence with its place."""
    reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    return f"{_named(settings, address_of(error))} says: {reason}; {DOCTOR}"


def file_of(url: str) -> Path | None:
    """The file of an embedded database; a server's has none."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def place_of(url: str) -> str:
    """A database's file; or its host, port and name, without who logs in."""
    if file := file_of(url):
        return str(file)
    address = read_address(url, (POSTGRES,), FORM)
    options = parse_qs(address.query)
    host = address.host or ",".join(options.get("host", options.get("service", [])))
    port = f":{address.port}" if address.port else ""
    return f"{host}{port}{address.path}"


def _named(settings: Settings, url: str | None) -> str:
    if url is None:
        return "the database"
    names = [name for name in service_names() if settings.database_url_of(name) == url]
    # An address without {service} is that of the one service that runs with it: nobody knows which.
    whose = f" of {names[0]}" if len(names) == 1 else ""
    return f"the database{whose} ({place_of(url)})"


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
