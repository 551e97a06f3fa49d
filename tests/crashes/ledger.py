"""The ledger: what was submitted, beside what every service, queue and mailbox holds.

Every event is owed to each service that hears it. It is found in that service's inbox, or on its
queue, or still in its speaker's outbox; an event that is nowhere is lost. Every customer is owed
the effects of his sign-up, each of them once.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from shared.host.settings import Settings
from shared.notifications.tables import FAILED, SENT
from shared.notifications.tables import WAITING as UNSENT
from shared.processing.store.tables import DEAD, DROPPED, WAITING
from tests.crashes.books import NUMBERS, Bookkeeper, Books, Queues

MAY_REPEAT = (
    "collection.requested.v1",
    "collection.booked.v1",
    "collection.cancelled.v1",
    "order_reminder",
    "collection_failed",
    "collection_failed_office",
    "credentials",
)
"""What one customer may be told or sent more than once, for different causes."""

SAYS_FIRST = "signup"


@dataclass(frozen=True)
class Effects:
    """What each sign-up must lead to, once: the events said and the kinds of mail sent."""

    events: tuple[str, ...]
    mails: tuple[str, ...]


SIGNED_UP = Effects(
    events=(
        "signup.accepted.v1",
        "registration.completed.v1",
        "administration.created.v1",
        "order.confirmation_sent.v1",
    ),
    mails=(
        "signup_received",
        "signup_received_office",
        "order_confirmation",
        "order_confirmation_copy",
    ),
)
"""As far as it goes by itself: the confirmation is with the payer, to be signed."""


@dataclass
class Ledger:
    """The outcome of a run. Each finding is a sentence for a person."""

    submitted: int
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    recovered: int = 0
    """Events and mails that were tried again and then arrived."""
    mails_repeated: int = 0
    """Mails that left again under the same id, as mails may: nobody can tell whether they left."""

    @property
    def settled(self) -> bool:
        """Whether nothing is under way any more: whatever is not there now will not come."""
        return not self.lost and not self.waiting

    def insist(self, *, dead: int = 0) -> None:
        """Nothing lost, nothing doubled, nothing under way, and just so many dead."""
        assert not self.lost, str(self)
        assert not self.duplicated, str(self)
        assert not self.waiting, str(self)
        assert len(self.dead) == dead, str(self)

    def __str__(self) -> str:
        """The figures, and the first of the findings."""
        figures = (
            f"submitted {self.submitted}, lost {len(self.lost)}, duplicated "
            f"{len(self.duplicated)}, recovered {self.recovered}, waiting {len(self.waiting)}, "
            f"dead {len(self.dead)}, mails repeated {self.mails_repeated}"
        )
        findings = [*self.lost[:10], *self.duplicated[:10], *self.waiting[:10], *self.dead[:10]]
        return "\n  ".join([figures, *findings])


def audit(
    settings: Settings, submitted: Mapping[str, str], expected: Effects = SIGNED_UP
) -> Ledger:
    """Compare what was submitted (event id: onboarding id) with what all the books say now.

    For when no process holds messages: they cannot be seen on a queue meanwhile.
    """
    with Bookkeeper(settings) as keeper:
        return _audit(keeper, submitted, expected, keeper.queues())


def await_settled(
    settings: Settings,
    submitted: Mapping[str, str],
    expected: Effects = SIGNED_UP,
    seconds: float = 90,
) -> Ledger:
    """Wait until every effect is there, then audit; after so many seconds, audit all the same."""
    deadline = time.monotonic() + seconds
    with Bookkeeper(settings) as keeper:
        while time.monotonic() < deadline:
            try:
                if _audit(keeper, submitted, expected, Queues()).settled:
                    break
            except SQLAlchemyError:
                pass  # The database is away as yet.
            time.sleep(0.1)
        return _audit(keeper, submitted, expected, keeper.queues())


def _audit(
    keeper: Bookkeeper, submitted: Mapping[str, str], expected: Effects, queues: Queues
) -> Ledger:
    books = keeper.read()
    ledger = Ledger(len(submitted))
    _count_deliveries(ledger, books, queues, submitted)
    _count_rows(ledger, books)
    _count_letters(ledger, books, keeper)
    _count_effects(ledger, books, submitted, expected)
    _count_doubles(ledger, books, submitted)
    return ledger


def _count_deliveries(
    ledger: Ledger, books: Sequence[Books], queues: Queues, submitted: Mapping[str, str]
) -> None:
    """Where each event is, for each service that it is owed to."""
    for book in books:
        for event_id, where in _owed(book, books, submitted):
            if event_id in book.inbox:
                continue  # Its row is counted with the others.
            if event_id in queues.waiting.get(book.service, ()) or where == "unpublished":
                ledger.waiting.append(f"{event_id} for {book.service} is under way")
            elif event_id in queues.dead.get(book.service, ()):
                ledger.dead.append(f"{event_id} is in {book.service}.dead")
            else:
                ledger.lost.append(f"{event_id} ({where}) never reached {book.service}")


def _owed(
    book: Books, books: Sequence[Books], submitted: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The events that a service must have heard, and whether they were published."""
    if book.service == SAYS_FIRST:
        yield from ((event_id, "submitted") for event_id in submitted)
    for speaker in books:
        for told in speaker.outbox.values():
            if told.type in book.hears:
                yield told.id, "published" if told.published else "unpublished"


def _count_rows(ledger: Ledger, books: Sequence[Books]) -> None:
    """What is due again, what is dead, and what arrived after more than one try."""
    for book in books:
        for heard in book.inbox.values():
            if heard.status in (DEAD, DROPPED):
                ledger.dead.append(f"{heard.type} {heard.id} at {book.service}: {heard.error}")
            elif heard.status == WAITING and heard.type in book.hears:
                ledger.waiting.append(f"{heard.type} {heard.id} at {book.service}: {heard.error}")
            elif heard.attempts:
                ledger.recovered += 1
        for told in book.outbox.values():
            if not told.published:
                ledger.waiting.append(f"{told.type} {told.id} of {book.service} is not published")
            elif told.attempts:
                ledger.recovered += 1


def _count_letters(ledger: Ledger, books: Sequence[Books], keeper: Bookkeeper) -> None:
    """Each mail's row, beside the files that left."""
    files, names = keeper.mailbox(), keeper.letters()
    ledger.mails_repeated = sum(number - 1 for number in files.values())
    known = set()
    for book in books:
        for mail in book.post.values():
            known.add(mail.id)
            if mail.status == UNSENT:
                ledger.waiting.append(f"{mail.kind} {mail.id} is not sent: {mail.error}")
            elif mail.status == FAILED:
                ledger.dead.append(f"{mail.kind} {mail.id} cannot be sent: {mail.error}")
            elif mail.status == SENT:
                ledger.recovered += mail.attempts > 1
                if keeper.settings.mail == "file" and mail.provider_id not in names:
                    ledger.lost.append(f"{mail.kind} {mail.id} counts as sent, and never left")
    for key in files:
        if key.partition(".")[0] not in known:
            ledger.duplicated.append(f"the mail {key} left without a cause")


def _count_effects(
    ledger: Ledger, books: Sequence[Books], submitted: Mapping[str, str], expected: Effects
) -> None:
    """What each sign-up must lead to, unless something of it is dead."""
    said: defaultdict[str, set[str]] = defaultdict(set)
    stuck: set[str] = set()
    for book in books:
        for told in book.outbox.values():
            said[told.subject].add(told.type)
        for mail in book.post.values():
            said[mail.subject].add(mail.kind)
        for heard in book.inbox.values():
            if heard.status in (DEAD, DROPPED):
                # A refused message has no subject that could be relied upon.
                stuck.add(heard.subject or submitted.get(heard.id, ""))
    arrived = {event_id for book in books for event_id in book.inbox}
    for event_id, onboarding in submitted.items():
        missing = {*expected.events, *expected.mails} - said[onboarding]
        if missing and event_id in arrived and onboarding not in stuck:
            ledger.lost.append(f"{onboarding} has no {', '.join(sorted(missing))}")


def _count_doubles(ledger: Ledger, books: Sequence[Books], submitted: Mapping[str, str]) -> None:
    """Two effects of one cause, an effect without a cause, a number that two customers have."""
    causes = {*submitted, *(event_id for book in books for event_id in book.outbox)}
    ours = {event_type for book in books for event_type in book.says}
    for book in books:
        events = Counter((row.type, row.subject) for row in book.outbox.values())
        mails = Counter((mail.kind, mail.subject, mail.recipient) for mail in book.post.values())
        for what, number in (*events.items(), *mails.items()):
            if number > 1 and what[0] not in MAY_REPEAT:
                ledger.duplicated.append(f"{book.service} has {number} times {what}")
        for heard in book.inbox.values():
            if heard.type in ours and heard.id not in causes:
                ledger.duplicated.append(f"{heard.type} {heard.id} was heard, and never said")
        for name in NUMBERS:
            numbers = Counter(entity[name] for entity in book.entities.values() if entity.get(name))
            for number, times in numbers.items():
                if times > 1:
                    ledger.duplicated.append(f"{times} customers of {book.service} are {number}")
