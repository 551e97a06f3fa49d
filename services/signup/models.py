"""Offices and sign-ups, how far each sign-up has come, and how many came within an hour."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, Column, Index, MetaData, false
from sqlmodel import Field

from shared.base.errors import Conflict
from shared.base.text import comparable
from shared.events import (
    CustomerContactChanged,
    RegistrationCompleted,
    SignupAccepted,
    shapes,
)
from shared.persistence.entity import Entity, moment

PENDING = "unheard"
"""Something else about this onboarding was heard first."""
REJECTED = "rejected"
ACCEPTED = "accepted"
DECLINED = "declined"
WITHDRAWN = "withdrawn"
COMPLETED = "completed"

HOUR = timedelta(hours=1)
LINK_PAUSE = timedelta(minutes=10)
"""Between two new links that are sent because somebody asked for them."""
RECIPIENT_DIGITS = 4
"""Of the fingerprint of a recipient: 65,536 are told apart."""


class SignupTable(Entity):
    """The base of this service's own tables."""

    metadata = MetaData()


class Office(SignupTable, table=True):
    """An accounting office whose clients sign up.

    `pays_for_customers` says whether it pays for them at all, `pays_unseen` whether nobody need
    look first; `told` makes one word of the two. The version before this one knows the first alone.
    `sites` are the origins of the pages that may show its sign-up form in a frame.
    """

    __tablename__ = "office"

    code: str = Field(primary_key=True, max_length=35)
    name: str = Field(max_length=200)
    email: str = Field(max_length=200)
    phone: str | None = Field(default=None, max_length=40)
    language: str = Field(default="nl", max_length=2)
    review: str = Field(default="flagged", max_length=10)
    base_administration: str = Field(default="standard", max_length=35)
    pays_for_customers: bool = False
    pays_unseen: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    color: str | None = Field(default=None, max_length=7)
    sites: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))

    @classmethod
    def of(cls, **told: Any) -> "Office":
        """An office of which this is told."""
        return cls(**_as_kept(told))

    def change(self, **told: Any) -> None:
        """Keep what is told of it now."""
        for name, value in _as_kept(told).items():
            setattr(self, name, value)

    def told(self) -> dict[str, Any]:
        """What is known of it, as people tell it: how it pays is no, review or yes."""
        return self.model_dump(exclude={"pays_unseen"}) | {"pays_for_customers": self.how_it_pays}

    @property
    def how_it_pays(self) -> str:
        """Whether it pays for its customers: no, when a person has looked (review), or yes."""
        if not self.pays_for_customers:
            return "no"
        return "yes" if self.pays_unseen else "review"

    def public(self) -> shapes.Office:
        """What other services need of the office."""
        return shapes.Office.model_validate(self.model_dump())


def _as_kept(told: Mapping[str, Any]) -> dict[str, Any]:
    if "pays_for_customers" not in told:
        return dict(told)
    word = told["pays_for_customers"]
    return {**told, "pays_for_customers": word != "no", "pays_unseen": word == "yes"}


class Signup(SignupTable, table=True):
    """One sign-up. `digest` is a fingerprint of what was submitted, to tell a repeat.

    `accepted` is the sign-up as it was accepted, `registered` what the office has registered
    instead, `contact` what the customer is reached by since. Links of the customer hold when they
    were issued at `links_from` or later; `link_sent_at` is when they last asked for a new one.
    """

    __tablename__ = "signup"
    __table_args__ = (
        Index("signup_kvk", "kvk"),
        Index("signup_company", "company_key"),
        Index("signup_customer_number", "customer_number"),
    )

    onboarding_id: str = Field(primary_key=True, max_length=36)
    status: str = Field(default=PENDING, max_length=12)
    digest: str | None = Field(default=None, max_length=64)
    reference: str | None = Field(default=None, max_length=35, unique=True)
    customer_number: str | None = Field(default=None, max_length=35)
    office_code: str | None = Field(default=None, max_length=35)
    package_code: str | None = Field(default=None, max_length=35)
    kvk: str | None = Field(default=None, max_length=8)
    company_key: str | None = Field(default=None, max_length=420)
    accepted: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    registered: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    contact: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    submitted_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    activated_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    logged_in_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    stopped_by: str | None = Field(default=None, max_length=120)
    links_from: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    link_sent_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))

    @property
    def open(self) -> bool:
        """Whether the customer is still on their way: neither stopped nor logged in."""
        return self.status == ACCEPTED

    @property
    def contents_are_final(self) -> bool:
        """Whether what was signed up for is known, so that nothing may take its place."""
        return self.status not in (PENDING, REJECTED)

    @property
    def unreviewed(self) -> frozenset[str]:
        """The codes of its warnings, as long as nobody has registered it."""
        if self.registered is not None:
            return frozenset()
        return frozenset(warning["code"] for warning in (self.accepted or {}).get("warnings", ()))

    def belongs_to_another(self, office_code: str) -> bool:
        """Whether another office has submitted under this id before."""
        return self.office_code not in (None, office_code)

    def accept(self, event: SignupAccepted, digest: str, now: datetime) -> None:
        """Keep a sign-up that is in order."""
        self.digest, self.submitted_at = digest, now
        self.reference = event.reference
        self.office_code = event.office.code
        self.accepted = event.model_dump(mode="json", exclude_none=True)
        self.status = COMPLETED if self.logged_in_at else ACCEPTED
        self._know_again()

    def reject(self, office_code: str | None, digest: str, now: datetime) -> None:
        """Refuse the sign-up as it is; a corrected one of the same office may take its place."""
        self.office_code = office_code or self.office_code
        self.digest, self.submitted_at, self.status = digest, now, REJECTED

    def register(self, event: RegistrationCompleted) -> None:
        """Take what the office has registered, which it may have corrected."""
        parts = {"customer", "package", "payer"}
        self.registered = event.model_dump(mode="json", exclude_none=True, include=parts)
        self.customer_number = event.customer_number
        self._know_again()

    def change_contact(self, event: CustomerContactChanged, order: tuple[str, str]) -> None:
        """Take where the customer is reached now.

        Of two changes of one field the later holds, by time and id, in whatever order they come.
        """
        contact = dict(self.contact or {})
        for name, value in event.model_dump(exclude_none=True).items():
            if [*order] > contact.get(name, [])[:2]:
                contact[name] = [*order, value]
        if not contact:
            return  # Nothing was changed.
        self.contact = contact
        self.void_links(max(datetime.fromisoformat(entry[0]) for entry in contact.values()))
        self._know_again()

    def void_links(self, at: datetime) -> None:
        """Have links of before this moment hold no longer, to whomever they went."""
        self.links_from = max(self.links_from or at, at)

    def take_request_for_link(self, now: datetime) -> bool:
        """Note that the customer asked for a new link; whether one may be sent by now."""
        if self.status not in (ACCEPTED, COMPLETED):
            return False
        if self.link_sent_at is not None and now - self.link_sent_at < LINK_PAUSE:
            return False
        self.link_sent_at = now
        return True

    def _know_again(self) -> None:
        """By what a second sign-up of the same company is recognised."""
        if self.accepted is None:
            return
        known = self._known()
        customer = known["customer"]
        self.package_code, self.kvk = known["package"]["code"], customer.get("kvk")
        self.company_key = company_key(customer["company"], customer["email"])

    def decline(self) -> bool:
        """Close the sign-up: the office said no. Returns whether that is news."""
        if self.status in (WITHDRAWN, DECLINED):
            return False
        self.status = DECLINED
        return True

    def withdraw(self, by: str, now: datetime) -> None:
        """Stop the onboarding; links of before hold no longer.

        Raises:
            Conflict: there is nothing left to stop.
        """
        if self.status not in (ACCEPTED, COMPLETED):
            raise Conflict(
                "not_open",
                f"This onboarding cannot be withdrawn: it is {self.status}.",
                extra={"state": self.status},
            )
        self.status, self.stopped_by = WITHDRAWN, by
        self.void_links(now)

    def record_login(self, at: datetime) -> None:
        """Complete the onboarding: the customer works with the package."""
        self.logged_in_at = at
        if self.status == ACCEPTED:
            self.status = COMPLETED

    def acceptance(self) -> SignupAccepted:
        """What was said when it was accepted, with what is known better since."""
        return SignupAccepted.model_validate(self._known())

    def _known(self) -> dict[str, Any]:
        known = (self.accepted or {}) | (self.registered or {})
        contact = {name: entry[-1] for name, entry in (self.contact or {}).items()}
        return known | {"customer": known.get("customer", {}) | contact}


class SignupCount(SignupTable, table=True):
    """How many sign-ups came for one recipient or one office since an hour began.

    Recipients are known by a part of a fingerprint alone.
    """

    __tablename__ = "signup_count"

    key: str = Field(primary_key=True, max_length=80)
    began_at: datetime = Field(sa_column=moment())
    signups: int = 0

    def count(self, now: datetime) -> int:
        """Count one more; returns how many there are in the hour that is under way."""
        if now - self.began_at >= HOUR:
            self.began_at, self.signups = now, 0
        self.signups += 1
        return self.signups


def company_key(company: str, email: str) -> str:
    """By which two sign-ups of one company are recognised when no KvK number tells."""
    return f"{comparable(company)}/{comparable(email)}"[:420]


def recipient_key(email: str) -> str:
    """By which sign-ups for one mailbox are counted; a tag after a plus is the same mailbox.

    It is the beginning of a fingerprint: too little to tell who it was, or to fill a table, and
    enough that two mailboxes hardly ever share a full hour.
    """
    local, _, domain = comparable(email).rpartition("@")
    mailbox = f"{local.partition('+')[0]}@{domain}"
    return f"recipient/{sha256(mailbox.encode()).hexdigest()[:RECIPIENT_DIGITS]}"


def office_key(code: str) -> str:
    """By which sign-ups for one office are counted; those for unknown ones are counted together."""
    return f"office/{code}"
