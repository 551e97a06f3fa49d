"""Where customers are: whoever signed up and was accepted, and who must know of them by now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from infra.operations.audit.books import Customers, Finding, Ledgers, SuspectKey
from infra.operations.audit.deliveries import MOST_SUSPECTS, Tell
from infra.operations.audit.handovers import HANDOVERS, ORDER, Known, read_known
from infra.operations.audit.pages import PAGE, pages
from services.signup.models import Signup
from shared.events import SignupSubmitted
from shared.processing.store.tables import DEAD, DONE, DROPPED, Inbox

DECIDE = "a person must say which of them holds: `stappenplan status {id}` shows the customer"


@dataclass
class CustomerLook:
    """One look at them; `incomplete` are those whom somebody does not know as they should.

    `suspects` are customers without any unfinished event that explains it, each with the speaker
    that said it.
    """

    figures: Customers = field(default_factory=Customers)
    incomplete: set[str] = field(default_factory=set)
    suspects: dict[SuspectKey, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def look_at_customers(
    ledgers: Ledgers,
    unfinished: Mapping[str, str],
    ids: Iterable[Sequence[str]],
    tell: Tell,
) -> CustomerLook:
    """Compare what the services know of these customers, a page of ids at a time.

    `unfinished` tells of customers what is unfinished of their events.

    Raises:
        SQLAlchemyError: a database is away.
    """
    look, count = CustomerLook(), 0
    for page in ids:
        tell("customers", count := count + len(page))
        known: dict[str, Mapping[str, Known]] = {}
        for service in ORDER:
            with ledgers[service][1].read() as session:
                known[service] = read_known(session, service, page)
        for onboarding_id in page:
            signup = known["signup"].get(onboarding_id)
            if signup is not None and signup.accepted_as is not None:
                rows = {service: known[service].get(onboarding_id) for service in ORDER}
                _judge(look, onboarding_id, rows, unfinished)
    return look


def _judge(
    look: CustomerLook,
    onboarding_id: str,
    rows: Mapping[str, Known | None],
    unfinished: Mapping[str, str],
) -> None:
    look.figures.accepted += 1
    missing = dict(_missing(look, onboarding_id, rows))
    status = unfinished.get(onboarding_id)
    if not missing:
        look.figures.arrived += 1
        return
    look.incomplete.add(onboarding_id)
    if status == DEAD:
        look.figures.dead += 1
    elif status == DROPPED:
        look.figures.dropped += 1
    elif status is None and len(look.suspects) >= MOST_SUSPECTS:
        look.figures.lost += 1
    else:
        look.figures.waiting += 1
        look.suspects |= {} if status else missing


def _missing(
    look: CustomerLook, onboarding_id: str, rows: Mapping[str, Known | None]
) -> Iterator[tuple[SuspectKey, str]]:
    """What somebody does not know; who knows something else is told apart at once."""
    for handover in HANDOVERS:
        speaker, hearer = rows[handover.speaker], rows[handover.hearer]
        owed = None if speaker is None else handover.owed(speaker)
        known = None if hearer is None else handover.known(hearer)
        if owed is None or known == owed:
            continue
        if known is None:
            yield SuspectKey(onboarding_id, handover.event, handover.hearer), handover.speaker
            continue
        sentence = (
            f"{onboarding_id} is {owed} at {handover.speaker} and {known} at {handover.hearer}"
        )
        advice = DECIDE.format(id=onboarding_id)
        look.findings.append(Finding("doubled", sentence, advice, onboarding_id))


def all_signups(ledgers: Ledgers) -> Iterator[Sequence[str]]:
    """The ids of all sign-ups, a page at a time."""
    key = col(Signup.onboarding_id)
    for page in pages(ledgers["signup"][1], select(key), key):
        yield [row.onboarding_id for row in page]


def signups_since(ledgers: Ledgers, since: datetime) -> Iterator[Sequence[str]]:
    """The ids of those that came since then, found by an index of what came."""
    at = col(Inbox.received_at)
    query = select(at, col(Inbox.id), col(Inbox.subject)).where(
        at >= since,
        col(Inbox.type) == SignupSubmitted.event_type,
        col(Inbox.status) == DONE,
    )
    seen: set[str] = set()
    for page in pages(ledgers["signup"][1], query, at, col(Inbox.id)):
        # Who was rejected first, and has sent a corrected one, came twice.
        new = dict.fromkeys(row.subject for row in page if row.subject not in seen)
        seen |= new.keys()
        yield list(new)


def in_pages(ids: Iterable[str]) -> Iterator[Sequence[str]]:
    """These ids, a page at a time."""
    listed = sorted(ids)
    for begin in range(0, len(listed), PAGE):
        yield listed[begin : begin + PAGE]
