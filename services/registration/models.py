"""A registration, its states and legal moves; base administrations and their charts."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, MetaData
from sqlmodel import Field

from shared.base.errors import Conflict, Reject
from shared.events import AdministrationCreated, RegistrationCompleted, SignupAccepted
from shared.persistence.entity import Entity, moment

PENDING = "unheard"
"""Something else about this onboarding was heard first; the sign-up itself is still on its way."""
REVIEW = "review"
REGISTERED = "registered"
DECLINED = "declined"
WITHDRAWN = "withdrawn"


class RegistrationTable(Entity):
    """The base of this service's own tables."""

    metadata = MetaData()


class Registration(RegistrationTable, table=True):
    """One customer's way from accepted sign-up to registered customer with an administration.

    `accepted` is the sign-up as it was heard; `corrected` what the office put in the place of its
    customer, package and payer before it decided.
    """

    __tablename__ = "registration"
    __table_args__ = (
        Index("registration_list", "status", "heard_at", "onboarding_id"),
        Index("registration_office", "office_code", "status", "heard_at", "onboarding_id"),
        Index("registration_reference", "reference"),
        Index("registration_customer_number", "customer_number"),
        Index("registration_administration", "administration_number"),
    )

    onboarding_id: str = Field(primary_key=True, max_length=36)
    status: str = Field(default=PENDING, max_length=12)
    office_code: str | None = Field(default=None, max_length=35)
    reference: str | None = Field(default=None, max_length=35)
    accepted: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    corrected: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    corrected_by: str | None = Field(default=None, max_length=120)
    corrected_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    heard_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    decided_by: str | None = Field(default=None, max_length=120)
    customer_number: str | None = Field(default=None, max_length=35)
    administration_number: str | None = Field(default=None, max_length=35)
    administration_name: str | None = Field(default=None, max_length=200)
    copied_from: str | None = Field(default=None, max_length=35)
    chart_id: str | None = Field(default=None, max_length=64)
    administration_error: str | None = Field(default=None, max_length=200)

    def signup(self) -> SignupAccepted:
        """The sign-up as it was accepted, with what the office has corrected.

        Raises:
            Conflict: it has not been heard yet.
        """
        if self.accepted is None:
            raise Conflict("not_signed_up", "The sign-up of this customer is not here yet.")
        return SignupAccepted.model_validate({**self.accepted, **(self.corrected or {})})

    def record_signup(self, signup: SignupAccepted, now: datetime) -> None:
        """Keep the sign-up; it waits for review until somebody, or the policy, decides."""
        self.accepted = signup.model_dump(mode="json", exclude_none=True)
        self.office_code, self.reference = signup.office.code, signup.reference
        self.heard_at = now
        if self.status == PENDING:
            self.status = REVIEW

    def require_same_contents(self, signup: SignupAccepted) -> None:
        """Refuse a sign-up that is told again with other contents.

        Raises:
            Reject: it is not the one that was heard.
        """
        if signup != SignupAccepted.model_validate(self.accepted):
            raise Reject("this onboarding id already belongs to a sign-up with other contents")

    def correct(self, signup: SignupAccepted, by: str, now: datetime) -> None:
        """Put a corrected customer, package and payer in the place of those that came.

        Raises:
            Conflict: this was decided before.
        """
        self.require_undecided()
        self.corrected = signup.model_dump(
            mode="json", include={"customer", "package", "payer"}, exclude_none=True
        )
        self.corrected_by, self.corrected_at = by, now

    def register(
        self, signup: SignupAccepted, customer_number: str, by: str
    ) -> RegistrationCompleted:
        """Register the customer with the vendor, as they signed up and were corrected.

        Raises:
            Conflict: this was decided before.
        """
        self.require_undecided()
        self.status, self.customer_number, self.decided_by = REGISTERED, customer_number, by
        return RegistrationCompleted(
            customer_number=customer_number,
            office=signup.office,
            customer=signup.customer,
            package=signup.package,
            payer=signup.payer,
        )

    def decline(self, by: str) -> None:
        """Say no to the sign-up.

        Raises:
            Conflict: this was decided before.
        """
        self.require_undecided()
        self.signup()
        self.status, self.decided_by = DECLINED, by

    def withdraw(self) -> None:
        """Stop the onboarding, whatever came of it; late events change nothing more."""
        self.status = WITHDRAWN

    def set_up(self, number: str, name: str, base: "BaseAdministration") -> AdministrationCreated:
        """Copy a base administration, with its chart, and give the customer access to it.

        The copy is by reference: a chart never changes, a changed base refers to a new one.
        """
        self.administration_number, self.administration_name = number, name
        self.copied_from, self.chart_id, self.administration_error = base.code, base.chart_id, None
        return AdministrationCreated(
            administration_number=number, name=name, copied_from=base.code, access_granted=True
        )

    def is_set_up_from(self, chosen: str | None) -> bool:
        """Whether the administration is there, and is a copy of this base, or of any at all."""
        present = self.administration_number is not None
        return present and chosen in (None, self.copied_from)

    def require_undecided(self) -> None:
        """Refuse what is only for a sign-up that still waits for somebody's decision.

        Raises:
            Conflict: this was decided before; it says how, and by whom.
        """
        if self.status in (REGISTERED, DECLINED, WITHDRAWN):
            raise Conflict(
                "already_decided",
                f"This sign-up was decided before: it is {self.status}.",
                extra={"state": self.status, "decided_by": self.decided_by},
            )


class Chart(RegistrationTable, table=True):
    """A chart of accounts, named by a fingerprint of its contents; it never changes."""

    __tablename__ = "chart"

    id: str = Field(primary_key=True, max_length=64)
    accounts: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))


class BaseAdministration(RegistrationTable, table=True):
    """An administration made to be copied; without an office it is there for all of them."""

    __tablename__ = "base_administration"

    key: str = Field(primary_key=True, max_length=80)
    code: str = Field(max_length=35)
    office_code: str = Field(default="", max_length=35)
    name: str = Field(max_length=200)
    chart_id: str = Field(max_length=64)


def base_key(office_code: str, code: str) -> str:
    """The key of an office's base administration, or of one for all offices when it is empty."""
    return f"{office_code}/{code}"
