"""When a failed message is tried again: by its subscription's policy, whatever it failed of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from shared.events import CustomerReleased
from shared.processing import Effect, Person, RetryPolicy, SideEffect, by_subject, on
from shared.processing.engine import Engine
from shared.processing.retry_policy import MESSAGE_RETRIES
from shared.processing.store.tables import DEAD, DONE, WAITING
from tests.integration.processing.tally import (
    MENDED,
    RULES,
    START,
    Remind,
    Replica,
    Tally,
    customer,
    message_id,
    release,
    remind,
    tally,
)

SECOND = timedelta(seconds=1)
QUICK = RetryPolicy((SECOND,))
NEVER = RetryPolicy(())


@dataclass(frozen=True, slots=True)
class Fax(SideEffect):
    """Something for which the product has no sink."""

    to: str


def engine(replica: Replica, policy: RetryPolicy) -> Engine:
    """The small service with another policy for releases, and the usual one for reminders."""
    loads = [by_subject(Tally)]
    return Engine(
        "tally",
        [on(CustomerReleased, tally, loads=loads, retry=policy), on(Remind, remind, loads=loads)],
        database=replica.database,
        bus=replica.bus,
        clock=lambda: replica.now,
        publishers=RULES,
        resources={},
    )


@pytest.mark.parametrize("redelivered", [False, True])
def test_the_policy_of_a_subscription_says_when_and_how_often(
    replica: Replica, redelivered: bool
) -> None:
    # Given a subscription that allows a second try, after a second,
    quick = engine(replica, QUICK)
    # When its handler fails,
    quick.take([release("bakkerij", "broken-1", redelivered=redelivered)])
    # Then it is due in a second,
    row = replica.inbox()[message_id("bakkerij")]
    assert (row.status, row.due_at) == (WAITING, START + SECOND)
    # and dead when it fails then.
    replica.now += SECOND
    assert quick.run_due() == 1
    row = replica.inbox()[message_id("bakkerij")]
    assert (row.status, row.attempts, row.due_at) == (DEAD, 2, None)


def test_a_message_for_which_no_second_try_is_allowed_is_dead_after_the_first(
    replica: Replica,
) -> None:
    engine(replica, NEVER).take([release("a"), release("b", "broken-1")])
    row = replica.inbox()[message_id("b")]
    assert (row.status, row.attempts) == (DEAD, 1)
    assert replica.tallies() == {customer("a"): 1}


def test_what_heals_within_its_policy_has_its_effect(replica: Replica) -> None:
    quick = engine(replica, QUICK)
    quick.take([release("bakkerij", "broken-1")])
    MENDED.add("broken-1")
    replica.now += SECOND
    quick.run_due()
    assert replica.inbox()[message_id("bakkerij")].status == DONE


def test_the_policy_of_one_subscription_is_not_that_of_another(replica: Replica) -> None:
    # Given a reminder that will fail, of a service that tries releases only once,
    service = engine(replica, NEVER)
    service.take([release("bakkerij", "soon-1")])
    with replica.database.begin() as session:
        session.delete(session.get_one(Tally, customer("bakkerij")))
    # When it fails, Then it is tried again as usual.
    replica.now += timedelta(seconds=20)
    assert service.run_due() == 1
    (row,) = [row for row in replica.inbox().values() if row.type == Remind.command_type]
    assert (row.status, row.due_at) == (WAITING, replica.now + MESSAGE_RETRIES.pauses[0])


def test_an_effect_that_no_sink_takes_is_its_handlers_fault_and_nothing_is_lost(
    replica: Replica,
) -> None:
    # Given a handler that returns what nobody stores, beside what somebody would,
    usual = replica.handlers[CustomerReleased.event_type]

    def fax(message: Any, *rest: Any) -> Sequence[Effect]:
        effects = usual(message, *rest)
        return [*effects, Fax("0800")] if message.content.order_reference == "fax" else effects

    replica.handlers[CustomerReleased.event_type] = fax
    # When its message comes among others,
    replica.take(release("a"), release("b", "fax"), release("c"))
    # Then they are done, and it has had none of its effects and waits, with a reason for a person.
    assert replica.tallies() == {customer("a"): 1, customer("c"): 1}
    assert len(replica.published) == len(replica.outbox()) == 2
    row = replica.inbox()[message_id("b")]
    assert (row.status, row.attempts, row.crashes) == (WAITING, 1, 0)
    assert row.error == "TypeError: a handler returned a Fax, which no sink takes"
    # When it is tried to the last, Then it is dead, and kept whole;
    while replica.run_due(timedelta(hours=7)):
        pass
    row = replica.inbox()[message_id("b")]
    assert (row.status, row.attempts) == (DEAD, 1 + len(MESSAGE_RETRIES.pauses))
    assert row.body == release("b", "fax").body


def test_a_command_that_leads_to_what_no_sink_takes_changes_nothing(replica: Replica) -> None:
    def fax(*_: object) -> Sequence[Effect]:
        return [Fax("0800")]

    replica.handlers[Remind.command_type] = fax
    with pytest.raises(TypeError, match="Fax"):
        replica.runtime.handle(Remind(), subject=customer("bakkerij"), by=Person("anna"))
    assert replica.inbox() == {}
