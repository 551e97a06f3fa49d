"""A handler that hangs is broken off, on record, and in the end dead; its neighbours go on."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.base.errors import InfrastructureDown
from shared.events import CustomerReleased
from shared.processing.retry_policy import MAX_CRASHES
from shared.processing.store.tables import DEAD, DONE, WAITING
from shared.processing.worker.consumer import Consumer
from shared.processing.worker.watchdog import CHECK_SECONDS, MAX_CHECKS
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.tally import Replica, customer, message_id, release
from tests.servers.premises import wait_until

MakeHanging = Callable[[Replica], None]


@pytest.fixture
def hang() -> Iterator[MakeHanging]:
    """Makes a replica's handler hang over what is ordered as `hang`, until the test ends."""
    over = threading.Event()

    def make(replica: Replica) -> None:
        calls = replica.handlers
        handler = calls[CustomerReleased.event_type]

        def call(message: Any, *rest: Any) -> Any:
            if message.content.order_reference == "hang":
                over.wait()
            return handler(message, *rest)

        calls[CustomerReleased.event_type] = call

    yield make
    over.set()


def in_a_thread(work: Callable[[], object]) -> "list[BaseException | None]":
    """Do it beside the test; what it raised, once it has ended."""
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            work()
        except InfrastructureDown as down:
            outcome.append(down)
        else:
            outcome.append(None)

    threading.Thread(target=run, daemon=True).start()
    return outcome


def hanging(replica: Replica) -> bool:
    """Whether a handler of it is at work."""
    executions = replica.runtime.engine._watchdog._executions.values()
    running = [execution.message.content for execution in executions if execution.message]
    return any(getattr(content, "order_reference", "") == "hang" for content in running)


def check_until_it_is_broken_off(replica: Replica) -> int:
    """How many checks it takes."""
    wait_until(lambda: hanging(replica), "the handler hangs")
    checks = 1
    while not replica.runtime.check_handlers():
        checks += 1
        assert checks <= MAX_CHECKS + 2
    return checks


def test_a_handler_that_hangs_is_broken_off_and_lets_go_of_its_neighbours(
    make_replica: MakeReplica, hang: MakeHanging
) -> None:
    # Given a process with a batch in hand in which one message hangs
    process, next_process = make_replica(), make_replica()
    hang(process)
    good, bad, behind = release("a"), release("b", "hang"), release("c")
    outcome = in_a_thread(lambda: process.take(good, bad, behind))
    # When it is looked at again and again,
    checks = check_until_it_is_broken_off(process)
    # Then it is not broken off before its time, and stands on record with the reason,
    assert checks == MAX_CHECKS + 1
    row = process.inbox()[message_id("b")]
    assert (row.status, row.attempts) == (WAITING, 1)
    assert f"longer than {MAX_CHECKS * CHECK_SECONDS:.0f} seconds" in (row.error or "")
    # and the next process, to which all of it is delivered again, does all but that one.
    next_process.take(*(release(name, redelivered=True) for name in "ac"))
    next_process.take(release("b", "hang", redelivered=True))
    assert next_process.tallies() == {customer("a"): 1, customer("c"): 1}
    assert not outcome


def test_one_that_hangs_each_time_is_dead_with_its_reason(
    make_replica: MakeReplica, hang: MakeHanging
) -> None:
    # Given a message that hangs, and a new process after each time
    process = make_replica()
    hang(process)
    in_a_thread(lambda: process.take(release("b", "hang")))
    check_until_it_is_broken_off(process)
    for _ in range(MAX_CRASHES - 1):
        assert process.inbox()[message_id("b")].status == WAITING
        now = process.now
        process = make_replica()
        process.now = now + timedelta(minutes=2)
        hang(process)
        # When it runs again, alone, when it is due,
        in_a_thread(process.run_due)
        check_until_it_is_broken_off(process)
    # Then it is dead in the end, and says why.
    row = process.inbox()[message_id("b")]
    assert (row.status, row.attempts) == (DEAD, MAX_CRASHES)
    assert "took longer" in (row.error or "")


def test_nothing_counts_of_a_handler_that_ends_after_all(make_replica: MakeReplica) -> None:
    # Given a handler that was broken off
    process = make_replica()
    over = threading.Event()
    calls = process.handlers
    handler = calls[CustomerReleased.event_type]

    def call(*given: Any) -> Any:
        over.wait()
        return handler(*given)

    calls[CustomerReleased.event_type] = call
    outcome = in_a_thread(lambda: process.take(release("b", "hang")))
    check_until_it_is_broken_off(process)
    # When it ends after all,
    over.set()
    wait_until(lambda: bool(outcome), "it has ended")
    # Then nothing came of it: what is on record is all there is.
    assert isinstance(outcome[0], InfrastructureDown)
    assert process.tallies() == {}
    assert process.inbox()[message_id("b")].status == WAITING


def test_a_long_batch_of_short_messages_is_left_alone(make_replica: MakeReplica) -> None:
    # Given a batch during which somebody looks in often, at another message each time
    process = make_replica()
    calls = process.handlers
    handler = calls[CustomerReleased.event_type]
    found: list[bool] = []

    def call(*given: Any) -> Any:
        found.extend(process.runtime.check_handlers() for _ in range(MAX_CHECKS))
        return handler(*given)

    calls[CustomerReleased.event_type] = call
    # When it runs, Then all of it is done.
    process.take(*(release(f"customer {number}") for number in range(5)))
    assert len(process.tallies()) == 5
    assert not any(found)


def test_a_message_for_which_nothing_was_prepared_is_dead_and_its_neighbours_are_done(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a fault of our own in reading one message
    decode = replica.runtime.engine.decoder.decode

    def faulty(incoming: Any) -> Any:
        if b"O-fault" in incoming.body:
            raise TypeError("startswith first arg must be bytes")
        return decode(incoming)

    monkeypatch.setattr(replica.runtime.engine.decoder, "decode", faulty)
    # When it comes among good ones,
    consumer = Consumer("tally", replica.bus, replica.runtime.engine)
    assert consumer._process([release("a"), release("b", "O-fault"), release("c")])
    # Then they are done, and it is dead with the fault as its reason; the thread goes on.
    assert replica.tallies() == {customer("a"): 1, customer("c"): 1}
    (dead,) = [row for row in replica.inbox().values() if row.status != DONE]
    assert dead.status == DEAD
    assert "TypeError: startswith" in (dead.error or "")
