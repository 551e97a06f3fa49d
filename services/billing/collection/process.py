"""One order on its way to its money: what KING is asked for, and what it reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from services.billing.collection.release import update_standing
from services.billing.commands import CollectAgain, ResumeMandate, SignOrder, StopMandate
from services.billing.mails import failure_mails
from services.billing.models import Collection, Mandate, Order
from services.billing.models.collection import SLIP, UNASKED, collection_key
from services.billing.models.money import HeldResult, held_results, hold
from services.billing.models.reasons import Reason, reason_for
from services.billing.models.results import CONTRADICTED, DECEASED, DISMISS, TAKEN_BACK
from services.billing.models.sepa_ids import end_to_end_id
from shared.events import CollectionRequested, CollectionResult, Event
from shared.events.billing import SignatureMethod
from shared.host.settings import Settings
from shared.processing import Effect, EventFor, Loaded, Now, Scheduled
from shared.trade.calendar import business_day
from shared.trade.pauses import first_collection_day

Told = Mapping[str, tuple[object, ...]]


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
        if not self.in_hand:
            effects += self._request(self._next_attempt())
        return effects + update_standing(self.order, self._attempts())

    def book(self, result: CollectionResult) -> list[Effect]:
        """Book a result, and follow it up."""
        rows = self._attempts()
        before = _told(rows)
        collection = self._collection(result.end_to_end_id, result.attempt)
        status_before = collection.status
        if not collection.record(result):
            return []  # The very same was booked before.
        if collection.key not in before:
            rows.append(collection)
        effects = self._derive(before, collection, rows)
        status_reported = collection.status  # Before anything is cancelled.
        effects += update_standing(self.order, rows)
        if status_reported != status_before and not self.order.withdrawn:
            effects += self._follow_up(collection)
        return effects + self._stop(collection)

    def decide(self, held: HeldResult, decision: str, by: str) -> list[Effect]:
        """Carry out what a person decided about one result."""
        rows, collection = self._attempts(), held.collection
        before = _told(rows)
        collection.decide(held.fact, decision, by, withdrawn=self.order.withdrawn)
        effects = self._derive(before, collection, rows)
        effects += update_standing(self.order, rows)
        if held.why == CONTRADICTED and decision == DISMISS:
            # So it failed after all; what time heals waited for this decision.
            reason = reason_for(collection.reason_code or "")
            effects += self._schedule_again(collection, reason)
        if held.why == DECEASED and self.mandate is not None and not self.mandate.stopped:
            command = ResumeMandate(mandate_key=self.mandate.key)
            key = f"resume_mandate/{collection.key}/{self.order.revision}"
            effects.append(Scheduled(command, self.now, key, about=self.order.onboarding_id))
        return effects

    def resume(self) -> list[Effect]:
        """Ask KING again, where nothing but a death that was none has stopped it."""
        last = max(self._attempts(), key=lambda row: row.attempt, default=None)
        wanted = self.order.signed and not (self.order.withdrawn or self.in_hand)
        if last is None or not wanted or not last.stopped:
            return []
        return self._request(self._next_attempt())

    def withdraw(self, cause: str) -> list[Effect]:
        """Follow up that the customer left: money that is there must go back."""
        rows = self._attempts()
        booked = self._hold(_told(rows), rows)
        return booked + update_standing(self.order, rows, cause)

    def withdraw_signature(self, reason: str) -> list[Effect]:
        """Take back a signature that was a mistake, and call off what KING was asked for."""
        events: list[Event] = [self.order.withdraw_signature(reason)]
        cancelled = [row.cancel(SLIP) for row in self._attempts()]
        events += [event for event in cancelled if event is not None]
        effects: list[Effect] = [EventFor(self.order.onboarding_id, event) for event in events]
        return effects + update_standing(self.order, self._attempts())

    @property
    def held(self) -> list[HeldResult]:
        """What a person must decide about it."""
        return held_results(self._attempts(), withdrawn=self.order.withdrawn)

    def amend(self, command: SignOrder, iban: str, account_holder: str) -> list[Effect]:
        """Ask KING to collect under the signature that the payer has given anew.

        In SEPA's books an amendment: the mandate keeps its reference.
        """
        if self.mandate is None:
            return []
        signed = self.order.sign(command.method, command.signed_on, command.signed_by, self.now)
        if self.mandate.refused or not self.mandate.is_signed(command.signed_on, iban):
            self.mandate.sign(command.signed_on, iban, account_holder, self.now)
        told: list[Effect] = [EventFor(self.order.onboarding_id, signed)]
        return told + self._request(self._next_attempt())

    @property
    def reported(self) -> bool:
        """Whether KING has reported anything of it."""
        return any(row.results for row in self._attempts())

    def collect_again(self, *, after: int) -> list[Effect]:
        """Ask KING once more, unless that is no longer wanted or was done already."""
        if self.order.withdrawn or not self.order.signed or not self._worth_another(after):
            return []
        if any(held.why == CONTRADICTED for held in self.held):
            return []  # The money may be there: first a person says.
        return self._request(self._next_attempt())

    def _follow_up(self, collection: Collection) -> list[Effect]:
        """Tell payer and office of a failure, and try again later where that helps."""
        if collection.status not in ("failed", *TAKEN_BACK):
            return []
        if any(row.paid for row in self._attempts()):
            return []  # Another attempt has brought the money; this went back, or never came.
        if collection.status == "failed" and collection.called_off:
            return []  # Nobody wanted it any more.
        reason = reason_for(collection.reason_code or "")
        again = self._schedule_again(collection, reason)
        mails = failure_mails(
            self.order,
            collection,
            meaning=reason.meaning,
            action=partial(reason.action, again=bool(again)),
            again_on=self._not_before(again[0].due) if again else None,
            to_payer=reason.payer_is_told,
        )
        return [*mails, *again]

    def _schedule_again(self, collection: Collection, reason: Reason) -> Sequence[Scheduled]:
        """Another attempt after a pause, where it is one that time heals."""
        if reason.retry_after_days is None or not self.tries_again(collection, reason):
            return ()
        command = CollectAgain(
            order_reference=collection.order_reference, attempt=collection.attempt
        )
        due = self.now + timedelta(days=reason.retry_after_days)
        # The same collection may fail once more, within the month that a done key is remembered.
        key = f"collect_again/{collection.key}/{self.order.revision}"
        return (Scheduled(command, due, key, about=self.order.onboarding_id),)

    def tries_again(self, collection: Collection, reason: Reason) -> bool:
        """Whether time heals it: for such a reason, not for ever, under a mandate that holds."""
        if collection.status not in ("failed", "returned") or reason.retry_after_days is None:
            return False
        if collection.attempt > reason.max_retries or not self._worth_another(collection.attempt):
            return False
        # Not signed yet, or no longer good: there is nothing to try again.
        return self.mandate is not None and self.mandate.active_on(business_day(self.now))

    @property
    def in_hand(self) -> bool:
        """Whether the money is there or on its way."""
        return any(row.under_way or row.paid for row in self._attempts())

    def _worth_another(self, attempt: int) -> bool:
        """Whether the money is not in hand, and no later attempt was made."""
        later = any(row.attempted and row.attempt > attempt for row in self._attempts())
        return not (self.in_hand or later)

    def _request(self, attempt: int) -> list[Effect]:
        if self.mandate is None or not self.mandate.active_on(business_day(self.now)):
            return []
        reference = self.order.reference or ""
        not_before = self._not_before(self.now)
        collection = self._collection(end_to_end_id(reference, attempt), attempt)
        collection.request(attempt, not_before, self.now)
        self.mandate.use(not_before)
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

    def _not_before(self, asked_at: datetime) -> date:
        """The first day on which KING may collect what it is asked for at this moment."""
        terms = self.order.terms()
        days = terms.prenotification_days if terms else self.settings.prenotification_days
        return first_collection_day(business_day(asked_at), days)

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

    def _derive(
        self, before: Told, collection: Collection, rows: Sequence[Collection]
    ) -> list[Effect]:
        """Count a fact about one collection, and tell of all that it changes."""
        self.order.revision += 1
        if self.mandate is not None:
            self.mandate.judge(collection)
        return self._hold({**before, collection.key: ()}, rows)

    def _hold(self, before: Told, rows: Sequence[Collection]) -> list[Effect]:
        """Note what a person must decide, and tell of each collection that is another now."""
        hold(rows, withdrawn=self.order.withdrawn)
        changed = [row for row in rows if row.told() != before.get(row.key)]
        booked = [row.booked(self.order.revision) for row in changed]
        return [EventFor(self.order.onboarding_id, event) for event in booked]

    def _stop(self, collection: Collection) -> list[Effect]:
        """When the account holder has died, call off all that is collected from them."""
        if self.mandate is None or collection.key not in (self.mandate.refusals or {}):
            return []
        if not self.mandate.stopped:
            return []
        command = StopMandate(mandate_key=self.mandate.key)
        key = f"stop_mandate/{collection.key}/{self.order.revision}"
        return [Scheduled(command, self.now, key, about=self.order.onboarding_id)]

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


def _told(rows: Sequence[Collection]) -> dict[str, tuple[object, ...]]:
    """What activation was told of each collection."""
    return {row.key: row.told() for row in rows}
