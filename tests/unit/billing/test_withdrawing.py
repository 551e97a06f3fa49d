"""What a withdrawal stops, and what it takes back."""

import pytest

from shared.events import (
    CollectionCancelled,
    CollectionRequested,
    CustomerReleased,
    CustomerReleaseWithdrawn,
)
from tests.unit.billing.builders import (
    FIRST,
    placed,
    registration,
    released,
    result,
    signed,
    withdrawal,
)


def test_a_withdrawal_cancels_what_king_was_asked_to_collect() -> None:
    # Given a signed order that KING was asked to collect,
    world = signed()
    # When its customer withdraws,
    said = world.hear(withdrawal())
    # Then KING is told not to, and as nobody was released, no more is said.
    cancelled = said.one(CollectionCancelled)
    assert (cancelled.order_reference, cancelled.end_to_end_id) == (FIRST, f"{FIRST}-1")
    assert len(said) == 1


def test_a_withdrawal_takes_a_release_back() -> None:
    # Given a released customer,
    world = released()
    # When he withdraws,
    said = world.hear(withdrawal(reason="stops trading"))
    # Then the release is taken back with his reason; money that came is not cancelled.
    taken_back = said.one(CustomerReleaseWithdrawn)
    assert (taken_back.reason_code, taken_back.cause) == ("WITHDRAWN", "stops trading")
    assert taken_back.revision > 0
    assert len(said) == 1
    assert not world.order().released


def test_hearing_of_a_withdrawal_again_changes_nothing() -> None:
    # Given a customer who withdrew,
    world = released()
    world.hear(withdrawal())
    before = world.order().model_dump()
    # When it is told again, nothing is said again.
    assert world.hear(withdrawal()) == []
    assert world.order().model_dump() == before


@pytest.mark.parametrize("status", ["failed", "returned"])
def test_what_has_failed_need_not_be_cancelled(status: str) -> None:
    # Given a collection that failed or went back,
    world = signed()
    world.hear(result(status, code="MD06"))
    # When the customer withdraws, then there is nothing to cancel.
    assert world.hear(withdrawal()).all(CollectionCancelled) == []


def test_money_after_a_withdrawal_is_booked_and_releases_nobody() -> None:
    # Given a customer who withdrew after he had signed,
    world = signed()
    world.hear(withdrawal())
    # When the money comes in all the same,
    said = world.hear(result("succeeded"))
    # Then it stands in the books, and he is not released.
    assert world.collection(f"{FIRST}-1").status == "succeeded"
    assert said.all(CustomerReleased) == []
    assert not world.order().released
    assert said.one(CustomerReleaseWithdrawn).reason_code == "WITHDRAWN"


def test_king_is_told_again_when_it_goes_on_with_a_cancelled_collection() -> None:
    # Given a collection that was cancelled,
    world = signed()
    world.hear(withdrawal())
    # When KING's report that it was submitted crosses that,
    said = world.hear(result("submitted"))
    # Then KING is told again, and the collection stays cancelled.
    assert said.one(CollectionCancelled).end_to_end_id == f"{FIRST}-1"
    assert world.collection(f"{FIRST}-1").status == "cancelled"


def test_a_failure_after_a_withdrawal_bothers_nobody() -> None:
    # Given a customer who withdrew after he had signed,
    world = signed()
    world.hear(withdrawal())
    # When the collection fails for lack of funds,
    said = world.hear(result("failed", code="AM04"))
    # Then nobody is written to, and nothing is tried again.
    assert said.mails == []
    assert world.pass_days(60).all(CollectionRequested) == []


def test_a_second_try_is_off_when_the_customer_withdrew_meanwhile() -> None:
    # Given a failure that is worth a second try,
    world = signed()
    world.hear(result("failed", code="AM04"))
    # When the customer withdraws before the pause is over,
    world.hear(withdrawal())
    # Then KING is not asked again.
    assert world.pass_days(60).all(CollectionRequested) == []


def test_results_that_waited_are_booked_although_the_customer_has_left() -> None:
    # Given a result of an order that is not known yet, and a withdrawal,
    world = placed()
    second = "O-2026-000002"
    world.hear(result("succeeded", order=second), about="bloemist")
    world.hear(withdrawal(), about="bloemist")
    # When the registration arrives at last,
    world.hear(registration(company="Bloemist Voorbeeld"), about="bloemist")
    # Then the result is booked and waits no longer; he is not released.
    assert world.strays() == []
    assert world.collection(f"{second}-1").status == "succeeded"
    assert not world.order("bloemist").released
