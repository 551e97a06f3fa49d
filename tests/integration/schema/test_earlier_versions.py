"""A version that is still running can live with the tables that the next one has changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select, text

from infra.composition import build_service
from shared.host.settings import Settings
from shared.messaging.bus import PublishResult
from shared.notifications.tables import Notification
from shared.persistence.database import Database
from shared.persistence.schema import _config, is_sufficient, upgrade
from shared.processing.store import outbox
from shared.processing.store.tables import Outbox

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MIGRATIONS = build_service("billing", Settings()).migrations

CLAIM = text(
    "INSERT INTO inbox (id, type, subject, digest, status, received_at, attempts)"
    " VALUES ('one', 't', 's', 'd', 'done', :now, 0)"
)
"""As a version wrote it that knows of no `deaths`."""

SAY = text(
    "INSERT INTO outbox (id, type, subject, body, created_at, leased_until, attempts)"
    " VALUES (:id, 't', 's', :body, :now, :now, 0)"
)
"""As a version wrote it that keeps no answer of the broker's but in words."""

MARK_FAILED = text("UPDATE outbox SET leased_until = :now, error = 'no queue' WHERE id = :id")

MARK_PUBLISHED = text("UPDATE outbox SET published_at = :now, error = NULL")

NOTIFY = text(
    "INSERT INTO notification (id, onboarding_id, kind, channel, recipient, language, params,"
    " status, created_at, due_at, attempts)"
    " VALUES (:id, 's', 'k', 'email', 'a@b.example', 'nl', '{}', 'waiting', :now, :now, 0)"
)
"""As a version wrote it whose mails belong to no trace."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = f"sqlite:///{tmp_path}/billing.db"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("make_database")("bill")
    database = Database(url)
    yield database
    database.close()


def upgrade_to(database: Database, revision: str) -> None:
    """Bring it as far as an earlier version did."""
    with database.engine.begin() as connection:
        config = _config(MIGRATIONS)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def write_as_earlier(database: Database, name: str) -> None:
    """An earlier version says something and has a mail to send."""
    with database.engine.begin() as connection:
        connection.execute(SAY, {"id": f"event {name}", "now": NOW, "body": b"{}"})
        connection.execute(MARK_FAILED, {"id": f"event {name}", "now": NOW})
        connection.execute(NOTIFY, {"id": f"mail {name}", "now": NOW})


def test_an_inbox_is_written_by_a_version_that_counts_no_deaths(database: Database) -> None:
    # Given the current schema,
    upgrade(database, MIGRATIONS)
    # When an earlier version claims a message, Then it can, and none is counted.
    with database.engine.begin() as connection:
        connection.execute(CLAIM, {"now": datetime.now(UTC)})
        deaths = connection.exec_driver_sql("SELECT deaths FROM inbox").scalars().all()
    assert deaths == [0]


def test_what_an_earlier_version_left_is_published_and_sent_by_this_one(
    database: Database,
) -> None:
    # Given events and mails that were written before results and traces were kept,
    upgrade_to(database, "shared_0006")
    write_as_earlier(database, "before")
    # When the schema is brought up to date, and the earlier version goes on beside it,
    assert upgrade(database, MIGRATIONS)
    assert is_sufficient(database, MIGRATIONS)
    write_as_earlier(database, "beside")
    # Then both are there, without result and trace, for this version to publish and to send.
    with database.begin() as session:
        rows = session.execute(select(Outbox).order_by(Outbox.id)).scalars().all()
        kept = [(row.id, row.publish_result, row.error) for row in rows]
        assert kept == [
            ("event before", None, "no queue"),
            ("event beside", None, "no queue"),
        ]
        mails = session.execute(select(Notification)).scalars()
        assert {mail.id: mail.traceparent for mail in mails} == {
            "mail before": None,
            "mail beside": None,
        }
    with database.begin() as session:
        entries = outbox.claim_unpublished(session, NOW + timedelta(seconds=1), 10)
    assert {entry.id for entry in entries} == {"event before", "event beside"}


def test_an_earlier_version_marks_what_this_one_could_not_publish(database: Database) -> None:
    # Given an event of this version that no queue is bound to,
    upgrade(database, MIGRATIONS)
    with database.begin() as session:
        outbox.write(session, [outbox.OutboxEntry("event", "t", "s", b"{}")], NOW)
        outbox.mark(session, [("event", PublishResult.UNROUTABLE)], NOW)
    # When an earlier version publishes it, and this one hears of an answer that was late,
    with database.engine.begin() as connection:
        connection.execute(
            text("UPDATE outbox SET published_at = :now, error = NULL"), {"now": NOW}
        )
    with database.begin() as session:
        outbox.mark(session, [("event", PublishResult.UNKNOWN)], NOW)
    # Then it stays published.
    with database.begin() as session:
        row = session.get_one(Outbox, "event")
        assert (row.published_at, row.error) == (NOW, None)
        assert outbox.claim_unpublished(session, NOW + timedelta(days=1), 10) == []


def test_the_last_change_can_be_taken_back_with_rows_in_the_tables(database: Database) -> None:
    # Given the current schema, with what both versions write,
    upgrade(database, MIGRATIONS)
    write_as_earlier(database, "beside")
    with database.begin() as session:
        outbox.write(session, [outbox.OutboxEntry("event", "t", "s", b"{}")], NOW)
        outbox.mark(session, [("event", PublishResult.REFUSED)], NOW)
    # When the change is taken back, and made again,
    with database.engine.begin() as connection:
        config = _config(MIGRATIONS)
        config.attributes["connection"] = connection
        command.downgrade(config, "shared_0006")
    assert upgrade(database, MIGRATIONS)
    # Then no row is lost.
    with database.engine.connect() as connection:
        events = connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one()
    assert events == 2
