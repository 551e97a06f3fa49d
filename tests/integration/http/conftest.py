"""One running system for all tests of its API, and callers with tokens of their own."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra.demo.simulators import website
from shared.host.runtime import utc_now
from shared.host.settings import Settings
from shared.trade.calendar import business_day
from tests.e2e.stage import Stage, one_process
from tests.scopes import token_for
from tests.servers.premises import wait_until


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The embedded default, with a KING that does nothing by itself."""
    folder = tmp_path_factory.mktemp("http")
    settings = Settings(data_dir=folder, http_port=0, log_level="error")
    with one_process(settings, simulate_king=False) as stage:
        stage.open_office("0077", review="always", email="kantoor@zuid.example")
        yield stage


class Api:
    """The API as callers with different tokens see it, and customers on their way."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.address = stage.addresses["signup"]
        self._customers = 0

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
        self._customers += 1
        shipped = len(website.examples())
        many = list(website.signups(shipped + self._customers, office, seed=len(office)))
        data: dict[str, Any] = many[-1]["data"]
        data["customer"]["company"] += f" {self._customers} te {office}"
        data["customer"].pop("kvk", None)
        data["payer"] = {"kind": "customer", "iban": "NL91ABNA0417164300", "account_holder": "A"}
        data["preferred_channel"] = "email"
        return data | changes

    def sign_up(self, office: str = "0042", **changes: Any) -> str:
        """A customer whose sign-up was accepted; his onboarding id."""
        answer = self.ask("POST", "/api/signups", json=self.form(office, **changes))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["onboarding_id"])

    def waits_for(self, onboarding_id: str, blocker: str) -> dict[str, Any]:
        """Wait until the customer waits for this; his checklist."""
        wait_until(lambda: blocker in self.stage.blockers(onboarding_id), f"{blocker} is due", 20)
        return self.stage.onboarding(onboarding_id) or {}

    def order_of(self, onboarding_id: str) -> str:
        """The reference of a customer's order, once its confirmation was sent."""
        return str(self.waits_for(onboarding_id, "signature_missing")["order_reference"])

    def sign(self, reference: str, **changes: Any) -> httpx.Response:
        body = {
            "method": "post",
            "signed_on": business_day(utc_now()).isoformat(),
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


@pytest.fixture(scope="package")
def api(stage: Stage) -> Api:
    return Api(stage)
