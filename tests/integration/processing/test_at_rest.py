"""A service at rest sleeps; what becomes due wakes it in time. The clock here is the test's own."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import event

from shared.base.errors import InfrastructureDown
from shared.events import CustomerReleased
from shared.host.tasks import LOOK_AROUND_SECONDS
from shared.messaging.bus import PublishResult
from shared.processing import Effect
from shared.processing.retry_policy import MESSAGE_RETRIES, OUTBOX_LEASE
from shared.processing.worker.periodic import BUSY_SECONDS, PeriodicTask
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.tally import MENDED, START, Replica, release

SECOND = timedelta(seconds=1)


class Slumber:
    """Stands for the signal on which a task sleeps: time flies, and after a while it is over."""

    def __init__(self, task: PeriodicTask, sleeps: int, fly: Callable[[float], None]) -> None:
        self._task, self._left, self._fly = task, sleeps, fly
        self.slept: list[float] = []

    def is_set(self) -> bool:
        return self._task.stopping.is_set()

    def clear(self) -> None: ...

    def wake(self) -> None: ...

    def wait(self, seconds: float) -> bool:
        self.slept.append(seconds)
        self._fly(seconds)
        self._left -= 1
        if not self._left:
            self._task.stopping.set()
        return self.is_set()


def slumber(task: PeriodicTask, sleeps: int, replica: Replica | None = None) -> list[float]:
    """Let a task run, in this thread, until it has slept so often; how long each time."""

    def fly(seconds: float) -> None:
        if replica is not None:
            replica.now += seconds * SECOND

    asleep = Slumber(task, sleeps, fly)
    task._signal = asleep  # type: ignore[assignment]
    task.run()
    return asleep.slept


def tasks(replica: Replica) -> list[PeriodicTask]:
    return [
        replica.runtime.tasks.sweeper,
        replica.runtime.tasks.due,
        replica.runtime.tasks.notifications,
    ]


def test_a_service_at_rest_makes_one_short_transaction_for_each_look(replica: Replica) -> None:
    begun: list[object] = []
    statements: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    # Given a service with nothing to do,
    event.listen(replica.database.engine, "begin", begun.append)
    event.listen(replica.database.engine, "before_cursor_execute", note)
    # When each task has slept ten times, Then it slept long,
    for task in tasks(replica):
        assert slumber(task, 10, replica) == [LOOK_AROUND_SECONDS] * 10
    # and it looked once in its table for each sleep, and once for what was left at the start.
    assert len(statements) <= 3 * 11
    assert len(begun) <= 3 * 11


def test_a_failed_message_runs_again_when_it_is_due(replica: Replica) -> None:
    # Given a message that failed, and would succeed now,
    replica.take(release("bakkerij", "broken-1"))
    MENDED.add("broken-1")
    # When the task has slept until that is due, and once more,
    pause = MESSAGE_RETRIES.pauses[0].total_seconds()
    slept = slumber(replica.runtime.tasks.due, math.ceil(pause / LOOK_AROUND_SECONDS) + 1, replica)
    # Then it ran, not a moment later.
    assert sum(slept[:-1]) == pause
    assert sum(replica.tallies().values()) == 1


def test_what_a_dead_replica_left_is_found(make_replica: MakeReplica) -> None:
    # Given a task at rest, and another replica that fails at a message and is gone,
    living, dead = make_replica(), make_replica()
    assert slumber(living.runtime.tasks.due, 1, living) == [LOOK_AROUND_SECONDS]
    dead.take(release("bakkerij", "broken-1"))
    MENDED.add("broken-1")
    due = next(iter(living.inbox().values())).due_at
    assert due is not None
    # When the living one sleeps on, Then it looks around, and runs that when it is due.
    living.runtime.tasks.due.stopping.clear()
    slept = slumber(living.runtime.tasks.due, 2, living)
    assert sum(living.tallies().values()) == 1
    assert living.now - slept[-1] * SECOND == due


def test_a_failure_wakes_who_runs_it_again(replica: Replica) -> None:
    due = replica.runtime.tasks.due
    due._signal.clear()
    replica.take(release("bakkerij", "broken-1"))
    assert due._signal.is_set()


def test_what_the_database_interrupted_wakes_who_goes_on_with_it(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a message that runs isolated, when the database goes away and comes back,
    def away(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise InfrastructureDown("away")

    due = replica.runtime.tasks.due
    due._signal.clear()
    monkeypatch.setattr(replica.runtime.engine.transactions, "run", away)
    with pytest.raises(InfrastructureDown):
        replica.take(release("bakkerij", redelivered=True))
    # When who runs what is due is woken, Then it runs now, and not when its lease has ended.
    assert due._signal.is_set()
    assert replica.run_due() == 0
    assert sum(replica.tallies().values()) == 1


@pytest.mark.parametrize(("what", "woken"), [("soon-1", True), ("later-1", False)])
def test_a_command_for_soon_wakes_who_runs_it(replica: Replica, what: str, woken: bool) -> None:
    # One for next week is found in time by looking around: under load nobody is woken for it.
    due = replica.runtime.tasks.due
    due._signal.clear()
    replica.take(release("bakkerij", what))
    assert due._signal.is_set() is woken


def test_a_mail_wakes_who_sends_it(replica: Replica) -> None:
    notifications = replica.runtime.tasks.notifications
    notifications._signal.clear()
    replica.take(release("bakkerij", "mail-1"))
    assert notifications._signal.is_set()


def test_what_the_broker_answered_wakes_who_marks_it(replica: Replica) -> None:
    flusher = replica.runtime.tasks.confirm_flusher
    flusher._signal.clear()
    replica.take(release("bakkerij"))
    assert flusher._signal.is_set()


def test_an_answer_that_is_given_back_wakes_who_marks_it(replica: Replica) -> None:
    # Given what the broker answered, and a transaction that takes it along,
    replica.take(release("bakkerij"))
    flusher = replica.runtime.tasks.confirm_flusher

    def fail(*_: object) -> Sequence[Effect]:
        flusher._signal.clear()  # It looks meanwhile, and there is nothing for it to mark.
        raise RuntimeError("it cannot be done")

    replica.handlers[CustomerReleased.event_type] = fail
    # When that fails, Then the answer is not left until somebody passes by.
    replica.take(release("kapper"))
    assert flusher._signal.is_set()
    replica.runtime.engine.publisher.flush_confirms()
    (row,) = replica.outbox().values()
    assert row.published_at is not None


def test_the_sweeper_hears_of_an_unconfirmed_event_once_it_is_marked(replica: Replica) -> None:
    # Given an event that the broker did not confirm,
    replica.bus.result = PublishResult.UNKNOWN
    replica.take(release("bakkerij"))
    sweeper = replica.runtime.tasks.sweeper
    # When another transaction takes the answer along, just after the sweeper had looked,
    sweeper._signal.clear()
    replica.take(release("bakkerij"))
    # Then the sweeper looks again, and sees that it is due in a second rather than in thirty.
    assert sweeper._signal.is_set()
    (row,) = replica.outbox().values()
    assert row.leased_until < START + OUTBOX_LEASE
    assert slumber(sweeper, 1, replica)[0] <= BUSY_SECONDS


def test_what_is_due_and_cannot_be_had_makes_nobody_busy() -> None:
    # Given work that another replica holds, When a task tries,
    task = PeriodicTask("task", lambda: 0, every=LOOK_AROUND_SECONDS, due_in=lambda: -1.0)
    # Then it leaves that alone for a while each time.
    assert slumber(task, 5) == [BUSY_SECONDS] * 5


def test_what_became_due_during_a_sleep_is_done_at_once() -> None:
    # Given a task that another process leaves something that is due at once,
    looks = iter([math.inf, -1.0])
    task = PeriodicTask("task", lambda: 0, every=LOOK_AROUND_SECONDS, due_in=lambda: next(looks))
    # When it looks around, Then it tries: nobody has refused it that yet.
    assert slumber(task, 2) == [LOOK_AROUND_SECONDS, 0.0]


def test_who_is_asked_to_stop_just_before_it_would_sleep_stops() -> None:
    # Given a task that is asked to stop, and that takes its being woken for the last time's,
    def work() -> int:
        task.stop()
        task._signal.clear()
        return 0

    task = PeriodicTask("task", work, every=600.0)
    # When it has worked, Then it does not sleep first.
    task.start()
    task.join(30)
    assert not task.is_alive()


def test_a_look_that_fails_is_followed_by_another() -> None:
    looks: Iterator[Exception | float] = iter([RuntimeError("the clock is broken"), math.inf, 0.25])

    def due_in() -> float:
        look = next(looks)
        if isinstance(look, Exception):
            raise look
        return look

    task = PeriodicTask("task", lambda: 0, every=LOOK_AROUND_SECONDS, due_in=due_in)
    assert slumber(task, 3) == [LOOK_AROUND_SECONDS, LOOK_AROUND_SECONDS, 0.25]
