"""Example registrations, signatures and results; the businesses are fictional."""

from datetime import date, timedelta
from typing import Any

from services.billing.commands import SignOrder
from shared.events import CollectionResult, OnboardingWithdrawn, RegistrationCompleted
from shared.events.shapes import Address, Contact, Customer, Office, Package, Payer
from shared.processing.testing import MONDAY
from tests.unit.billing.harness import BillingHarness

FIRST = "O-2026-000001"
"""The reference of the first order."""
PRICE = 21780
"""What `basis` costs with 21 % VAT, in cents."""
IBAN = "NL20INGB0001234567"
OFFICE_IBAN = "NL44RABO0123456789"


def registration(
    *,
    company: str = "Bakkerij Voorbeeld",
    office: str = "0042",
    payer: str = "customer",
    iban: str | None = IBAN,
    holder: str | None = None,
    payer_email: str | None = None,
    package: str = "basis",
) -> RegistrationCompleted:
    """A customer of an office, registered with KING."""
    return RegistrationCompleted(
        customer_number="K-1",
        office=Office(code=office, name="Kantoor Voorbeeld", email=f"{office}@kantoor.example"),
        customer=Customer(
            company=company,
            address=Address(
                street="Voorbeeldstraat", number="1", postcode="1234 AB", city="Voorbeeldstad"
            ),
            contact=Contact(first_name="Anna", last_name="Voorbeeld"),
            email="klant@bakkerij.example",
        ),
        package=Package(code=package),
        payer=Payer.model_validate(
            {"kind": payer, "iban": iban, "account_holder": holder, "email": payer_email}
        ),
    )


def signature(order: str = FIRST, **changes: Any) -> SignOrder:
    """The confirmation, back by post and signed."""
    fields: dict[str, Any] = {
        "order_reference": order,
        "method": "post",
        "signed_on": date(2026, 11, 23),
        "signed_by": "A. Voorbeeld",
    }
    return SignOrder(**fields | changes)


def result(
    status: str,
    *,
    order: str = FIRST,
    attempt: int = 1,
    end_to_end_id: str | None = None,
    cents: int = PRICE,
    currency: str = "EUR",
    code: str | None = None,
    minute: int = 0,
) -> CollectionResult:
    """What KING reports of an attempt, `minute` minutes after the first thing that happened."""
    return CollectionResult.model_validate(
        {
            "order_reference": order,
            "end_to_end_id": end_to_end_id or f"{order}-{attempt}",
            "attempt": attempt,
            "amount_cents": cents,
            "currency": currency,
            "status": status,
            "reason_code": code,
            "occurred_at": MONDAY + timedelta(minutes=minute),
        }
    )


def withdrawal(reason: str = "stops trading") -> OnboardingWithdrawn:
    """The customer stops."""
    return OnboardingWithdrawn(reason=reason, by="office")


def placed(**registered: Any) -> BillingHarness:
    """Billing with one order, not signed."""
    billing = BillingHarness()
    billing.hear(registration(**registered))
    return billing


def signed(**registered: Any) -> BillingHarness:
    """Billing with one signed order; KING was asked to collect."""
    billing = placed(**registered)
    billing.ask(signature())
    return billing


def released() -> BillingHarness:
    """Billing with one released customer."""
    billing = signed()
    billing.hear(result("succeeded"))
    return billing
