"""Customers who stand wherever some mail says that its customer stands."""

from datetime import timedelta
from functools import cached_property
from typing import Any

from tests.e2e.api import Api
from tests.e2e.stage import Stage

OTHER = {"kind": "other", "name": "Holding Voorbeeld B.V.", "email": "f@holding.example"}
STRICT = "0055"
"""An office that checks every sign-up."""
UNFURNISHED = "0066"
"""An office whose base administration is not there."""


class Customers:
    """Real customers, one for each standing that some mail speaks of; made when first asked for."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.api = stage, Api(stage)

    def standing(self, name: str) -> dict[str, Any]:
        """The checklist of the customer who stands there."""
        onboarding_id: str = getattr(self, name)
        return self.stage.onboarding(onboarding_id) or {}

    @cached_property
    def review(self) -> str:
        return self._until("review", self.api.sign_up(STRICT))

    @cached_property
    def unsigned(self) -> str:
        return self._until("signature_missing", self.api.sign_up())

    @cached_property
    def paid_by_another(self) -> str:
        return self._until("signature_missing", self.api.sign_up(payer=OTHER))

    @cached_property
    def declined(self) -> str:
        onboarding_id = self._until("review", self.api.sign_up(STRICT))
        self._ask(f"/api/registrations/{onboarding_id}/decline", reason="Al klant bij ons.")
        return self._until("declined", onboarding_id)

    @cached_property
    def withdrawn(self) -> str:
        onboarding_id = self._until("signature_missing", self.api.sign_up(payer=OTHER))
        self._ask(f"/api/signups/{onboarding_id}/withdraw")
        return self._until("withdrawn", onboarding_id)

    @cached_property
    def without_administration(self) -> str:
        return self._until("administration_failed", self.api.sign_up(UNFURNISHED))

    @cached_property
    def covered(self) -> str:
        office = {"kind": "office", "iban": "NL20INGB0001234567", "account_holder": "Kantoor"}
        first = self.api.sign_up(payer=office)
        self.api.sign(self.api.order_of(first))
        return self._until("collection_expected", self.api.sign_up(payer=office))

    @cached_property
    def signed(self) -> str:
        return self._signed()

    @cached_property
    def short_of_money(self) -> str:
        return self._failed("AM04")

    @cached_property
    def account_closed(self) -> str:
        return self._failed("AC04")

    @cached_property
    def released(self) -> str:
        return self.api.release()

    @cached_property
    def activated(self) -> str:
        return self._activate(self.api.release())

    @cached_property
    def undelivered(self) -> str:
        onboarding_id = self._activate(self.api.release())
        self._move(onboarding_id)
        return self._until("undeliverable", onboarding_id)

    @cached_property
    def suspended(self) -> str:
        onboarding_id = self._signed()
        collection = self._to_collect(onboarding_id)
        self.api.report(collection)
        self._activate(self._until("ready_to_activate", onboarding_id))
        self.api.report(collection, status="refunded", reason_code="MD06")
        return self._until("suspended", onboarding_id)

    @cached_property
    def moved(self) -> str:
        onboarding_id = self._until("signature_missing", self.api.sign_up())
        self._move(onboarding_id)
        return onboarding_id

    @cached_property
    def expired(self) -> str:
        onboarding_id = self._activate(self.api.release())
        self.stage.let_pass(timedelta(days=30))
        return self._until("credentials_expired", onboarding_id)

    def _signed(self) -> str:
        onboarding_id = self.api.sign_up()
        assert self.api.sign(self.api.order_of(onboarding_id)).status_code == 202
        return self._until("collection_expected", onboarding_id)

    def _failed(self, reason: str) -> str:
        onboarding_id = self._signed()
        collection = self._to_collect(onboarding_id)
        self.api.report(collection, status="failed", reason_code=reason)
        return self._until("collection_failed", onboarding_id)

    def _to_collect(self, onboarding_id: str) -> dict[str, Any]:
        order = (self.stage.onboarding(onboarding_id) or {})["order_reference"]
        return self.api.to_collect(order)

    def _activate(self, onboarding_id: str) -> str:
        self._ask(f"/api/activations/{onboarding_id}", channel="email")
        return self._until("login_expected", onboarding_id)

    def _move(self, onboarding_id: str) -> None:
        path = f"/api/onboardings/{onboarding_id}/contact"
        answer = self.api.ask("PATCH", path, json={"email": "nieuw@winkel.example"})
        assert answer.status_code == 200, answer.text

    def _ask(self, path: str, **body: str) -> None:
        answer = self.api.ask("POST", path, json=body or None)
        assert answer.status_code == 202, answer.text

    def _until(self, blocker: str, onboarding_id: str) -> str:
        self.api.waits_for(onboarding_id, blocker)
        return onboarding_id
