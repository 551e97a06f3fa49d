"""The postman: claims what is due, composes it, hands it over, and marks what has left.

Mail services have no idempotency key, so a crash between handing over and marking sends a mail
again: at least once, said honestly. A notice that carries a secret composes a new one each time.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
import tenacity
from sqlalchemy import select, update
from sqlmodel import Session, col

from shared.crash_points import reached
from shared.envelope import Envelope
from shared.notifications.letters import Letter
from shared.notifications.model import CANCELLED, FAILED, SENT, WAITING, Notification
from shared.notifications.notices import Notice
from shared.notifications.rendering import Renderer
from shared.notifications.senders import Senders, SendFailed, SendRefused
from shared.processing.messages import Message, Now
from shared.processing.speech import Speech
from shared.processing.transactions import Transactions, WorkFailed

log = structlog.get_logger()

LEASE = timedelta(minutes=5)
PAUSES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
PLAIN = Notice()


class Postman:
    """Sends one service's mails and texts."""

    def __init__(
        self,
        notices: Mapping[str, Notice],
        renderer: Renderer,
        senders: Senders,
        transactions: Transactions,
        speech: Speech,
        clock: Callable[[], datetime],
    ) -> None:
        self._notices = notices
        self._renderer = renderer
        self._senders = senders
        self._transactions = transactions
        self._speech = speech
        self._clock = clock
        self.stopping = threading.Event()

    def deliver_due(self, limit: int = 20) -> int:
        """Send what is due; returns how many were tried.

        Raises:
            InfrastructureDown: the database is away; what was claimed is due again later.
        """
        with self._transactions.bookkeeping() as session:
            claimed = self._claim(session, limit)
        if claimed:
            reached("notification_claim.after")
        for number, notification in enumerate(claimed):
            if self.stopping.is_set():
                self._give_back(claimed[number:])
                return number
            self._deliver(notification)
        return len(claimed)

    def _claim(self, session: Session, limit: int) -> Sequence[Notification]:
        now = self._clock()
        statement = (
            select(Notification)
            .where(col(Notification.status) == WAITING, col(Notification.due_at) <= now)
            .order_by(col(Notification.due_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = session.execute(statement).scalars().all()
        if rows:
            reached("notification_claim.before")
        for row in rows:
            row.attempts += 1
            row.due_at = now + LEASE
        return rows

    def _give_back(self, claimed: Sequence[Notification]) -> None:
        """Make what was claimed and not tried due again, for whoever comes next."""
        ids = [one.id for one in claimed]
        with self._transactions.bookkeeping() as session:
            session.execute(
                update(Notification)
                .where(col(Notification.id).in_(ids))
                .values(due_at=self._clock(), attempts=col(Notification.attempts) - 1)
            )

    def _deliver(self, notification: Notification) -> None:
        try:
            provider_id = self._hand_over(notification)
        except SendRefused as refusal:
            self._give_up(notification, str(refusal))
        except (SendFailed, WorkFailed) as failure:
            self._try_later(notification, failure)
        else:
            if provider_id is None:
                self._mark(notification.id, CANCELLED)
            else:
                self._mark_sent(notification, provider_id)

    def _hand_over(self, notification: Notification) -> str | None:
        """Compose and send, with a few quick tries; each try composes anew.

        A secret is thus never sent twice: a try whose outcome is unknown left one behind that
        the next try has already replaced.
        """
        quick = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(SendFailed),
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_exponential(multiplier=0.2, max=2),
            reraise=True,
        )
        return quick(self._try_once, notification)

    def _try_once(self, notification: Notification) -> str | None:
        notice = self._notices.get(notification.kind, PLAIN)

        def compose(session: Session) -> Letter | None:
            return notice.compose(session, notification, self._renderer, Now(self._clock()))

        letter = self._transactions.run(compose)
        if letter is None:
            return None
        reached("send.before")
        provider_id = self._senders.send(letter)
        reached("send.after")
        return provider_id

    def _mark_sent(self, notification: Notification, provider_id: str) -> None:
        def work(session: Session) -> None:
            row = self._lock(session, notification.id)
            row.status, row.due_at, row.error = SENT, None, None
            row.sent_at, row.provider_id = self._clock(), provider_id[:200]
            self._say(session, row, self._notice(row).sent)
            session.flush()

        reached("sent_mark.before")
        self._transactions.run(work)
        reached("sent_mark.after")
        log.info("notification_sent", kind=notification.kind, notification_id=notification.id)

    def _give_up(self, notification: Notification, reason: str) -> None:
        def work(session: Session) -> None:
            row = self._lock(session, notification.id)
            row.status, row.due_at, row.error = FAILED, None, reason[:2000]
            self._say(session, row, self._notice(row).failed)
            session.flush()

        self._transactions.run(work)
        log.error("notification_failed", kind=notification.kind, notification_id=notification.id)

    def _try_later(self, notification: Notification, failure: Exception) -> None:
        if notification.attempts > len(PAUSES):
            self._give_up(notification, str(failure))
            return
        pause = PAUSES[notification.attempts - 1]
        with self._transactions.bookkeeping() as session:
            row = self._lock(session, notification.id)
            row.due_at, row.error = self._clock() + pause, str(failure)[:2000]
        log.warning("notification_delayed", kind=notification.kind, error=type(failure).__name__)

    def _mark(self, notification_id: str, status: str) -> None:
        with self._transactions.bookkeeping() as session:
            row = self._lock(session, notification_id)
            row.status, row.due_at = status, None

    def _notice(self, notification: Notification) -> Notice:
        return self._notices.get(notification.kind, PLAIN)

    def _lock(self, session: Session, notification_id: str) -> Notification:
        statement = select(Notification).where(col(Notification.id) == notification_id)
        row: Notification = session.execute(statement.with_for_update()).scalar_one()
        return row

    def _say(
        self,
        session: Session,
        row: Notification,
        afterwards: Callable[[Session, Notification, Now], Sequence[Message]],
    ) -> None:
        now = Now(self._clock())
        cause = Envelope(row.id, "/notifications", row.kind, row.onboarding_id, now)
        self._speech.write(session, [(cause, afterwards(session, row, now))])
