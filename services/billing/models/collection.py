"""Collections: what KING reported of each, and what follows from it for the order.

Results come in any order, twice and late, so a collection keeps the results as facts and derives
its status from the set of them. The rules are those of SEPA direct debit: a collection succeeds
or fails; what succeeded may come back as a return, a refund or a reversal; a failure after a
success on one end-to-end id is a return under another name.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from services.billing.models.table import BillingTable
from shared.events import CollectionBooked, CollectionCancelled, CollectionResult
from shared.events.king import CollectionStatus
from shared.persistence.entity import index_of, moment

TAKEN_BACK = ("returned", "refunded", "reversed")
REQUESTED = "requested"
UNASKED = "unasked"
"""KING spoke of a collection that nobody asked for, and nothing it said counts so far."""
CANCELLED = "cancelled"
OPEN_STATUSES = (REQUESTED, "submitted")
ACCEPT = "accept"
DECISION = "decision"
"""Beside a kept result: what a person decided about it."""

WEIGHTS = {"submitted": 0, "failed": 1, "succeeded": 2} | dict.fromkeys(TAKEN_BACK, 3)
"""How far a collection has come; what weighs less than the exact results is settled by them."""


TO_COLLECT = "status = 'requested' AND held = 0"
TO_DECIDE = "held = 1"
"""Conditions of two lists, which hold few of all collections."""


class Collection(BillingTable, table=True):
    """One attempt to collect an order's amount, known by its end-to-end id."""

    __tablename__ = "collection"
    __table_args__ = (
        Index("collection_order", "order_reference"),
        Index("collection_end_to_end", "end_to_end_id"),
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

    def record(self, result: CollectionResult) -> bool:
        """Keep a result; False when the very same was kept before."""
        fact = result.model_dump(mode="json", exclude_none=True)
        if any(fact == _as_reported(kept) for kept in self.results):
            return False
        self.results = [*self.results, fact]
        self._derive()
        return True

    def request(self, attempt: int, not_before: date, now: datetime) -> None:
        """Record that KING is asked for it, to be made on `not_before` at the earliest."""
        self.status, self.attempt = REQUESTED, attempt
        self.collect_on, self.requested_at = not_before, now

    def decide(self, decision: str, by: str) -> None:
        """Record a person's decision about what is held: it counts after all, or it does not.

        It is about what was reported until now; another odd result is held again.
        """
        self.results = [
            fact if self._exact(fact) or DECISION in fact else {**fact, DECISION: decision}
            for fact in self.results
        ]
        self.decision, self.decided_by = decision, by
        self._derive()

    def cancel(self, reason: str) -> CollectionCancelled | None:
        """Ask for it no longer, for good; None when there is nothing to cancel."""
        cancelled = self.cancel_if_open(reason)
        if cancelled is not None:
            self.status = CANCELLED
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

    @property
    def attempted(self) -> bool:
        """Whether it was, or still is, an attempt: neither cancelled nor only spoken of."""
        return self.status not in (UNASKED, CANCELLED)

    @property
    def under_way(self) -> bool:
        """Whether KING may still bring the money."""
        return self.status in OPEN_STATUSES

    @property
    def succeeded(self) -> bool:
        """Whether the money is there."""
        return self.status == "succeeded"

    @property
    def ever_succeeded(self) -> bool:
        """Whether the money was there once: a return implies that it was."""
        return self.status in ("succeeded", *TAKEN_BACK)

    def booked(self, revision: int) -> CollectionBooked:
        """What activation should know of it now."""
        status: CollectionStatus = "submitted"
        for possible in ("succeeded", "failed", "returned", "refunded", "reversed"):
            if self.status == possible:
                status = possible
        return CollectionBooked(
            order_reference=self.order_reference,
            end_to_end_id=self.end_to_end_id,
            attempt=self.attempt,
            status=status,
            reason_code=self.reason_code,
            held=bool(self.held),
            revision=revision,
        )

    def _derive(self) -> None:
        """Status, reason and whether a person must decide, from the set of results alone."""
        counting = [fact for fact in self.results if self._counts(fact)]
        outcome = _outcome(CollectionResult.model_validate(fact) for fact in counting)
        if outcome is not None:
            self.status, self.reason_code = outcome
        settled = max((WEIGHTS[fact["status"]] for fact in counting), default=-1)
        self.held = int(
            any(
                WEIGHTS[fact["status"]] > settled and DECISION not in fact
                for fact in self.results
                if not self._counts(fact)
            )
        )

    def _exact(self, fact: Mapping[str, Any]) -> bool:
        return (fact["amount_cents"], fact["currency"]) == (self.amount_cents, self.currency)

    def _counts(self, fact: Mapping[str, Any]) -> bool:
        """Only the exact amount in the order's currency changes a state, unless a person says."""
        return self._exact(fact) or fact.get(DECISION) == ACCEPT


def _as_reported(fact: Mapping[str, Any]) -> dict[str, Any]:
    """A kept result as KING said it, without what a person decided about it."""
    return {name: value for name, value in fact.items() if name != DECISION}


def _outcome(results: Iterable[CollectionResult]) -> tuple[str, str | None] | None:
    """The status that a set of results amounts to, whatever the order in which they came."""
    by_status: dict[str, CollectionResult] = {}
    in_time = sorted(results, key=lambda result: (result.occurred_at, result.reason_code or ""))
    for result in in_time:
        by_status[result.status] = result
    back = [by_status[status] for status in TAKEN_BACK if status in by_status]
    if back:
        last = max(back, key=lambda result: (result.occurred_at, result.status))
        return last.status, last.reason_code
    success, failure = by_status.get("succeeded"), by_status.get("failed")
    if success is not None and failure is not None:
        if failure.occurred_at >= success.occurred_at:
            return "returned", failure.reason_code
        return "succeeded", None
    for status in ("succeeded", "failed", "submitted"):
        if status in by_status:
            return status, by_status[status].reason_code
    return None


def collection_key(order_reference: str, end_to_end_id: str) -> str:
    """The key of a collection: KING's ids are unique, but a report may name the wrong order."""
    return f"{order_reference}/{end_to_end_id}"
