"""How people send login details: by which channel, and how soon once more."""

from datetime import datetime, timedelta

from services.activation.models import SENDING, SENT, Activation
from shared.events.shapes import Channel

RESEND_PAUSE = timedelta(minutes=2)


def resend_pause_ends(activation: Activation, now: datetime) -> datetime | None:
    """Until when to wait; None when there is nothing to wait for.

    What did not arrive, or went to an address that was corrected since, need not be waited for.
    """
    if activation.state not in (SENDING, SENT) or activation.ordered_at is None:
        return None
    ends = activation.ordered_at + RESEND_PAUSE
    return ends if now < ends else None


def preferred_channel(activation: Activation) -> Channel:
    """The channel that the customer asked for; e-mail where there is no number to send to."""
    wanted = activation.signup.preferred_channel if activation.signup else "email"
    return wanted if activation.mobile else "email"
