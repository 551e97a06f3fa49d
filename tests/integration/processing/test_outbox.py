"""What was said reaches the broker, whatever happens between the commit and the confirm."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.messaging.bus import PublishResult
from shared.processing.retry_policy import OUTBOX_LEASE
from shared.processing.testing import RecordingBus
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.tally import Replica, release

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
    replica.now += timedelta(days=8)
    replica.runtime.tasks.clean()
    assert replica.outbox() == {}
    assert len(replica.inbox()) == 2
    # after a month the inbox forgets what is done, never what is dead;
    replica.now += timedelta(days=30)
    replica.runtime.tasks.clean()
    (kept,) = replica.inbox().values()
    assert kept.error == "this can never work"
    # after three months the mail is forgotten too.
    assert notifications(replica) == ["sent"]
    replica.now += timedelta(days=60)
    replica.runtime.tasks.clean()
    assert notifications(replica) == []


def notifications(replica: Replica) -> list[str]:
    from sqlalchemy import select

    from shared.notifications.tables import Notification

    with replica.database.read() as session:
        return [scalar.status for scalar in session.execute(select(Notification)).scalars()]
