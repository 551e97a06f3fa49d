"""Bugs, planted in the real code one at a time: with each of them the model must turn red.

Each is what somebody might write in good faith, or leave out. Where the product's own second line
of defence catches a bug, so that nothing could go wrong, it does not belong here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from sqlmodel import Session

from infra.operations.dead_letters import decisions
from shared.host import tasks
from shared.messaging.bus import PublishResult
from shared.processing import Message, effects
from shared.processing.pipeline import Pipeline
from shared.processing.store import inbox
from shared.processing.store.outbox import OutboxEntry
from shared.processing.store.tables import DONE
from shared.processing.unit_of_work import WorkFailed
from shared.processing.worker.consumer import Consumer
from shared.processing.worker.publisher import Publisher

Bug = Callable[[], AbstractContextManager[Any]]


@contextmanager
def the_inbox_claims_in_vain() -> Iterator[None]:
    """Every message counts as new, whether its id was claimed before or not."""
    claim = inbox.claim

    def claim_all(session: Session, deliveries: Sequence[Message], now: Any) -> set[str]:
        claim(session, deliveries, now)
        return {one.envelope.id for one in deliveries}

    with patch.object(inbox, "claim", claim_all):
        yield


@contextmanager
def acknowledged_before_the_commit() -> Iterator[None]:
    """The broker hears that a batch is dealt with when it has only been received."""
    deal_with = Consumer._deal_with

    def acknowledge_first(self: Any, batch: Any) -> bool:
        self._bus.acknowledge(batch)
        return deal_with(self, batch)

    with patch.object(Consumer, "_deal_with", acknowledge_first):
        yield


def _taken_for_confirmed(*ignored: PublishResult) -> AbstractContextManager[Any]:
    mark = Publisher.mark

    def mark_all(self: Any, session: Session, outcomes: Any) -> None:
        heard = [(one, PublishResult.CONFIRMED if said in ignored else said) for one, said in outcomes]
        mark(self, session, heard)

    return patch.object(Publisher, "mark", mark_all)


def confirms_are_ignored() -> AbstractContextManager[Any]:
    """What was handed to the line counts as published, whether the broker confirmed it or not."""
    return _taken_for_confirmed(PublishResult.UNKNOWN, PublishResult.REFUSED)


def returns_are_ignored() -> AbstractContextManager[Any]:
    """What came back as unroutable counts as published."""
    return _taken_for_confirmed(PublishResult.UNROUTABLE)


def ids_are_random() -> AbstractContextManager[Any]:
    """What is said gets an id by chance, and another one when it is said again."""
    return patch.object(effects, "derived_id", lambda *_: str(uuid4()))


@contextmanager
def published_before_the_commit() -> Iterator[None]:
    """Events leave while their transaction may still be rolled back."""
    write = Publisher.write

    def write_and_publish(self: Any, session: Session, said: Sequence[OutboxEntry]) -> None:
        write(self, session, said)
        self.publish(said)

    with patch.object(Publisher, "write", write_and_publish):
        yield


def published_without_an_outbox() -> AbstractContextManager[Any]:
    """Events are published after the commit, and nobody remembers them."""
    return patch.object(Publisher, "write", lambda *_: None)


def the_sweeper_never_looks() -> AbstractContextManager[Any]:
    """What a crash or a failure left unpublished stays so."""
    return patch.object(Publisher, "sweep", lambda *_: 0)


def answers_are_lost_with_a_rollback() -> AbstractContextManager[Any]:
    """What the broker answered is forgotten when the transaction that was to mark it fails."""

    @contextmanager
    def take_and_forget(self: Any) -> Iterator[Any]:
        outcomes, self._outcomes = self._outcomes, []
        yield outcomes
        self._in_flight.difference_update(one for one, _ in outcomes)

    return patch.object(Publisher, "settling", take_and_forget)


def what_waits_is_never_run() -> AbstractContextManager[Any]:
    """Nobody looks for messages whose time has come."""
    return patch.object(Pipeline, "run_due", lambda *_: 0)


def a_failed_message_is_only_logged() -> AbstractContextManager[Any]:
    """A message whose handler fails is acknowledged, and nobody keeps it."""

    def take_and_log(self: Any, delivery: Message) -> None:
        with suppress(WorkFailed):
            self._transactions.run(lambda session: self._process(session, [delivery]))

    return patch.object(Pipeline, "_take_singly", take_and_log)


def a_retried_letter_is_swallowed() -> AbstractContextManager[Any]:
    """To the inbox, a letter that is retried was seen before, and so it is done."""
    return patch.object(decisions, "WAITING", DONE)


def both_of_two_people_win() -> AbstractContextManager[Any]:
    """Nobody is told that somebody else was first."""
    return patch.object(decisions, "_require_dead", lambda *_: None)


def the_inbox_forgets_too_soon() -> AbstractContextManager[Any]:
    """Retention removes what a duplicate would have been recognised by."""
    return patch.object(tasks, "INBOX_KEPT", timedelta(0))


@contextmanager
def all_that_is_due_begins_at_once() -> Iterator[None]:
    """What waits behind a message counts as begun with it, and as dead with its process."""
    take_due = inbox.take_due

    def take_all(session: Session, now: Any) -> Any:
        first = take_due(session, now)
        session.flush()
        while take_due(session, now):
            session.flush()
        return first

    with patch.object(inbox, "take_due", take_all):
        yield


@contextmanager
def a_failure_counts_as_a_death() -> Iterator[None]:
    """One count is kept of what failed and of what killed the process."""
    fail = inbox.fail

    def fail_and_die(row: Any, *rest: Any, **options: Any) -> None:
        deaths = row.crashes
        fail(row, *rest, **options)
        row.crashes = deaths

    with patch.object(inbox, "fail", fail_and_die):
        yield


BUGS: Mapping[Bug, str] = {
    the_inbox_claims_in_vain: "doubled",
    acknowledged_before_the_commit: "lost",
    confirms_are_ignored: "lost",
    returns_are_ignored: "lost",
    ids_are_random: "doubled",
    published_before_the_commit: "ghost",
    published_without_an_outbox: "lost",
    the_sweeper_never_looks: "does not come to rest",
    answers_are_lost_with_a_rollback: "does not come to rest",
    what_waits_is_never_run: "does not come to rest",
    a_failed_message_is_only_logged: "lost",
    a_retried_letter_is_swallowed: "lost",
    both_of_two_people_win: "two people won",
    the_inbox_forgets_too_soon: "lost|does not come to rest",
    all_that_is_due_begins_at_once: "blamed",
    a_failure_counts_as_a_death: "blamed",
}
"""Each bug with what the model has to say about it."""
