"""What was said reaches the broker, whatever happens between the commit and the confirm."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.messaging.bus import BATCH_BYTES, Outgoing, PublishResult
from shared.processing.retry_policy import OUTBOX_LEASE
from shared.processing.store import outbox
from shared.processing.store.outbox import OutboxEntry
from shared.processing.testing import RecordingBus
from shared.processing.worker.publisher import SWEPT_BYTES
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.tally import Replica, customer, message_id, release

NAMES = [f"bakkerij {number}" for number in range(20)]
LONG = OUTBOX_LEASE + timedelta(seconds=1)


def test_a_word_counts_as_published_only_when_it_was_confirmed(replica: Replica) -> None:
    # Given a broker that does not answer, When something is said,
    replica.bus.result = PublishResult.UNKNOWN
    replica.take(release("bakkerij"))
    replica.sweep()
    (row,) = replica.outbox().values()
    assert row.published_at is None
    assert "connection was lost" in (row.error or "")
    # Then it is said again, under the same id, until the broker confirms it.
    replica.bus.result = PublishResult.CONFIRMED
    replica.sweep(timedelta(seconds=2))
    replica.sweep()
    (row,) = replica.outbox().values()
    assert row.published_at is not None
    assert row.error is None
    assert replica.published == [row.id, row.id]
    assert replica.sweep(timedelta(hours=1)) == 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [(PublishResult.UNROUTABLE, "doctor"), (PublishResult.REFUSED, "queue is full")],
)
def test_what_the_broker_sends_back_is_kept_with_the_reason(
    replica: Replica, answer: PublishResult, says: str
) -> None:
    replica.bus.result = answer
    replica.take(release("bakkerij"))
    replica.sweep()
    (row,) = replica.outbox().values()
    assert row.published_at is None
    assert says in (row.error or "")


def test_what_the_bus_does_not_take_is_published_all_the_same(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a bus that fails just as it is handed something,
    def fail(_messages: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(replica.bus, "publish", fail)
        replica.take(release("bakkerij"))
    # Then the message is done, once, and what followed from it is said by and by.
    assert replica.tallies() == {customer("bakkerij"): 1}
    replica.sweep()
    replica.sweep(LONG)
    assert replica.published == list(replica.outbox())


def test_what_a_crash_left_is_published_by_another_replica(make_replica: MakeReplica) -> None:
    # Given a replica that died between commit and publish,
    dead, living = make_replica(RecordingBus(PublishResult.UNKNOWN)), make_replica()
    dead.take(*(release(name) for name in NAMES))
    # When its lease is over, Then another publishes all it had said, and not before.
    assert living.sweep() == 0
    living.sweep(LONG)
    assert sorted(living.published) == sorted(dead.outbox())
    living.sweep()
    assert all(row.published_at for row in living.outbox().values())


def test_two_sweepers_publish_nothing_twice(make_replica: MakeReplica) -> None:
    dead = make_replica(RecordingBus(PublishResult.UNKNOWN))
    dead.take(*(release(name) for name in NAMES))
    sweepers = [make_replica(), make_replica()]
    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(sweeper.sweep, LONG) for sweeper in sweepers]
        for future in done:
            future.result(60)
    published = sweepers[0].published + sweepers[1].published
    assert sorted(published) == sorted(dead.outbox())


def test_old_rows_are_forgotten_and_what_matters_is_kept(replica: Replica) -> None:
    # Given a message that had its effect, one that failed for good, and a mail that has left,
    replica.take(release("bakkerij", "mail-1"), release("slager", "never-1"))
    replica.sweep()
    replica.runtime.sender.deliver_due()
    # When eight days are over, Then what was published is forgotten, for no replay needs it;
    replica.live(days=8)
    assert replica.outbox() == {}
    assert len(replica.inbox()) == 2
    # after a month the inbox forgets what is done, never what is dead;
    replica.live(days=30)
    (kept,) = replica.inbox().values()
    assert kept.error == "this can never work"
    # after three months the mail is forgotten too.
    assert notifications(replica) == ["sent"]
    replica.live(days=60)
    assert notifications(replica) == []


def notifications(replica: Replica) -> list[str]:
    from sqlalchemy import select

    from shared.notifications.tables import Notification

    with replica.database.read() as session:
        return [scalar.status for scalar in session.execute(select(Notification)).scalars()]


def leave_unpublished(replica: Replica, count: int, size: int) -> None:
    """So many events of this size stand in the outbox, as a crash leaves them."""
    rows = [
        OutboxEntry(message_id(f"word {n}"), "customer.logged_in.v1", customer("a"), b"x" * size)
        for n in range(count)
    ]
    with replica.database.begin() as session:
        outbox.write(session, rows, replica.now - LONG)


def test_a_backlog_of_large_events_is_swept_in_portions(replica: Replica) -> None:
    # Given a backlog of which one batch has room for three
    leave_unpublished(replica, 8, BATCH_BYTES // 3)
    # When it is swept, Then a portion at a time is in memory, until all is published.
    assert [replica.sweep() for _ in range(4)] == [3, 3, 2, 0]
    assert len(set(replica.published)) == 8


class SilentBus(RecordingBus):
    """A bus on which nobody has answered yet."""

    def __init__(self) -> None:
        super().__init__()
        self.futures: list[Future[list[PublishResult]]] = []

    def publish(self, messages: Sequence[Outgoing]) -> "Future[list[PublishResult]]":
        self.published += messages
        self.futures.append(Future())
        return self.futures[-1]


def test_nothing_more_is_swept_while_much_is_unanswered(make_replica: MakeReplica) -> None:
    # Given a backlog that is more than memory is to hold, and a broker that takes its time
    bus = SilentBus()
    replica = make_replica(bus)
    leave_unpublished(replica, 8, BATCH_BYTES)
    # When it is swept for as long as there is something, Then the rest stays in the outbox;
    while replica.sweep():
        pass
    assert len(bus.published) == SWEPT_BYTES // BATCH_BYTES
    # once the broker has answered, the sweeper is woken and goes on.
    signal = replica.runtime.engine.signals.unconfirmed
    signal.clear()
    for future in bus.futures:
        future.set_result([PublishResult.CONFIRMED])
    replica.runtime.engine.publisher.flush_confirms()
    assert signal.is_set()
    assert replica.sweep() == 1


def test_a_backlog_leaves_most_of_the_time_to_what_is_said_now(make_replica: MakeReplica) -> None:
    # Given a service that has a backlog, When it is swept while nothing new is said,
    replica = make_replica()
    sweeper = replica.runtime.tasks.sweeper
    leave_unpublished(replica, 8, 100)
    assert replica.sweep() == 8
    # Then the sweeper goes on at once; once something is said, it rests for longer than it works.
    assert sweeper._rest(1.0) == 0
    replica.take(release("bakkerij"))
    assert sweeper._rest(1.0) > 1
