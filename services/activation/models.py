"""One customer as activation sees them: what is known, and their credentials."""

from datetime import datetime, timedelta

from sqlalchemy import JSON, Column, Index, MetaData
from sqlmodel import Field

from services.activation import facts
from services.activation.facts import Facts
from shared.events import (
    AdministrationCreated,
    CustomerReleased,
    Event,
    OnboardingWithdrawn,
    OrderConfirmationSent,
    SignupAccepted,
    SignupRejected,
)
from shared.events.envelope import Envelope
from shared.persistence.entity import Entity, index_of, moment

SENDING = "sending"
SENT = "sent"
UNDELIVERABLE = "undeliverable"

FORGOTTEN_A_DAY = 3
A_DAY = timedelta(days=1)


class ActivationTable(Entity):
    """The base of this service's own tables."""

    metadata = MetaData()


class Activation(ActivationTable, table=True):
    """What is known of one onboarding, and the credentials of its customer.

    `attempt` counts how often credentials were ordered; only the latest may become valid. The
    password exists here as an argon2 hash alone.
    """

    __tablename__ = "activation"
    __table_args__ = (
        Index("activation_newest", "heard_at", "onboarding_id"),
        Index("activation_office", "office_code", "heard_at", "onboarding_id"),
        index_of("ready", "activation_waiting", "heard_at", "onboarding_id"),
        index_of("ready", "activation_waiting_office", "office_code", "heard_at", "onboarding_id"),
    )

    onboarding_id: str = Field(primary_key=True, max_length=36)
    facts: Facts = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    office_code: str | None = Field(default=None, max_length=35)
    company: str | None = Field(default=None, max_length=200)
    heard_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    ready: bool = False
    email: str | None = Field(default=None, max_length=320)
    mobile: str | None = Field(default=None, max_length=20)

    login_name: str | None = Field(default=None, max_length=24, unique=True)
    # The version before this one chooses by it; it can go when none of those runs any more.
    login_base: str | None = Field(default=None, max_length=24, index=True)
    attempt: int = 0
    state: str | None = Field(default=None, max_length=14)
    channel: str | None = Field(default=None, max_length=5)
    ordered_by: str | None = Field(default=None, max_length=120)
    ordered_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    sent_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    expires_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    one_time_hash: str | None = Field(default=None, max_length=200)
    own_hash: str | None = Field(default=None, max_length=200)
    # The version before this one counts wrong passwords here; they can go when none of those runs.
    wrong_tries: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    forgotten_since: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    times_forgotten: int | None = None
    lock_told_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    first_login_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))

    # What is known.

    def record_fact(self, event: Event, envelope: Envelope) -> None:
        """Record a fact; the same facts in any order end in the same knowledge."""
        self.facts = facts.record(self.facts, event, envelope)
        first = self.heard_at or envelope.time
        self.heard_at = min(first, envelope.time)
        signup = self.signup
        rejected = facts.read(self.facts, SignupRejected)
        if signup is not None:
            self.office_code, self.company = signup.office.code, signup.customer.company
            # A contact that staff corrected is not overwritten: `amend` sets both.
            if not self._amended:
                self.email, self.mobile = signup.customer.email, signup.customer.mobile
        elif rejected is not None:
            self.office_code, self.company = rejected.office_code, rejected.company
        self._refresh()

    @property
    def signup(self) -> SignupAccepted | None:
        """The accepted sign-up."""
        return facts.read(self.facts, SignupAccepted)

    @property
    def released(self) -> bool:
        """Signed and collected, and not taken back."""
        return facts.read(self.facts, CustomerReleased) is not None

    @property
    def withdrawn(self) -> bool:
        """Whether the onboarding has stopped."""
        return facts.read(self.facts, OnboardingWithdrawn) is not None

    @property
    def set_up(self) -> bool:
        """Whether the administration is there and the customer has access to it."""
        created = facts.read(self.facts, AdministrationCreated)
        return created is not None and created.access_granted

    @property
    def order_reference(self) -> str | None:
        """The order's reference, once something said it."""
        sent = facts.read(self.facts, OrderConfirmationSent)
        released = facts.read(self.facts, CustomerReleased)
        latest = sent or released
        return latest.order_reference if latest else None

    @property
    def may_be_sent(self) -> bool:
        """Whether nothing stands in the way of sending credentials."""
        return self.released and self.set_up and not self.withdrawn and self.signup is not None

    @property
    def suspended(self) -> bool:
        """Whether, after credentials were sent, the release was taken back or the customer left."""
        return self.attempt > 0 and not self.may_be_sent

    # Credentials.

    def order(self, channel: str, by: str, now: datetime) -> int:
        """Order credentials; whatever was sent before is void from now on."""
        self.void()
        self.attempt += 1
        self.state, self.channel = SENDING, channel
        self.ordered_by, self.ordered_at, self.sent_at = by, now, None
        self._refresh()
        return self.attempt

    def equip(self, password_hash: str, expires_at: datetime) -> None:
        """Keep the hash of the password that is about to be sent; it replaces any other."""
        self.one_time_hash, self.expires_at = password_hash, expires_at
        # Who is sent another has lost their own, and types what the message says.
        self.own_hash = None
        self.lock_told_at = None

    def equip_beside(self, password_hash: str, expires_at: datetime) -> None:
        """Keep the hash of a password that anybody may have asked for: their own stays good."""
        self.one_time_hash, self.expires_at = password_hash, expires_at

    @property
    def may_forget(self) -> bool:
        """Whether a fresh password may be sent upon a word: their credentials have been before."""
        return self.may_be_sent and self.state == SENT and self.email is not None

    def forget(self, now: datetime) -> bool:
        """Count that a fresh password is asked for; returns whether it may be sent."""
        if not self.may_forget:
            return False
        if self.forgotten_since is None or now - self.forgotten_since >= A_DAY:
            self.forgotten_since, self.times_forgotten = now, 0
        self.times_forgotten = (self.times_forgotten or 0) + 1
        return self.times_forgotten <= FORGOTTEN_A_DAY

    def void(self) -> None:
        """Make a password that was sent worthless; a password of the customer's own stays."""
        self.one_time_hash = self.expires_at = None

    def mark_sent(self, now: datetime) -> None:
        """Record that the message has left."""
        self.state, self.sent_at = SENT, now
        self._refresh()

    def mark_undeliverable(self) -> None:
        """Record that the message could not be delivered; staff may try another way."""
        self.state = UNDELIVERABLE
        self.void()
        self._refresh()

    def amend(self, email: str | None, mobile: str | None) -> None:
        """Correct the contact; what was sent to the old one is void."""
        self.email, self.mobile = email or self.email, mobile or self.mobile
        self.facts = {**self.facts, "amended": {}}
        chosen = self.own_hash is not None
        if self.state == SENDING or (self.state == SENT and not chosen):
            self.void()
            self.state = UNDELIVERABLE
        self._refresh()

    def one_time_is_good(self, now: datetime) -> bool:
        """Whether there is a one-time password that has neither expired nor been made void."""
        if self.one_time_hash is None or self.expires_at is None:
            return False
        return now < self.expires_at

    def can_log_in(self, now: datetime) -> bool:
        """Whether there is a password that would let the customer in, their own or another."""
        return self.own_hash is not None or self.one_time_is_good(now)

    @property
    def has_own_access(self) -> bool:
        """Whether they have logged in, and have a password of their own.

        Another that is sent to them voids it; one that does not arrive leaves them without any.
        """
        return self.first_login_at is not None and self.own_hash is not None

    def record_login(self, now: datetime) -> bool:
        """Record a log-in; returns whether it was the first."""
        self.lock_told_at = None
        first = self.first_login_at is None
        if first:
            self.first_login_at = now
        self._refresh()
        return first

    def choose(self, password_hash: str) -> None:
        """Keep the hash of a password of the customer's own; the one-time one is gone."""
        self.own_hash = password_hash
        self.void()

    @property
    def _amended(self) -> bool:
        return "amended" in self.facts

    def _refresh(self) -> None:
        waiting = self.state in (None, UNDELIVERABLE)
        self.ready = self.may_be_sent and waiting and not self.has_own_access
