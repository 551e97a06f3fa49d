"""The postman: claims what is due, has it written, hands it over, and marks what has left.

Mail services have no idempotency key, so a crash between handing over and marking sends again
what was in hand, at most a batch of 20: at least once, said honestly. A notice that carries a
secret goes by itself, and composes a new secret for each try.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog
import tenacity
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from shared.crash_points import reached
from shared.database import Trouble, diagnose
from shared.envelope import Envelope
from shared.errors import InfrastructureDown
from shared.notifications.claims import Claims, lock
from shared.notifications.drafts import Draft, WritingFailed, Written
from shared.notifications.letters import Letter
from shared.notifications.model import CANCELLED, FAILED, SENT, WAITING, Notification
from shared.notifications.notices import Notice
from shared.notifications.outcome import Outcome, tell
from shared.notifications.senders import Senders, SendFailed, SendRefused
from shared.notifications.writers import Writers
from shared.processing.messages import Message, Now
from shared.processing.speech import Speech, Utterance
from shared.processing.transactions import Transactions, WorkFailed

if TYPE_CHECKING:
    from shared.notifications.rendering import Renderer

log = structlog.get_logger()

BATCH = 20
PAUSES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
PLAIN = Notice()

T = TypeVar("T")
R = TypeVar("R")
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
            self._deliver([one for one in tasks if not one.secret])
            for task in tasks:
                if task.secret:
                    self._deliver([task])
        except InfrastructureDown:
            self._in_hand = tasks
            raise
        if self.stopping.is_set():
            self._claims.give_back([one.notification for one in tasks if one.outcome is None])
        return sum(one.outcome is not None for one in tasks)

    def _claimed(self, limit: int) -> list[_Task]:
        rows = self._claims.take(limit)
        if rows:
            reached("notification_claim.after")
        return [_Task(one, self._notices.get(one.kind, PLAIN)) for one in rows]

    def _deliver(self, tasks: Sequence[_Task]) -> None:
        untried = [one for one in tasks if one.outcome is None and self._in_time(one)]
        if untried and untried[0].secret:
            self._try_secret(untried[0])
        elif untried:
            self._try_plain(untried)
        tried = [one for one in tasks if one.outcome is not None]
        if tried:
            self._write_down(tried)

    def _in_time(self, task: _Task) -> bool:
        """Whether it may still be handed over; if not, whoever claims it next sends it."""
        return not self.stopping.is_set() and self._claims.in_time(task.notification)

    # From a notification to a letter that has left.

    def _try_plain(self, tasks: Sequence[_Task]) -> None:
        """Have the letters written together, then hand over one after the other."""
        for task, letter in zip(tasks, self._written(tasks), strict=True):
            if self._in_time(task):
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
        return None if letter is None else (letter, quickly(self._send, letter))

    def _try_secret(self, task: _Task) -> None:
        """Compose and send, with a few quick tries; each try composes anew.

        A secret is thus never sent twice: a try whose outcome is unknown left one behind that
        the next try has already replaced.
        """
        task.outcome = self._outcome(task, partial(quickly, self._send_anew, task))

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

    def _outcome(self, task: _Task, hand_over: Callable[[], _Sent | None]) -> Outcome:
        try:
            sent = hand_over()
        except InfrastructureDown:
            raise
        except SendRefused as refusal:
            return Outcome(FAILED, error=str(refusal))
        except Exception as failure:
            return self._later(task.notification, failure)
        if sent is None:
            return Outcome(CANCELLED)
        return Outcome(SENT, letter=sent[0], provider_id=sent[1])

    def _later(self, notification: Notification, failure: Exception) -> Outcome:
        if notification.attempts > len(PAUSES):
            return Outcome(FAILED, error=str(failure))
        log.warning("notification_delayed", kind=notification.kind, error=type(failure).__name__)
        pause = PAUSES[notification.attempts - 1]
        return Outcome(WAITING, error=str(failure), due_at=self._clock() + pause)

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
                if task.outcome is None or row.status != WAITING:
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


def quickly(send: Callable[[T], R], what: T) -> R:
    """Send, and when it does not leave, try again twice within a second or so."""
    tries = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(SendFailed),
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    return tries(send, what)


def _afterwards(session: Session, row: Notification, task: _Task, now: Now) -> Sequence[Message]:
    """What is to be said, now that it has left or has failed for good."""
    outcome = task.outcome
    if outcome is None or outcome.status == WAITING:
        return ()
    if outcome.letter is not None:
        return task.notice.sent(session, row, outcome.letter, now)
    return task.notice.failed(session, row, now) if outcome.status == FAILED else ()
