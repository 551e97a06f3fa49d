"""Bugs, planted in the real code one at a time: with each of them the model must turn red.

Each is what somebody might write in good faith, or leave out. Where the product's own second line
of defence catches a bug, so that nothing could go wrong, it does not belong here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from sqlmodel import Session

from shared.host import tasks
from shared.host.recall import Recall
from shared.messaging.bus import Incoming, PublishResult
from shared.processing import Message, effects, resolutions
from shared.processing.effects import CausedEffect, OutboxSink
from shared.processing.recovery import Recovery
from shared.processing.store import inbox, outbox, retention
from shared.processing.store.kept_messages import to_columns
from shared.processing.store.outbox import PublishResults
from shared.processing.store.tables import DEAD, DONE, Inbox
from shared.processing.unit_of_work import UnitOfWork, WorkFailed
from shared.processing.worker.consumer import Consumer
from shared.processing.worker.publisher import OutboxPublisher

Bug = Callable[[], AbstractContextManager[Any]]


@contextmanager
def the_inbox_claims_in_vain() -> Iterator[None]:
    """Every message counts as new, whether its id was claimed before or not."""

    class ClaimAll(inbox.Claim):
        def __init__(self, session: Session, messages: Sequence[Message], now: datetime) -> None:
            super().__init__(session, messages, now)
            self.all = list(messages)

        @property
        def new(self) -> list[Message]:
            assert set(map(id, super().new)) <= set(map(id, self.all))
            return self.all

    with patch.object(inbox, "Claim", ClaimAll):
        yield


@contextmanager
def acknowledged_before_the_commit() -> Iterator[None]:
    """The broker hears that a batch is dealt with when it has only been received."""
    process = Consumer._process

    def acknowledge_first(self: Consumer, batch: Sequence[Incoming]) -> bool:
        self._bus.acknowledge(batch)
        return process(self, batch)

    with patch.object(Consumer, "_process", acknowledge_first):
        yield


def _taken_for_confirmed(*ignored: PublishResult) -> AbstractContextManager[Any]:
    mark = OutboxPublisher.mark

    def mark_all(self: OutboxPublisher, session: Session, results: PublishResults) -> None:
        believed = [
            (event_id, PublishResult.CONFIRMED if result in ignored else result)
            for event_id, result in results
        ]
        mark(self, session, believed)

    return patch.object(OutboxPublisher, "mark", mark_all)


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
    store = OutboxSink.store

    def store_and_publish(
        self: OutboxSink, work: UnitOfWork, caused: Sequence[CausedEffect]
    ) -> None:
        store(self, work, caused)
        self._publisher.publish([self._to_entry(effect, work.now, None) for effect in caused])

    with patch.object(OutboxSink, "store", store_and_publish):
        yield


def published_without_an_outbox() -> AbstractContextManager[Any]:
    """Events are published after the commit, and nobody remembers them."""
    return patch.object(outbox, "write", lambda *_: None)


def the_sweeper_never_looks() -> AbstractContextManager[Any]:
    """What a crash or a failure left unpublished stays so."""
    return patch.object(OutboxPublisher, "sweep", lambda *_: 0)


def answers_are_lost_with_a_rollback() -> AbstractContextManager[Any]:
    """What the broker answered is forgotten when the transaction that was to mark it fails."""

    @contextmanager
    def take_and_forget(self: OutboxPublisher) -> Iterator[PublishResults]:
        results, self._results = self._results, []
        yield results
        for event_id, _ in results:
            self._in_flight.pop(event_id, None)

    return patch.object(OutboxPublisher, "_taken", take_and_forget)


def what_the_broker_gave_up_is_dead() -> AbstractContextManager[Any]:
    """A count of deliveries is taken for a count of failures."""

    def keep_dead(session: Session, message: Message, now: datetime, error: str) -> bool:
        row = inbox.new_row(message, DEAD, now) | to_columns(message.incoming)
        return bool(inbox.insert_new(session, [row | {"error": error}]))

    return patch.object(inbox, "keep_waiting", keep_dead)


def what_waits_is_never_run() -> AbstractContextManager[Any]:
    """Nobody looks for messages whose time has come."""
    return patch.object(Recovery, "run_due", lambda *_: 0)


def a_failed_message_is_only_logged() -> AbstractContextManager[Any]:
    """A message whose handler fails is acknowledged, and nobody keeps it."""

    def take_and_log(self: Recovery, message: Message) -> None:
        with suppress(WorkFailed):
            self._pipeline.run([message])

    return patch.object(Recovery, "take_one", take_and_log)


def a_retried_letter_is_swallowed() -> AbstractContextManager[Any]:
    """To the inbox, a letter that is retried was seen before, and so it is done."""
    return patch.object(resolutions, "WAITING", DONE)


def both_of_two_people_win() -> AbstractContextManager[Any]:
    """Nobody is told that somebody else was first."""
    return patch.object(resolutions, "require_failed", lambda *_: None)


def the_inbox_forgets_too_soon() -> AbstractContextManager[Any]:
    """Retention removes what a duplicate would have been recognised by."""
    return patch.object(tasks, "INBOX_KEPT", timedelta(0))


def it_is_forgotten_by_the_clock_alone() -> AbstractContextManager[Any]:
    """A clock that jumps by a month has a month forgotten."""
    return patch.object(retention, "advance", lambda _session, now, _seconds: now)


def what_a_wrong_clock_wrote_is_believed() -> AbstractContextManager[Any]:
    """A lease lasts until the moment that is written in it, whoever's moment that was."""
    return patch.object(Recall, "run", lambda _: 0)


def all_that_is_due_begins_at_once() -> AbstractContextManager[Any]:
    """What waits behind a message counts as begun with it, and as dead with its process."""

    def claim_all(session: Session, now: datetime) -> Inbox | None:
        rows = inbox.WAITING_MESSAGES.claim(session, now, 100)
        for row in rows[1:]:
            inbox.lease(row, now)
        return rows[0] if rows else None

    return patch.object(inbox, "claim_due", claim_all)


@contextmanager
def a_failure_counts_as_a_crash() -> Iterator[None]:
    """One count is kept of what failed and of what killed the process."""
    record = Recovery._record_in

    def record_and_count(self: Recovery, work: UnitOfWork, row: Inbox, reason: Exception) -> None:
        crashes = row.crashes
        record(self, work, row, reason)
        row.crashes = crashes

    with patch.object(Recovery, "_record_in", record_and_count):
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
    what_the_broker_gave_up_is_dead: "blamed",
    what_waits_is_never_run: "does not come to rest",
    a_failed_message_is_only_logged: "lost",
    a_retried_letter_is_swallowed: "lost",
    both_of_two_people_win: "two people won",
    the_inbox_forgets_too_soon: "lost|does not come to rest",
    it_is_forgotten_by_the_clock_alone: "lost|does not come to rest",
    what_a_wrong_clock_wrote_is_believed: "lost|does not come to rest",
    all_that_is_due_begins_at_once: "blamed",
    a_failure_counts_as_a_crash: "blamed",
}
"""Each bug with what the model has to say about it."""
