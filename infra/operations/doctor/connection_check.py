"""Whether PostgreSQL has room for all the connections that the services may open."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import make_url, text

from infra.composition import service_names
from infra.operations.doctor.finding import Finding
from shared.host.settings import Settings
from shared.persistence.database import Database

CROWDED = 0.8
"""From this part of its connections on a server is said to be nearly full."""
SMALLEST_POOL = 4

LIMITS = text(
    """
    SELECT current_setting('max_connections')::int
             - current_setting('superuser_reserved_connections')::int
             - coalesce(current_setting('reserved_connections', true), '0')::int AS room,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS taken,
           (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS of_user,
           pg_backend_pid() AS process
    """
)


@dataclass(frozen=True)
class Server:
    """How many connections a server has for its users, how many are taken, and who of us is there.

    By a pooler, which is `pooled`, these are still the server's.
    """

    room: int
    taken: int
    services: tuple[str, ...]
    pooled: bool = False

    def judge(self, pool: int) -> Finding:
        """What a pool of this size means here, in numbers that can be added up."""
        needed = pool * len(self.services)
        if self.pooled:
            return Finding(
                "connections",
                True,
                f"by a pooler: a process for each service may open {needed} to it, which its "
                f"max_client_conn must allow; its own pools must fit in {self.room}",
            )
        sum_of_them = f"{len(self.services)} × {pool} = {needed} connections of {self.room}"
        if needed > self.room:
            fits = self.room // len(self.services)
            smaller = f", or set STAPPENPLAN_DATABASE_POOL={fits}" if fits >= SMALLEST_POOL else ""
            return Finding(
                "connections",
                False,
                f"a process for each service may open {sum_of_them}",
                f"raise max_connections of PostgreSQL{smaller}",
            )
        times = self.room // needed
        told = f"{sum_of_them}: room for {times} process{'es' * (times > 1)} of each service"
        if self.taken > self.room * CROWDED:
            advice = "raise max_connections, or run fewer processes or with a smaller pool"
            return Finding("connections", True, f"{self.taken} taken; {told}", advice, warning=True)
        return Finding("connections", True, told)


def connections(settings: Settings) -> Iterator[Finding]:
    """The connections that all services may open, server by server, against what it has."""
    if settings.database_url.startswith("sqlite"):
        return
    for server in _servers(settings):
        yield server.judge(settings.database_pool)


def _servers(settings: Settings) -> Iterator[Server]:
    """Each server with the services that have a database there; of those away, others tell."""
    services: dict[object, list[str]] = defaultdict(list)
    for name in service_names():
        address = make_url(settings.database_url_of(name))
        services[address.host, address.port, str(address.query)].append(name)
    for names in services.values():
        with closing(Database(settings.database_url_of(names[0]))) as database:
            if database.answers():
                yield _ask(database, tuple(names))


def _ask(database: Database, services: tuple[str, ...]) -> Server:
    with database.read() as session:
        row = session.execute(LIMITS).one()
        driver: Any = session.connection().connection.driver_connection
        # A pooler names a process that is none of the server's, since any may serve a question.
        pooled = driver.info.backend_pid != row.process
    room = min(row.room, row.of_user) if row.of_user >= 0 else row.room
    return Server(room, row.taken, services, pooled)
