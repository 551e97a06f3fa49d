"""Whether each service's database answers, and whether what was said has arrived in the others."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from infra.composition import build_services, database_addresses
from infra.operations.doctor.binding_check import not_arriving, unheard
from infra.operations.doctor.finding import Finding
from infra.whereabouts import (
    file_of,
    how_to_mend,
    missing_beside_others,
    missing_files,
    what_is_missing,
)
from shared.host.counting import count
from shared.host.service import Service
from shared.host.settings import Settings
from shared.notifications.queue import WAITING_NOTIFICATIONS
from shared.persistence.chores import without_hurry
from shared.persistence.clock import database_now
from shared.persistence.database import Database
from shared.persistence.histories import UnrelatedSchema
from shared.persistence.schema import compare, is_sufficient

CLOCK_TOLERANCE_SECONDS = 5
ABOUT_ADDRESSES = "check STAPPENPLAN_DATABASE_URL, and that the database exists"
ABOUT_FILES = (
    "stop what runs on it; see that this user may read and write the file and its folder; if it is "
    "damaged, restore it from a backup"
)
ABOUT_CERTIFICATES = (
    "the server's certificate must be for the host in STAPPENPLAN_DATABASE_URL, and signed by the "
    "CA in the file that sslrootcert names there"
)
LONG_DUE = timedelta(hours=1)
"""A mail that has been due for longer than any pause of its senders has nobody who sends it."""


def databases(settings: Settings) -> Iterator[Finding]:
    """Each service's database: its schema, what waits in it, its clock."""
    database_addresses(settings)
    for service in build_services(settings):
        if service.name in missing_files(settings):
            # To look would make it: an empty file where there was none.
            yield _missing(settings, service)
            continue
        with closing(Database(settings.database_url_of(service.name))) as database:
            try:
                yield from _found(settings, service, database)
            except SQLAlchemyError as error:
                # What is damaged further in answers, and cannot be read.
                told = f"cannot be read: {str(error).splitlines()[0]}"
                yield Finding(f"database {service.name}", False, told, _advice(database, told))


def _missing(settings: Settings, service: Service) -> Finding:
    name = f"database {service.name}"
    if not (lost := missing_beside_others(settings, [service.name])):
        return Finding(name, True, "is made by the first `stappenplan run`")
    told, advice = what_is_missing(lost), how_to_mend(settings, lost)
    # With a broker of their own, services may well be each in a folder, or on a machine, alone.
    return Finding(name, not settings.embedded, told, advice, warning=not settings.embedded)


def _found(settings: Settings, service: Service, database: Database) -> Iterator[Finding]:
    yield _database(service, database)
    yield from _newer(service, database)
    if not settings.embedded:
        yield from _undelivered(service, database)


def _undelivered(service: Service, database: Database) -> Iterator[Finding]:
    """Whether mails and texts wait that nobody sends: every process may only consume."""
    if not _usable(service, database):
        return
    with database.read() as session:
        due = WAITING_NOTIFICATIONS.next_due(session)
    late = due is not None and database_now(database) - due > LONG_DUE
    yield Finding(
        f"mails of {service.name}",
        not late,
        f"one has been due since {due:%Y-%m-%d %H:%M} UTC" if late else "go out",
        f"run a process that delivers: `stappenplan run {service.name} --only deliver`",
    )


def delivery(settings: Settings) -> Iterator[Finding]:
    """Whether every event that was said long enough ago has reached whoever hears it."""
    if settings.embedded:
        return
    with usable_databases(settings) as opened:
        if len(opened) < len(build_services(settings)):
            return  # What is wrong with the others is said already.
        lacking = [*_not_delivered(opened)]
    yield Finding(
        "delivery",
        not lacking,
        "; ".join(lacking) or "every event reaches whoever hears it",
        "unless a queue is long: `stappenplan topology apply`, then `stappenplan replay SERVICE`",
    )


def _not_delivered(opened: Mapping[str, tuple[Service, Database]]) -> Iterator[str]:
    for name, (_, database) in opened.items():
        for event_type in unheard(database):
            yield f"{event_type} reaches nobody; {name} keeps it"
    for event_type, name in not_arriving(opened):
        yield f"{event_type} does not reach {name}"


@contextmanager
def usable_databases(settings: Settings) -> Iterator[dict[str, tuple[Service, Database]]]:
    """The services whose database is there, answers and has all that this version needs."""
    with ExitStack() as stack:
        opened = {}
        for service in build_services(settings):
            if service.name in missing_files(settings):
                continue
            database = without_hurry(Database(settings.database_url_of(service.name)))
            stack.enter_context(closing(database))
            if _usable(service, database):
                opened[service.name] = (service, database)
        yield opened


def _usable(service: Service, database: Database) -> bool:
    try:
        return database.answers() and is_sufficient(database, service.migrations)
    except UnrelatedSchema:
        return False


def _newer(service: Service, database: Database) -> Iterator[Finding]:
    """Whether a later version has been at work here, beside this one or before it."""
    if not _usable(service, database):
        return
    unknown = compare(database, service.migrations).unknown
    if unknown:
        yield Finding(
            f"schema of {service.name}",
            True,
            f"newer than this version ({', '.join(unknown)}): fine while both run, "
            "`stappenplan db upgrade` is not needed",
        )


def _trouble(database: Database) -> str | None:
    if (trouble := database.trouble()) is not None:
        return f"does not answer: {trouble}"
    file = file_of(database.url)
    # SQLite reads what it may not write, and keeps files beside it.
    if file and not all(os.access(place, os.W_OK) for place in (file, file.parent)):
        return f"this user may not write {file}"
    return None


def _advice(database: Database, trouble: str) -> str:
    if database.is_sqlite:
        return ABOUT_FILES
    return ABOUT_CERTIFICATES if "certificate" in trouble else ABOUT_ADDRESSES


def _database(service: Service, database: Database) -> Finding:
    name = f"database {service.name}"
    if trouble := _trouble(database):
        return Finding(name, False, trouble, _advice(database, trouble))
    try:
        behind = compare(database, service.migrations).behind
    except UnrelatedSchema as error:
        return Finding(name, False, "has the tables of something else", str(error))
    if behind:
        older = f"has an older schema than this version ({', '.join(behind)})"
        return Finding(name, False, older, "run `stappenplan db upgrade`")
    with database.read() as session:
        depths = count(session)
        now = None if database.is_sqlite else session.execute(text("SELECT now()")).scalar()
    drift = abs((now - datetime.now(UTC)).total_seconds()) if isinstance(now, datetime) else 0.0
    dead = depths.inbox["dead"] + depths.notifications["failed"]
    waiting = f"{depths.unpublished} unpublished, {depths.inbox['waiting']} waiting, {dead} dead"
    if dead:
        return Finding(name, False, waiting, "look at `stappenplan dead list`")
    if drift > CLOCK_TOLERANCE_SECONDS:
        return Finding(name, False, f"its clock differs by {drift:.0f} s", "synchronise the clocks")
    return Finding(name, True, waiting)
