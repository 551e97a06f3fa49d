"""Mailrooms on SQLite, and on PostgreSQL where the database has a say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.notifications.mailroom import Mailroom, MakeMailroom
from tests.servers.postgres import MakeDatabase


@pytest.fixture
def make_mailroom(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeMailroom]:
    """Each call is one more process on the same database."""
    url = f"sqlite:///{tmp_path}/mailroom.db"
    if getattr(request, "param", "sqlite") == "postgresql":
        make_database: MakeDatabase = request.getfixturevalue("make_database")
        url = make_database("mailroom")
    mailrooms: list[Mailroom] = []

    def make() -> Mailroom:
        mailroom = Mailroom(url, tmp_path)
        if not mailrooms:
            mailroom.make_tables()
        mailrooms.append(mailroom)
        return mailroom

    yield make
    for mailroom in mailrooms:
        mailroom.close()


@pytest.fixture
def mailroom(make_mailroom: MakeMailroom) -> Mailroom:
    """One process."""
    return make_mailroom()
