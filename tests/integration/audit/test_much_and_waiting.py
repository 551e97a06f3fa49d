"""The audit where there is very much to read, and where a real queue still holds something."""

import gc
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

import pytest

from infra.buses import BusFactory
from infra.composition import build_services, topology
from infra.operations.audit.books import Books, Ledgers
from infra.operations.audit.closing import close_books
from infra.operations.audit.queues import EMBEDDED, Queues, queues_of
from shared.host.settings import Settings
from shared.messaging.bus import Outgoing, PublishResult
from shared.messaging.topology.declare import apply, depth
from shared.persistence.bulk import insert_rows
from shared.persistence.schema import upgrade
from shared.processing.store.tables import Inbox, Outbox
from tests.integration.audit.conftest import opened
from tests.integration.command_line.shell import Shell
from tests.servers.premises import wait_until

AN_HOUR_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
FAILED = "administration.failed.v1"
"""An event that one service hears, and that tells of no state that another must have."""


def event_id(number: int) -> str:
    return str(uuid5(NAMESPACE_DNS, f"{number}.boek.example"))


def say(ledgers: Ledgers, begin: int, end: int, *, heard: bool) -> None:
    """Events of registration, seven at each moment, and heard by activation or not."""
    said, received = [], []
    for number in range(begin, end):
        at = AN_HOUR_AGO + timedelta(milliseconds=number // 7)
        its = {"id": event_id(number), "type": FAILED, "subject": event_id(number)}
        said.append(
            its
            | {"body": b"{}", "attempts": 0, "created_at": at}
            | {"leased_until": at, "published_at": at}
        )
        received.append(its | {"digest": "d", "status": "done", "received_at": at, "attempts": 0})
    with ledgers["registration"][1].begin() as session:
        insert_rows(session, Outbox, said)
    if heard:
        with ledgers["activation"][1].begin() as session:
            insert_rows(session, Inbox, received)


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[Ledgers]:
    with opened(Settings(data_dir=tmp_path)) as ledgers:
        for service, database in ledgers.values():
            upgrade(database, service.migrations)
        yield ledgers


def _collect(_what: str, _count: int) -> None:
    gc.collect()


def peak_of(ledgers: Ledgers) -> tuple[int, Books]:
    gc.collect()
    gc.freeze()
    tracemalloc.start()
    try:
        # What is garbage counts for nothing, whenever it is looked for.
        books = close_books(ledgers, EMBEDDED, pause=0, tell=_collect)
        return tracemalloc.get_traced_memory()[1], books
    finally:
        tracemalloc.stop()
        gc.unfreeze()


@pytest.mark.slow
def test_five_times_as_many_events_take_no_more_memory(ledgers: Ledgers) -> None:
    # Given books of some pages, When they grow to five times that,
    say(ledgers, 0, 2_000, heard=True)
    close_books(ledgers, EMBEDDED, pause=0)  # What is made once is made now.
    few, _ = peak_of(ledgers)
    say(ledgers, 2_000, 10_000, heard=True)
    many, books = peak_of(ledgers)
    # Then all of them are read, each once, and a page at a time is in memory.
    (pair,) = [pair for pair in books.pairs if pair.said]
    assert (pair.said, pair.arrived, books.balanced) == (10_000, 10_000, True)
    assert many < few * 1.3


def test_events_of_one_moment_are_each_read_once_across_the_edge_of_a_page(
    ledgers: Ledgers,
) -> None:
    # Given 1,500 events at 215 moments, of which the last ten were lost,
    say(ledgers, 0, 1_490, heard=True)
    say(ledgers, 1_490, 1_500, heard=False)
    books = close_books(ledgers, EMBEDDED, pause=0.01)
    (pair,) = [pair for pair in books.pairs if pair.said]
    assert (pair.said, pair.arrived, pair.lost) == (1_500, 1_490, 10)
    assert {finding.onboarding_id for finding in books.findings} == {
        event_id(number) for number in range(1_490, 1_500)
    }


def test_a_queue_in_order_has_lost_what_it_has_passed_and_none_that_is_young() -> None:
    # Given a queue nobody can look into, one with messages on it, and one that is empty,
    unknown, full, empty = Queues(), Queues({"billing": 3}), Queues({"billing": 0})
    minute, hour, nothing = timedelta(minutes=1), timedelta(hours=1), timedelta(0)
    # Then an event may be on its way for a minute on each of them,
    assert not any(it.overdue("billing", minute, hour) for it in (unknown, full, empty))
    # for as long as it takes where it may wait in line,
    assert not unknown.overdue("billing", hour, nothing)
    assert not full.overdue("billing", hour, nothing)
    assert empty.overdue("billing", hour, nothing)
    # and no longer once what was published well after it has arrived.
    assert unknown.overdue("billing", hour, hour)
    assert full.overdue("billing", hour, hour)


def test_what_still_lies_on_a_queue_of_rabbitmq_is_on_its_way(vhost: str, tmp_path: Path) -> None:
    # Given an event that was published an hour ago, and that activation does not have,
    settings = Settings(data_dir=tmp_path, broker_url=vhost)
    apply(topology(settings), settings.broker_url)
    with opened(settings) as ledgers:
        for service in build_services(settings):
            upgrade(ledgers[service.name][1], service.migrations)
        say(ledgers, 0, 1, heard=False)
        # When its queue is empty, Then it is lost;
        assert depth("activation", settings.broker_url) == 0
        books = close_books(ledgers, queues_of(settings), pause=0.01)
        assert [finding.kind for finding in books.findings] == ["lost"]
        # When it lies there, Then it is on its way.
        _put_on_queue(settings)
        books = close_books(ledgers, queues_of(settings), pause=0.01)
        (pair,) = [pair for pair in books.pairs if pair.said]
        assert (pair.under_way, pair.lost, books.balanced) == (1, 0, True)
    assert depth("nobody", settings.broker_url) is None


def _put_on_queue(settings: Settings) -> None:
    bus = BusFactory(settings).bus("registration", consume=False)
    bus.open()
    sent = bus.publish([Outgoing(event_id(0), FAILED, b"{}")]).result(30)
    bus.close()
    assert sent == [PublishResult.CONFIRMED]
    wait_until(lambda: depth("activation", settings.broker_url) == 1, "it lies on the queue")


def test_where_nothing_has_run_there_is_nothing_to_close(tmp_path: Path) -> None:
    answer = Shell(tmp_path, {})("audit")
    assert answer.returncode == 1
    assert f"cannot be read in {tmp_path}" in answer.stderr
    assert "stappenplan run" in answer.stderr
    assert list(tmp_path.iterdir()) == []
