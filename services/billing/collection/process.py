"""One order on its way to its money: what KING is asked for, and what it reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from services.billing.collection.reasons import Reason, reason_for
from services.billing.collection.release import update_standing
from services.billing.collection.sepa_ids import end_to_end_id
from services.billing.commands import CollectAgain
from services.billing.mails import failure_mails
from services.billing.models import Collection, Mandate, Order
from services.billing.models.collection import TAKEN_BACK, UNASKED, collection_key
from services.billing.models.terms import first_collection_day
from shared.base.errors import Conflict
from shared.events import CollectionRequested, CollectionResult
from shared.events.billing import SignatureMethod
from shared.host.settings import Settings
from shared.processing import Effect, EventFor, Loaded, Now, Scheduled
from shared.trade.calendar import business_day


@dataclass
class CollectionProcess:
    """One order with its mandate and its collections, and what may be done with them."""

    order: Order
    mandate: Mandate | None
    collections: Loaded[Collection]
    settings: Settings
    now: Now

    def sign(self, method: SignatureMethod, signed_on: date, signed_by: str | None) -> list[Effect]:
        """Record the signature, and ask KING to collect unless it did so by itself.

        Raises:
            Conflict: the order was withdrawn.
        """
        signed = self.order.sign(method, signed_on, signed_by, self.now)
        effects: list[Effect] = [EventFor(self.order.onboarding_id, signed)]
        if not any(row.under_way or row.ever_succeeded for row in self._attempts()):
            effects += self._request(self._next_attempt())
        return effects + update_standing(self.order, self._attempts())

    def book(self, result: CollectionResult) -> list[Effect]:
        """Book a result, and follow it up."""
        collection = self._collection(result.end_to_end_id, result.attempt)
        status_before = collection.status
        if not collection.record(result):
            return []  # The very same was booked before.
        self.order.revision += 1
        booked = collection.booked(self.order.revision)
        effects: list[Effect] = [EventFor(self.order.onboarding_id, booked)]
        status_reported = collection.status  # Before anything is cancelled.
        effects += update_standing(self.order, self._attempts())
        if status_reported != status_before and not self.order.withdrawn:
            effects += self._follow_up(collection)
        return effects

    def amend(self, signed_on: date, iban: str, account_holder: str) -> list[Effect]:
        """Ask KING to collect from the other account for which the payer signed anew.

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
        moments = [row.requested_at for row in self._attempts() if row.requested_at is not None]
        return any(business_day(moment) >= day for moment in moments)

    def collect_again(self, *, after: int) -> list[Effect]:
        """Ask KING once more, unless that is no longer wanted or was done already."""
        if self.order.withdrawn or not self.order.signed or not self._worth_another(after):
            return []
        return self._request(self._next_attempt())

    def _follow_up(self, collection: Collection) -> list[Effect]:
        """Tell payer and office of a failure, and try again later where that helps."""
        if collection.status not in ("failed", *TAKEN_BACK):
            return []
        if collection.status == "failed" and any(row.succeeded for row in self._attempts()):
            return []  # Heard late: another attempt has brought the money.
        reason = reason_for(collection.reason_code or "")
        again = self._schedule_again(collection, reason)
        mails = failure_mails(
            self.order,
            collection,
            meaning=reason.meaning,
            action=partial(reason.action, again=bool(again)),
            to_payer=reason.payer_is_told,
        )
        return [*mails, *again]

    def _schedule_again(self, collection: Collection, reason: Reason) -> Sequence[Scheduled]:
        """Another attempt after a pause: for a reason that time heals, and not for ever."""
        if collection.status not in ("failed", "returned") or reason.retry_after_days is None:
            return ()
        if collection.attempt > reason.max_retries or not self._worth_another(collection.attempt):
            return ()
        command = CollectAgain(
            order_reference=collection.order_reference, attempt=collection.attempt
        )
        due = self.now + timedelta(days=reason.retry_after_days)
        # The same collection may fail once more, within the month that a done key is remembered.
        key = f"collect_again/{collection.key}/{self.order.revision}"
        return (Scheduled(command, due, key, about=self.order.onboarding_id),)

    @property
    def in_hand(self) -> bool:
        """Whether the money is there or on its way."""
        return any(row.under_way or row.succeeded for row in self._attempts())

    def _worth_another(self, attempt: int) -> bool:
        """Whether the money is not in hand, and no later attempt was made."""
        later = any(row.attempted and row.attempt > attempt for row in self._attempts())
        return not (self.in_hand or later)

    def _request(self, attempt: int) -> list[Effect]:
        if self.mandate is None or not self.mandate.active:
            return []
        reference = self.order.reference or ""
        terms = self.order.terms()
        days = terms.prenotification_days if terms else self.settings.prenotification_days
        not_before = first_collection_day(business_day(self.now), days)
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
        """The collection by this id, added when KING reports one that nobody asked for."""
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

    def _attempts(self) -> list[Collection]:
        return self.collections.where(onboarding_id=self.order.onboarding_id)

    def _next_attempt(self) -> int:
        """The number after all that were made, whose end-to-end id KING has not used by itself."""
        rows = [row for row in self._attempts() if row.status != UNASKED]
        attempt = max((row.attempt for row in rows), default=0) + 1
        used = {row.end_to_end_id for row in rows}
        while end_to_end_id(self.order.reference or "", attempt) in used:
            attempt += 1
        return attempt
