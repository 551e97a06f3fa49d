"""What registration answers over HTTP."""

from datetime import datetime

from pydantic import BaseModel

from services.registration.charts import LedgerAccount
from services.registration.models import Registration
from shared.events.shapes import Channel, Customer, Office, Package, Payer, PayerKind, Warning
from shared.host.requests import RecordedAct


class RegistrationAnswer(BaseModel):
    """A registration as the office sees it in a list."""

    onboarding_id: str
    status: str
    reference: str
    office_code: str | None
    company: str
    kvk: str | None
    package: Package
    payer: str
    warnings: tuple[Warning, ...]
    customer_number: str | None
    administration_number: str | None
    administration_error: str | None
    since: datetime | None

    @classmethod
    def of(cls, registration: Registration) -> "RegistrationAnswer":
        """What is shown of this registration; its sign-up has been heard."""
        signup = registration.signup()
        return cls(
            onboarding_id=registration.onboarding_id,
            status=registration.status,
            reference=signup.reference,
            office_code=registration.office_code,
            company=signup.customer.company,
            kvk=signup.customer.kvk,
            package=signup.package,
            payer=signup.payer.kind,
            warnings=signup.warnings,
            customer_number=registration.customer_number,
            administration_number=registration.administration_number,
            administration_error=registration.administration_error,
            since=registration.heard_at,
        )


class PayerAnswer(BaseModel):
    """Who pays; their IBAN in full is for KING alone, an office sees how it ends."""

    kind: PayerKind
    name: str | None
    email: str | None
    iban: str | None
    iban_ends_with: str | None
    account_holder: str | None

    @classmethod
    def of(cls, payer: Payer, *, whole: bool) -> "PayerAnswer":
        """What is shown of a payer: the `whole` account number, or its last four."""
        return cls(
            kind=payer.kind,
            name=payer.name,
            email=payer.email,
            iban=payer.iban if whole else None,
            iban_ends_with=(payer.iban or "")[-4:] or None,
            account_holder=payer.account_holder,
        )


class RegistrationDetail(BaseModel):
    """Everything that a customer was signed up with, as corrected, and what was decided."""

    onboarding_id: str
    status: str
    reference: str
    office_code: str | None
    office: Office
    customer: Customer
    package: Package
    payer: PayerAnswer
    preferred_channel: Channel
    warnings: tuple[Warning, ...]
    since: datetime | None
    corrected_by: str | None
    corrected_at: datetime | None
    decided_by: str | None
    customer_number: str | None
    administration_number: str | None
    administration_error: str | None
    acts: list[RecordedAct]

    @classmethod
    def of(
        cls, registration: Registration, acts: list[RecordedAct], *, whole: bool
    ) -> "RegistrationDetail":
        """All of this registration; its sign-up has been heard."""
        signup = registration.signup()
        return cls(
            onboarding_id=registration.onboarding_id,
            status=registration.status,
            reference=signup.reference,
            office_code=registration.office_code,
            office=signup.office,
            customer=signup.customer,
            package=signup.package,
            payer=PayerAnswer.of(signup.payer, whole=whole),
            preferred_channel=signup.preferred_channel,
            warnings=signup.warnings,
            since=registration.heard_at,
            corrected_by=registration.corrected_by,
            corrected_at=registration.corrected_at,
            decided_by=registration.decided_by,
            customer_number=registration.customer_number,
            administration_number=registration.administration_number,
            administration_error=registration.administration_error,
            acts=acts,
        )


class CopyAnswer(BaseModel):
    """What came of asking for an administration: it, or why there is none."""

    onboarding_id: str
    administration_number: str | None
    name: str | None
    copied_from: str | None
    administration_error: str | None

    @classmethod
    def of(cls, registration: Registration) -> "CopyAnswer":
        """What is recorded of a customer's administration."""
        return cls(
            onboarding_id=registration.onboarding_id,
            administration_number=registration.administration_number,
            name=registration.administration_name,
            copied_from=registration.copied_from,
            administration_error=registration.administration_error,
        )


class AdministrationAnswer(BaseModel):
    """A customer's administration with its chart of accounts."""

    administration_number: str
    name: str | None
    copied_from: str | None
    accounts: list[LedgerAccount]


class BaseAnswer(BaseModel):
    """A base administration that was put, and how many accounts it has."""

    code: str
    name: str
    accounts: int
