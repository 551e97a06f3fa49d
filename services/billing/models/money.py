"""The money of one order, over all its collections: what is there, what a person must decide."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.billing.models.collection import Collection
from services.billing.models.results import (
    DECIDED_WITHDRAWN,
    DECISION,
    PAID_TWICE,
    WITHDRAWN,
    Fact,
    moment_of,
)


@dataclass(frozen=True)
class HeldResult:
    """One result that waits for a person, and why."""

    collection: Collection
    fact: Fact
    why: str

    @property
    def id(self) -> str:
        """By what it is decided."""
        return self.collection.result_id(self.fact)


def held_results(collections: Sequence[Collection], *, withdrawn: bool) -> list[HeldResult]:
    """What a person must decide about an order: doubtful results, and money that must go back.

    Money must go back that came twice, or from a customer who left. Which of two successes is
    the second follows from when they happened, not from which was heard first.
    """
    held = [HeldResult(row, *doubt) for row in collections for doubt in row.outcome().doubtful]
    payments = payments_of(collections)
    if withdrawn:
        left = [pair for pair in payments if not pair[1].get(DECIDED_WITHDRAWN)]
        return held + [HeldResult(row, fact, WITHDRAWN) for row, fact in left]
    surplus = [pair for pair in payments[1:] if DECISION not in pair[1]]
    return held + [HeldResult(row, fact, PAID_TWICE) for row, fact in surplus]


def payments_of(collections: Sequence[Collection]) -> list[tuple[Collection, Fact]]:
    """The successes whose money is there and counts, the earliest first."""
    pairs = [(row, fact) for row in collections for fact in row.payments]
    if len(pairs) < 2:
        return pairs  # Nearly always; to know by what they are sorted takes long.
    return sorted(
        pairs,
        key=lambda pair: (moment_of(pair[1]), pair[1]["attempt"], pair[0].result_id(pair[1])),
    )


def to_pay_back_cents(collections: Sequence[Collection], *, withdrawn: bool) -> int:
    """How much of the money that is there must go back to the payer, in cents."""
    payments = payments_of(collections)
    there = sum(int(fact["amount_cents"]) for _row, fact in payments)
    due = 0 if withdrawn or not payments else payments[0][0].amount_cents
    return max(0, there - due)


def hold(collections: Sequence[Collection], *, withdrawn: bool) -> None:
    """Note of each collection whether a person must decide something about it."""
    held = {entry.collection.key for entry in held_results(collections, withdrawn=withdrawn)}
    for row in collections:
        is_held = int(row.key in held)
        if row.held != is_held:
            row.held = is_held
