"""Orders, and the moves that are legal between their states."""

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import JSON, Column, Index, String
from sqlmodel import Field

from services.billing.models.collection import Collection
from services.billing.models.mandate import Mandate
from services.billing.models.table import BillingTable
from services.billing.models.terms import OrderTerms
from shared.base.errors import Conflict, Reject
from shared.events import (
    OrderConfirmationSigned,
    OrderSignatureWithdrawn,
    RegistrationCompleted,
)
from shared.events.billing import SignatureMethod
from shared.persistence.entity import moment


class Standing(Enum):
    """How an order stands: its customer is released, was released once, or neither."""

    OPEN = "open"
    RELEASED = "released"
    TAKEN_BACK = "taken_back"


class Stage(Enum):
    """How far an order has come, as its list names it."""

    UNPLACED = "unplaced"
    UNSIGNED = "unsigned"
    SIGNED = "signed"
    RELEASED = "released"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


RELEASED = Standing.RELEASED.value
STAGE_OF_SIGNED = {
    Standing.OPEN.value: Stage.SIGNED.value,
    RELEASED: Stage.RELEASED.value,
    Standing.TAKEN_BACK.value: Stage.SUSPENDED.value,
}
"""How far an order has come that is signed and not withdrawn, by its standing."""

SORTED_TEXT = String(200).with_variant(String(200, collation="C"), "postgresql")
"""Text in the order of its code points on every database, so that a prefix is a range."""


class Order(BillingTable, table=True):
    """What one customer ordered, whether it was signed, and whether the customer is released.

    Facts come in any order: a withdrawal may be heard before the order exists, money before the
    signature. `standing` and `stage` follow from the facts; `revision` counts them.

    `posted_on` is the day on which the payer says that the paper was posted, `returned_at` when
    they last said or sent something, `scan_at` when their last scan came. Of the payer's links
    those from before `links_not_before` are void; `link_sent_at` is when they asked for another.
    """

    __tablename__ = "customer_order"
    __table_args__ = (
        Index("order_mandate", "mandate_key", "signed_on"),
        Index("order_company", "company_key", "reference"),
        Index("order_office_company", "office_code", "company_key", "reference"),
        Index("order_stage", "stage", "company_key", "reference"),
        Index("order_office_stage", "office_code", "stage", "company_key", "reference"),
    )

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
    contact: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    withdrawn: bool = False
    standing: str = Field(default=Standing.OPEN.value, max_length=12)
    revision: int = 0
    stage: str = Field(default=Stage.UNPLACED.value, max_length=12)
    company_key: str = Field(default="", sa_column=Column(SORTED_TEXT, nullable=False))
    posted_on: date | None = None
    returned_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    scan_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    links_not_before: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    link_sent_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))

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
        return self.standing == RELEASED

    def registration(self) -> RegistrationCompleted:
        """The registration that led to the order."""
        return RegistrationCompleted.model_validate(self.registered)

    def reached_now(self) -> RegistrationCompleted:
        """The registration with the address by which the customer is reached since.

        For mails alone: the confirmation keeps what stood in it when it was agreed.
        """
        event = self.registration()
        if self.contact is None:
            return event
        customer = event.customer.model_copy(update={"email": self.contact["email"]})
        return event.model_copy(update={"customer": customer})

    def change_contact(self, email: str, said_at: datetime, event_id: str) -> None:
        """Take where the customer is reached; of two changes the later holds, by time and id."""
        order = [said_at.isoformat(), event_id]
        before = self.contact
        if before is None or order > before["order"]:
            self.contact = {"email": email, "order": order}

    def void_links(self, now: datetime) -> None:
        """Have the payer's links of before open nothing any more."""
        self.links_not_before = max(now, self.links_not_before or now)

    def note_returned(self, now: datetime, *, posted_on: date | None = None) -> None:
        """Keep that the payer has posted the paper, or has sent a scan of it."""
        self.returned_at = now
        if posted_on is None:
            self.scan_at = now
        else:
            self.posted_on = posted_on

    def terms(self) -> OrderTerms | None:
        """What was agreed with it; None for an order from before this was kept."""
        return None if self.agreed is None else OrderTerms.model_validate(self.agreed)

    def place(
        self,
        event: RegistrationCompleted,
        reference: str,
        terms: OrderTerms,
        mandate: Mandate,
        placed_on: date,
    ) -> None:
        """Turn the registration into an order."""
        self.reference, self.office_code = reference, event.office.code
        self.registered = event.model_dump(mode="json", exclude_none=True)
        self.agreed = terms.model_dump(mode="json", exclude_none=True)
        self.amount_cents, self.currency = terms.quote.gross_cents, terms.quote.currency
        self.mandate_key, self.placed_on = mandate.key, placed_on
        # Signed before: this payer need not sign again.
        self.covered_since = mandate.signed_on if mandate.active_on(placed_on) else None
        self.company_key = company_key(event.customer.company)
        self._derive_stage()

    def require_same(self, event: RegistrationCompleted) -> None:
        """Refuse a registration that is told again with other contents.

        Raises:
            Reject: it is not the one that led to the order.
        """
        if event != self.registration():
            raise Reject(f"order {self.reference} was placed upon a registration of other contents")

    def sign(
        self, method: SignatureMethod, signed_on: date, signed_by: str | None, now: datetime
    ) -> OrderConfirmationSigned:
        """Record that the confirmation came back, signed; returns what is to be said of it.

        Raises:
            Conflict: the order was withdrawn.
        """
        if self.withdrawn:
            raise Conflict("order_withdrawn", "This order was withdrawn; it cannot be signed.")
        self.signature_method, self.signed_on, self.signed_by = method, signed_on, signed_by
        self.received_at = now
        self.revision += 1
        self._derive_stage()
        return OrderConfirmationSigned(
            order_reference=self.reference or "",
            method=method,
            signed_on=signed_on,
            received_at=now,
            revision=self.revision,
        )

    def withdraw_signature(self, reason: str) -> OrderSignatureWithdrawn:
        """Record that the signature was a mistake; returns what is to be said of it."""
        self.signature_method = self.signed_on = self.signed_by = self.received_at = None
        self.revision += 1
        self._derive_stage()
        return OrderSignatureWithdrawn(
            order_reference=self.reference or "", reason=reason, revision=self.revision
        )

    def withdraw(self) -> bool:
        """Record that the onboarding stopped; False when that was known."""
        if self.withdrawn:
            return False
        self.withdrawn = True
        self.revision += 1
        self._derive_stage()
        return True

    def derive_standing(self, collections: Iterable[Collection]) -> Standing | None:
        """Derive the standing anew from the facts; returns it when it has changed."""
        standing = self._standing_with(list(collections))
        value = standing.value
        if value == self.standing:
            return None
        self.standing = value
        self._derive_stage()
        return standing

    def _standing_with(self, collections: list[Collection]) -> Standing:
        """Released: signed, the full amount collected and not taken back, not withdrawn."""
        if not self.signed or not any(row.ever_succeeded for row in collections):
            return Standing.OPEN
        if not self.withdrawn and any(row.paid for row in collections):
            return Standing.RELEASED
        return Standing.TAKEN_BACK

    def catch_up(self) -> None:
        """Bring what it is listed and found by into line with what is known of it."""
        self.company_key = company_key(self.registration().customer.company)
        self._derive_stage()

    def _derive_stage(self) -> None:
        if not self.placed:
            self.stage = Stage.UNPLACED.value
        elif self.withdrawn:
            self.stage = Stage.WITHDRAWN.value
        elif not self.signed:
            self.stage = Stage.UNSIGNED.value
        else:
            self.stage = STAGE_OF_SIGNED[self.standing]


def company_key(text: str) -> str:
    """By what an order is found: a company's name, or how it begins, whatever its capitals."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())[:200]
