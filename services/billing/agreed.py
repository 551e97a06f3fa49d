"""What was agreed when an order was placed: it stands on the confirmation and never changes.

Prices, the creditor's address and the pre-notification term are settings, and settings change. A
payer who signs a reminder next year must sign the document of this year, and KING must collect the
amount that stands on it.
"""

from datetime import date

from pydantic import BaseModel, ConfigDict

from services.billing.mandates import collect_on
from shared.catalogue import Quote
from shared.settings import Creditor, Settings


class Agreed(BaseModel):
    """The price, who collects, from which account, and when at the earliest."""

    model_config = ConfigDict(frozen=True)

    quote: Quote
    creditor: Creditor
    prenotification_days: int
    collect_not_before: date
    iban: str | None = None
    account_holder: str | None = None


def agree(
    quote: Quote,
    settings: Settings,
    placed_on: date,
    *,
    iban: str | None,
    account_holder: str | None,
) -> Agreed:
    """What is agreed with an order that is placed on this day."""
    days = settings.prenotification_days
    return Agreed(
        quote=quote,
        creditor=settings.creditor,
        prenotification_days=days,
        collect_not_before=collect_on(placed_on, days),
        iban=iban,
        account_holder=account_holder,
    )
