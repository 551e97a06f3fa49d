"""A person decides about what was held."""

from typing import Literal

import pytest

from services.billing.commands import DecideCollection
from shared.base.errors import Conflict, NotFound
from shared.events import CollectionBooked, CustomerReleased, CustomerReleaseWithdrawn
from tests.unit.billing.builders import FIRST, PRICE, placed, released, result, signature, signed
from tests.unit.billing.harness import BillingHarness

E2E = f"{FIRST}-1"


def decision(verdict: Literal["accept", "dismiss"], end_to_end_id: str = E2E) -> DecideCollection:
    return DecideCollection(
        end_to_end_id=end_to_end_id, decision=verdict, reason="spoke to KING", by="b.voorbeeld"
    )


def with_a_cent_too_little() -> BillingHarness:
    """A signed order for which a cent too little came in."""
    billing = signed()
    billing.hear(result("succeeded", cents=PRICE - 1))
    return billing


def test_an_accepted_amount_releases_the_customer() -> None:
    # Given a wrong amount that is held,
    billing = with_a_cent_too_little()
    revision = billing.order().revision
    # When a person accepts it,
    said = billing.ask(decision("accept"))
    # Then it counts, the customer is released, and it is known who decided.
    booked = said.one(CollectionBooked)
    assert (booked.status, booked.held, booked.revision) == ("succeeded", False, revision + 1)
    assert said.all(CustomerReleased)
    assert billing.collection(E2E).decided_by == "b.voorbeeld"


def test_an_amount_accepted_before_the_signature_releases_at_the_signature() -> None:
    # Given a wrong amount that was accepted while the order was not signed,
    billing = placed()
    billing.hear(result("succeeded", cents=PRICE - 1))
    assert billing.ask(decision("accept")).all(CustomerReleased) == []
    # When the order is signed, then the customer is released.
    assert billing.ask(signature()).all(CustomerReleased)


def test_a_dismissed_amount_is_held_no_longer_and_changes_nothing() -> None:
    # Given a wrong amount that is held,
    billing = with_a_cent_too_little()
    # When a person dismisses it,
    said = billing.ask(decision("dismiss"))
    # Then nobody need decide any more, and the customer is not released;
    assert not said.one(CollectionBooked).held
    assert not billing.order().released
    # the same report told again is not held again,
    assert billing.hear(result("succeeded", cents=PRICE - 1)) == []
    # and the exact amount releases as ever.
    assert billing.hear(result("succeeded", minute=1)).all(CustomerReleased)


@pytest.mark.parametrize("verdict", ["accept", "dismiss"])
def test_a_decision_is_about_what_was_reported_until_then(
    verdict: Literal["accept", "dismiss"],
) -> None:
    # Given a failure over a wrong amount, about which a person decided,
    billing = signed()
    billing.hear(result("failed", cents=PRICE - 1, code="AC01"))
    billing.ask(decision(verdict))
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
    said = billing.ask(decision("accept"))
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
    billing = with_a_cent_too_little()
    billing.ask(decision("dismiss"))
    # When somebody else decides otherwise, they are told that nothing waits for them.
    with pytest.raises(NotFound):
        billing.ask(decision("accept"))
    assert not billing.order().released


def test_what_is_not_held_cannot_be_decided() -> None:
    with pytest.raises(NotFound):
        released().ask(decision("dismiss"))


def test_a_result_of_an_unknown_order_can_be_dismissed_but_not_accepted() -> None:
    # Given two reports of an order that nobody knows,
    billing = BillingHarness()
    billing.hear(result("submitted"))
    billing.hear(result("succeeded", minute=1))
    # When a person accepts them, they are told that there is no order to book them on;
    with pytest.raises(Conflict) as refusal:
        billing.ask(decision("accept"))
    assert refusal.value.code == "order_unknown"
    assert len(billing.unmatched()) == 2
    # when they dismiss them, none of them waits any longer, and nobody looks again.
    billing.ask(decision("dismiss"))
    assert billing.unmatched() == []
    assert billing.pass_days(1).events == []
