"""A database file on a full disk, or that is damaged: it waits, and nobody is blamed for it."""

from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from shared.base.errors import InfrastructureDown
from shared.persistence.database import Database, Trouble, diagnose
from shared.processing.store.tables import DONE
from shared.processing.testing import RecordingBus
from shared.processing.worker.consumer import Consumer
from shared.web.problems import as_problem
from tests.integration.processing.conftest import on_sqlite
from tests.integration.processing.tally import MENDED, Replica, release
from tests.servers.premises import wait_until

PAGE_BYTES = 4096


class Disk:
    """The room that a replica's file has: as much as it takes already, or as much as it likes."""

    def __init__(self, replica: Replica) -> None:
        self._engine = replica.database.engine
        self.is_full = False
        event.listen(self._engine, "checkout", self._limit)

    def _limit(self, connection: Any, *_: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        most = pages if self.is_full else 1_000_000_000
        connection.execute(f"PRAGMA max_page_count = {most}")


@pytest.fixture
def disk(replica: Replica) -> Disk:
    return Disk(replica)


def fill(replica: Replica) -> None:
    """Leave no room on any page that is there."""
    with replica.database.begin() as session:
        session.execute(text("CREATE TABLE ballast (weight BLOB)"))
        session.execute(text("INSERT INTO ballast VALUES (zeroblob(200000))"))


@on_sqlite
def test_on_a_full_disk_messages_wait_and_none_is_blamed(replica: Replica, disk: Disk) -> None:
    # Given a message that waits for its next try, and a disk that is full,
    replica.take(release("kapper", "broken-1"))
    MENDED.add("broken-1")
    waiting = replica.inbox()
    fill(replica)
    disk.is_full = True
    bus = RecordingBus()
    many = [release(f"bakkerij-{number}") for number in range(200)]
    bus.deliveries = [many]
    thread = Consumer("tally", bus, replica.runtime.engine)
    # When more come than fit,
    with structlog.testing.capture_logs() as logs:
        thread.start()
        wait_until(lambda: thread.paused, "it is paused")
    # Then none is acknowledged or blamed, and the log says what is to be done;
    assert (bus.acknowledged, replica.inbox()) == ([], waiting)
    (told,) = [log for log in logs if log["event"] == "infrastructure_down"]
    assert "database or disk is full" in told["error"]
    # and all get through once there is room.
    disk.is_full = False
    wait_until(lambda: len(bus.acknowledged) == len(many), "the batch is dealt with", 30)
    thread.stop()
    thread.join(10)
    replica.now = max(row.due_at for row in waiting.values() if row.due_at)
    replica.run_due()
    assert {row.status for row in replica.inbox().values()} == {DONE}
    assert set(replica.tallies().values()) == {1}


def damage(path: Path, root_page: int) -> None:
    """Write over the first page of a table, as a failing disk may."""
    with path.open("r+b") as file:
        file.seek((root_page - 1) * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES)


@on_sqlite
def test_a_damaged_table_is_no_messages_fault(replica: Replica, tmp_path: Path) -> None:
    # Given a file in which the table is damaged that messages write to,
    root = text("SELECT rootpage FROM sqlite_schema WHERE name = 'tally'")
    with replica.database.read() as session:
        page = session.execute(root).scalar_one()
    replica.database.close()
    damage(tmp_path / "tally.db", page)
    # When one comes, Then it waits for whoever brings the file back from a copy.
    with pytest.raises(InfrastructureDown, match="malformed") as raised:
        replica.take(release("bakkerij"))
    assert replica.inbox() == {}
    # A person who meets it is to try again, and the log says that this takes somebody's hand.
    with structlog.testing.capture_logs() as logs:
        assert as_problem(raised.value, "/orders").status == 503
    assert [(log["event"], log["path"]) for log in logs] == [("database_unfit", "/orders")]


def test_what_is_no_database_at_all_is_no_messages_fault(tmp_path: Path) -> None:
    file = tmp_path / "tally.db"
    file.write_bytes(b"\xa5" * PAGE_BYTES)
    database = Database(f"sqlite:///{file}")
    with pytest.raises(DBAPIError) as raised, database.begin() as session:
        session.execute(text("SELECT 1"))
    assert diagnose(raised.value) is Trouble.DOWN
