"""The API of a running stage as callers see it, and customers on their way through the steps."""

from typing import Any

import httpx

from infra.demo.simulators import website
from shared.trade.calendar import business_day
from tests.e2e.stage import Stage
from tests.scopes import token_for
from tests.servers.premises import wait_until


class Api:
    """The API as callers with different tokens see it, and customers on their way."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.address = stage.addresses["signup"]

    def token(self, *scopes: str, office: str | None = None, days: int = 1) -> str:
        return token_for(self.stage.key, *scopes, name="anna", office=office, days=days)

    def call(self, method: str, path: str, token: str | None = None, **rest: Any) -> httpx.Response:
        headers = rest.pop("headers", {})
        if token is not None:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        return httpx.request(method, f"{self.address}{path}", headers=headers, timeout=30, **rest)

    def ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """As somebody who may do anything."""
        return self.stage.ask(method, "signup", path, **rest)

    def form(self, office: str = "0042", **changes: Any) -> dict[str, Any]:
        """What a customer fills in who resembles no other."""
        self.stage.customers += 1
        number = self.stage.customers
        shipped = len(website.examples())
        many = list(website.signups(shipped + number, office, seed=len(office)))
        data: dict[str, Any] = many[-1]["data"]
        data["customer"]["company"] += f" {number} te {office}"
        data["customer"].pop("kvk", None)
        data["payer"] = {"kind": "customer", "iban": "NL91ABNA0417164300", "account_holder": "A"}
        data["preferred_channel"] = "email"
        data["terms"]["accepted_at"] = self.stage.clock().isoformat()
        return data | changes

    def customer_of(self, company: str, office: str = "0042") -> dict[str, Any]:
        """A customer who looks alike whenever he is made: what a page shows of him is as long."""
        customer: dict[str, Any] = self.form(office)["customer"]
        address = {"street": "Kade", "number": "4", "postcode": "1234 AB", "city": "Oudeland"}
        contact = {"first_name": "Anna", "infix": "de", "last_name": "Vries"}
        alike = {"company": company, "language": "nl", "mobile": "+31612345678"}
        return customer | alike | {"address": address, "contact": contact}

    def sign_up(self, office: str = "0042", **changes: Any) -> str:
        """A customer whose sign-up was accepted; his onboarding id."""
        answer = self.ask("POST", "/api/signups", json=self.form(office, **changes))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["onboarding_id"])

    def waits_for(self, onboarding_id: str, blocker: str) -> dict[str, Any]:
        """Wait until the customer waits for this; his checklist."""
        wait_until(lambda: blocker in self.stage.blockers(onboarding_id), f"{blocker} is due", 20)
        return self.stage.onboarding(onboarding_id) or {}

    def to_check(self, office: str = "0077", **changes: Any) -> str:
        """A customer whose office checks each sign-up, and may decide on this one now."""
        onboarding_id = self.sign_up(office, **changes)
        path = f"/api/registrations/{onboarding_id}"
        wait_until(lambda: self.ask("GET", path).status_code == 200, "it can be decided on", 20)
        self.waits_for(onboarding_id, "review")
        return onboarding_id

    def order_of(self, onboarding_id: str) -> str:
        """The reference of a customer's order, once its confirmation was sent."""
        return str(self.waits_for(onboarding_id, "signature_missing")["order_reference"])

    def sign(self, reference: str, **changes: Any) -> httpx.Response:
        body = {
            "method": "post",
            "signed_on": business_day(self.stage.clock()).isoformat(),
            "signed_by": "A. Voorbeeld",
        }
        return self.ask("POST", f"/api/orders/{reference}/signature", json=body | changes)

    def to_collect(self, reference: str) -> dict[str, Any]:
        """What KING is asked to collect for an order."""
        listed = self.ask("GET", "/api/collections", params={"limit": 500}).json()
        (collection,) = [row for row in listed if row["order_reference"] == reference]
        return dict(collection)

    def report(self, collection: dict[str, Any], **changes: Any) -> httpx.Response:
        """KING says what became of it."""
        names = ("order_reference", "end_to_end_id", "attempt", "amount_cents", "currency")
        result = {name: collection[name] for name in names}
        result |= {"status": "succeeded", "occurred_at": "2026-01-20T05:00:00Z"}
        return self.ask("POST", "/api/collection-results", json=result | changes)

    def release(self, **changes: Any) -> str:
        """A customer who signed and paid, so that he can be activated."""
        onboarding_id = self.sign_up(**changes)
        reference = self.order_of(onboarding_id)
        assert self.sign(reference).status_code == 202
        assert self.report(self.to_collect(reference)).status_code == 202
        self.waits_for(onboarding_id, "ready_to_activate")
        return onboarding_id
