"""Who is told when a customer may be let in, is shut out because of money, or is let in again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.activation import facts
from services.activation.mails import (
    access_restored,
    access_suspended,
    credentials_expired,
    customer_released,
)
from services.activation.models import SENT, Activation
from shared.events import CustomerReleaseWithdrawn
from shared.notifications.messages import Mail

WITHDRAWN = "WITHDRAWN"
"""The reason code of a release that is taken back because the customer has left."""


@dataclass(frozen=True)
class Access:
    """How it stood with a customer's access at one moment."""

    ready: bool
    shut_out: bool

    @classmethod
    def of(cls, activation: Activation) -> "Access":
        """How it stands now."""
        return cls(activation.ready, _is_shut_out(activation))

    def news(self, activation: Activation, now: datetime) -> Sequence[Mail]:
        """Tell of what has changed since: the office whom to activate, the customer the rest."""
        signup = activation.signup
        if signup is None:
            return []
        today = Access.of(activation)
        mails = [customer_released(activation, signup)] if today.ready and not self.ready else []
        if today.shut_out and not self.shut_out:
            mails.append(access_suspended(activation, signup))
        if self.shut_out and activation.may_be_sent and not today.ready:
            mails.append(access_restored(activation, signup, now))
            if not activation.can_log_in(now):
                mails.append(credentials_expired(activation, signup))
        return mails


def lapsed_unused(activation: Activation) -> Sequence[Mail]:
    """Tell the office of a customer who never used the password that has just ended."""
    signup = activation.signup
    waited_for = activation.state == SENT and not activation.has_own_access
    if signup is None or not (waited_for and activation.may_be_sent):
        return []
    return [credentials_expired(activation, signup)]


def _is_shut_out(activation: Activation) -> bool:
    """Whether the customer was let in once, and is not now because of money.

    One who has left, and whose money therefore goes back, knows why.
    """
    had_access = activation.state == SENT or activation.first_login_at is not None
    if not had_access or activation.withdrawn:
        return False
    taken_back = facts.read(activation.facts, CustomerReleaseWithdrawn)
    return taken_back is not None and taken_back.reason_code != WITHDRAWN
