"""What a withdrawal stops, and what it takes back."""

from typing import Literal

import pytest

from shared.events import (
    CollectionBooked,
    CollectionCancelled,
    CollectionRequested,
    CustomerReleased,
    CustomerReleaseWithdrawn,
)
from tests.unit.billing.builders import (
    FIRST,
    PRICE,
    placed,
    registration,
    released,
    result,
    signed,
    withdrawal,
)
from tests.unit.billing.harness import mails


def test_a_withdrawal_cancels_what_king_was_asked_to_collect() -> None:
    # Given a signed order that KING was asked to collect,
    billing = signed()
    # When its customer withdraws,
    said = billing.hear(withdrawal())
    # Then KING is told not to, and as nobody was released, no more is said.
    cancelled = said.one(CollectionCancelled)
    assert (cancelled.order_reference, cancelled.end_to_end_id) == (FIRST, f"{FIRST}-1")
    assert len(said) == 1


def test_a_withdrawal_takes_a_release_back() -> None:
    # Given a released customer,
    billing = released()
    # When they withdraw,
    said = billing.hear(withdrawal(reason="stops trading"))
    # Then the release is taken back with their reason; money that came is not cancelled,
    taken_back = said.one(CustomerReleaseWithdrawn)
    assert (taken_back.reason_code, taken_back.cause) == ("WITHDRAWN", "stops trading")
    assert taken_back.revision > 0
    # but held for a person, since it must go back.
    assert said.one(CollectionBooked).held
    assert [held.why for held in billing.held()] == ["withdrawn"]
    assert len(said) == 2
    assert not billing.order().released


def test_hearing_of_a_withdrawal_again_changes_nothing() -> None:
    # Given a customer who withdrew,
    billing = released()
    billing.hear(withdrawal())
    before = billing.order().model_dump()
    # When it is told again, nothing is said again.
    assert billing.hear(withdrawal()) == []
    assert billing.order().model_dump() == before


@pytest.mark.parametrize("status", ["failed", "returned"])
def test_what_has_failed_need_not_be_cancelled(status: str) -> None:
    # Given a collection that failed or went back,
    billing = signed()
    billing.hear(result(status, code="MD06"))
    # When the customer withdraws, then there is nothing to cancel.
    assert billing.hear(withdrawal()).all(CollectionCancelled) == []


def test_money_after_a_withdrawal_is_booked_and_releases_nobody() -> None:
    # Given a customer who withdrew after they had signed,
    billing = signed()
    billing.hear(withdrawal())
    # When the money comes in all the same,
    said = billing.hear(result("succeeded"))
    # Then it stands in the books, a person must send it back, and they are not released.
    assert said.one(CollectionBooked).held
    assert [held.why for held in billing.held()] == ["withdrawn"]
    assert billing.collection(f"{FIRST}-1").status == "succeeded"
    assert said.all(CustomerReleased) == []
    assert not billing.order().released
    assert said.one(CustomerReleaseWithdrawn).reason_code == "WITHDRAWN"


@pytest.mark.parametrize("verdict", ["accept", "dismiss"])
def test_money_of_a_withdrawn_customer_is_decided_once_and_goes_back_in_silence(
    verdict: Literal["accept", "dismiss"],
) -> None:
    # Given money that came after a withdrawal,
    billing = signed()
    billing.hear(withdrawal())
    billing.hear(result("succeeded"))
    # When a person has decided about it, then nobody need decide again,
    assert not billing.decide(verdict).one(CollectionBooked).held
    assert billing.held() == []
    assert not billing.order().released
    # and when it goes back, nobody is told that they have not paid.
    assert mails(billing.hear(result("returned", code="AC04", minute=1))) == []


def test_an_amount_that_was_accepted_is_held_again_when_its_customer_leaves() -> None:
    # Given a customer who was released upon an amount that a person accepted,
    billing = signed()
    billing.hear(result("succeeded", cents=PRICE + 5))
    billing.decide("accept")
    # When they withdraw, then a person must decide about that money again, for another reason.
    billing.hear(withdrawal())
    assert [held.why for held in billing.held()] == ["withdrawn"]


def test_king_is_told_again_when_it_goes_on_with_a_cancelled_collection() -> None:
    # Given a collection that was cancelled,
    billing = signed()
    billing.hear(withdrawal())
    # When KING's report that it was submitted crosses that,
    said = billing.hear(result("submitted"))
    # Then KING is told again, and the collection stays cancelled.
    assert said.one(CollectionCancelled).end_to_end_id == f"{FIRST}-1"
    assert billing.collection(f"{FIRST}-1").status == "cancelled"


def test_a_failure_after_a_withdrawal_bothers_nobody() -> None:
    # Given a customer who withdrew after they had signed,
    billing = signed()
    billing.hear(withdrawal())
    # When the collection fails for lack of funds,
    said = billing.hear(result("failed", code="AM04"))
    # Then nobody is written to, and nothing is tried again.
    assert mails(said) == []
    assert billing.pass_days(60).all(CollectionRequested) == []


def test_a_second_try_is_off_when_the_customer_withdrew_meanwhile() -> None:
    # Given a failure that is worth a second try,
    billing = signed()
    billing.hear(result("failed", code="AM04"))
    # When the customer withdraws before the pause is over,
    billing.hear(withdrawal())
    # Then KING is not asked again.
    assert billing.pass_days(60).all(CollectionRequested) == []


def test_results_that_waited_are_booked_although_the_customer_has_left() -> None:
    # Given a result of an order that is not known yet, and a withdrawal,
    billing = placed()
    second = "O-2026-000002"
    billing.hear(result("succeeded", order=second), about="bloemist")
    billing.hear(withdrawal(), about="bloemist")
    # When the registration arrives at last,
    billing.hear(registration(company="Bloemist Voorbeeld"), about="bloemist")
    # Then the result is booked and waits no longer; they are not released.
    assert billing.unmatched() == []
    assert billing.collection(f"{second}-1").status == "succeeded"
    assert not billing.order("bloemist").released
