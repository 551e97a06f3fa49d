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
from services.billing.commands import CollectAgain
from services.billing.mails import failure_mails
from services.billing.mandates import business_day, collect_on, end_to_end_id
from services.billing.models import Mandate, Order
from services.billing.reasons import Reason, reason_for
from shared.base.errors import Conflict
from shared.events import (
    CollectionRequested,
    CollectionResult,
    CustomerReleased,
    CustomerReleaseWithdrawn,
)
from shared.events.billing import SignatureMethod
from shared.host.settings import Settings
from shared.processing import Effect, EventFor, Loaded, Now, Scheduled


def settle(
    order: Order, collections: Sequence[Collection], cause: str | None = None
) -> list[Effect]:
    """Call off what need not be collected, and say it when the order's standing has changed.

    A withdrawal gives its own `cause`.
    """
    messages = _call_off(order, collections)
    changed = order.judge(list(collections))
    reference = order.reference or ""
    if changed is Standing.RELEASED:
        released = CustomerReleased(order_reference=reference, revision=order.revision)
        return [*messages, EventFor(order.onboarding_id, released)]
    if changed is Standing.TAKEN_BACK:
        reason_code, why = _why_taken_back(order, collections)
        withdrawn = CustomerReleaseWithdrawn(
            order_reference=reference,
            revision=order.revision,
            reason_code=reason_code,
            cause=cause or why,
        )
        return [*messages, EventFor(order.onboarding_id, withdrawn)]
    return messages


def _call_off(order: Order, collections: Sequence[Collection]) -> list[Effect]:
    """KING need not collect from a customer who left, nor what another attempt has brought."""
    if order.withdrawn:
        said = [one.cancel("withdrawn") for one in collections]
    elif any(one.succeeded for one in collections):
        said = [one.call_off("collected") for one in collections]
    else:
        return []
    return [EventFor(order.onboarding_id, one) for one in said if one is not None]


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

    def sign(self, method: SignatureMethod, signed_on: date, signed_by: str | None) -> list[Effect]:
        """The confirmation is signed: ask KING to collect, unless it did so by itself."""
        signed = self.order.sign(method, signed_on, signed_by, self.now)
        messages: list[Effect] = [EventFor(self.order.onboarding_id, signed)]
        if not any(one.under_way or one.ever_succeeded for one in self._mine()):
            messages += self._request(self._next_attempt())
        return messages + settle(self.order, self._mine())

    def book(self, result: CollectionResult) -> list[Effect]:
        """Book a result, and follow it up."""
        collection = self._collection(result.end_to_end_id, result.attempt)
        before = collection.status
        if not collection.take(result):
            return []  # The very same was booked before.
        self.order.revision += 1
        booked = collection.booked(self.order.revision)
        messages: list[Effect] = [EventFor(self.order.onboarding_id, booked)]
        now_so = collection.status  # Before anything is called off.
        messages += settle(self.order, self._mine())
        if now_so != before and not self.order.withdrawn:
            messages += self._follow_up(collection)
        return messages

    def amend(self, signed_on: date, iban: str, account_holder: str) -> list[Effect]:
        """The payer signed anew, for another account: ask KING to collect from that.

        In SEPA's books an amendment: the mandate keeps its reference.

        Raises:
            Conflict: the order was withdrawn, or the money is there or on its way.
        """
        if self.order.withdrawn:
            raise Conflict("order_withdrawn", "This order was withdrawn; it cannot be signed.")
        if self.mandate is None or self.in_hand:
            raise Conflict(
                "collection_under_way",
                "KING collects from the account that was given before, or has done so; wait for "
                "the result, and send the signature again if the collection fails.",
            )
        self.mandate.sign(signed_on, iban, account_holder)
        return self._request(self._next_attempt())

    def asked_since(self, day: date) -> bool:
        """Whether KING was asked to collect on this day or later."""
        asked = [one.requested_at for one in self._mine() if one.requested_at is not None]
        return any(business_day(moment) >= day for moment in asked)

    def collect_again(self, *, after: int) -> list[Effect]:
        """Another attempt, unless it is no longer wanted or was made already."""
        if self.order.withdrawn or not self.order.signed or not self._worth_another(after):
            return []
        return self._request(self._next_attempt())

    def _follow_up(self, collection: Collection) -> list[Effect]:
        """Tell payer and office of a failure, and try again later where that helps."""
        if collection.status not in ("failed", *TAKEN_BACK):
            return []
        if collection.status == "failed" and any(one.succeeded for one in self._mine()):
            return []  # Heard late: another attempt has brought the money.
        reason = reason_for(collection.reason_code or "")
        again = self._again(collection, reason)
        mails = failure_mails(self.order, collection, reason, again=again is not None)
        return [*mails, again] if again is not None else [*mails]

    def _again(self, collection: Collection, reason: Reason) -> Scheduled | None:
        """Another attempt after a pause: for a reason that time heals, and not for ever."""
        if collection.status not in ("failed", "returned") or reason.retry_after_days is None:
            return None
        if collection.attempt > reason.max_retries or not self._worth_another(collection.attempt):
            return None
        return Scheduled(
            CollectAgain(order_reference=collection.order_reference, attempt=collection.attempt),
            self.now + timedelta(days=reason.retry_after_days),
            f"collect_again/{collection.key}/{self.order.revision}",
            about=self.order.onboarding_id,
        )

    @property
    def in_hand(self) -> bool:
        """Whether the money is there or on its way."""
        return any(one.under_way or one.succeeded for one in self._mine())

    def _worth_another(self, attempt: int) -> bool:
        """Whether the money is not in hand, and no later attempt was made."""
        later = any(one.made and one.attempt > attempt for one in self._mine())
        return not (self.in_hand or later)

    def _request(self, attempt: int) -> list[Effect]:
        if self.mandate is None or not self.mandate.active:
            return []
        reference = self.order.reference or ""
        agreed = self.order.terms()
        days = agreed.prenotification_days if agreed else self.settings.prenotification_days
        not_before = collect_on(business_day(self.now), days)
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
        return [EventFor(self.order.onboarding_id, requested)]

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
