"""How long a task rests after a piece of work, and lets what is cheaper in one go come together."""

import math

import pytest

from shared.base.errors import InfrastructureDown
from shared.host.tasks import MAIL_LINGER_SECONDS, MAIL_SUCCESSION_SECONDS
from shared.notifications.delivery.sender import BATCH
from shared.processing.worker import periodic
from shared.processing.worker.periodic import PeriodicTask, Signal


class Hours:
    """Stands for the event on which a task waits, and for the clock: what is waited for passes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waited: list[float] = []
        self._is_set = False

    def monotonic(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True

    def wait(self, timeout: float) -> bool:
        self.waited.append(timeout)
        self.now += timeout
        return self._is_set


def rests_after(monkeypatch: pytest.MonkeyPatch, *, away: float, took: float) -> float:
    """How long a task rests, that rests for twice as long as it works, after its first piece."""
    hours = Hours()

    def work() -> int:
        if hours.now < away:
            raise InfrastructureDown("the database is away")
        hours.now += took
        task.stop()
        return 1

    task = PeriodicTask("task", work, every=5.0, rest=lambda took: 2.0 * took)
    monkeypatch.setattr(periodic, "time", hours)
    monkeypatch.setattr(task, "stopping", hours)
    task.run()
    return hours.waited[-1]


def test_nobody_rests_from_having_waited_for_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a backlog, and a database that is away for an hour,
    # When it is back and a piece of the backlog is done,
    # Then what is left waits for twice as long as that piece took, and not for two hours more.
    assert rests_after(monkeypatch, away=3600.0, took=0.5) == 1.0


def test_a_piece_of_work_that_was_held_up_makes_for_no_long_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a piece of work during which the process was frozen for ten minutes,
    # Then it rests no longer than it would sleep with nothing to do.
    assert rests_after(monkeypatch, away=0.0, took=600.0) == 5.0


class Post(Signal):
    """Mails that come at these moments, so many at each; notes when each round took how many."""

    def __init__(self, hours: Hours, *comes: tuple[float, int]) -> None:
        super().__init__()
        self._hours = hours
        self._comes = list(comes)
        self._heard = 0
        self.rounds: list[tuple[float, int]] = []

    def _come(self) -> int:
        return sum(moment <= self._hours.now for moment, _ in self._comes)

    def deliver(self) -> int:
        there = sum(count for _, count in self._comes[: self._come()])
        count = min(there - sum(taken for _, taken in self.rounds), BATCH)
        if count:
            self.rounds.append((round(self._hours.now, 3), count))
        return count

    def clear(self) -> None:
        self._heard = self._come()

    def is_set(self) -> bool:
        return self._come() > self._heard

    def wait(self, seconds: float) -> None:
        """Until the next comes; whoever waits for one that never comes is asked to stop."""
        following = self._comes[self._come() :]
        if not following:
            self._hours.set()
        else:
            self._hours.now = following[0][0]


def rounds_of(
    monkeypatch: pytest.MonkeyPatch, *comes: tuple[float, int]
) -> list[tuple[float, int]]:
    """When mails that come at these moments are delivered, and how many of them together."""
    hours = Hours()
    post = Post(hours, *comes)
    task = PeriodicTask(
        "mails",
        post.deliver,
        every=5.0,
        signal=post,
        due_in=lambda: math.inf,
        gather=MAIL_LINGER_SECONDS,
        succession=MAIL_SUCCESSION_SECONDS,
        full=BATCH,
    )
    monkeypatch.setattr(periodic, "time", hours)
    monkeypatch.setattr(task, "stopping", hours)
    task.run()
    return post.rounds


def test_a_mail_that_comes_alone_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a sign-up every second, with two mails each, Then each pair leaves when it comes.
    assert rounds_of(monkeypatch, (1.0, 2), (2.0, 2)) == [(1.0, 2), (2.0, 2)]


def test_mails_in_quick_succession_leave_together(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a sign-up every twenty milliseconds,
    comes = [(1.0 + 0.02 * number, 2) for number in range(6)]
    # Then the first two mails leave at once, and the others together with those soon after them.
    assert rounds_of(monkeypatch, *comes) == [(1.0, 2), (1.05, 4), (1.1, 6)]


def test_a_backlog_of_mails_is_delivered_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given more mails than a round holds, Then one round follows on the other.
    assert rounds_of(monkeypatch, (1.0, 2 * BATCH + 1)) == [(1.0, BATCH), (1.0, BATCH), (1.0, 1)]
