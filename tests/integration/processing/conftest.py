"""Replicas of the small service, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.processing.tally import MENDED, Replica, Wire
from tests.servers.postgres import MakeDatabase

MakeReplica = Callable[..., Replica]


@pytest.fixture(params=["sqlite", "postgresql"])
def make_replica(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeReplica]:
    """Each call is one more process on the same database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/tally.db"
    else:
        make: MakeDatabase = request.getfixturevalue("make_database")
        url = make("tally")
    made: list[Replica] = []

    def another(wire: Wire | None = None) -> Replica:
        one = Replica(url, tmp_path, wire)
        if not made:
            one.make_tables()
        made.append(one)
        return one

    yield another
    for one in made:
        one.database.close()
    MENDED.clear()


@pytest.fixture
def replica(make_replica: MakeReplica) -> Replica:
    return make_replica()
