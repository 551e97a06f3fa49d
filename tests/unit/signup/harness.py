"""Signup in memory: what its customers and websites do, and how its answers are read."""

import copy
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.signup.handlers import SUBSCRIPTIONS
from services.signup.models import Office, Signup
from shared.events import SignupAccepted, SignupRejected, SignupSubmitted
from shared.host.settings import Settings
from shared.notifications.messages import Mail
from shared.processing import Effect, Message, Person, RawEvent
from shared.processing.testing import Harness, Heard, onboarding
from shared.trade.catalogue import Catalogue

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "infra" / "demo" / "examples"
SETTINGS = Settings(signups_per_address_hour=3)
CATALOGUE = Catalogue.load(SETTINGS.catalogue)


def example(name: str = "01-bakkerij") -> dict[str, Any]:
    """What one of the example customers filled in."""
    data: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text())["data"]
    return data


def changed(**changes: Any) -> dict[str, Any]:
    """The baker's form with some fields otherwise; `customer__kvk` is `customer.kvk`."""
    data = copy.deepcopy(example())
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = data
        for name in parents:
            part = part[name]
        part[last] = value
    return data


class SignupHarness(Harness):
    """Signup with two offices: 0042 pays for clients, 0077 does not."""

    def __init__(self) -> None:
        self._person: Person | None = None
        super().__init__(
            SUBSCRIPTIONS,
            resources={Catalogue: CATALOGUE, Settings: SETTINGS},
            rows=[
                Office.of(
                    code="0042", name="De Linde", email="k@linde.example", pays_for_customers="yes"
                ),
                Office(code="0077", name="Zuid", email="k@zuid.example", language="en"),
            ],
            now=NOW,
        )

    def submit(self, data: dict[str, Any], about: str = "bakkerij", source: str = "") -> Heard:
        """A website sends what a customer filled in."""
        event = RawEvent(SignupSubmitted.event_type, data)
        return self.hear_raw(event, about, source=source or f"/website/{data.get('office_code')}")

    def submit_by_http(self, data: dict[str, Any], about: str = "bakkerij") -> Heard:
        """A website sends it over HTTP, where a person waits for the answer."""
        self._person = Person("website")
        try:
            return self.submit(data, about)
        finally:
            self._person = None

    def _handle(self, message: Message) -> Heard:
        return super()._handle(replace(message, person=self._person))

    def signup(self, about: str = "bakkerij") -> Signup:
        """What is known of one sign-up."""
        return self.row(Signup, onboarding_id=onboarding(about))


def accepted(effects: Heard) -> SignupAccepted:
    """The sign-up that was accepted."""
    assert effects.all(SignupRejected) == []
    return effects.one(SignupAccepted)


def errors(effects: Heard) -> dict[str, str]:
    """Which fields were wrong, and the code of each; no field is named twice."""
    all_errors = effects.one(SignupRejected).errors
    codes = {error.field: error.code for error in all_errors}
    assert len(codes) == len(all_errors), all_errors
    return codes


def mails(effects: Sequence[Effect]) -> list[tuple[str, str]]:
    """Which mails, and to whom."""
    return [(effect.kind, effect.to) for effect in effects if isinstance(effect, Mail)]
