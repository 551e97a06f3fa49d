"""Mandates: a payer's permission to collect, and whose mandate an order falls under."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from services.billing.models.collection import Collection
from services.billing.models.reasons import reason_for
from services.billing.models.table import BillingTable
from shared.base.errors import Conflict
from shared.events import MandateDetails
from shared.events.billing import Scheme
from shared.events.shapes import Payer
from shared.persistence.entity import moment

OF_A_SIGNATURE = {"signed_on", "recorded_at", "iban", "account_holder", "refusals"}
"""What a signature brings, and takes with it when it was a mistake."""

LIFE_YEARS = 3
"""A mandate under which nothing was collected for 36 months has lapsed (SEPA rulebooks)."""


class Mandate(BillingTable, table=True):
    """A payer's permission to collect: one for each order, or one for all that an office pays.

    `recorded_at` is when its signature was recorded, `used_on` the last day for which KING was
    asked to collect under it; `refusals` are the codes by which the bank refused it for good since
    then, each under the collection that met it. `former` is the signature that this one replaced,
    under which KING may still collect.
    """

    __tablename__ = "mandate"

    key: str = Field(primary_key=True, max_length=120)
    reference: str = Field(max_length=35, unique=True)
    scheme: str = Field(max_length=4)
    iban: str | None = Field(default=None, max_length=34)
    account_holder: str | None = Field(default=None, max_length=200)
    signed_on: date | None = None
    recorded_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    used_on: date | None = None
    refusals: dict[str, str] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    former: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))

    def active_on(self, day: date) -> bool:
        """Whether KING may collect under it: signed, not refused by the bank, not lapsed."""
        if self.signed_on is None or self.iban is None or self.refused:
            return False
        return max(self.signed_on, self.used_on or self.signed_on) >= life_before(day)

    @property
    def refused(self) -> bool:
        """Whether the bank has refused it for good; only a new signature helps."""
        return bool(self.refusals)

    @property
    def stopped(self) -> bool:
        """Whether a person must look before anything more is asked of the payer."""
        return any(reason_for(code).stops_everything for code in (self.refusals or {}).values())

    def take_account(self, payer: Payer) -> None:
        """Take over the payer's account, unless one is known already."""
        if self.iban is None and payer.iban is not None:
            self.iban, self.account_holder = payer.iban, payer.account_holder

    def sign(self, signed_on: date, iban: str, account_holder: str, now: datetime) -> None:
        """Record that the payer has signed it, for this account; earlier refusals are over."""
        if self.signed_on is not None and self.recorded_at != now:
            self.former = self.model_dump(mode="json", include=OF_A_SIGNATURE)
        self.signed_on, self.iban, self.account_holder = signed_on, iban, account_holder
        self.recorded_at, self.refusals = now, None

    def is_signed(self, signed_on: date, iban: str) -> bool:
        """Whether this very signature is on record: an office signs for each order in turn."""
        return (self.signed_on, self.iban) == (signed_on, iban)

    def withdraw_signature(self, payer: Payer) -> None:
        """Forget a signature that was recorded by mistake, with the account that came with it.

        What it had replaced holds again: other orders may be collected under that.
        """
        self.signed_on = self.recorded_at = self.refusals = None
        self.iban, self.account_holder = payer.iban, payer.account_holder
        if self.former is not None:
            former, self.former = Mandate.model_validate({**self.model_dump(), **self.former}), None
            for name in OF_A_SIGNATURE:
                setattr(self, name, getattr(former, name))

    def use(self, collect_on: date) -> None:
        """Note that KING is asked to collect under it on this day."""
        self.used_on = max(collect_on, self.used_on or collect_on)

    def judge(self, collection: Collection) -> None:
        """Note whether the bank refused it with this collection, made since it was signed."""
        before, code = self.refusals or {}, collection.refusal
        if not before and code is None:
            return
        refusals = {key: why for key, why in before.items() if key != collection.key}
        if code is not None and self._concerns(code, collection.made_at):
            refusals[collection.key] = code
        if refusals != before:
            self.refusals = refusals

    def _concerns(self, code: str, made_at: datetime | None) -> bool:
        """Whether a refusal is about the present signature."""
        if self.signed_on is None:
            # KING tried by itself. Nobody has signed what it was refused under, so that only the
            # death of the payer matters.
            return reason_for(code).stops_everything
        return self.recorded_at is None or made_at is None or made_at >= self.recorded_at

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


def life_before(day: date) -> date:
    """The day 36 months before this one: what was last used earlier has lapsed."""
    try:
        return day.replace(year=day.year - LIFE_YEARS)
    except ValueError:
        return day.replace(year=day.year - LIFE_YEARS, day=28)  # The 29th of February.


def mandate_key(payer: Payer, office_code: str, order_reference: str) -> str:
    """The key of the mandate that an order falls under.

    An office that pays for many clients signs one mandate once; any other payer signs one for
    each order.
    """
    return f"office/{office_code}" if payer.kind == "office" else f"order/{order_reference}"
