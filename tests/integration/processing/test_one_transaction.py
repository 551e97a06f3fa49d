"""Seen, done, said: one commit, and every effect exactly once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from shared.base.errors import InfrastructureDown
from shared.messaging.bus import Incoming
from shared.processing.retry_policy import MESSAGE_LEASE
from shared.processing.store.tables import DEAD, DONE, WAITING
from shared.processing.testing import RecordingBus
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.tally import (
    MENDED,
    START,
    ProcessDied,
    Replica,
    customer,
    message_id,
    release,
)
from tests.servers.premises import free_ports

NAMES = [f"bakkerij {number}" for number in range(20)]


def test_a_batch_has_all_its_effects_at_once(replica: Replica) -> None:
    # Given twenty releases, When they come as one batch,
    replica.take(*(release(name) for name in NAMES))
    # Then each is counted, claimed, and has said its word, which was published.
    assert replica.tallies() == {customer(name): 1 for name in NAMES}
    assert {row.status for row in replica.inbox().values()} == {DONE}
    assert sorted(replica.published) == sorted(replica.outbox())
    assert len(replica.published) == len(NAMES)


def test_a_message_that_comes_again_changes_nothing(replica: Replica) -> None:
    # Given a batch that was dealt with, When it comes again, alone, together and doubled,
    batch = [release(name) for name in NAMES]
    replica.take(*batch)
    replica.take(batch[0])
    replica.take(*batch, *batch)
    # Then every customer is counted once, and nothing is said twice.
    assert set(replica.tallies().values()) == {1}
    assert len(replica.published) == len(NAMES)


def test_two_releases_of_one_customer_in_one_batch_both_count(replica: Replica) -> None:
    replica.take(release("bakkerij", message="a"), release("bakkerij", message="b"))
    assert replica.tallies()[customer("bakkerij")] == 2


def test_one_bad_message_costs_only_itself(replica: Replica) -> None:
    # Given one message among nineteen whose handler stumbles, When the batch comes,
    batch = [release(name, "broken-1" if name == NAMES[7] else "O-1") for name in NAMES]
    replica.take(*batch)
    # Then the others have their effect, and the bad one waits with its error and a due time.
    assert len(replica.tallies()) == len(NAMES) - 1
    row = replica.inbox()[message_id(NAMES[7])]
    assert (row.status, row.attempts) == (WAITING, 1)
    assert row.error == "RuntimeError: something unexpected"
    assert row.due_at == START + timedelta(seconds=10)


@pytest.mark.parametrize("order", ["broken-1", "outside-1"])
def test_a_failed_message_is_tried_when_due_and_heals(replica: Replica, order: str) -> None:
    # Given a message that failed, When it is not due yet, Then nothing happens;
    replica.take(release("bakkerij", order))
    assert replica.run_due(timedelta(seconds=9)) == 0
    # when it is due and what was wrong is mended,
    MENDED.add(order)
    assert replica.run_due(timedelta(seconds=1)) == 1
    # Then it has its effect, once.
    assert replica.tallies() == {customer("bakkerij"): 1}
    assert replica.inbox()[message_id("bakkerij")].status == DONE
    replica.take(release("bakkerij", order))
    assert replica.run_due(timedelta(days=1)) == 0
    assert replica.tallies() == {customer("bakkerij"): 1}


def test_after_the_last_try_a_message_is_dead_with_its_reason(replica: Replica) -> None:
    # Given a message that always fails, When days go by,
    replica.take(release("bakkerij", "broken-1"))
    tries = 1
    while replica.run_due(timedelta(hours=7)):
        tries += 1
    # Then it was tried six times, is dead with the reason, and kept whole.
    row = replica.inbox()[message_id("bakkerij")]
    assert (tries, row.attempts, row.status) == (6, 6, DEAD)
    assert row.error == "RuntimeError: something unexpected"
    assert row.body == release("bakkerij", "broken-1").body
    assert replica.tallies() == {}


def test_what_can_never_work_is_dead_at_once_and_its_id_stays_free(replica: Replica) -> None:
    # Given a message that is refused, When it is taken,
    replica.take(release("bakkerij", "never-1"))
    (dead,) = replica.inbox().values()
    assert (dead.status, dead.error) == (DEAD, "this can never work")
    assert dead.id.startswith("refused/")
    # Then its sender may correct it and use the same id.
    replica.take(release("bakkerij"))
    assert replica.tallies() == {customer("bakkerij"): 1}


def test_what_cannot_be_read_is_dead_at_once_and_the_rest_goes_on(replica: Replica) -> None:
    replica.take(release("a", revision="two"), release("b"), release("c", revision=None))
    assert replica.tallies() == {customer("b"): 1}
    reasons = [row.error or "" for row in replica.inbox().values() if row.status == DEAD]
    assert len(reasons) == 2
    assert all("revision" in reason for reason in reasons)


def test_an_id_that_was_used_for_other_contents_is_refused(replica: Replica) -> None:
    # Given a message, When other contents come under its id, before and in the same batch,
    replica.take(release("bakkerij"))
    replica.take(release("bakkerij", "O-2"), release("slager"))
    # Then the first stands, the second is a dead letter, the third has its effect.
    assert replica.tallies() == {customer("bakkerij"): 1, customer("slager"): 1}
    (dead,) = [row for row in replica.inbox().values() if row.status == DEAD]
    assert "used before, for other contents" in (dead.error or "")


def test_a_message_that_kills_the_process_is_counted_before_it_runs(replica: Replica) -> None:
    # Given a message that took a process down, with a good one prefetched beside it,
    deadly = release("bakkerij", "deadly-1", redelivered=True)
    good = release("slager", redelivered=True)
    # When both are delivered again, and it kills the next process too,
    with pytest.raises(ProcessDied):
        replica.take(deadly, good)
    row = replica.inbox()[message_id("bakkerij")]
    assert (row.status, row.attempts) == (WAITING, 1)
    # Then it has its attempts counted, and after a few it is dead with the reason;
    for _ in range(2):
        with pytest.raises(ProcessDied):
            replica.run_due(MESSAGE_LEASE)
    replica.run_due(MESSAGE_LEASE)
    dead = replica.inbox()[message_id("bakkerij")]
    assert dead.status == DEAD
    assert "did not end" in (dead.error or "")
    # the good one gets through.
    replica.take(good)
    assert replica.tallies() == {customer("slager"): 1}


def test_the_same_message_says_the_same_word_wherever_it_is_processed(
    replica: Replica, tmp_path: Path
) -> None:
    # Given one message, When it is processed in two databases, as after a rollback,
    other = Replica(f"sqlite:///{tmp_path}/other.db", tmp_path)
    other.make_tables()
    for service in (replica, other):
        service.take(release("bakkerij"))
    # Then the word it leads to has one id.
    assert replica.published == other.published
    other.database.close()


def test_two_replicas_with_the_same_batch_count_every_customer_once(
    make_replica: MakeReplica,
) -> None:
    # Given two replicas, When both get all messages, each in another order, at once,
    replicas = [make_replica(), make_replica()]
    batch = [release(name) for name in NAMES]
    orders = (batch, batch[::-1])
    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            done = [
                threads.submit(process.take, *order)
                for process, order in zip(replicas, orders, strict=True)
            ]
            for future in done:
                future.result(60)
    # Then nothing was doubled, lost or taken for a failure.
    assert replicas[0].tallies() == {customer(name): 1 for name in NAMES}
    assert {row.status for row in replicas[0].inbox().values()} == {DONE}
    assert sorted(replicas[0].published + replicas[1].published) == sorted(replicas[0].outbox())


def take_singly(replica: Replica, messages: Sequence[Incoming]) -> None:
    for message in messages:
        replica.take(message)


def test_two_replicas_on_one_customer_lose_no_update(make_replica: MakeReplica) -> None:
    # Given one customer, When two replicas count ten different releases of his each,
    replicas = [make_replica(), make_replica()]
    shares = [
        [release("bakkerij", message=f"{half} {number}") for number in range(10)] for half in "ab"
    ]
    with ThreadPoolExecutor(2) as threads:
        done = [
            threads.submit(take_singly, replica, share)
            for replica, share in zip(replicas, shares, strict=True)
        ]
        for future in done:
            future.result(60)
    # Then all twenty count.
    assert replicas[0].tallies()[customer("bakkerij")] == 20


def test_a_database_that_is_away_costs_no_attempt(tmp_path: Path) -> None:
    # Given a database that cannot be reached, When messages come,
    (port,) = free_ports(1)
    away = Replica(f"postgresql+psycopg://u:p@127.0.0.1:{port}/x", tmp_path, RecordingBus())
    # Then nothing is counted and nothing said: they are to be taken again.
    with pytest.raises(InfrastructureDown):
        away.take(release("bakkerij"))
    with pytest.raises(InfrastructureDown):
        away.run_due()
    assert away.published == []


def test_what_is_put_off_happens_once_however_many_replicas_run(
    make_replica: MakeReplica,
) -> None:
    # Given something that is due in a week, When the week is over and two replicas look at once,
    first, second = make_replica(), make_replica()
    first.take(release("bakkerij", "later-1"), release("bakkerij", "later-1", message="again"))
    assert first.run_due(timedelta(days=6)) == 0
    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(process.run_due, timedelta(days=8)) for process in (first, second)]
        assert sum(future.result(60) for future in done) == 1
    # Then it happened once.
    with first.database.read() as session:
        from tests.integration.processing.tally import Tally

        assert session.get_one(Tally, customer("bakkerij")).reminders == 1
