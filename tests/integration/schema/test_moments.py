"""A moment is the same moment, whatever zone the database server lives in."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlmodel import Session

from shared.persistence.database import Database
from shared.processing.store.tables import DONE, Inbox, ProcessingTable
from tests.servers.postgres import MakeDatabase


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize(
    "moment", [datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]
)
def test_the_first_and_the_last_moment_can_be_read_again(
    make_database: MakeDatabase, zone: str, moment: datetime
) -> None:
    # Given a server in a zone where that moment belongs to a year that no calendar here has
    database = Database(make_database("moments"))
    ProcessingTable.metadata.create_all(database.engine)
    with database.begin() as session:
        name = session.execute(text("SELECT current_database()")).scalar_one()
        session.execute(text(f"ALTER DATABASE \"{name}\" SET timezone = '{zone}'"))
    database.close()
    # When somebody says that something happened then, and it is stored,
    key = str(uuid4())
    with database.begin() as session:
        session.add(Inbox(id=key, type="x", digest="x", status=DONE, received_at=moment))
    # Then it can be read.
    with database.read() as session:
        assert _received_at(session, key) == moment
    database.close()


def _received_at(session: Session, key: str) -> datetime:
    found = session.get(Inbox, key)
    assert found is not None
    return found.received_at
