"""Offices and sign-ups, and how far each sign-up has come."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, MetaData
from sqlmodel import Field

from shared.base.errors import Conflict
from shared.events import SignupAccepted, shapes
from shared.persistence.entity import Entity, moment

PENDING = "unheard"
"""Something else about this onboarding was heard first."""
REJECTED = "rejected"
ACCEPTED = "accepted"
DECLINED = "declined"
WITHDRAWN = "withdrawn"
COMPLETED = "completed"


class SignupTable(Entity):
    """The base of this service's own tables."""

    metadata = MetaData()


class Office(SignupTable, table=True):
    """An accounting office whose clients sign up."""

    __tablename__ = "office"

    code: str = Field(primary_key=True, max_length=35)
    name: str = Field(max_length=200)
    email: str = Field(max_length=200)
    phone: str | None = Field(default=None, max_length=40)
    language: str = Field(default="nl", max_length=2)
    review: str = Field(default="flagged", max_length=10)
    base_administration: str = Field(default="standard", max_length=35)
    pays_for_customers: bool = False

    def public(self) -> shapes.Office:
        """What other services need of the office."""
        return shapes.Office.model_validate(self.model_dump(exclude={"pays_for_customers"}))


class Signup(SignupTable, table=True):
    """One sign-up. `digest` is a fingerprint of what was submitted, to tell a repeat."""

    __tablename__ = "signup"
    __table_args__ = (
        Index("signup_kvk", "kvk"),
        Index("signup_company", "company_key"),
    )

    onboarding_id: str = Field(primary_key=True, max_length=36)
    status: str = Field(default=PENDING, max_length=12)
    digest: str | None = Field(default=None, max_length=64)
    reference: str | None = Field(default=None, max_length=35, unique=True)
    office_code: str | None = Field(default=None, max_length=35)
    package_code: str | None = Field(default=None, max_length=35)
    kvk: str | None = Field(default=None, max_length=8)
    company_key: str | None = Field(default=None, max_length=420)
    accepted: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    submitted_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    activated_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    logged_in_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    stopped_by: str | None = Field(default=None, max_length=120)

    @property
    def open(self) -> bool:
        """Whether the customer is still on their way: neither stopped nor logged in."""
        return self.status == ACCEPTED

    @property
    def contents_are_final(self) -> bool:
        """Whether what was signed up for is known, so that nothing may take its place."""
        return self.status not in (PENDING, REJECTED)

    def accept(self, event: SignupAccepted, digest: str, now: datetime) -> None:
        """Keep a sign-up that is in order."""
        self.digest, self.submitted_at = digest, now
        self.reference = event.reference
        self.office_code = event.office.code
        self.package_code = event.package.code
        self.kvk = event.customer.kvk
        self.company_key = company_key(event.customer.company, event.customer.email)
        self.accepted = event.model_dump(mode="json", exclude_none=True)
        self.status = COMPLETED if self.logged_in_at else ACCEPTED

    def reject(self, digest: str, now: datetime, office_code: str | None) -> None:
        """Refuse the sign-up as it is; a corrected one of the same office may take its place."""
        self.digest, self.submitted_at, self.status = digest, now, REJECTED
        self.office_code = office_code

    def decline(self) -> None:
        """Close the sign-up: the office said no."""
        if self.status != WITHDRAWN:
            self.status = DECLINED

    def withdraw(self, by: str) -> None:
        """Stop the onboarding.

        Raises:
            Conflict: there is nothing left to stop.
        """
        if self.status not in (ACCEPTED, COMPLETED):
            raise Conflict(
                "not_open",
                f"This onboarding cannot be withdrawn: it is {self.status}.",
                extra={"status": self.status},
            )
        self.status, self.stopped_by = WITHDRAWN, by

    def record_login(self, at: datetime) -> None:
        """Complete the onboarding: the customer works with the package."""
        self.logged_in_at = at
        if self.status == ACCEPTED:
            self.status = COMPLETED

    def acceptance(self) -> SignupAccepted:
        """What was said when it was accepted."""
        return SignupAccepted.model_validate(self.accepted)


def company_key(company: str, email: str) -> str:
    """By which two sign-ups of one company are recognised when no KvK number tells."""
    return f"{' '.join(company.casefold().split())}/{email.casefold()}"[:420]
