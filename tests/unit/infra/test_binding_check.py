"""Which events reach nobody: told by what the broker answered, not by how that is put in words."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.operations.doctor.binding_check import unheard
from shared.messaging.bus import PublishResult
from shared.persistence.database import Database
from shared.processing.store import outbox
from shared.processing.store.outbox import OutboxEntry, PublishResults
from shared.processing.store.tables import ProcessingTable

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EVENTS = {
    "signup.accepted.v1": PublishResult.UNROUTABLE,
    "signup.rejected.v1": PublishResult.REFUSED,
    "onboarding.withdrawn.v1": PublishResult.UNKNOWN,
    "registration.completed.v1": PublishResult.CONFIRMED,
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A service that has said an event of each of these types, not yet published."""
    database = Database(f"sqlite:///{tmp_path}/signup.db")
    ProcessingTable.metadata.create_all(database.engine)
    entries = [OutboxEntry(event_type, event_type, "s", b"{}") for event_type in EVENTS]
    with database.begin() as session:
        outbox.write(session, entries, NOW)
    yield database
    database.close()


def answered(database: Database, results: PublishResults) -> None:
    """The broker has answered so."""
    with database.begin() as session:
        outbox.mark(session, results, NOW)


def test_an_event_that_the_broker_returned_reaches_nobody_and_no_other_does(
    database: Database,
) -> None:
    # Given events of which nothing is known yet, When the broker has answered for each,
    assert unheard(database) == []
    answered(database, list(EVENTS.items()))
    # Then the one that it returned is named,
    assert unheard(database) == ["signup.accepted.v1"]
    # until it is published, or only the connection is lost.
    answered(database, [("signup.accepted.v1", PublishResult.CONFIRMED)])
    assert unheard(database) == []


def test_the_answer_does_not_hang_on_the_words_for_people(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given that somebody has put what the broker's answers mean in other words,
    words = dict.fromkeys(outbox.EXPLANATIONS, "in other words, none of which anybody reads")
    monkeypatch.setattr(outbox, "EXPLANATIONS", words)
    # When the broker returns an event, Then the same one is named as before.
    answered(database, list(EVENTS.items()))
    assert unheard(database) == ["signup.accepted.v1"]
