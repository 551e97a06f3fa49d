"""What this version keeps of every customer, made up for those whom an earlier version heard of."""

from datetime import datetime

from sqlmodel import Session, col, select

from services.activation.history import HeardFact
from services.activation.models import Activation
from services.activation.search import SearchTerm, keep_terms
from shared.events.envelope import Envelope
from shared.events.event import EVENTS
from shared.host.runtime import Runtime
from shared.persistence.chores import portion
from shared.processing import Loaded

AT_ONCE = 200


def catch_up(runtime: Runtime) -> None:
    """Have customers of before found by step, actor, reference and text, with their history."""
    while True:
        with portion(runtime.database) as session:
            behind = select(Activation).where(col(Activation.blocker).is_(None)).limit(AT_ONCE)
            # Another process that starts at the same moment takes others.
            rows = session.exec(behind.with_for_update(skip_locked=True)).all()
            for activation in rows:
                _catch_up(session, activation, runtime)
        if not rows:
            return


def _catch_up(session: Session, activation: Activation, runtime: Runtime) -> None:
    ended = activation.expires_at is not None and activation.expires_at <= runtime.clock()
    if ended:
        activation.lapse()
    activation.catch_up()
    query = select(SearchTerm).where(SearchTerm.onboarding_id == activation.onboarding_id)
    terms = Loaded(session.exec(query))
    keep_terms(activation, terms)
    session.add_all(terms.added)
    for entry in activation.facts.values():
        kind = EVENTS.get(entry.get("type", ""))
        if kind is not None and session.get(HeardFact, entry["id"]) is None:
            envelope = Envelope(
                id=entry["id"],
                source="",
                type=entry["type"],
                subject=activation.onboarding_id,
                time=datetime.fromisoformat(entry["at"]),
                actor=entry.get("by"),
            )
            session.add(HeardFact.of(kind.model_validate(entry["data"]), envelope))
