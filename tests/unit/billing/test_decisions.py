"""A person decides about what was held."""

import re
from typing import Literal

import pytest

from services.billing.models.money import to_pay_back_cents
from shared.base.errors import Conflict, NotFound
from shared.events import CollectionBooked, CustomerReleased, CustomerReleaseWithdrawn
from tests.unit.billing.builders import (
    FIRST,
    PRICE,
    placed,
    registration,
    released,
    result,
    signature,
    signed,
)
from tests.unit.billing.harness import BillingHarness

E2E = f"{FIRST}-1"


def with_a_cent_too_much() -> BillingHarness:
    """A signed order for which a cent too much came in."""
    billing = signed()
    billing.hear(result("succeeded", cents=PRICE + 1))
    return billing


def surplus(billing: BillingHarness) -> int:
    """How much must go back to the payer of the first order."""
    order = billing.order()
    return to_pay_back_cents(billing.collections(FIRST), withdrawn=order.withdrawn)


def test_an_accepted_amount_releases_the_customer_and_its_surplus_stays_noted() -> None:
    # Given an amount too large, which is held,
    billing = with_a_cent_too_much()
    assert [held.why for held in billing.held()] == ["deviating_amount"]
    revision = billing.order().revision
    # When a person accepts it,
    said = billing.decide("accept")
    # Then it counts, the customer is released, and it is known who decided,
    booked = said.one(CollectionBooked)
    assert (booked.status, booked.held, booked.revision) == ("succeeded", False, revision + 1)
    assert said.all(CustomerReleased)
    assert billing.collection(E2E).decided_by == "b.voorbeeld"
    # and the cent is to be paid back.
    assert surplus(billing) == 1


@pytest.mark.parametrize("cents", [1, PRICE - 1])
def test_less_than_the_full_amount_is_not_accepted_and_what_is_missing_is_told(cents: int) -> None:
    # Given an amount that is short,
    billing = signed()
    billing.hear(result("succeeded", cents=cents))
    # When a person accepts it,
    with pytest.raises(Conflict) as refusal:
        billing.decide("accept")
    # Then they are told what is missing, nobody is released, and it still waits.
    assert refusal.value.code == "amount_short"
    assert refusal.value.extra["missing_cents"] == PRICE - cents
    assert not billing.order().released
    assert len(billing.held()) == 1


def test_a_shortfall_within_the_setting_is_accepted() -> None:
    # Given a product that is set to accept five cents less,
    billing = BillingHarness(accept_shortfall_cents=5)
    billing.hear(registration())
    billing.ask(signature())
    # When six are missing, then that is refused;
    billing.hear(result("succeeded", cents=PRICE - 6))
    with pytest.raises(Conflict):
        billing.decide("accept")
    billing.decide("dismiss")
    # when five are, it is accepted.
    billing.hear(result("succeeded", cents=PRICE - 5, minute=1))
    assert billing.decide("accept").all(CustomerReleased)


@pytest.mark.parametrize("cents", [PRICE, PRICE * 100])
def test_another_currency_is_never_accepted(cents: int) -> None:
    # Given money in dollars, however much, when a person accepts it, then that is refused.
    billing = signed()
    billing.hear(result("succeeded", cents=cents, currency="USD"))
    with pytest.raises(Conflict) as refusal:
        billing.decide("accept")
    assert refusal.value.code == "other_currency"
    assert not billing.order().released


def test_an_amount_accepted_before_the_signature_releases_at_the_signature() -> None:
    # Given a wrong amount that was accepted while the order was not signed,
    billing = placed()
    billing.hear(result("succeeded", cents=PRICE + 1))
    assert billing.decide("accept").all(CustomerReleased) == []
    # When the order is signed, then the customer is released.
    assert billing.ask(signature()).all(CustomerReleased)


def test_a_dismissed_amount_is_held_no_longer_and_changes_nothing() -> None:
    # Given a wrong amount that is held,
    billing = with_a_cent_too_much()
    # When a person dismisses it,
    said = billing.decide("dismiss")
    # Then nobody need decide any more, and the customer is not released;
    assert not said.one(CollectionBooked).held
    assert not billing.order().released
    # the same report told again is not held again,
    assert billing.hear(result("succeeded", cents=PRICE + 1)) == []
    # and the exact amount releases as ever.
    assert billing.hear(result("succeeded", minute=1)).all(CustomerReleased)


@pytest.mark.parametrize("end_to_end_id", ["NOTPROVIDED", "KING/2026/77"])
def test_a_decision_is_about_one_result_and_touches_that_alone(end_to_end_id: str) -> None:
    # Given two odd results under one end-to-end id,
    billing = signed()
    billing.hear(result("succeeded", cents=PRICE + 1, end_to_end_id=end_to_end_id))
    billing.hear(result("succeeded", cents=2, end_to_end_id=end_to_end_id, minute=1))
    first, second = sorted(billing.held(), key=lambda held: -held.fact["amount_cents"])
    # When a person dismisses the second by its id, then the first still waits;
    billing.decide("dismiss", second.id)
    assert [held.id for held in billing.held()] == [first.id]
    # when they accept the first, the customer is released, and the second counts for nothing.
    assert billing.decide("accept", first.id).all(CustomerReleased)
    assert surplus(billing) == 1


def test_the_ids_of_results_fit_into_the_path_of_an_address() -> None:
    # Given results under ids with a slash, two of them alike but for their end-to-end id,
    billing = signed()
    for end_to_end_id in ("A/1", "A/2"):
        billing.hear(result("succeeded", cents=1, end_to_end_id=end_to_end_id))
    # Then each has an id of its own, of letters that need no escape.
    ids = {held.id for held in billing.held()}
    assert len(ids) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", result_id) for result_id in ids)


@pytest.mark.parametrize("verdict", ["accept", "dismiss"])
def test_a_decision_is_about_what_was_reported_until_then(
    verdict: Literal["accept", "dismiss"],
) -> None:
    # Given a failure over a wrong amount, about which a person decided,
    billing = signed()
    billing.hear(result("failed", cents=PRICE - 1, code="AC01"))
    billing.decide(verdict)
    # When a single cent comes in,
    said = billing.hear(result("succeeded", cents=1, minute=1))
    # Then that is held for a person, and releases nobody.
    assert said.one(CollectionBooked).held
    assert not billing.order().released


def test_an_odd_return_of_money_that_came_in_full_is_held() -> None:
    # Given a released customer,
    billing = released()
    # When a part of the money is said to have gone back,
    said = billing.hear(result("returned", cents=1, code="MD06", minute=1))
    # Then a person must look, and until then the customer stays released;
    booked = said.one(CollectionBooked)
    assert (booked.status, booked.held) == ("succeeded", True)
    assert billing.order().released
    # when they accept it, the release is taken back.
    said = billing.decide("accept")
    assert said.one(CustomerReleaseWithdrawn).reason_code == "MD06"


def test_an_odd_message_on_the_way_is_settled_by_the_exact_success() -> None:
    # Given a submission over a wrong amount, which is held,
    billing = signed()
    assert billing.hear(result("submitted", cents=1)).one(CollectionBooked).held
    # When the exact amount comes in, then nobody need decide.
    assert not billing.hear(result("succeeded", minute=1)).one(CollectionBooked).held


def test_an_odd_success_is_not_settled_by_an_exact_failure() -> None:
    # Given an attempt that failed,
    billing = signed()
    billing.hear(result("failed", code="AC01"))
    # When a part of the money comes in all the same, then a person must look.
    booked = billing.hear(result("succeeded", cents=1, minute=1)).one(CollectionBooked)
    assert (booked.status, booked.held) == ("failed", True)


def test_nothing_is_decided_twice() -> None:
    # Given a held amount that was dismissed,
    billing = with_a_cent_too_much()
    (held,) = billing.held()
    billing.decide("dismiss", held.id)
    # When somebody else decides otherwise, they are told that nothing waits for them.
    with pytest.raises(NotFound):
        billing.decide("accept", held.id)
    assert not billing.order().released


def test_what_is_not_held_cannot_be_decided() -> None:
    # Given money that came as it should, when a person decides about it all the same,
    billing = released()
    (fact,) = billing.collection(E2E).results
    # Then they are told that nothing waits for them; so they are for an id that nobody gave out.
    for result_id in (billing.collection(E2E).result_id(fact), "O-2026-000009.0", "", "x.y"):
        with pytest.raises(NotFound):
            billing.decide("dismiss", result_id)
    assert billing.order().released


def test_a_result_of_an_unknown_order_can_be_dismissed_but_not_accepted() -> None:
    # Given two reports of an order that nobody knows, one of them told twice,
    billing = BillingHarness()
    for reported in (result("submitted"), result("succeeded", minute=1), result("submitted")):
        billing.hear(reported)
    first, second = billing.unmatched()
    # When a person accepts one, they are told that there is no order to book it on;
    with pytest.raises(Conflict) as refusal:
        billing.decide("accept", first.id)
    assert refusal.value.code == "order_unknown"
    assert len(billing.unmatched()) == 2
    # when they dismiss it, the other still waits, and the first no longer.
    billing.decide("dismiss", first.id)
    assert billing.unmatched() == [second]
    billing.decide("dismiss", second.id)
    assert billing.pass_days(1).events == []
