"""Whatever happened to one customer, and however it is heard: release and money keep the rules."""

from collections.abc import Sequence, Set

from hypothesis import given
from hypothesis import strategies as st

from services.billing.models.collection import REQUESTED, Collection
from services.billing.models.results import TAKEN_BACK
from shared.events import (
    CollectionRequested,
    CollectionResult,
    CustomerReleased,
    CustomerReleaseWithdrawn,
)
from tests.unit.billing.builders import FIRST, PRICE
from tests.unit.billing.harness import BillingHarness
from tests.unit.billing.test_history import (
    FOREIGN,
    SIGNATURE,
    WITHDRAWAL,
    History,
    histories,
    live,
    nothing,
    thoroughly,
)


def deserves_release(history: History) -> bool:
    """The rule of the house, straight from the history: signed, collected in full, still there."""
    if SIGNATURE not in history.happened or WITHDRAWAL in history.happened:
        return False
    exact = [
        report
        for report in history.results
        if (report.amount_cents, report.currency) == (PRICE, "EUR")
    ]
    return any(
        money_there([report for report in exact if report.end_to_end_id == end_to_end_id])
        for end_to_end_id in {report.end_to_end_id for report in exact}
    )


def money_there(reports: Sequence[CollectionResult]) -> int:
    """How often the money came and stayed, by what was said under one end-to-end id."""
    failed = {r for r in reports if r.status == "failed"}
    paid = {
        r
        for r in reports
        if r.status == "succeeded" and not any(f.occurred_at < r.occurred_at for f in failed)
    }
    back = {r for r in reports if r.status in TAKEN_BACK}
    back |= {f for f in failed if any(f.occurred_at >= r.occurred_at for r in paid)}
    if reports[0].end_to_end_id in FOREIGN:
        return max(0, len(paid) - len(back))
    return 1 if paid and not back else 0


@thoroughly
@given(histories())
def test_money_that_comes_twice_is_held_but_for_the_first(history: History) -> None:
    # Given any history of which nothing is taken back and nobody withdrew, heard in any order,
    billing = live(history, history.heard, nothing)
    exact = [r for r in history.results if (r.amount_cents, r.currency) == (PRICE, "EUR")]
    by_id = {
        r.end_to_end_id: [o for o in exact if o.end_to_end_id == r.end_to_end_id] for r in exact
    }
    payments = sum(money_there(reports) for reports in by_id.values())
    # Then of the payments that are there a person sees all but one, and all of who withdrew.
    wanted = payments if WITHDRAWAL in history.happened else max(0, payments - 1)
    whys = [held.why for held in billing.held()]
    assert len([why for why in whys if why in ("paid_twice", "withdrawn")]) == wanted


@thoroughly
@given(histories())
def test_a_customer_is_released_only_when_signed_and_collected_in_full(history: History) -> None:
    # Given any history, when it was heard in any order,
    billing = live(history, history.heard, nothing)
    # Then the customer is released exactly when they signed, the full amount came and
    # stayed, and they did not withdraw.
    assert billing.order().released == deserves_release(history)


@thoroughly
@given(histories())
def test_whoever_heeds_the_highest_revision_knows_who_is_released(history: History) -> None:
    # Given any history, when it was heard in any order,
    billing = live(history, history.heard, nothing)
    # Then of all that was said about the release, the highest revision tells the truth,
    events = [
        event
        for event in billing.said
        if isinstance(event, CustomerReleased | CustomerReleaseWithdrawn)
    ]
    last = max(events, key=lambda event: event.revision, default=None)
    assert isinstance(last, CustomerReleased) == billing.order().released
    # and no two of them bear the same revision.
    assert len({event.revision for event in events}) == len(events)


@thoroughly
@given(histories(), st.sets(st.integers(0, 9)))
def test_king_is_never_asked_too_early_or_for_two_at_once(
    history: History, weeks: Set[int]
) -> None:
    # Given any history, heard in any order, with weeks between that go by,
    asked = 0

    def look(billing: BillingHarness) -> None:
        nonlocal asked
        rows = billing.rows(Collection)
        # Then KING is left with no request once the money is there;
        if any(row.paid for row in rows):
            assert not any(row.status == REQUESTED for row in rows)
        requests = [event for event in billing.said if isinstance(event, CollectionRequested)]
        if len(requests) == asked:
            return
        asked += 1
        # and when it is asked to collect,
        order = billing.order()
        assert len(requests) == asked
        # the order is signed and still wanted, the whole amount is asked for,
        assert order.signed
        assert not order.withdrawn
        assert (requests[-1].order_reference, requests[-1].amount_cents) == (FIRST, PRICE)
        # and nothing else is under way or has brought the money.
        busy = [row.end_to_end_id for row in rows if row.under_way or row.paid]
        assert busy == [requests[-1].end_to_end_id]

    live(history, history.heard, look, weeks)
