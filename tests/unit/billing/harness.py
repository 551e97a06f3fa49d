"""Billing in memory: its handlers run for real, over just what they declare to load."""

from pathlib import Path
from typing import Any, Literal

from services.billing.commands import DecideResult
from services.billing.handlers import SUBSCRIPTIONS
from services.billing.models import Order, UnmatchedResult
from services.billing.models.collection import Collection
from services.billing.models.money import HeldResult, held_results
from shared.host.settings import Settings
from shared.notifications.messages import Mail
from shared.processing.testing import Harness, Heard, onboarding
from shared.trade.catalogue import Catalogue

CATALOGUE = Catalogue.load(Path(__file__).parents[3] / "infra" / "catalogue.toml")
SETTINGS = Settings(prenotification_days=14, mandate_scheme="CORE")


class BillingHarness(Harness):
    """What billing knows, what it has said, and what it put off until later."""

    def __init__(self, **changed: Any) -> None:
        settings = SETTINGS.model_copy(update=changed)
        super().__init__(SUBSCRIPTIONS, resources={Catalogue: CATALOGUE, Settings: settings})

    def order(self, about: str = "bakkerij") -> Order:
        """The order of the customer of this name."""
        return self.row(Order, onboarding_id=onboarding(about))

    def collection(self, end_to_end_id: str) -> Collection:
        """The collection by this end-to-end id."""
        return self.row(Collection, end_to_end_id=end_to_end_id)

    def collections(self, order_reference: str | None) -> list[Collection]:
        """All collections of one order."""
        return [row for row in self.rows(Collection) if row.order_reference == order_reference]

    def held(self, about: str = "bakkerij") -> list[HeldResult]:
        """What a person must decide about one customer's order."""
        order = self.order(about)
        return held_results(self.collections(order.reference), withdrawn=order.withdrawn)

    def decide(self, decision: Literal["accept", "dismiss"], result_id: str | None = None) -> Heard:
        """A person decides: the one result that is held, or that of this id."""
        if result_id is None:
            (held,) = self.held()
            result_id = held.id
        return self.ask(
            DecideResult(
                result_id=result_id, decision=decision, reason="spoke to KING", by="b.voorbeeld"
            )
        )

    def unmatched(self) -> list[UnmatchedResult]:
        """The results that still wait for their order."""
        return [row for row in self.rows(UnmatchedResult) if row.open]


def mails(said: Heard) -> list[tuple[str, str]]:
    """The mails among what was said: which, and to whom."""
    return [(mail.kind, mail.to) for mail in said.all(Mail)]


def kinds(said: Heard) -> list[str]:
    """The mails among what was said, whoever gets them."""
    return [mail.kind for mail in said.all(Mail)]
