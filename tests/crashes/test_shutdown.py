"""A process that is asked to stop does so in bounded time, whatever is in its way."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import SQLAlchemyError

from shared.processing.worker.consumer import CONSUMERS
from tests.crashes.armed import SMALL_BATCH
from tests.crashes.books import Bookkeeper
from tests.crashes.conftest import MakePlant, Record
from tests.crashes.plant import Plant
from tests.servers.postgres import Databases, Postgres, start_postgres
from tests.servers.premises import wait_until
from tests.servers.rabbitmq import PrivateRabbitMQ, RabbitMQ

BOUND = 25.0
"""Seconds that an orderly end takes at most: 22, and a little for a busy machine."""
AT_ONCE = 5.0
CUSTOMERS = 40
MORE_THAN_IN_HAND = SMALL_BATCH * CONSUMERS + 20
UNFINISHED = 1
pytestmark = pytest.mark.xdist_group("shutdown")

STARTED = "Ctrl-C stops it."
"""The last that a start says: whoever stops it earlier breaks it off, and hears other words."""


@pytest.fixture(scope="module")
def durable() -> Iterator[Postgres]:
    """A database server that keeps what was committed when it is killed."""
    server = start_postgres(durable=True)
    yield server
    server.close()


def heard(plant: Plant, service: str) -> int:
    """How many messages a service has claimed so far."""
    with Bookkeeper(plant.settings) as keeper:
        try:
            return sum(len(book.inbox) for book in keeper.read() if book.service == service)
        except SQLAlchemyError:
            return 0  # It is making its tables.


def await_words(plant: Plant, words: str) -> None:
    wait_until(lambda: words in plant.log.read_text(), f"it says {words!r}")


def stop_in_time(process: "subprocess.Popen[bytes]") -> int:
    """Ask it to stop; its exit code, which comes in time or not at all."""
    process.send_signal(signal.SIGTERM)
    return process.wait(BOUND)


def start_again_and_read_the_ledger(plant: Plant, fault: str, record: Record) -> None:
    plant.start()
    began = time.monotonic()
    ledger = plant.await_settled()
    seconds = time.monotonic() - began
    record(fault=fault, submitted=len(plant.submitted), ledger=ledger, seconds_to_recover=seconds)
    ledger.insist()
    assert plant.stop() == 0


@pytest.mark.faults
def test_a_batch_in_hand_is_finished_and_nothing_else_is_taken(
    plant: Plant, record: Record
) -> None:
    # Given a service with more sign-ups than it takes at a time, in the middle of a batch
    with plant.load(MORE_THAN_IN_HAND, group=MORE_THAN_IN_HAND):
        pass
    process = plant.start("pause", "commit.before", 1)
    await_words(plant, "armed: pause")
    # When it is asked to stop,
    code = stop_in_time(process)
    # Then that batch is finished, others are left, and of what was committed nothing is.
    assert code == 0, plant.log.read_text()[-3000:]
    assert 0 < heard(plant, "signup") < MORE_THAN_IN_HAND
    with Bookkeeper(plant.settings) as keeper:
        waiting = keeper.queues().waiting
        books = {book.service: book.inbox.keys() for book in keeper.read()}
    assert waiting["signup"]
    assert {name: ids & books[name] for name, ids in waiting.items() if ids & books[name]} == {}
    start_again_and_read_the_ledger(plant, "asked to stop under load (SIGTERM)", record)


@pytest.mark.faults
@pytest.mark.parametrize("point", ["handlers.after", "commit.before", "send.before"])
def test_a_second_signal_ends_it_at_once_and_loses_nothing(
    point: str, plant: Plant, record: Record
) -> None:
    # Given a process with work in hand that does not come to an end, and asked to stop
    process = plant.start("hang", point, 4)
    with plant.load(CUSTOMERS):
        await_words(plant, "armed: hang")
    await_words(plant, STARTED)
    process.send_signal(signal.SIGTERM)
    await_words(plant, "stopping")
    # When it is asked once more,
    process.send_signal(signal.SIGTERM)
    # Then it ends at once.
    assert process.wait(AT_ONCE) == UNFINISHED
    start_again_and_read_the_ledger(plant, "asked to stop twice (SIGTERM, SIGTERM)", record)


@pytest.mark.faults
@pytest.mark.parametrize("point", ["handlers.before", "commit.before", "confirm.before"])
def test_work_that_hangs_does_not_hold_up_the_end(point: str, plant: Plant, record: Record) -> None:
    # Given a process in which something hangs: a handler, a commit, the thread of the broker
    process = plant.start("hang", point, 4)
    with plant.load(CUSTOMERS):
        await_words(plant, "armed: hang")
    # When it is asked to stop,
    code = stop_in_time(process)
    # Then it ends in time and says that it left something.
    assert code == UNFINISHED, plant.log.read_text()[-3000:]
    assert "stopped_with_work_unfinished" in plant.log.read_text()
    start_again_and_read_the_ledger(plant, "asked to stop while work hangs", record)


def stop_without(
    plant: Plant, breaking: Callable[[], object], mending: Callable[[], object], sign: str
) -> int:
    """Stop a process in the middle of its work, when something is away; its exit code."""
    with plant.load(2 * CUSTOMERS, group=20, pause=0):
        pass
    process = plant.start()
    wait_until(lambda: heard(plant, "registration") > 0, "it is at work")
    breaking()
    try:
        await_words(plant, sign)
        return stop_in_time(process)
    finally:
        mending()


@pytest.mark.faults
def test_it_stops_in_time_without_a_broker(
    plant: Plant, rabbitmq: RabbitMQ, record: Record
) -> None:
    # Given services under load, whose broker is killed,
    # When the process is asked to stop,
    code = stop_without(plant, rabbitmq.kill, rabbitmq.start, "broker_connection_lost")
    # Then it ends in good order, in time; and once the broker is back, all is there.
    assert code == 0, plant.log.read_text()[-3000:]
    start_again_and_read_the_ledger(plant, "asked to stop while the broker is away", record)


@pytest.mark.faults
def test_it_stops_in_time_when_the_broker_does_not_answer(
    plant: Plant, rabbitmq: RabbitMQ, record: Record
) -> None:
    # Given services under load, whose broker keeps its connections and says nothing,
    if not isinstance(rabbitmq, PrivateRabbitMQ):
        pytest.skip("only a broker that the tests started can be frozen")
    pid = rabbitmq.pid
    # When the process is asked to stop,
    code = stop_without(
        plant,
        lambda: os.kill(pid, signal.SIGSTOP),
        lambda: os.kill(pid, signal.SIGCONT),
        sign="running",
    )
    # Then it ends in good order, in time; and once the broker answers, all is there.
    assert code == 0, plant.log.read_text()[-3000:]
    start_again_and_read_the_ledger(plant, "asked to stop while the broker is frozen", record)


@pytest.mark.faults
def test_it_stops_in_time_without_a_database(
    make_plant: MakePlant, durable: Postgres, record: Record
) -> None:
    # Given services under load, whose database server is killed,
    plant = make_plant(databases=Databases(durable))
    # When the process is asked to stop,
    code = stop_without(plant, durable.kill, durable.start, "infrastructure_down")
    # Then it ends in good order, in time; and once the database is back, all is there.
    assert code == 0, plant.log.read_text()[-3000:]
    start_again_and_read_the_ledger(plant, "asked to stop while the database is away", record)
