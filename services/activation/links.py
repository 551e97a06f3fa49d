"""The customer's link to their page: since when links hold, and a new one when theirs is over."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from services.activation import facts
from services.activation.commands import SendLink
from services.activation.mails import page_link
from services.activation.models import Activation
from shared.events import OnboardingWithdrawn
from shared.events.envelope import Envelope
from shared.processing import Effect, Loaded

PAUSE_SECONDS = 600
"""Whoever asks for a link again and again is mailed one in ten minutes."""


def links_from(activation: Activation) -> datetime | None:
    """Since when links must be to be good: older ones may be in somebody else's mailbox.

    So it is after the contact was changed, and after a withdrawal.
    """
    moments = (
        activation.contact_changed_at,
        facts.moment_of(activation.facts, OnboardingWithdrawn),
    )
    return max((moment for moment in moments if moment is not None), default=None)


def link_key(onboarding_id: str, now: datetime) -> str:
    """The key of asking for a link: the same for ten minutes, however often it is asked."""
    return str(uuid5(UUID(onboarding_id), f"link/{int(now.timestamp()) // PAUSE_SECONDS}"))


def send_link(
    _command: SendLink, envelope: Envelope, activations: Loaded[Activation]
) -> Sequence[Effect]:
    """Mail the customer a fresh link, at the address that is known; nobody else is told."""
    activation = activations.get(envelope.subject)
    return [] if activation is None else page_link(activation)
