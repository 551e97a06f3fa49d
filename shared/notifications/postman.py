"""The postman: claims what is due, has it written, hands it over, and marks what has left.

Mail services have no idempotency key, so a crash between handing over and marking sends again
what was in hand, at most a batch of 20: at least once, said honestly. A notice that carries a
secret goes by itself, before the others, and composes a new secret for each try.

A service that fails is left alone for a while, and no letter is blamed for it, save the first
after one that left: the service may fail for that one only. What was claimed and not tried is
given back.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from shared.crash_points import reached
from shared.database import Trouble, diagnose
from shared.envelope import Envelope
from shared.errors import InfrastructureDown
from shared.notifications.channels import Channels
from shared.notifications.claims import Claims, lock
from shared.notifications.drafts import Draft, WritingFailed, Written
from shared.notifications.letters import Letter
from shared.notifications.model import CANCELLED, FAILED, SENT, WAITING, Notification
from shared.notifications.notices import Notice
from shared.notifications.outcome import SOON, Outcome, later, not_blamed, tell
from shared.notifications.senders import Senders, SendFailed, SendRefused, SentAway
from shared.notifications.writers import Writers
from shared.processing.messages import Message, Now
from shared.processing.speech import Speech, Utterance
from shared.processing.transactions import Transactions, WorkFailed

if TYPE_CHECKING:
    from shared.notifications.rendering import Renderer

BATCH = 20
PLAIN = Notice()

_Sent = tuple[Letter, str]
"""A letter that has left, and its carrier's id for it."""


@dataclass(eq=False)
class _Task:
    """A notification that we have claimed, and once it was tried, what came of it."""

    notification: Notification
    notice: Notice
    outcome: Outcome | None = None

    @property
    def secret(self) -> bool:
        """Whether its letter is composed for one try, in this process."""
        return self.notice.compose is not None


class Postman:
    """Sends one service's mails and texts."""

    def __init__(
        self,
        notices: Mapping[str, Notice],
        templates: Path,
        writers: Writers,
        senders: Senders,
        transactions: Transactions,
        speech: Speech,
        clock: Callable[[], datetime],
    ) -> None:
        self._notices = notices
        self._templates = templates
        self._writers = writers
        self._senders = senders
        self._transactions = transactions
        self._speech = speech
        self._clock = clock
        self._claims = Claims(transactions, clock)
        self._channels = Channels(clock)
        self._in_hand: list[_Task] = []
        self.stopping = threading.Event()

    @cached_property
    def _renderer(self) -> "Renderer":
        # Made for the first mail: nobody need wait for it at the start.
        from shared.notifications.rendering import Renderer

        return Renderer(self._templates)

    def deliver_due(self, limit: int = BATCH) -> int:
        """Send what is due; returns how many were tried.

        Raises:
            InfrastructureDown: the database is away; the next call goes on with what is in hand,
                and sends nothing again.
        """
        tasks, self._in_hand = self._in_hand or self._claimed(limit), []
        try:
            for group in _groups(tasks):
                self._deliver(group)
        except InfrastructureDown:
            self._in_hand = tasks
            raise
        except Exception:
            # Nothing was prepared for this, and it may be so again: not at once, and not never.
            self._give_back(tasks, due_in=SOON)
            raise
        self._give_back(tasks)
        return sum(one.outcome is not None for one in tasks)

    def _claimed(self, limit: int) -> list[_Task]:
        rows = self._claims.take(limit, without=self._channels.resting())
        if rows:
            reached("notification_claim.after")
        return [_Task(one, self._notices.get(one.kind, PLAIN)) for one in rows]

    def _deliver(self, tasks: Sequence[_Task]) -> None:
        untried = [one for one in tasks if one.outcome is None and self._may_go(one)]
        if untried and untried[0].secret:
            self._try_secret(untried[0])
        elif untried:
            self._try_plain(untried)
        tried = [one for one in tasks if one.outcome is not None]
        if tried:
            self._write_down(tried)

    def _may_go(self, task: _Task) -> bool:
        """Whether it may be handed over now; if not, whoever claims it next sends it."""
        one = task.notification
        return (
            not self.stopping.is_set()
            and self._claims.in_time(one)
            and one.channel not in self._channels.resting()
        )

    def _give_back(self, tasks: Sequence[_Task], *, due_in: timedelta = timedelta()) -> None:
        """What was not tried is as if nobody had claimed it, due when its way is open."""
        untried = [one for one in tasks if one.outcome is None]
        if not untried:
            return
        for one in untried:
            if not self._claims.in_time(one.notification):
                self._channels.make_way(one.notification.channel)
        rows = [one.notification for one in untried]
        due = {one.channel: self._channels.open_from(one.channel) + due_in for one in rows}
        try:
            self._claims.give_back(rows, due)
        except InfrastructureDown:
            self._in_hand = untried
            raise

    # From a notification to a letter that has left.

    def _try_plain(self, tasks: Sequence[_Task]) -> None:
        """Have the letters written together, then hand over one after the other."""
        for task, letter in zip(tasks, self._written(tasks), strict=True):
            if self._may_go(task):
                task.outcome = self._outcome(task, partial(self._send_written, letter))

    def _written(self, tasks: Sequence[_Task]) -> Sequence[Written | None]:
        with self._transactions.reading() as session:
            plans = [self._plan(session, one) for one in tasks]
        drafts = [one for one in plans if isinstance(one, Draft)]
        letters = iter(self._writers.write(drafts, self._renderer))
        return [next(letters) if isinstance(one, Draft) else one for one in plans]

    def _plan(self, session: Session, task: _Task) -> Draft | WritingFailed | None:
        try:
            return task.notice.plan(session, task.notification)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and diagnose(error) is not Trouble.MESSAGE:
                raise
            session.rollback()  # The others can still be planned.
            return WritingFailed(f"{type(error).__name__}: {error}")

    def _send_written(self, letter: Written | None) -> _Sent | None:
        if isinstance(letter, WritingFailed):
            raise letter
        return None if letter is None else (letter, self._send(letter))

    def _try_secret(self, task: _Task) -> None:
        """Compose and send; each of a few quick tries composes anew.

        A secret is thus never sent twice: a try whose outcome is unknown left one behind that
        the next try has already replaced.
        """
        task.outcome = self._outcome(task, partial(self._send_anew, task))

    def _send_anew(self, task: _Task) -> _Sent | None:
        def compose(session: Session) -> Letter | None:
            now = Now(self._clock())
            made = task.notice.compose
            return made and made(session, task.notification, self._renderer, now)

        letter = self._transactions.run(compose)
        return None if letter is None else (letter, self._send(letter))

    def _send(self, letter: Letter) -> str:
        reached("send.before")
        provider_id = self._senders.send(letter)
        reached("send.after")
        return provider_id

    def _outcome(self, task: _Task, send: Callable[[], _Sent | None]) -> Outcome:
        one = task.notification
        try:
            sent = self._channels.hand_over(one.channel, send)
        except InfrastructureDown:
            raise
        except SendFailed as failure:
            return self._held_up(one, failure)
        except SendRefused as refusal:
            return Outcome(FAILED, error=str(refusal))
        except Exception as failure:
            return later(one, failure, self._clock())
        if sent is None:
            return Outcome(CANCELLED)
        self._channels.worked(one.channel)
        return Outcome(SENT, letter=sent[0], provider_id=sent[1])

    def _held_up(self, one: Notification, failure: SendFailed) -> Outcome:
        """The service fails, not the letter, unless the service may be working for the others."""
        alone = not (isinstance(failure, SentAway) or self._channels.in_doubt(one.channel))
        self._channels.failed(one.channel)
        if alone:
            return later(one, failure, self._clock())
        return not_blamed(one, failure, self._channels.open_from(one.channel))

    # What came of it.

    def _write_down(self, tasks: Sequence[_Task]) -> None:
        """All in one transaction; where that fails, one by one."""
        try:
            self._mark(tasks)
        except WorkFailed:
            for task in tasks:
                self._write_down_alone(task)
        for task in tasks:
            if task.outcome:
                tell(task.notification, task.outcome.status)

    def _write_down_alone(self, task: _Task) -> None:
        try:
            self._mark([task])
        except WorkFailed as failure:
            # It must not be sent for ever because what follows cannot be said: a person looks.
            task.outcome = Outcome(FAILED, error=f"tried, but what follows failed: {failure}")
            self._mark([task], saying=False)

    def _mark(self, tasks: Sequence[_Task], *, saying: bool = True) -> None:
        def work(session: Session) -> None:
            rows = lock(session, [one.notification.id for one in tasks])
            said: list[Utterance] = []
            for task in tasks:
                row, now = rows[task.notification.id], Now(self._clock())
                if task.outcome is None or task.outcome.stands_in(row, task.notification):
                    continue  # Written down before; only the answer to the commit was lost.
                task.outcome.write_to(row, now)
                if saying:
                    cause = Envelope(row.id, "/notifications", row.kind, row.onboarding_id, now)
                    said.append((cause, _afterwards(session, row, task, now)))
            self._speech.write(session, said)
            session.flush()

        reached("sent_mark.before")
        self._transactions.run(work)
        reached("sent_mark.after")


def _groups(tasks: Sequence[_Task]) -> Iterator[Sequence[_Task]]:
    """What is delivered together: each secret alone, and first, since somebody waits for it."""
    for one in tasks:
        if one.secret:
            yield [one]
    yield [one for one in tasks if not one.secret]


def _afterwards(session: Session, row: Notification, task: _Task, now: Now) -> Sequence[Message]:
    """What is to be said, now that it has left or has failed for good."""
    outcome = task.outcome
    if outcome is None or outcome.status == WAITING:
        return ()
    if outcome.letter is not None:
        return task.notice.sent(session, row, outcome.letter, now)
    return task.notice.failed(session, row, now) if outcome.status == FAILED else ()
