"""VRIJGEVEN: asking KING to collect, booking what became of it, releasing the customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.billing.collections import (
    TAKEN_BACK,
    UNASKED,
    Collection,
    Standing,
    collection_key,
)
from services.billing.mails import failure_mails
from services.billing.mandates import business_day, collect_on, end_to_end_id
from services.billing.models import Mandate, Order
from services.billing.reasons import reason_for
from services.billing.requests import CollectAgain
from shared.events import (
    CollectionRequested,
    CollectionResult,
    CustomerReleased,
    CustomerReleaseWithdrawn,
)
from shared.events.billing import SignatureMethod
from shared.processing.messages import About, Later, Message, Now
from shared.processing.subscriptions import Loaded
from shared.settings import Settings


def settle(
    order: Order, collections: Sequence[Collection], cause: str | None = None
) -> list[Message]:
    """Say it when the order's standing has changed; a withdrawal gives its own `cause`."""
    changed = order.judge(list(collections))
    reference = order.reference or ""
    if changed is Standing.RELEASED:
        released = CustomerReleased(order_reference=reference, revision=order.revision)
        return [About(order.onboarding_id, released)]
    if changed is Standing.TAKEN_BACK:
        reason_code, why = _why_taken_back(order, collections)
        withdrawn = CustomerReleaseWithdrawn(
            order_reference=reference,
            revision=order.revision,
            reason_code=reason_code,
            cause=cause or why,
        )
        return [About(order.onboarding_id, withdrawn)]
    return []


def _why_taken_back(order: Order, collections: Sequence[Collection]) -> tuple[str, str]:
    """Reason code and cause, from what is known rather than from what was heard last."""
    if order.withdrawn:
        return "WITHDRAWN", "withdrawn"
    back = [one for one in collections if one.status in TAKEN_BACK]
    last = max(back, key=lambda one: (one.attempt, one.end_to_end_id))
    if not last.reason_code:
        return last.status, last.status
    return last.reason_code, reason_for(last.reason_code).cause


@dataclass
class Ledger:
    """One order with its mandate and its collections, and what may be done with them."""

    order: Order
    mandate: Mandate | None
    collections: Loaded[Collection]
    settings: Settings
    now: Now

    def sign(
        self, method: SignatureMethod, signed_on: date, signed_by: str | None
    ) -> list[Message]:
        """The confirmation is signed: ask KING to collect, unless it did so by itself."""
        signed = self.order.sign(method, signed_on, signed_by, self.now)
        messages: list[Message] = [About(self.order.onboarding_id, signed)]
        if not any(one.under_way or one.ever_succeeded for one in self._mine()):
            messages += self._request(self._next_attempt())
        return messages + settle(self.order, self._mine())

    def book(self, result: CollectionResult) -> list[Message]:
        """Book a result, and follow it up."""
        collection = self._collection(result.end_to_end_id, result.attempt)
        before = collection.status
        if not collection.take(result):
            return []  # The very same was booked before.
        self.order.revision += 1
        booked = collection.booked(self.order.revision)
        messages: list[Message] = [About(self.order.onboarding_id, booked)]
        messages += settle(self.order, self._mine())
        if self.order.withdrawn:
            return messages + self._call_off(collection)
        if collection.status != before:
            messages += self._follow_up(collection)
        return messages

    def collect_again(self, *, after: int) -> list[Message]:
        """Another attempt, unless it is no longer wanted or was made already."""
        order = self.order
        if order.withdrawn or not order.signed or order.released:
            return []
        if self._next_attempt() != after + 1:
            return []
        return self._request(after + 1)

    def _follow_up(self, collection: Collection) -> list[Message]:
        """Tell payer and office of a failure, and try again later where that helps."""
        if collection.status not in ("failed", *TAKEN_BACK):
            return []
        if collection.status == "failed" and any(one.succeeded for one in self._mine()):
            return []  # Heard late: another attempt has brought the money.
        reason = reason_for(collection.reason_code or "")
        messages: list[Message] = [*failure_mails(self.order, collection, reason)]
        pause = reason.retry_after_days if collection.status == "failed" else None
        if pause is not None and collection.attempt <= reason.max_retries:
            again = CollectAgain(
                order_reference=collection.order_reference, attempt=collection.attempt
            )
            key = f"collect_again/{collection.key}"
            due = self.now + timedelta(days=pause)
            messages.append(Later(again, due, key, about=self.order.onboarding_id))
        return messages

    def _call_off(self, collection: Collection) -> list[Message]:
        """The customer left: KING need not go on with what it just reported."""
        cancelled = collection.cancel("withdrawn")
        return [About(self.order.onboarding_id, cancelled)] if cancelled else []

    def _request(self, attempt: int) -> list[Message]:
        if self.mandate is None or not self.mandate.active:
            return []
        reference = self.order.reference or ""
        not_before = collect_on(business_day(self.now), self.settings.prenotification_days)
        collection = self._collection(end_to_end_id(reference, attempt), attempt)
        collection.request(attempt, not_before, self.now)
        requested = CollectionRequested(
            order_reference=reference,
            mandate=self.mandate.details(self.settings.creditor.identifier),
            end_to_end_id=collection.end_to_end_id,
            attempt=attempt,
            amount_cents=collection.amount_cents,
            currency=collection.currency,
            collect_on=not_before,
        )
        return [About(self.order.onboarding_id, requested)]

    def _collection(self, end_to_end: str, attempt: int) -> Collection:
        """One attempt of this order; KING may report one that we did not ask for."""
        reference = self.order.reference or ""
        key = collection_key(reference, end_to_end)
        return self.collections.get(key) or self.collections.add(
            Collection(
                key=key,
                order_reference=reference,
                onboarding_id=self.order.onboarding_id,
                office_code=self.order.office_code,
                end_to_end_id=end_to_end,
                attempt=attempt,
                amount_cents=self.order.amount_cents,
                currency=self.order.currency,
                status=UNASKED,
                held=0,
                results=[],
            )
        )

    def _mine(self) -> list[Collection]:
        return self.collections.where(onboarding_id=self.order.onboarding_id)

    def _next_attempt(self) -> int:
        """The number after all that were made, whose end-to-end id KING has not used by itself."""
        made = [one for one in self._mine() if one.status != UNASKED]
        attempt = max((one.attempt for one in made), default=0) + 1
        used = {one.end_to_end_id for one in made}
        while end_to_end_id(self.order.reference or "", attempt) in used:
            attempt += 1
        return attempt
