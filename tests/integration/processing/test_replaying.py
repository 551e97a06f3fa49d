"""What a replay may send again: not more than the inbox that hears it remembers."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.composition import service_names
from infra.operations.replay import archive as replays
from infra.operations.replay.archive import Archive
from shared.host.settings import Settings
from shared.persistence.database import Database
from shared.processing.store.tables import Outbox, ProcessingTable


def test_what_nobody_cleaned_away_is_not_replayed_after_a_week(tmp_path: Path) -> None:
    # Given two published events, one of them so old that it should have been cleaned away,
    settings = Settings(database_url=f"sqlite:///{tmp_path}/{{service}}.db", data_dir=tmp_path)
    now = datetime.now(UTC)
    for name in service_names():
        database = Database(settings.database_url_of(name))
        ProcessingTable.metadata.create_all(database.engine)
        if name == "signup":
            with database.begin() as session:
                session.add_all([said("old", now - timedelta(days=31)), said("new", now)])
        database.close()
    # When somebody asks for all that there ever was, Then the old one stays where it is.
    ever = datetime(2020, 1, 1, tzinfo=UTC)
    with Archive(settings, "registration", ever) as archive:
        assert [event.id for event in archive] == ["new"]
        assert len(archive) == 1


def test_what_is_published_at_this_very_moment_is_replayed_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an event that is published in the microsecond in which somebody replays,
    settings = Settings(database_url=f"sqlite:///{tmp_path}/{{service}}.db", data_dir=tmp_path)
    now = datetime.now(UTC)
    monkeypatch.setattr(replays, "datetime", SimpleNamespace(now=lambda _zone: now))
    for name in service_names():
        with closing(Database(settings.database_url_of(name))) as database:
            ProcessingTable.metadata.create_all(database.engine)
            if name == "signup":
                with database.begin() as session:
                    session.add(said("now", now))
    # When he does, Then it is among what is sent.
    with Archive(settings, "registration", now - timedelta(days=1)) as archive:
        assert [event.id for event in archive] == ["now"]


def said(message_id: str, moment: datetime) -> Outbox:
    return Outbox(
        id=message_id,
        type="signup.accepted.v1",
        subject="00000000-0000-0000-0000-000000000001",
        body=b"{}",
        created_at=moment,
        leased_until=moment,
        published_at=moment,
    )
