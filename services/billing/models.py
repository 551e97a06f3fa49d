"""Orders and mandates, and the moves that are legal between their states."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from services.billing.agreed import Agreed
from services.billing.collections import Collection, Standing, standing_of
from services.billing.tables import BillingTable
from shared.base.errors import Conflict, Reject
from shared.events import MandateDetails, OrderConfirmationSigned, RegistrationCompleted
from shared.events.billing import Scheme, SignatureMethod
from shared.persistence.entity import index_of, moment


class Order(BillingTable, table=True):
    """What one customer ordered, whether it was signed, and whether he is released.

    Facts come in any order: a withdrawal may be heard before the order exists, money before the
    signature. `standing` follows from the facts; `revision` counts them.
    """

    __tablename__ = "customer_order"
    __table_args__ = (index_of("signed_on IS NULL", "order_unsigned", "mandate_key"),)

    onboarding_id: str = Field(primary_key=True, max_length=36)
    reference: str | None = Field(default=None, max_length=35, unique=True)
    office_code: str | None = Field(default=None, max_length=35)
    registered: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    agreed: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    amount_cents: int = 0
    currency: str = Field(default="EUR", max_length=3)
    placed_on: date | None = None
    mandate_key: str | None = Field(default=None, max_length=120)
    covered_since: date | None = None
    signed_on: date | None = None
    signature_method: str | None = Field(default=None, max_length=20)
    signed_by: str | None = Field(default=None, max_length=200)
    received_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    withdrawn: bool = False
    standing: str = Field(default=Standing.OPEN.value, max_length=12)
    revision: int = 0

    @property
    def placed(self) -> bool:
        """Whether the registration is here; before that only stray facts are."""
        return self.reference is not None

    @property
    def signed(self) -> bool:
        """Whether the confirmation came back, signed."""
        return self.signed_on is not None

    @property
    def released(self) -> bool:
        """Whether the office may activate the customer."""
        return self.standing == Standing.RELEASED.value

    def registration(self) -> RegistrationCompleted:
        """The registration that led to the order."""
        return RegistrationCompleted.model_validate(self.registered)

    def terms(self) -> Agreed | None:
        """What was agreed with it; None for an order from before this was kept."""
        return None if self.agreed is None else Agreed.model_validate(self.agreed)

    def place(
        self,
        event: RegistrationCompleted,
        reference: str,
        agreed: Agreed,
        mandate: "Mandate",
        placed_on: date,
    ) -> None:
        """Turn the registration into an order."""
        self.reference, self.office_code = reference, event.office.code
        self.registered = event.model_dump(mode="json", exclude_none=True)
        self.agreed = agreed.model_dump(mode="json", exclude_none=True)
        self.amount_cents, self.currency = agreed.quote.gross_cents, agreed.quote.currency
        self.mandate_key, self.placed_on = mandate.key, placed_on
        # Signed before: this payer need not sign again.
        self.covered_since = mandate.signed_on if mandate.active else None

    def require_same(self, event: RegistrationCompleted) -> None:
        """A registration that is told again must be the one that led to the order.

        Raises:
            Reject: it has other contents.
        """
        if event != self.registration():
            raise Reject(f"order {self.reference} was placed upon a registration of other contents")

    def sign(
        self, method: SignatureMethod, signed_on: date, signed_by: str | None, now: datetime
    ) -> OrderConfirmationSigned:
        """The confirmation came back, signed.

        Raises:
            Conflict: the order was withdrawn.
        """
        if self.withdrawn:
            raise Conflict("order_withdrawn", "This order was withdrawn; it cannot be signed.")
        self.signature_method, self.signed_on, self.signed_by = method, signed_on, signed_by
        self.received_at = now
        self.revision += 1
        return OrderConfirmationSigned(
            order_reference=self.reference or "",
            method=method,
            signed_on=signed_on,
            received_at=now,
        )

    def withdraw(self) -> bool:
        """The onboarding stopped; False when that was known."""
        if self.withdrawn:
            return False
        self.withdrawn = True
        self.revision += 1
        return True

    def judge(self, collections: "list[Collection]") -> Standing | None:
        """Derive the standing anew; returns it when it has changed."""
        standing = standing_of(collections, signed=self.signed, withdrawn=self.withdrawn)
        if standing.value == self.standing:
            return None
        self.standing = standing.value
        return standing


class Mandate(BillingTable, table=True):
    """A payer's permission to collect: one for each order, or one for all that an office pays."""

    __tablename__ = "mandate"

    key: str = Field(primary_key=True, max_length=120)
    reference: str = Field(max_length=35, unique=True)
    scheme: str = Field(max_length=4)
    iban: str | None = Field(default=None, max_length=34)
    account_holder: str | None = Field(default=None, max_length=200)
    signed_on: date | None = None

    @property
    def active(self) -> bool:
        """Whether KING may collect under it."""
        return self.signed_on is not None and self.iban is not None

    def sign(self, signed_on: date, iban: str, account_holder: str) -> None:
        """The payer has signed it, for this account."""
        self.signed_on, self.iban, self.account_holder = signed_on, iban, account_holder

    def details(self, creditor_id: str) -> MandateDetails:
        """What KING's bank file needs of it.

        Raises:
            Conflict: it is not signed, or has no account yet.
        """
        if self.signed_on is None or self.iban is None:
            raise Conflict("mandate_unsigned", "This mandate is not signed yet.")
        scheme: Scheme = "B2B" if self.scheme == "B2B" else "CORE"
        return MandateDetails(
            reference=self.reference,
            scheme=scheme,
            signed_on=self.signed_on,
            creditor_id=creditor_id,
            iban=self.iban,
            account_holder=self.account_holder or "",
        )


class UnmatchedResult(BillingTable, table=True):
    """What KING reported of an order that is not known: kept until the order appears."""

    __tablename__ = "unmatched_result"
    __table_args__ = (Index("unmatched_list", "open", "received_at", "id"),)

    id: str = Field(primary_key=True, max_length=36)
    open: int = 1
    order_reference: str = Field(max_length=35)
    end_to_end_id: str = Field(max_length=35)
    result: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    received_at: datetime = Field(sa_column=moment())
    decision: str | None = Field(default=None, max_length=300)
