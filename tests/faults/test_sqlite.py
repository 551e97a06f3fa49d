"""What can happen to a database that is a file."""

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.host.settings import Settings
from tests.faults.conftest import Note
from tests.faults.stage import Stage, on_stage, within
from tests.servers.management import url_of_vhost
from tests.servers.rabbitmq import RabbitMQ

HASTY = (sys.executable, "-m", "tests.faults.hasty")


@pytest.fixture
def stage(rabbitmq: RabbitMQ, tmp_path: Path) -> Iterator[Stage]:
    """All services in one process, each with a file of its own, under load."""
    vhost = url_of_vhost(rabbitmq.url, rabbitmq.management.new_vhost())
    with on_stage(Settings(broker_url=vhost, data_dir=tmp_path), program=HASTY) as stage:
        yield stage


def test_a_file_is_locked_for_longer_than_anybody_waits(stage: Stage, note: Note) -> None:
    # When another process locks a service's file for longer than the 10 s that one waits for it
    other = sqlite3.connect(stage.settings.data_dir / "registration.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    within(30, lambda: stage.told("infrastructure_down"), "the service gives up waiting")
    other.execute("ROLLBACK")
    other.close()
    # Then no message was blamed, everything goes on, and nothing is lost or doubled
    seconds = stage.recovered()
    note("SQLite: file locked for more than 10 s", stage.ledger(), seconds)


@pytest.mark.faults
def test_the_process_is_killed_while_it_writes(stage: Stage, note: Note) -> None:
    # When the process is killed again and again, under load
    for _ in range(5):
        stage.kill()
        stage.restart_the_dead()
        stage.flowing(3)
    # Then everything goes on, no file is damaged, and nothing is lost or doubled
    seconds = stage.recovered()
    ledger = stage.ledger()
    for file in stage.settings.data_dir.glob("*.db"):
        with sqlite3.connect(file) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    note("SQLite: process killed, five times", ledger, seconds)
