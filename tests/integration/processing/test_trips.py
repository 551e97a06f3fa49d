"""Statements that nobody waits for travel with others, and nothing that was promised changes."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    func,
    select,
    text,
    update,
)
from sqlmodel import col

from shared.persistence.bulk import insert_entities, new_rows
from shared.persistence.chores import portion
from shared.persistence.database import Database
from shared.persistence.statements import Asked, Statement, fetch_together
from shared.processing.retry_policy import MESSAGE_LEASE
from shared.processing.store.tables import DEAD
from tests.integration.processing.conftest import on_postgresql
from tests.integration.processing.parcels import ONE, WEIGHTS, Parcel, found, line, parcels
from tests.integration.processing.tally import MENDED, Replica, customer, release
from tests.servers.postgres import MakeDatabase

LARGE = 3_000_000
EVERY_PAUSE = 6


@pytest.fixture
def database(make_database: MakeDatabase) -> Iterator[Database]:
    with parcels(make_database) as database:
        yield database


# How many there are.


@on_postgresql
def test_a_message_takes_one_trip_before_its_handler_and_one_behind(
    replica: Replica, trips: list[int]
) -> None:
    # Given a service that has reserved numbers, and has something to mark as published,
    replica.take(release("bakkerij", message="first"))
    trips.clear()
    # When a message comes for which nothing need be changed that is there,
    replica.take(release("kapper"))
    # Then it is claimed on the trip that asks for what its handler needs; what the handler made
    # and said goes with the commit.
    assert len(trips) == 2


def test_what_is_posted_goes_with_the_commit(database: Database, trips: list[int]) -> None:
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a", weight=1)])
        insert_entities(session, [Parcel(id="b", weight=2)])
        assert trips == []
    assert trips == [3]
    assert found(database) == [("a", 1), ("b", 2)]


def test_what_is_asked_hears_of_what_was_posted(database: Database, trips: list[int]) -> None:
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a", weight=1)])
        # Whoever asks sees it, by this way,
        assert WEIGHTS.fetch(session, {}) == [("a", 1)]
        assert trips == [2]
        # and by SQLAlchemy's own.
        insert_entities(session, [Parcel(id="b", weight=2)])
        assert session.execute(select(func.count()).select_from(Parcel)).scalar_one() == 2
    assert len(found(database)) == 2


def test_several_things_are_asked_on_one_trip(database: Database, trips: list[int]) -> None:
    rows = [{"id": "a", "weight": 1, "label": None}, {"id": "b", "weight": 2, "label": None}]
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a", weight=7)])
        keys, weights, one = fetch_together(
            session, [new_rows(session, Parcel, rows), (WEIGHTS, {}), (ONE, {})]
        )
    assert (keys, weights, one) == ([("b",)], [("a", 7), ("b", 2)], [(1,)])
    assert trips == [4]


def test_without_a_transaction_nothing_waits(database: Database, trips: list[int]) -> None:
    with database.look_up() as session:
        Statement(update(Parcel).values(weight=1)).post(session, {})
        assert trips == [1]
        assert line(session).pgconn.transaction_status == TransactionStatus.IDLE


# What travels.


def test_values_are_written_as_by_any_other_way(database: Database) -> None:
    label = {"to": "Zoë", "€": [1, None]}
    with database.begin() as session:
        insert_entities(session, [Parcel(id="ours", label=label)])
        session.add(Parcel(id="sqlalchemy's", label=label))
    with database.read() as session:
        written = text("SELECT label::text FROM parcel")
        assert len(set(session.execute(written).scalars())) == 1


def test_much_goes_both_ways_at_once(database: Database) -> None:
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a", label={"text": "x" * LARGE})])
    labels = Statement(select(col(Parcel.label)))
    with database.begin() as session:
        asked: list[Asked] = [(labels, {})] * 3
        insert_entities(session, [Parcel(id="b", label={"text": "y" * LARGE})])
        answers = fetch_together(session, asked)
    assert [len(rows) for rows in answers] == [2, 2, 2]
    assert {len(label["text"]) for rows in answers for (label,) in rows} == {LARGE}


# What relies on it.


def test_what_a_portion_of_a_chore_posts_may_take_as_long_as_the_rest(database: Database) -> None:
    slow = Statement(update(Parcel).where(func.pg_sleep(0.5).is_not(None)).values(weight=7))
    with database.begin() as session:
        insert_entities(session, [Parcel(id="a")])
        line(session).answer_seconds = 0.2
    with portion(database) as session:
        slow.post(session, {})
    assert found(database) == [("a", 7)]


@on_postgresql
def test_a_rehearsal_hears_what_only_the_database_refuses(replica: Replica, url: str) -> None:
    # Given a dead letter, and a database that will not keep what its handler would write now,
    replica.take(release("bakkerij", "broken-1"))
    for _ in range(EVERY_PAUSE):
        replica.run_due(after=MESSAGE_LEASE * 100)
    (letter,) = replica.inbox()
    assert replica.inbox()[letter].status == DEAD
    MENDED.add("broken-1")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE tally ADD CHECK (releases > 1)")
    # When its retry is rehearsed, Then that is told.
    assert "violates check constraint" in str(replica.runtime.engine.rehearse(letter).error)
    assert customer("bakkerij") not in replica.tallies()
