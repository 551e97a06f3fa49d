"""VRIJGEVEN: booking what KING reports, and releasing the customer or taking that back."""

import pytest

from services.billing.models.results import TAKEN_BACK
from shared.events import (
    CollectionBooked,
    CollectionRequested,
    CustomerReleased,
    CustomerReleaseWithdrawn,
)
from shared.processing import EventFor
from shared.processing.testing import onboarding
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
from tests.unit.billing.harness import BillingHarness, kinds, mails

ODD = {"too little": (PRICE - 1, "EUR"), "too much": (PRICE + 1, "EUR"), "dollars": (PRICE, "USD")}
odd_amounts = pytest.mark.parametrize(("cents", "currency"), ODD.values(), ids=ODD)
went_back = pytest.mark.parametrize("status", TAKEN_BACK)


def test_a_signed_customer_is_released_when_the_money_came_in() -> None:
    # Given a signed order,
    billing = signed()
    # When KING reports that the whole amount came in,
    said = billing.hear(result("succeeded"))
    # Then the result is booked and the customer released, under one revision.
    booked, release = said.one(CollectionBooked), said.one(CustomerReleased)
    assert (booked.order_reference, booked.end_to_end_id) == (FIRST, f"{FIRST}-1")
    assert (booked.attempt, booked.status, booked.held) == (1, "succeeded", False)
    assert release.order_reference == FIRST
    assert release.revision == booked.revision == billing.order().revision


def test_a_result_finds_its_order_by_reference_whatever_its_subject() -> None:
    # Given a signed order,
    billing = signed()
    # When KING's report bears the subject of somebody else,
    said = billing.hear(result("succeeded"), about="bloemist")
    # Then what is said of it is about the order's own customer.
    assert [effect.subject for effect in said.all(EventFor)] == [onboarding("bakkerij")] * 2
    assert len(said.all(EventFor)) == len(said)


def test_a_submitted_collection_releases_nobody() -> None:
    # Given a signed order, when KING has only sent its file to the bank,
    billing = signed()
    said = billing.hear(result("submitted"))
    # Then that is booked, and the customer waits.
    assert said.one(CollectionBooked).status == "submitted"
    assert not billing.order().released


def test_money_that_comes_before_the_signature_is_remembered() -> None:
    # Given an order that is not signed,
    billing = placed()
    # When the money comes in,
    said = billing.hear(result("succeeded"))
    # Then the customer is not released;
    assert said.all(CustomerReleased) == []
    # when the confirmation comes back, they are, and nothing more is collected.
    said = billing.ask(signature())
    assert said.one(CustomerReleased).revision == billing.order().revision
    assert said.all(CollectionRequested) == []


def test_money_that_came_and_went_before_the_signature_releases_nobody() -> None:
    # Given an order for which the money came and went back before it was signed,
    billing = placed()
    billing.hear(result("succeeded"))
    billing.hear(result("refunded", code="MD06", minute=1))
    # When it is signed,
    said = billing.ask(signature())
    # Then the customer is not released, and why is said in words.
    assert not billing.order().released
    taken_back = said.one(CustomerReleaseWithdrawn)
    assert (taken_back.reason_code, taken_back.cause) == ("MD06", "disputed_authorised")


def test_what_king_has_under_way_by_itself_is_not_asked_for_again() -> None:
    # Given a collection that KING submitted before anybody asked,
    billing = placed()
    billing.hear(result("submitted"))
    # When the confirmation comes back, signed,
    said = billing.ask(signature())
    # Then KING is not asked a second time; when the money comes, the customer is released.
    assert said.all(CollectionRequested) == []
    assert billing.hear(result("succeeded", minute=1)).all(CustomerReleased)


@odd_amounts
def test_a_wrong_amount_is_held_and_the_exact_amount_releases(cents: int, currency: str) -> None:
    # Given a signed order,
    billing = signed()
    # When another amount comes in than was ordered,
    said = billing.hear(result("succeeded", cents=cents, currency=currency))
    # Then it is held for a person and changes no state;
    booked = said.one(CollectionBooked)
    assert (booked.status, booked.held) == ("submitted", True)
    assert said.all(CustomerReleased) == []
    assert billing.collection(f"{FIRST}-1").status == "requested"
    # when the exact amount comes, the customer is released, and nobody need decide any more.
    said = billing.hear(result("succeeded", minute=1))
    assert said.all(CustomerReleased)
    assert not said.one(CollectionBooked).held


@odd_amounts
def test_a_wrong_amount_before_the_signature_does_not_stop_the_collection(
    cents: int, currency: str
) -> None:
    # Given a wrong amount that came before the signature,
    billing = placed()
    billing.hear(result("succeeded", cents=cents, currency=currency))
    # When the confirmation comes back,
    said = billing.ask(signature())
    # Then KING is asked for the exact amount as ever, and the odd result is still held.
    asked = said.one(CollectionRequested)
    assert (asked.amount_cents, asked.attempt) == (PRICE, 1)
    assert billing.collection(f"{FIRST}-1").held


@went_back
def test_money_that_goes_back_takes_the_release_back(status: str) -> None:
    # Given a released customer,
    billing = released()
    released_at = billing.order().revision
    # When the money goes back,
    said = billing.hear(result(status, code="MD06", minute=1))
    # Then the release is taken back with the bank's code, under a higher revision,
    taken_back = said.one(CustomerReleaseWithdrawn)
    assert (taken_back.reason_code, taken_back.cause) == ("MD06", "disputed_authorised")
    assert taken_back.revision > released_at
    assert not billing.order().released
    # and payer and office are told.
    assert kinds(said) == ["collection_failed", "collection_failed_office"]


@went_back
def test_money_that_went_back_before_it_was_heard_to_come_releases_nobody(status: str) -> None:
    # Given a signed order of which is heard first that the money went back,
    billing = signed()
    billing.hear(result(status, code="MD06", minute=1))
    # When the earlier success is heard at last,
    said = billing.hear(result("succeeded"))
    # Then the customer is not released.
    assert said.all(CustomerReleased) == []
    assert said.one(CollectionBooked).status == status
    assert not billing.order().released


@went_back
def test_a_new_success_restores_the_release(status: str) -> None:
    # Given a customer whose money went back,
    billing = released()
    billing.hear(result(status, code="MD06", minute=1))
    # When KING collects again, with success,
    said = billing.hear(result("succeeded", attempt=2, minute=2))
    # Then they are released again, under a higher revision.
    assert said.one(CustomerReleased).revision == billing.order().revision
    assert billing.order().released


def test_a_failure_after_a_success_is_a_return_by_another_name() -> None:
    # Given a released customer,
    billing = released()
    # When the same collection is reported as failed, later,
    said = billing.hear(result("failed", code="AM04", minute=1))
    # Then the money is back with the payer.
    assert said.one(CollectionBooked).status == "returned"
    assert said.all(CustomerReleaseWithdrawn)


def test_a_success_that_contradicts_a_failure_is_held_and_releases_nobody() -> None:
    # Given a collection that failed at five past: another try would have another id,
    billing = signed()
    billing.hear(result("failed", code="AM04", minute=5))
    # When its success of ten past is reported,
    said = billing.hear(result("succeeded", minute=10))
    # Then the failure stands, and a person must decide;
    booked = said.one(CollectionBooked)
    assert (booked.status, booked.held) == ("failed", True)
    assert [held.why for held in billing.held()] == ["after_failure"]
    assert not billing.order().released
    # when they accept it, the customer is released.
    assert billing.decide("accept").all(CustomerReleased)


def test_a_failure_that_is_heard_after_the_success_that_contradicts_it_takes_the_release_back() -> (
    None
):
    # Given a customer who was released upon a success of ten past,
    billing = signed()
    billing.hear(result("succeeded", minute=10))
    # When the failure of five past is heard late,
    said = billing.hear(result("failed", code=" am04 ", minute=5))
    # Then all is as if it had been heard in time: the success is held, and nobody is released.
    assert said.one(CustomerReleaseWithdrawn).reason_code == "AM04"
    assert [held.why for held in billing.held()] == ["after_failure"]
    assert not billing.order().released


def test_a_failure_of_the_very_moment_of_its_success_is_a_return() -> None:
    # Given a released customer, when a failure of that very moment is heard,
    billing = released()
    said = billing.hear(result("failed", code="AC04"))
    # Then the money went back, and nothing is to be decided.
    assert said.one(CollectionBooked).status == "returned"
    assert billing.held() == []


def test_a_failure_heard_after_the_next_attempt_succeeded_alarms_nobody() -> None:
    # Given an order that was collected at the second attempt,
    billing = signed()
    billing.hear(result("succeeded", attempt=2, minute=10))
    # When the failure of the first attempt is heard late,
    said = billing.hear(result("failed", code="AM04"))
    # Then it is booked, the customer stays released, and no mail says that money is missing.
    assert said.one(CollectionBooked).status == "failed"
    assert billing.order().released
    assert mails(said) == []
    assert said.scheduled == []


def test_the_very_same_result_told_again_changes_nothing() -> None:
    # Given a released customer,
    billing = released()
    before = billing.order().model_dump()
    # When KING tells the same again, under another message id,
    said = billing.hear(result("succeeded"))
    # Then nothing is said, and not even the revision moves.
    assert said == []
    assert billing.order().model_dump() == before


def test_a_result_of_an_unknown_order_waits_until_the_order_appears() -> None:
    # Given a result of an order that billing does not know,
    billing = BillingHarness()
    said = billing.hear(result("succeeded"))
    assert said.events == []
    assert [row.order_reference for row in billing.unmatched()] == [FIRST]
    # When the order appears and is signed,
    booked = billing.hear(registration())
    said = billing.ask(signature())
    # Then the result was booked by itself, and the customer is released.
    assert booked.one(CollectionBooked).status == "succeeded"
    assert billing.unmatched() == []
    assert said.all(CustomerReleased)


def test_a_result_that_just_missed_its_order_is_found_by_looking_again() -> None:
    # Given a result that was booked as unknown while its order was being placed elsewhere,
    billing = BillingHarness()
    billing.hear(result("succeeded"))
    row = billing.unmatched()[0]
    row.open = 0
    billing.hear(registration())
    row.open = 1
    # When billing looks again,
    said = billing.pass_days(1)
    # Then it is booked.
    assert said.one(CollectionBooked).status == "succeeded"
    assert billing.unmatched() == []


def test_a_result_whose_order_never_appears_stays_held_for_a_person() -> None:
    # Given two results of an order that nobody knows,
    billing = BillingHarness()
    billing.hear(result("submitted"))
    billing.hear(result("succeeded", minute=1))
    # When billing has looked again for days,
    said = billing.pass_days(30)
    # Then it stops looking, and they are still there for a person.
    assert said.events == []
    assert billing.scheduled == {}
    assert len(billing.unmatched()) == 2
