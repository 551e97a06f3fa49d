"""One made-up customer, as each of the services knows them: what the example mails are about."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import uuid4

from services.activation.models import Activation
from services.billing.models import Collection, Mandate, OnlineSigning, Order, OrderTerms
from services.signup.form.validation import Checked, check
from services.signup.models import Office as OfficeRow
from services.signup.models import Signup
from services.signup.service import EXAMPLE
from shared.events import AdministrationCreated, RegistrationCompleted, SignupAccepted
from shared.events.envelope import Envelope
from shared.events.event import Event
from shared.events.shapes import (
    Address,
    Contact,
    Customer,
    Language,
    Office,
    Package,
    Payer,
    Warning,
)
from shared.host.settings import Settings
from shared.trade.calendar import business_day
from shared.trade.catalogue import Catalogue
from shared.trade.form.warnings import warning_text

Pays = Literal["customer", "office", "other"]

REASONS = {
    "nl": "U bent al klant bij ons onder een andere naam.",
    "en": "You are already a client of ours under another name.",
}


@dataclass(frozen=True)
class Story:
    """What there is to know of the customer; everybody reads this language."""

    language: Language
    now: datetime
    onboarding_id: str
    new_email: str = "administratie@korenaar.example"

    @property
    def today(self) -> date:
        """The day on which all of it happens."""
        return business_day(self.now)

    @property
    def reason(self) -> str:
        """Why the office declines, in its own words."""
        return REASONS[self.language]

    @property
    def catalogue(self) -> Catalogue:
        """What can be ordered."""
        return Catalogue.load(Settings().catalogue)

    def office_row(self) -> OfficeRow:
        """The office as signup keeps it."""
        return OfficeRow(**EXAMPLE.model_dump() | {"language": self.language})

    def office(self) -> Office:
        """The office as the other services know it."""
        return self.office_row().public()

    def people(self, payer: Pays = "customer") -> dict[str, Any]:
        """Office, customer, package and payer."""
        customer = Customer(
            company="Bakkerij De Korenaar",
            kvk="12345678",
            address=Address(
                street="Voorbeeldstraat", number="1", postcode="1234 AB", city="Voorbeeldstad"
            ),
            contact=Contact(first_name="Anna", infix="van", last_name="Voorbeeld"),
            email="anna@korenaar.example",
            mobile="+31612345678",
            language=self.language,
        )
        somebody = {"name": "Holding Voorbeeld B.V.", "email": "financien@holding.example"}
        named = somebody if payer == "other" else {}
        return {
            "office": self.office(),
            "customer": customer,
            "package": Package(code="compleet", modules=("facturatie", "inkoop", "bank")),
            "payer": Payer(kind=payer, iban="NL20INGB0001234567", **named),
        }

    def signed_up(self, payer: Pays = "customer", *, warned: bool = False) -> SignupAccepted:
        """The sign-up, with something for the office to look at where it is warned."""
        codes = [("likely_duplicate", True), ("email_typo", False)] if warned else []
        values = {"references": "S-2026-000101", "suggestion": "anna@korenaar.example"}
        return SignupAccepted(
            reference="S-2026-000123",
            preferred_channel="sms",
            warnings=tuple(
                Warning(
                    code=code, text=warning_text(code, self.language, **values), needs_review=look
                )
                for code, look in codes
            ),
            **self.people(payer),
        )

    def accepted(self) -> Signup:
        """The sign-up as signup keeps it."""
        signup = Signup(onboarding_id=self.onboarding_id)
        signup.accept(self.signed_up(), "digest", self.now)
        return signup

    def wrong_form(self) -> Checked:
        """A form with a few mistakes in it."""
        data = {
            "office_code": EXAMPLE.code,
            "customer": {
                "company": "Bakkerij De Korenaar",
                "kvk": "1234567",
                "address": {"street": "Voorbeeldstraat", "number": "1", "postcode": "12 AB"},
                "contact": {"first_name": "Anna", "last_name": "Voorbeeld"},
                "email": "anna@korenaar.example",
                "language": self.language,
            },
            "package": {"code": "compleet", "modules": ["loon"]},
            "payer": {"kind": "customer", "iban": "NL00INGB0001234567"},
            "preferred_channel": "sms",
            "terms": {"version": "2026-01", "accepted_at": self.now.isoformat()},
        }
        return check(data, catalogue=self.catalogue, office=self.office_row(), now=self.now)

    def registered(self, payer: Pays = "customer") -> RegistrationCompleted:
        """The registration with the vendor."""
        return RegistrationCompleted(customer_number="K-100042", **self.people(payer))

    def order(self, payer: Pays = "customer", *, covered: bool = False) -> Order:
        """The order, signed today; by the mandate of an earlier one where it is covered."""
        order = Order(onboarding_id=self.onboarding_id, amount_cents=0, revision=0, withdrawn=False)
        event, settings = self.registered(payer), Settings()
        mandate = Mandate(key="example", reference="M-2026-000123", scheme="CORE")
        if covered:
            mandate.sign(self.today, "NL20INGB0001234567", "A. van Voorbeeld", self.now)
        quote = self.catalogue.price(event.package)
        terms = OrderTerms.agree(quote, settings, self.today, event.payer)
        order.place(event, "O-2026-000123", terms, mandate, self.today)
        order.sign("post", self.today, "A. van Voorbeeld", self.now)
        return order

    def signing(self, order: Order) -> OnlineSigning:
        """A signature that is being given online."""
        return OnlineSigning(
            id=str(uuid4()),
            onboarding_id=order.onboarding_id,
            name="Anna van Voorbeeld",
            place="Voorbeeldstad",
            consent="",
            document_sha256="",
            sent_to="anna@korenaar.example",
            asked_at=self.now,
            codes=1,
        )

    def failed(self, order: Order, code: str) -> Collection:
        """A collection of it that the bank refused."""
        return Collection(
            key="example",
            order_reference=order.reference or "",
            onboarding_id=self.onboarding_id,
            end_to_end_id="O-2026-000123-1",
            attempt=1,
            amount_cents=order.amount_cents,
            status="failed",
            reason_code=code,
        )

    def customer(self) -> Activation:
        """The customer as activation knows them."""
        activation = Activation(onboarding_id=self.onboarding_id, attempt=1, wrong_tries=0)
        made = AdministrationCreated(
            administration_number="A-100042",
            name="Bakkerij De Korenaar",
            copied_from="standard",
            access_granted=True,
        )
        facts: tuple[Event, ...] = (self.signed_up(), self.registered(), made)
        for fact in facts:
            envelope = Envelope(
                str(uuid4()), "/example", fact.event_type, self.onboarding_id, self.now
            )
            activation.record_fact(fact, envelope)
        activation.login_name = "bakkerij.de.korenaar"
        return activation
