"""What was agreed when an order was placed: it stands on the confirmation and never changes.

Prices, the creditor's address and the pre-notification term are settings, and settings change. A
payer who signs a reminder next year must sign the document of this year, and KING must collect the
amount that stands on it.
"""

from datetime import date
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict

from shared.host.settings import Creditor, Settings
from shared.trade.catalogue import Quote
from shared.trade.pauses import first_collection_day


def _as_kept(creditor: Any) -> Any:
    """The creditor as it was written down: today's environment has no say in it."""
    return Creditor.model_construct(**creditor) if isinstance(creditor, dict) else creditor


class Account(Protocol):
    """Where KING collects from, as far as it is known: a payer's, or a mandate's."""

    @property
    def iban(self) -> str | None:
        """Its number, when somebody gave one."""

    @property
    def account_holder(self) -> str | None:
        """Whose it is, when somebody said."""


class OrderTerms(BaseModel):
    """The price, who collects, from which account, and when at the earliest."""

    model_config = ConfigDict(frozen=True)

    quote: Quote
    creditor: Annotated[Creditor, BeforeValidator(_as_kept)]
    prenotification_days: int
    collect_not_before: date
    iban: str | None = None
    account_holder: str | None = None

    @classmethod
    def agree(
        cls, quote: Quote, settings: Settings, placed_on: date, account: Account
    ) -> "OrderTerms":
        """What is agreed with an order that is placed on this day."""
        days = settings.prenotification_days
        return cls(
            quote=quote,
            creditor=settings.creditor,
            prenotification_days=days,
            collect_not_before=first_collection_day(placed_on, days),
            iban=account.iban,
            account_holder=account.account_holder,
        )
