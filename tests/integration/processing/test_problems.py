"""What a handler tells a person, it tells nobody when there is none: such a message is dead.

A problem that passes by itself is no reason to give a message up.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from shared.base.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    Reject,
    TooManyRequests,
    Unavailable,
)
from shared.processing import Effect, Person
from shared.processing.retry_policy import MESSAGE_RETRIES
from shared.processing.store.tables import DEAD, DONE, WAITING, Inbox
from tests.integration.processing.people import lay_dead, retry
from tests.integration.processing.tally import (
    STUMBLES,
    Remind,
    Replica,
    customer,
    message_id,
    release,
)

LASTING = [
    Conflict("order_closed", "The order is closed; place another."),
    NotFound("order_unknown", "There is no such order."),
    Invalid("revision_wrong", "Give a revision above 0."),
    Forbidden("not_yours", "It belongs to another office."),
]
PASSING = [
    Unavailable("try_later", "The register is away for a moment."),
    TooManyRequests("locked_out", "Wait a minute."),
]

lasting = pytest.mark.parametrize("problem", LASTING, ids=lambda problem: type(problem).__name__)
passing = pytest.mark.parametrize("problem", PASSING, ids=lambda problem: type(problem).__name__)

Meet = Callable[[Problem], None]


@pytest.fixture
def meet(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> Meet:
    """Has the handlers raise a problem from now on, over what is ordered as `broken`."""

    def arrange(problem: Problem) -> None:
        def remind(*_: object) -> Sequence[Effect]:
            raise problem

        monkeypatch.setitem(STUMBLES, "broken", problem)
        replica.handlers[Remind.command_type] = remind

    return arrange


@lasting
def test_a_person_is_told_the_very_problem(replica: Replica, meet: Meet, problem: Problem) -> None:
    meet(problem)
    with pytest.raises(type(problem)) as raised:
        replica.runtime.handle(Remind(), subject=customer("bakkerij"), by=Person("anna"))
    # Then nothing is kept of it, and following its causes comes to an end.
    assert raised.value is problem
    assert problem.__cause__ is None
    assert replica.inbox() == {}


def test_a_person_is_told_that_a_rejected_command_is_not_possible(replica: Replica) -> None:
    def remind(*_: object) -> Sequence[Effect]:
        raise Reject("they have left")

    replica.handlers[Remind.command_type] = remind
    with pytest.raises(Conflict, match="they have left") as raised:
        replica.runtime.handle(Remind(), subject=customer("bakkerij"), by=Person("anna"))
    assert raised.value.code == "not_possible"
    assert isinstance(raised.value.__cause__, Reject)


def only(replica: Replica, status: str) -> Inbox:
    """The only row in this state."""
    (row,) = [row for row in replica.inbox().values() if row.status == status]
    return row


def assert_dead_at_once(row: Inbox, problem: Problem) -> None:
    """Dead with its words after one attempt, leased to nobody, and no reason to fear it."""
    assert (row.status, row.error) == (DEAD, problem.detail)
    assert (row.attempts, row.crashes, row.due_at) == (1, 0, None)


def assert_tried_again(replica: Replica, row: Inbox, problem: Problem) -> None:
    """It waits for its second attempt, and was ended in good order."""
    assert row.error == f"{type(problem).__name__}: {problem.detail}"
    assert (row.attempts, row.crashes) == (1, 0)
    assert row.due_at == replica.now + MESSAGE_RETRIES.pauses[0]


@lasting
def test_it_is_dead_at_once_and_costs_its_batch_nothing(
    replica: Replica, meet: Meet, problem: Problem
) -> None:
    meet(problem)
    # When an event comes among others whose handler raises a problem,
    replica.take(release("a"), release("b", "broken-1"), release("c"))
    # Then it is dead with its words, and the others are done.
    assert_dead_at_once(only(replica, DEAD), problem)
    assert replica.tallies() == {customer("a"): 1, customer("c"): 1}


@lasting
def test_one_that_is_delivered_again_is_dead_at_once_and_no_killer(
    replica: Replica, meet: Meet, problem: Problem
) -> None:
    meet(problem)
    replica.take(release("b", "broken-1", redelivered=True))
    assert_dead_at_once(only(replica, DEAD), problem)
    # Its own id is free, as that of everything that was rejected.
    assert message_id("b") not in replica.inbox()


@lasting
def test_a_scheduled_command_is_dead_at_once_under_its_own_id(
    replica: Replica, meet: Meet, problem: Problem
) -> None:
    # Given a command for in a week,
    replica.take(release("bakkerij", "later-1"))
    scheduled = only(replica, WAITING)
    # When its time has come, and its handler raises a problem,
    meet(problem)
    assert replica.run_due(timedelta(days=7)) == 1
    # Then it is dead, and not tried again.
    dead = only(replica, DEAD)
    assert dead.id == scheduled.id
    assert_dead_at_once(dead, problem)
    assert replica.run_due(timedelta(days=7)) == 0


@lasting
def test_a_dead_letter_that_is_retried_is_dead_at_once_again(
    replica: Replica, meet: Meet, problem: Problem
) -> None:
    # Given a letter that was dead for another reason,
    lay_dead(replica, release("b", "broken-1"))
    # When a person retries it, and its handler raises a problem,
    meet(problem)
    retry(replica, message_id("b"))
    replica.run_due(timedelta(days=400))
    # Then it is dead again, where they find it.
    dead = only(replica, DEAD)
    assert dead.id == message_id("b")
    assert_dead_at_once(dead, problem)


@passing
@pytest.mark.parametrize("redelivered", [False, True])
def test_an_event_is_tried_again_when_the_problem_passes_by_itself(
    replica: Replica, meet: Meet, problem: Problem, redelivered: bool
) -> None:
    meet(problem)
    replica.take(release("a"), release("b", "broken-1", redelivered=redelivered))
    assert_tried_again(replica, replica.inbox()[message_id("b")], problem)
    assert replica.tallies() == {customer("a"): 1}


@passing
def test_a_scheduled_command_is_tried_again_when_the_problem_passes_by_itself(
    replica: Replica, meet: Meet, problem: Problem
) -> None:
    replica.take(release("bakkerij", "later-1"))
    handler = replica.handlers[Remind.command_type]
    meet(problem)
    replica.run_due(timedelta(days=7))
    assert_tried_again(replica, only(replica, WAITING), problem)
    # When it has passed, Then the command has its effect.
    replica.handlers[Remind.command_type] = handler
    replica.run_due(MESSAGE_RETRIES.pauses[0])
    assert {row.status for row in replica.inbox().values()} == {DONE}


@passing
def test_a_retried_dead_letter_is_tried_again_when_the_problem_passes_by_itself(
    replica: Replica, meet: Meet, problem: Problem
) -> None:
    lay_dead(replica, release("b", "broken-1"))
    meet(problem)
    retry(replica, message_id("b"))
    replica.run_due(timedelta(days=400))
    assert_tried_again(replica, only(replica, WAITING), problem)
