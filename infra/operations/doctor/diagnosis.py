"""What the doctor looks at: each check finds something, and knows what to do about it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from infra.composition import build_services, topology
from shared.base.errors import StappenplanError
from shared.host.metrics import count
from shared.host.service import Service
from shared.host.settings import Settings
from shared.messaging.topology import management
from shared.messaging.topology.topology import ADMIN, Topology
from shared.persistence.database import Database
from shared.persistence.schema import is_current

CLOCK_TOLERANCE_SECONDS = 5


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and what to do when it is not good."""

    check: str
    ok: bool
    finding: str
    advice: str = ""


def diagnose(settings: Settings) -> list[Finding]:
    """Run every check; one that breaks is a finding too."""
    findings = []
    for check in (_catalogue, _broker, _databases, _arrivals, _mail, _texts, _token_key):
        findings += _run(check, settings)
    return findings


def _run(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> list[Finding]:
    try:
        return list(check(settings))
    except (StappenplanError, SQLAlchemyError, OSError, ValueError) as error:
        name = check.__name__.strip("_")
        return [Finding(name, False, str(error).splitlines()[0], "correct this and look again")]


def _catalogue(settings: Settings) -> Iterator[Finding]:
    from shared.trade.catalogue import Catalogue

    catalogue = Catalogue.load(settings.catalogue)
    packages = ", ".join(catalogue.package_codes)
    yield Finding("catalogue", True, f"{settings.catalogue.name}: {packages}")


def _broker(settings: Settings) -> Iterator[Finding]:
    if settings.embedded:
        yield Finding("broker", True, "embedded: events live in this machine's databases")
        return
    from shared.messaging.topology.declare import missing

    wanted = topology(settings)
    lacking = missing(wanted, settings.broker_url_of(ADMIN))
    if lacking is None:
        yield Finding(
            "broker",
            False,
            "RabbitMQ cannot be reached, or refuses the login",
            "check STAPPENPLAN_BROKER_URL and that the broker runs",
        )
        return
    yield Finding("broker", True, "RabbitMQ answers")
    yield _bindings(settings, wanted, lacking)


def _bindings(settings: Settings, wanted: Topology, lacking: list[str]) -> Finding:
    """Exchange, queues and bindings; how much of the latter can be seen is told honestly.

    AMQP cannot ask for a binding, and to try one with a message would reach the services. The
    management interface knows them all. Without it, an event that came back to its outbox shows
    that no binding of its type is left; one that still has another subscriber does not come back.
    """
    advice = "run `stappenplan topology apply`, then `stappenplan replay SERVICE`"
    if lacking:
        return Finding("bindings", False, f"missing: {', '.join(lacking)}", advice)
    if settings.management_url:
        lost = management.missing_bindings(wanted, settings.management_url, settings.broker_url)
        seen = "every queue and binding is there"
    else:
        unheard = returned_types(settings)
        lost = [(queue, kind) for queue, kind in wanted.bindings() if kind in unheard]
        seen = (
            "every queue is there, and no event came back for want of a binding; set "
            "STAPPENPLAN_MANAGEMENT_URL to have each binding looked at"
        )
    if lost:
        named = ", ".join(f"{kind} → {queue}" for queue, kind in lost)
        return Finding("bindings", False, f"missing: {named}", advice)
    return Finding("bindings", True, seen)


def returned_types(settings: Settings) -> set[str]:
    """The types of the events that wait in an outbox because no queue was bound to them."""
    from infra.operations.doctor.binding_check import unheard

    types: set[str] = set()
    for service in build_services(settings):
        if not _is_made(settings, service):
            continue
        database = Database(settings.database_url_of(service.name))
        try:
            if database.answers() and is_current(database, service.migrations):
                types.update(unheard(database))
        finally:
            database.close()
    return types


def _databases(settings: Settings) -> Iterator[Finding]:
    for service in build_services(settings):
        if not _is_made(settings, service):
            # To look would make it: an empty file where there was none.
            yield Finding(
                f"database {service.name}", True, "is made by the first `stappenplan run`"
            )
            continue
        database = Database(settings.database_url_of(service.name))
        try:
            yield from _database(service, database)
        finally:
            database.close()


def _is_made(settings: Settings, service: Service) -> bool:
    file = Path(settings.database_url_of(service.name).removeprefix("sqlite:///"))
    return file.exists() or not settings.database_url.startswith("sqlite")


def _database(service: Service, database: Database) -> Iterator[Finding]:
    name = f"database {service.name}"
    if not database.answers():
        yield Finding(
            name,
            False,
            "does not answer",
            "check STAPPENPLAN_DATABASE_URL, and that the database exists",
        )
        return
    if not is_current(database, service.migrations):
        yield Finding(name, False, "has an older schema", "run `stappenplan db upgrade`")
        return
    with database.read() as session:
        census = count(session)
        drift = (
            0.0 if database.is_sqlite else _drift(session.execute(text("SELECT now()")).scalar())
        )
    dead = census.inbox["dead"] + census.notifications["failed"]
    waiting = f"{census.unpublished} unpublished, {census.inbox['waiting']} waiting, {dead} dead"
    if dead:
        yield Finding(name, False, waiting, "look at `stappenplan dead list`")
    elif drift > CLOCK_TOLERANCE_SECONDS:
        yield Finding(name, False, f"its clock differs by {drift:.0f} s", "synchronise the clocks")
    else:
        yield Finding(name, True, waiting)


def _arrivals(settings: Settings) -> Iterator[Finding]:
    from infra.operations.doctor.binding_check import not_arriving, unheard

    made = all(_is_made(settings, one) for one in build_services(settings))
    if settings.embedded or not made:
        return
    services = {
        one.name: (one, Database(settings.database_url_of(one.name)))
        for one in build_services(settings)
    }
    try:
        for service, database in services.values():
            if not (database.answers() and is_current(database, service.migrations)):
                return  # Said already.
        lacking = [
            f"{event_type} reaches nobody; {name} keeps it"
            for name, (_, database) in services.items()
            for event_type in unheard(database)
        ]
        lacking += [
            f"{event_type} does not reach {name}" for event_type, name in not_arriving(services)
        ]
    finally:
        for _, database in services.values():
            database.close()
    yield Finding(
        "arrivals",
        not lacking,
        "; ".join(lacking) or "every event reaches whoever hears it",
        "unless a queue is long: `stappenplan topology apply`, then `stappenplan replay SERVICE`",
    )


def _drift(now: object) -> float:
    return abs((now - datetime.now(UTC)).total_seconds()) if isinstance(now, datetime) else 0.0


def _mail(settings: Settings) -> Iterator[Finding]:
    if settings.mail == "file":
        yield _folder("mail", settings.data_dir / "mail")
    else:
        yield _aws("mail", "SES", settings.mail_from)


def _texts(settings: Settings) -> Iterator[Finding]:
    if settings.sms == "file":
        yield _folder("sms", settings.data_dir / "sms")
    else:
        yield _aws("sms", "SNS", settings.sms_sender)


def _folder(check: str, folder: Path) -> Finding:
    parent = folder
    while not parent.exists():
        parent = parent.parent
    if os.access(parent, os.W_OK):
        return Finding(check, True, f"written to {folder}")
    return Finding(check, False, f"{parent} cannot be written", "set STAPPENPLAN_DATA_DIR")


def _aws(check: str, service: str, sender: str) -> Finding:
    import botocore.session

    session = botocore.session.get_session()
    if session.get_config_variable("region") is None:
        return Finding(check, False, f"{service}: no region is set", "set AWS_DEFAULT_REGION")
    if session.get_credentials() is None:
        return Finding(check, False, f"{service}: no credentials", "set up AWS credentials")
    return Finding(check, True, f"{service} as {sender}")


def _token_key(settings: Settings) -> Iterator[Finding]:
    long_enough = len(settings.signing_key()) >= 32
    advice = "set STAPPENPLAN_TOKEN_KEY to at least 32 random characters"
    yield Finding("token key", long_enough, "is set" if long_enough else "is short", advice)
