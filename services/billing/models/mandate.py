"""Mandates: a payer's permission to collect, and whose mandate an order falls under."""

from datetime import date

from sqlmodel import Field

from services.billing.models.table import BillingTable
from shared.base.errors import Conflict
from shared.events import MandateDetails
from shared.events.billing import Scheme
from shared.events.shapes import Payer


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

    def take_account(self, payer: Payer) -> None:
        """Take over the payer's account, unless one is known already."""
        if self.iban is None and payer.iban is not None:
            self.iban, self.account_holder = payer.iban, payer.account_holder

    def sign(self, signed_on: date, iban: str, account_holder: str) -> None:
        """Record that the payer has signed it, for this account."""
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


def mandate_key(payer: Payer, office_code: str, order_reference: str) -> str:
    """The key of the mandate that an order falls under.

    An office that pays for many clients signs one mandate once; any other payer signs one for
    each order.
    """
    return f"office/{office_code}" if payer.kind == "office" else f"order/{order_reference}"
