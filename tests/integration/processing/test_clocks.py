"""Clocks that are wrong, or jump: nothing is done twice, forgotten or left waiting for it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.messaging.bus import PublishResult
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.tables import SENT, Notification
from shared.persistence.clock import DatabaseClock, Machine, database_now, utc_now
from shared.persistence.database import Database
from shared.processing.retry_policy import MESSAGE_LEASE, NOTIFICATION_LEASE
from shared.processing.store.tables import DONE
from shared.processing.testing import RecordingBus
from tests.integration.notifications.mailroom import Mailroom, Provider, names
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.tally import MENDED, START, Replica, message_id, release
from tests.servers.postgres import MakeDatabase

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)
SOME = timedelta(seconds=1)


class WrongMachine:
    """A machine whose clock on the wall is as wrong as a test says, and counts as it says."""

    def __init__(self, wrong: timedelta = timedelta()) -> None:
        self.wrong = wrong
        self.counted = 0.0
        real = Machine()
        self.machine = Machine(
            now=lambda: utc_now() + self.wrong, seconds=lambda: real.seconds() + self.counted
        )


MakeMailroom = Callable[[timedelta], Mailroom]


@pytest.fixture
def make_mailroom(make_database: MakeDatabase, tmp_path: Path) -> Iterator[MakeMailroom]:
    """Each call is one more replica on one PostgreSQL, on a machine that is so much ahead."""
    url = make_database("mailroom")
    made: list[Mailroom] = []

    def make(ahead: timedelta) -> Mailroom:
        mailroom = Mailroom(url, tmp_path, machine=WrongMachine(ahead).machine)
        if not made:
            mailroom.make_tables()
        mailroom.runtime.tasks.keep_time()
        made.append(mailroom)
        return mailroom

    yield make
    for mailroom in made:
        mailroom.close()


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, timedelta(seconds=400)])
def test_replicas_with_different_clocks_send_each_mail_once(
    make_mailroom: MakeMailroom, ahead: timedelta
) -> None:
    # Given two replicas, the clock of one of them wrong, and mails written by each of them,
    right, wrong = make_mailroom(timedelta()), make_mailroom(ahead)
    for writer, prefix in ((right, "right"), (wrong, "wrong")):
        writer.now = writer.runtime.clock()
        writer.put(*names(50, prefix))
    # When one whose clock is ahead looks for mails while the other is in the middle of sending,
    behind, hasty = (right, wrong) if ahead > timedelta() else (wrong, right)
    behind.provider = _Slow(lambda: hasty.runtime.sender.deliver_due(3))
    while behind.runtime.sender.deliver_due():
        pass
    # Then each mail leaves once, and none has to wait.
    sent = behind.provider.keys + hasty.provider.keys
    assert (len(sent), len(set(sent))) == (100, 100)
    assert set(right.states()) == {SENT}


class _Slow(Provider):
    """A provider that takes so long that something happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def send(self, message: OutgoingMessage) -> str:
        self._meanwhile()
        return super().send(message)


# What was written by a clock that has been set back since.


def test_after_a_clock_is_set_back_what_was_said_leaves_at_once(make_replica: MakeReplica) -> None:
    # Given an event that a replica has left unpublished,
    dead, living = make_replica(RecordingBus(PublishResult.UNKNOWN)), make_replica()
    dead.take(release("bakkerij"))
    # When the clock is set back by an hour, Then it does not wait for the hour to come again.
    living.now -= HOUR
    assert living.sweep() == 0
    assert living.runtime.tasks.keep_time() == 1
    assert living.sweep() == 1
    living.sweep()
    assert [row.published_at for row in living.outbox().values()] == [living.now]


def test_after_a_clock_is_set_back_mails_leave_and_what_is_in_hand_is_waited_for(
    replica: Replica,
) -> None:
    # Given a mail that nobody has tried, and one that a replica has in hand,
    replica.take(release("bakkerij", "mail-1"), release("slager", "mail-2"))
    with replica.database.begin() as session:
        in_hand = session.execute(select(Notification).limit(1)).scalar_one()
        in_hand.due_at, in_hand.attempts = replica.now + NOTIFICATION_LEASE, 1
    # When the clock is set back by an hour, Then the first leaves,
    replica.now -= HOUR
    replica.runtime.tasks.keep_time()
    assert replica.runtime.sender.deliver_due() == 1
    # and the other when whoever has it has had the time for it.
    replica.now += NOTIFICATION_LEASE - SOME
    assert replica.runtime.sender.deliver_due() == 0
    replica.now += 2 * SOME
    assert replica.runtime.sender.deliver_due() == 1
    assert replica.runtime.tasks.keep_time() == 0


def test_after_a_clock_is_set_back_failures_are_tried_and_timers_are_a_week_off(
    replica: Replica,
) -> None:
    # Given a message that failed, and a reminder that is due in a week,
    replica.take(release("bakkerij", "later-1"))
    replica.take(release("slager", "broken-1"))
    MENDED.add("broken-1")
    (timer,) = [row for row in replica.inbox().values() if row.type == "tally.remind"]
    # When the clock is set back by an hour,
    replica.now -= HOUR
    replica.runtime.tasks.keep_time()
    # Then the first is tried again within minutes,
    assert replica.run_due(MESSAGE_LEASE + SOME) == 1
    assert replica.inbox()[message_id("slager")].status == DONE
    # and the other in a week, by the clock as it is now.
    assert timer.due_at == START + timedelta(days=7)
    assert replica.inbox()[timer.id].due_at == START - HOUR + timedelta(days=7)
    assert replica.run_due() == 0


def test_what_waits_by_its_own_rule_is_left_to_wait(make_replica: MakeReplica) -> None:
    # Given a message that has failed again and again, and a mail and an event in hand,
    replica = make_replica(RecordingBus(PublishResult.UNROUTABLE))
    replica.take(release("bakkerij", "mail-1"))
    replica.take(release("slager", "broken-1"))
    for _ in range(5):
        # When the clock is right, Then none of them is called back, however long its pause.
        replica.runtime.tasks.flush_confirms()
        assert replica.runtime.tasks.keep_time() == 0
        waiting = replica.inbox()[message_id("slager")].due_at
        assert waiting is not None
        replica.now = waiting
        replica.run_due()


# What a clock that is wrong makes of a service.


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (HOUR, "3600 s ahead of"),
        (-HOUR, "3600 s behind"),
        (timedelta(seconds=70), "70 s ahead of"),
        (timedelta(seconds=50), None),
        (timedelta(seconds=-50), None),
    ],
)
def test_a_machine_whose_clock_is_wrong_says_so(
    make_mailroom: MakeMailroom, ahead: timedelta, says: str | None
) -> None:
    reasons = [
        reason
        for reason in make_mailroom(ahead).runtime.not_ready_reasons()
        if "clock of this machine" in reason
    ]
    assert len(reasons) == (says is not None)
    assert says is None or says in reasons[0]


def test_a_clock_that_jumps_changes_nothing_but_what_is_said_of_it(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    # Given a service at work,
    wrong = WrongMachine()
    replica = Replica(make_database("tally"), tmp_path, machine=wrong.machine)
    replica.make_tables()
    replica.runtime.tasks.keep_time()
    assert replica.runtime.not_ready_reasons() == []
    # When its machine's clock jumps, Then its time goes on, and it says that a clock is wrong.
    before = replica.runtime.clock()
    wrong.wrong = -HOUR
    assert timedelta() <= replica.runtime.clock() - before < timedelta(minutes=1)
    assert "behind" in replica.runtime.not_ready_reasons()[0]
    # When the database is away, Then it goes on all the same.
    wrong.counted += 3600
    replica.database.close()
    assert HOUR <= replica.runtime.clock() - before < 2 * HOUR
    # When it is there again, Then its clock counts.
    replica.runtime.tasks.keep_time()
    assert replica.runtime.clock() - before < timedelta(minutes=1)
    replica.database.close()


# Forgetting.


def test_a_machine_a_month_ahead_forgets_nothing(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    # Given a message that had its effect,
    url = make_database("tally")
    right = Replica(url, tmp_path, machine=Machine())
    right.make_tables()
    right.runtime.tasks.keep_time()
    right.take(release("bakkerij"))
    # When a replica whose clock is wrong cleans, Then it is remembered, and nothing is done twice.
    wrong = Replica(url, tmp_path, machine=WrongMachine(MONTH + HOUR).machine)
    wrong.runtime.tasks.keep_time()
    assert wrong.runtime.tasks.clean() == 0
    wrong.take(release("bakkerij"))
    assert set(wrong.tallies().values()) == {1}
    for replica in (right, wrong):
        replica.database.close()


def test_on_sqlite_a_clock_a_month_ahead_has_a_week_to_be_set_right(tmp_path: Path) -> None:
    # Given a message that had its effect,
    url = f"sqlite:///{tmp_path}/tally.db"
    wrong = WrongMachine()
    before = Replica(url, tmp_path, machine=wrong.machine)
    before.make_tables()
    before.take(release("bakkerij"))
    before.runtime.tasks.clean()
    # When the clock jumps, and the process is started again more than once, Then it is remembered:
    wrong.wrong = MONTH + HOUR
    for _ in range(3):
        after = Replica(url, tmp_path, machine=wrong.machine)
        after.take(release("slager"))
        assert after.runtime.tasks.clean() == 0
        after.take(release("bakkerij"))
        assert after.tallies()[next(iter(before.tallies()))] == 1
    # only when that has been the time for days on end it is forgotten.
    removed = []
    for _ in range(8):
        wrong.counted += timedelta(days=1).total_seconds()
        removed.append(after.runtime.tasks.clean() > 0)
    assert removed == [False] * 7 + [True]
    for replica in (before, after):
        replica.database.close()


# The clock itself.


def test_the_time_of_the_database_is_told_by_counting_on(make_database: MakeDatabase) -> None:
    database = Database(make_database("clock"))
    wrong = WrongMachine(HOUR)
    clock = DatabaseClock(database, wrong.machine)
    # Before it has asked, it knows no better than its machine.
    assert abs(clock() - utc_now() - HOUR) < timedelta(seconds=5)
    clock.measure()
    assert abs(clock() - database_now(database)) < timedelta(seconds=1)
    # Small differences between two looks do not have it go to and fro.
    moments = []
    for _ in range(20):
        clock.measure()
        moments.append(clock())
    assert moments == sorted(moments)
    database.close()
