"""Replicas of the small service, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.persistence.trips import Trips
from shared.processing.testing import RecordingBus
from tests.integration.processing.tally import MENDED, Replica
from tests.servers.postgres import MakeDatabase

MakeReplica = Callable[..., Replica]


on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)
"""For what only one kind of database can do, or suffer."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The database of the replicas, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tally.db"
    make: MakeDatabase = request.getfixturevalue("make_database")
    return make("tally")


@pytest.fixture
def make_replica(url: str, tmp_path: Path) -> Iterator[MakeReplica]:
    """Each call is one more process on the same database."""
    replicas: list[Replica] = []

    def another(bus: RecordingBus | None = None) -> Replica:
        replica = Replica(url, tmp_path, bus)
        if not replicas:
            replica.make_tables()
        replicas.append(replica)
        return replica

    yield another
    for replica in replicas:
        replica.database.close()
    MENDED.clear()


@pytest.fixture
def replica(make_replica: MakeReplica) -> Replica:
    return make_replica()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for each trip to PostgreSQL from now on: how many statements waited for it."""
    made: list[int] = []
    send = Trips.send

    def counted(self: Trips) -> None:
        if self.has_waiting:
            made.append(len(self._waiting))
        send(self)

    monkeypatch.setattr(Trips, "send", counted)
    return made
