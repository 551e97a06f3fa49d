"""One customer as activation sees them: what is known, and their credentials."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import JSON, Column, MetaData
from sqlmodel import Field

from services.activation import facts, states
from services.activation.checklist import waits_for
from services.activation.facts import Facts
from services.activation.known import Known
from services.activation.lists import LISTS
from shared.events import (
    CustomerContactChanged,
    Event,
    RegistrationCompleted,
    SignupAccepted,
    SignupRejected,
)
from shared.events.envelope import Envelope
from shared.persistence.entity import Entity, moment

SENDING = states.SENDING
SENT = states.SENT
UNDELIVERABLE = states.UNDELIVERABLE

TELL_WHO = (SignupAccepted, SignupRejected, RegistrationCompleted)
"""What tells who the customer is, and how they are reached."""
BEFORE_ANY_END = datetime.min.replace(tzinfo=UTC)
"""A moment at which every password that is there is good: `lapse` takes those that have ended."""

FORGOTTEN_A_DAY = 3
A_DAY = timedelta(days=1)


class ActivationTable(Entity):
    """The base of this service's own tables."""

    metadata = MetaData()


class Activation(Known, ActivationTable, table=True):
    """What is known of one onboarding, and the credentials of its customer.

    `attempt` counts how often credentials were ordered; only the latest may become valid. The
    password exists here as an argon2 hash alone. `step`, `actor`, `blocker` and `since` are where
    the checklist stands, who must act, upon what, and since when, for whoever looks for such
    customers; `blocker` is None in a row of a version that did not keep it, else perhaps empty.
    """

    __tablename__ = "activation"
    __table_args__ = LISTS

    onboarding_id: str = Field(primary_key=True, max_length=36)
    facts: Facts = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    office_code: str | None = Field(default=None, max_length=35)
    company: str | None = Field(default=None, max_length=200)
    heard_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    ready: bool = False
    step: str | None = Field(default=None, max_length=12)
    actor: str | None = Field(default=None, max_length=8)
    blocker: str | None = Field(default=None, max_length=24)
    since: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    reference: str | None = Field(default=None, max_length=35)
    order_reference: str | None = Field(default=None, max_length=35)
    customer_number: str | None = Field(default=None, max_length=35)
    administration_number: str | None = Field(default=None, max_length=35)
    email: str | None = Field(default=None, max_length=320)
    mobile: str | None = Field(default=None, max_length=20)
    contact_changed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))

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
    recovery_hash: str | None = Field(default=None, max_length=200)
    recovery_expires_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
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
        self.heard_at = min(self.heard_at or envelope.time, envelope.time)
        if isinstance(event, TELL_WHO):
            self._take_customer()
        self.catch_up()

    def told_anew(self, event: Event) -> bool:
        """Whether this event may tell who the customer is otherwise than is known."""
        if not isinstance(event, RegistrationCompleted):
            return isinstance(event, TELL_WHO)
        known = facts.customer_signed_up(self.facts)
        return known != event.customer.model_dump(mode="json", exclude_none=True)

    def catch_up(self) -> None:
        """Bring what is found by columns into line with the facts."""
        for column, reference in facts.references(self.facts).items():
            if getattr(self, column) != reference:
                setattr(self, column, reference)
        self._refresh()

    def _take_customer(self) -> None:
        signup, rejected = self.signup, facts.read(self.facts, SignupRejected)
        if signup is not None:
            self.office_code, self.company = signup.office.code, signup.customer.company
            # What staff corrected of the contact is not overwritten.
            for name in {"email", "mobile"} - self._amended:
                setattr(self, name, getattr(signup.customer, name))
        elif rejected is not None:
            self.office_code, self.company = rejected.office_code, rejected.company

    @property
    def signup(self) -> SignupAccepted | None:
        """The accepted sign-up, as it was registered: the office may have corrected it."""
        accepted = facts.read(self.facts, SignupAccepted)
        registered = facts.read(self.facts, RegistrationCompleted)
        if accepted is None or registered is None:
            return accepted
        names = ("customer", "package", "payer")
        return accepted.model_copy(update={name: getattr(registered, name) for name in names})

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
        """Keep the hash of a password that anybody may have asked for: the others stay good."""
        self.recovery_hash, self.recovery_expires_at = password_hash, expires_at

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
        self.recovery_hash = self.recovery_expires_at = None
        self._refresh()

    def mark_sent(self, now: datetime) -> None:
        """Record that the message has left."""
        self.state, self.sent_at = SENT, now
        self._refresh()

    def mark_undeliverable(self) -> None:
        """Record that the message could not be delivered; staff may try another way."""
        self.state = UNDELIVERABLE
        self.void()

    def amend(
        self, email: str | None, mobile: str | None, now: datetime
    ) -> CustomerContactChanged | None:
        """Correct the contact; what was sent to the old one is void.

        Returns what has changed; None when it was like that before.
        """
        present = {"email": self.email, "mobile": self.mobile}
        asked = {"email": email or self.email, "mobile": mobile or self.mobile}
        changed = {name: value for name, value in asked.items() if value != present[name]}
        if not changed:
            return None
        self.email, self.mobile = asked["email"], asked["mobile"]
        amended = dict.fromkeys(sorted(self._amended | changed.keys()), True)
        self.facts, self.contact_changed_at = {**self.facts, "amended": amended}, now
        self.void()
        if self.state == SENDING or (self.state == SENT and self.own_hash is None):
            self.state = UNDELIVERABLE
        self._refresh()
        return CustomerContactChanged(**changed)

    def lapse(self) -> None:
        """Take note that the one-time password has ended; when, stays known."""
        self.one_time_hash = None
        self._refresh()

    def recovery_is_good(self, now: datetime) -> bool:
        """Whether there is a password that was asked for, neither expired nor made void."""
        ends = self.recovery_expires_at
        return self.recovery_hash is not None and ends is not None and now < ends

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
    def _amended(self) -> set[str]:
        """What staff corrected of the contact; an earlier version did not say, and meant both."""
        amended = self.facts.get("amended")
        return set() if amended is None else set(amended or ("email", "mobile"))

    def _refresh(self) -> None:
        waiting = self.state in (None, UNDELIVERABLE)
        self.ready = self.may_be_sent and waiting and not self.has_own_access
        step, blocker = waits_for(self, BEFORE_ANY_END)
        standing = (
            (step, blocker.actor, blocker.code, blocker.since or self.heard_at)
            if blocker
            else (step, "nobody", "", None)
        )
        if (self.step, self.actor, self.blocker, self.since) != standing:
            self.step, self.actor, self.blocker, self.since = standing
