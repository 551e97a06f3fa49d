"""The offices for which the broker is set up, and what of it is there already."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlmodel import col, select

from infra.composition import build_service, service_names
from services.signup.models import Office
from shared.host.settings import Settings
from shared.messaging.bus import BusDown
from shared.messaging.topology import ADMIN, Topology
from shared.persistence.database import Database
from shared.persistence.schema import is_sufficient

T = TypeVar("T")


def missing_from_broker(wanted: Topology, settings: Settings) -> list[str]:
    """The exchanges and queues that the broker lacks, as far as anybody here may ask it.

    Raises:
        BusDown: nobody here reaches the broker; the text says why the first of them does not.
    """
    from shared.messaging.topology.declare import missing

    return by_whoever_may(settings, partial(missing, wanted))


def by_whoever_may(settings: Settings, ask: Callable[[str], T]) -> T:
    """What the broker answers to the first of its users here who reaches it.

    That is the administrator, or else one of the services: in a service's container no other
    password is known than its own.

    Raises:
        BusDown: nobody does; the text says why the first of them does not.
    """
    addresses = dict.fromkeys(settings.broker_url_of(name) for name in (ADMIN, *service_names()))
    refusals = []
    for address in addresses:
        try:
            return ask(address)
        except BusDown as refusal:
            refusals.append(refusal)
    raise refusals[0]


def known_offices(settings: Settings) -> list[str]:
    """The codes of the offices in signup's database; none while it has not the schema."""
    return offices_in_database(settings) or []


def offices_in_database(settings: Settings) -> list[str] | None:
    """The codes of the offices; None while signup's database is not there, or older.

    To look must not make it: an empty file where there was none would pass for a database.
    """
    url = settings.database_url_of("signup")
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    database = Database(url)
    try:
        if not database.answers() or not is_sufficient(
            database, build_service("signup", settings).migrations
        ):
            return None
        with database.read() as session:
            return list(
                session.execute(select(col(Office.code)).order_by(col(Office.code))).scalars()
            )
    finally:
        database.close()
