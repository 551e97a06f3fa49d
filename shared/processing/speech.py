"""What handlers returned becomes rows: events in the outbox, mails to send, requests for later.

Ids are derived from the message that led to them, so that a message which is processed again
after a rollback says the very same thing again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from shared.envelope import Envelope, derived_id
from shared.events.event import Event
from shared.notifications.notices import enqueue
from shared.processing import inbox
from shared.processing.messages import About, Later, Mail, Message
from shared.processing.outbox import OutboxRelay, Said
from shared.processing.reading import Reader

SOON = timedelta(minutes=1)
"""Requests for later than this are found in time by those who look around once in a while."""

Utterance = tuple[Envelope, Sequence[Message]]
"""A cause, and what was said upon it."""


class Speech:
    """Writes a transaction's messages, and sends them on their way once it has committed."""

    def __init__(
        self, service: str, relay: OutboxRelay, reader: Reader, clock: Callable[[], datetime]
    ) -> None:
        self._service = service
        self._source = f"/services/{service}"
        self._relay = relay
        self._reader = reader
        self._clock = clock
        self.on_mail: Callable[[], None] = lambda: None
        self.on_later: Callable[[], None] = lambda: None

    def write(self, session: Session, utterances: Sequence[Utterance]) -> None:
        """Write everything that was said in this transaction, each kind in one statement."""
        now = self._clock()
        words: list[Said] = []
        mails: list[tuple[str, str, Mail]] = []
        for cause, messages in utterances:
            for position, message in enumerate(messages):
                said_id = derived_id(self._service, cause.id, position)
                match message:
                    case Mail():
                        mails.append((said_id, message.about or cause.subject, message))
                    case Later():
                        self._postpone(session, message, cause, now)
                    case About(subject, event):
                        words.append(self._seal(event, said_id, subject, cause, now))
                    case Event():
                        words.append(self._seal(message, said_id, cause.subject, cause, now))
        enqueue(session, mails, now)
        self._relay.write(session, words)
        session.info.setdefault("said", []).extend(words)
        session.info["mailed"] = session.info.get("mailed") or bool(mails)

    def committed(self, session: Session) -> None:
        """Publish and send what a transaction has just committed."""
        said: list[Said] = session.info.pop("said", [])
        self._relay.publish(said)
        if session.info.pop("mailed", False):
            self.on_mail()
        if session.info.pop("soon", False):
            self.on_later()

    def _postpone(self, session: Session, later: Later, cause: Envelope, now: datetime) -> None:
        delivery = self._reader.request(
            later.request,
            subject=later.about or cause.subject,
            request_id=derived_id(self._service, later.key, "later"),
            source=self._source,
            time=now,
            cause=cause.id,
        )
        inbox.park(session, delivery, now, due=later.due)
        if later.due < now + SOON:
            session.info["soon"] = True

    def _seal(
        self, event: Event, said_id: str, subject: str, cause: Envelope, now: datetime
    ) -> Said:
        envelope = Envelope(
            id=said_id,
            source=self._source,
            type=event.event_type,
            subject=subject,
            time=now,
            causationid=cause.id,
            traceparent=cause.traceparent,
        )
        body = envelope.sealed(event)
        return Said(said_id, event.event_type, subject, body, cause.traceparent)
