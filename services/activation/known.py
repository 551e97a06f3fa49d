"""What follows from what is kept of a customer: from their whole row, or from a part of it."""

from datetime import datetime

from services.activation import facts
from services.activation.facts import Facts
from shared.events import (
    AdministrationCreated,
    CustomerReleased,
    OnboardingWithdrawn,
    SignupAccepted,
)


class Known:
    """How far a customer has come; a base of whatever has these columns of theirs."""

    facts: Facts
    attempt: int
    expires_at: datetime | None
    one_time_hash: str | None
    own_hash: str | None
    first_login_at: datetime | None

    @property
    def released(self) -> bool:
        """Signed and collected, and not taken back."""
        return facts.holds(self.facts, CustomerReleased)

    @property
    def withdrawn(self) -> bool:
        """Whether the onboarding has stopped."""
        return facts.holds(self.facts, OnboardingWithdrawn)

    @property
    def set_up(self) -> bool:
        """Whether the administration is there and the customer has access to it."""
        return bool(facts.said(self.facts, AdministrationCreated, "access_granted"))

    @property
    def may_be_sent(self) -> bool:
        """Whether nothing stands in the way of sending credentials."""
        known = facts.holds(self.facts, SignupAccepted)
        return self.released and self.set_up and not self.withdrawn and known

    @property
    def suspended(self) -> bool:
        """Whether, after credentials were sent, the release was taken back or the customer left."""
        return self.attempt > 0 and not self.may_be_sent

    def one_time_is_good(self, now: datetime) -> bool:
        """Whether there is a one-time password that has neither expired nor been made void."""
        ends = self.expires_at
        return self.one_time_hash is not None and ends is not None and now < ends

    def can_log_in(self, now: datetime) -> bool:
        """Whether there is a password that would let the customer in, their own or another."""
        return self.own_hash is not None or self.one_time_is_good(now)

    @property
    def has_own_access(self) -> bool:
        """Whether they have logged in, and have a password of their own.

        Another that is sent to them voids it; one that does not arrive leaves them without any.
        """
        return self.first_login_at is not None and self.own_hash is not None
