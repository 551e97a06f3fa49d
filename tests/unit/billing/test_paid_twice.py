"""Money that comes twice reaches a person, and goes back in silence."""

from typing import Literal

import pytest

from services.billing.models.money import to_pay_back_cents
from shared.events import CollectionBooked, CustomerReleased, CustomerReleaseWithdrawn
from shared.events.king import CollectionResult
from tests.unit.billing.builders import FIRST, PRICE, released, result, signed
from tests.unit.billing.harness import BillingHarness, mails

OTHERS = {
    "another attempt": {"attempt": 2},
    "an id of KING's own": {"end_to_end_id": "KING-77"},
    "no id": {"end_to_end_id": "NOTPROVIDED"},
}
by_another_id = pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)


def second(other: dict[str, object], **changes: object) -> CollectionResult:
    """The second success, an hour later."""
    return result("succeeded", **{"minute": 60, **other, **changes})  # type: ignore[arg-type]


def surplus(billing: BillingHarness) -> int:
    """How much must go back to the payer."""
    return to_pay_back_cents(billing.collections(FIRST), withdrawn=billing.order().withdrawn)


@by_another_id
def test_the_second_success_is_held_as_money_that_must_go_back(other: dict[str, object]) -> None:
    # Given a customer who paid, when the money comes once more,
    billing = released()
    said = billing.hear(second(other))
    # Then a person must decide about that result, and the customer stays released.
    assert said.one(CollectionBooked).held
    assert [(held.why, held.fact["amount_cents"]) for held in billing.held()] == [
        ("paid_twice", PRICE)
    ]
    assert billing.order().released
    assert surplus(billing) == PRICE


@by_another_id
@pytest.mark.parametrize("decision", [None, "accept", "dismiss"])
def test_when_the_second_goes_back_nobody_is_told_that_they_have_not_paid(
    other: dict[str, object], decision: Literal["accept", "dismiss"] | None
) -> None:
    # Given money that came twice, whether or not a person has decided about it,
    billing = released()
    billing.hear(second(other))
    if decision is not None:
        billing.decide(decision)
        assert billing.held() == []
    # When the second goes back,
    said = billing.hear(result("returned", code="AC04", **{**other, "minute": 90}))  # type: ignore[arg-type]
    # Then nobody is written to, the customer stays released, and nothing is left to pay back.
    assert mails(said) == []
    assert said.all(CustomerReleaseWithdrawn) == []
    assert billing.order().released
    assert (billing.held(), surplus(billing)) == ([], 0)


def test_when_the_first_goes_back_the_second_is_what_the_customer_paid() -> None:
    # Given money that came twice, when the first goes back,
    billing = released()
    billing.hear(second({"attempt": 2}))
    said = billing.hear(result("refunded", code="MD06", minute=90))
    # Then the second is the payment: nothing is to be decided, and nobody is written to.
    assert (billing.order().released, billing.held(), mails(said)) == (True, [], [])
    assert [(e.end_to_end_id, e.held) for e in said.all(CollectionBooked)] == [
        (f"{FIRST}-1", False),
        (f"{FIRST}-2", False),
    ]


def test_a_second_success_that_a_person_dismissed_is_no_payment() -> None:
    # Given a second success of which a person said that it does not count,
    billing = released()
    billing.hear(second({"attempt": 2}))
    billing.decide("dismiss")
    # When the first goes back, then the customer has not paid.
    said = billing.hear(result("refunded", code="MD06", minute=90))
    assert said.one(CustomerReleaseWithdrawn).reason_code == "MD06"
    assert mails(said)


def test_which_is_the_second_follows_from_when_they_happened() -> None:
    # Given that the later of two successes is heard first,
    billing = signed()
    billing.hear(second({"attempt": 2}))
    assert billing.held() == []
    # When the earlier is heard,
    said = billing.hear(result("succeeded"))
    # Then the later is held, and activation is told of both.
    assert [held.collection.end_to_end_id for held in billing.held()] == [f"{FIRST}-2"]
    told = {event.end_to_end_id: event.held for event in said.all(CollectionBooked)}
    assert told == {f"{FIRST}-1": False, f"{FIRST}-2": True}
    assert said.all(CustomerReleased) == []


def test_the_same_collection_told_again_with_another_moment_is_no_second_payment() -> None:
    # Given a collection of ours that succeeded, when KING tells it with the moment of booking,
    billing = released()
    billing.hear(result("succeeded", minute=60))
    # Then it is the same money: our ids name one collection each.
    assert (billing.held(), surplus(billing)) == ([], 0)


@pytest.mark.parametrize("cents", [1, PRICE + 1])
def test_an_odd_amount_beside_the_payment_is_seen_by_a_person(cents: int) -> None:
    # Given a customer who paid, when another amount comes under an id that need not be unique,
    billing = released()
    billing.hear(result("succeeded", end_to_end_id="NOTPROVIDED", cents=PRICE, minute=-5))
    billing.hear(result("succeeded", end_to_end_id="NOTPROVIDED", cents=cents, minute=60))
    # Then a person sees it beside the second payment.
    assert sorted(held.why for held in billing.held()) == ["deviating_amount", "paid_twice"]
