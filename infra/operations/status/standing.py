"""Finding a customer by what somebody types, and telling all that activation knows of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python
from sqlmodel import Session, col

from services.activation.customers import find_customer
from services.activation.history import Entry, history
from services.activation.models import Activation
from services.activation.responses import OnboardingAnswer
from services.activation.search import SearchTerm, fold, found_by
from shared.base.text import findable
from shared.host.requests import recorded_acts

MOST_MATCHES = 25
"""Whoever finds more types a little more of the name."""


@dataclass(frozen=True)
class Standing:
    """Where one customer stands, and how they came there: the earliest entry first."""

    onboarding: OnboardingAnswer
    history: Sequence[Entry]

    def as_document(self) -> dict[str, Any]:
        """The same for a script: as `GET /api/onboardings/{id}`, with `history` in it."""
        entries = [asdict(entry) | {"at": entry.at.isoformat()} for entry in self.history]
        document: dict[str, Any] = to_jsonable_python(self.onboarding)
        return document | {"history": entries}


def find(session: Session, text: str, limit: int = MOST_MATCHES) -> Sequence[Activation]:
    """Those whom somebody may mean, as `GET /api/onboardings?q=` finds them.

    An onboarding id or a reference is one customer's; any other text is how something of them
    begins.
    """
    text = findable(text)
    exact = find_customer(session, text)
    if exact is not None:
        return [exact]
    if not fold(text):
        return []  # Nobody has a name of signs alone.
    order = col(SearchTerm.term), col(SearchTerm.onboarding_id)
    query = found_by(text, None, Activation).order_by(*order).limit(limit)
    return [activation for _, activation in session.execute(query)]


def standing_of(session: Session, activation: Activation, now: datetime) -> Standing:
    """All that is known of a customer at this moment."""
    acts = recorded_acts(session, activation.onboarding_id)
    return Standing(OnboardingAnswer.of(activation, now), history(session, activation, acts))
