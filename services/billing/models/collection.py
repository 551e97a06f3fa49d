"""Collections: what KING reported of each, and what follows from it for the order.

Results come in any order, twice and late, so a collection keeps the results as facts and derives
its status from the set of them (`results`).
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, get_args

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from services.billing.models.reasons import known_code, reason_for
from services.billing.models.results import (
    DECIDED_WITHDRAWN,
    DECISION,
    DISMISS,
    TAKEN_BACK,
    Fact,
    Outcome,
    as_reported,
    came_to_nothing,
    moment_of,
    outcome_of,
    result_id,
)
from services.billing.models.sepa_ids import is_ours
from services.billing.models.table import BillingTable
from shared.events import CollectionBooked, CollectionCancelled, CollectionResult
from shared.events.king import CollectionStatus
from shared.persistence.entity import index_of, moment

REQUESTED = "requested"
UNASKED = "unasked"
"""KING spoke of a collection that nobody asked for, and nothing it said counts so far."""
CANCELLED = "cancelled"
SLIP = "signature_withdrawn"
"""Why one is called off whose signature was recorded by mistake."""
OPEN_STATUSES = (REQUESTED, "submitted")
ENDINGS: Mapping[str, CollectionStatus] = {
    ending: ending for ending in get_args(CollectionStatus) if ending != "submitted"
}
WORKED_OUT = "_worked_out"
"""Under this name a collection in hand keeps what its results amount to; no column holds it."""

TO_COLLECT = "status = 'requested' AND held = 0"
TO_DECIDE = "held = 1"
"""Conditions of two lists, which hold few of all collections."""


class Collection(BillingTable, table=True):
    """One attempt to collect an order's amount, known by its end-to-end id."""

    __tablename__ = "collection"
    __table_args__ = (
        Index("collection_order", "order_reference"),
        index_of(TO_COLLECT, "collection_to_collect", "key"),
        index_of(TO_COLLECT, "collection_to_collect_office", "office_code", "key"),
        index_of(TO_DECIDE, "collection_to_decide", "key"),
        index_of(TO_DECIDE, "collection_to_decide_office", "office_code", "key"),
    )

    key: str = Field(primary_key=True, max_length=71)
    order_reference: str = Field(max_length=35)
    onboarding_id: str = Field(max_length=36)
    office_code: str | None = Field(default=None, max_length=35)
    end_to_end_id: str = Field(max_length=35)
    attempt: int
    amount_cents: int
    currency: str = Field(default="EUR", max_length=3)
    collect_on: date | None = None
    requested_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    status: str = Field(default="requested", max_length=12)
    reason_code: str | None = Field(default=None, max_length=35)
    held: int = 0
    results: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    decision: str | None = Field(default=None, max_length=10)
    decided_by: str | None = Field(default=None, max_length=120)
    called_off: str | None = Field(default=None, max_length=20)

    def record(self, result: CollectionResult) -> bool:
        """Keep a result; False when the very same was kept before."""
        fact = result.model_dump(mode="json", exclude_none=True)
        if any(fact == as_reported(kept) for kept in self.results):
            return False
        self.results = [*self.results, fact]
        if self.requested_at is None:
            # Under an id that need not be unique KING may count several attempts.
            self.attempt = max(kept["attempt"] for kept in self.results)
        self._derive()
        return True

    def request(self, attempt: int, not_before: date, now: datetime) -> None:
        """Record that KING is asked for it, to be made on `not_before` at the earliest."""
        self.status, self.attempt = REQUESTED, attempt
        self.collect_on, self.requested_at = not_before, now

    def decide(self, fact: Fact, decision: str, by: str, *, withdrawn: bool) -> None:
        """Record a person's decision about one result: it counts after all, or it does not.

        `withdrawn` says that the customer had left by then: the decision is about that too.
        """
        decided = {**fact, DECISION: decision} | ({DECIDED_WITHDRAWN: True} if withdrawn else {})
        self.results = [decided if kept == fact else kept for kept in self.results]
        self.decision, self.decided_by = decision, by
        self._derive()

    def cancel(self, reason: str) -> CollectionCancelled | None:
        """Ask for it no longer, for good; None when there is nothing to cancel.

        When KING goes on with it all the same, it is told again.
        """
        cancelled = self.cancel_if_open(reason)
        if cancelled is not None:
            self.status, self.called_off = CANCELLED, reason
        return cancelled

    def cancel_if_open(self, reason: str) -> CollectionCancelled | None:
        """Ask for it no longer, since another has brought the money; None when it is not open.

        What KING has submitted by then may be too late to stop, and stays under way until KING
        says what became of it.
        """
        if self.status not in OPEN_STATUSES:
            return None
        if self.status == REQUESTED:
            self.status = CANCELLED
        return CollectionCancelled(
            order_reference=self.order_reference, end_to_end_id=self.end_to_end_id, reason=reason
        )

    def outcome(self) -> Outcome:
        """What its results amount to: worked out once for each list of them, and often asked."""
        results = self.results
        known: tuple[object, Outcome] | None = self.__dict__.get(WORKED_OUT)
        # Results are never added to a list that is there: a further one makes another list. And
        # what is collected is settled when it is asked for, amount and currency.
        if known is None or known[0] is not results:
            amount = self.amount_cents, self.currency
            one_collection = is_ours(self.end_to_end_id, self.order_reference)
            outcome = outcome_of(results, amount, one_collection=one_collection)
            known = self.__dict__[WORKED_OUT] = results, outcome
        return known[1]

    def result_id(self, fact: Fact) -> str:
        """The id of one of its results."""
        return result_id(self.order_reference, self.end_to_end_id, fact)

    @property
    def payments(self) -> list[Fact]:
        """The successes whose money is there, but for those that a person dismissed."""
        if self.status != "succeeded":
            return []
        return [fact for fact in self.outcome().payments if fact.get(DECISION) != DISMISS]

    @property
    def refusal(self) -> str | None:
        """The code by which the bank refused the mandate for good, unless a person dismissed it.

        A death stands until somebody has dismissed it, whatever was reported beside it.
        """
        if self.status not in ("failed", *TAKEN_BACK):
            return None
        standing = [code for code, decision in self._codes() if decision != DISMISS]
        deaths = [code for code in standing if reason_for(code).stops_everything]
        if deaths:
            return deaths[0]
        code = self.reason_code or ""
        return code if code in standing and reason_for(code).ends_mandate else None

    def _codes(self) -> list[tuple[str, str | None]]:
        """Why it came to nothing, as often as that was said; beside it what a person decided."""
        told = came_to_nothing(self.results, (self.amount_cents, self.currency))
        return [(known_code(fact.get("reason_code")) or "", fact.get(DECISION)) for fact in told]

    @property
    def made_at(self) -> datetime | None:
        """When it was asked for; of one that KING made by itself, when something came of it."""
        return self.requested_at or max(map(moment_of, self.results), default=None)

    @property
    def attempted(self) -> bool:
        """Whether it was, or still is, an attempt: neither cancelled nor only spoken of."""
        return self.status not in (UNASKED, CANCELLED)

    @property
    def stopped(self) -> bool:
        """Whether it came to nothing because the account holder was said to have died."""
        failed = self.status in ("failed", *TAKEN_BACK)
        deceased = failed and any(reason_for(code).stops_everything for code, _ in self._codes())
        return deceased or self.called_off == "deceased"

    @property
    def under_way(self) -> bool:
        """Whether KING may still bring the money."""
        return self.status in OPEN_STATUSES

    @property
    def paid(self) -> bool:
        """Whether the money is there, and counts."""
        return bool(self.payments)

    @property
    def ever_succeeded(self) -> bool:
        """Whether the money was there once: a return implies that it was."""
        return self.status in ("succeeded", *TAKEN_BACK)

    def told(self) -> tuple[object, ...]:
        """What activation knows of it; it is told again when this changes."""
        return self._told_status, self.reason_code, self.held

    def booked(self, revision: int) -> CollectionBooked:
        """What activation should know of it now."""
        return CollectionBooked(
            order_reference=self.order_reference,
            end_to_end_id=self.end_to_end_id,
            attempt=self.attempt,
            status=self._told_status,
            reason_code=self.reason_code,
            held=bool(self.held),
            revision=revision,
        )

    @property
    def _told_status(self) -> CollectionStatus:
        """How far it has come; whatever nothing is known of is as good as submitted."""
        return ENDINGS.get(self.status, "submitted")

    def _derive(self) -> None:
        """Status and reason, from the set of results alone."""
        outcome = self.outcome()
        if outcome.status is None:
            return
        self.status = outcome.status
        if self.reason_code != outcome.reason_code:
            self.reason_code = outcome.reason_code


def collection_key(order_reference: str, end_to_end_id: str) -> str:
    """The key of a collection: an end-to-end id is KING's, and need not be unique."""
    return f"{order_reference}/{end_to_end_id}"
