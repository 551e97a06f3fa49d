"""Reports over another amount, deaths and refusals told several times: each is judged by itself."""

from itertools import permutations

import pytest

from services.billing.models import Mandate
from services.billing.models.money import to_pay_back_cents
from shared.events import CollectionRequested
from tests.unit.billing.builders import FIRST, PRICE, released, result, signed
from tests.unit.billing.harness import BillingHarness
from tests.unit.billing.test_refused_mandates import next_order, office_that_signed


def mandate(billing: BillingHarness) -> Mandate:
    return billing.rows(Mandate)[0]


@pytest.mark.parametrize("code", ["AC04", "MD01", "MD07"])
def test_a_refusal_stands_although_an_odd_report_of_it_was_dismissed(code: str) -> None:
    # Given a refusal over another amount, which a person has dismissed,
    billing = office_that_signed("bakkerij")
    billing.hear(result("failed", cents=PRICE - 1, code=code))
    billing.decide("dismiss")
    # When KING reports it as it should, Then the mandate is refused: that was not decided about.
    billing.hear(result("failed", code=code, minute=1))
    assert mandate(billing).refused
    assert next_order(billing) == []


def test_a_death_that_is_told_again_stops_everything_until_it_is_decided() -> None:
    # Given a death that was none, by a person's word,
    billing = office_that_signed("bakkerij")
    billing.hear(result("failed", code="MD07"))
    billing.decide("dismiss")
    # When it is told again, Then somebody must look again, and nothing is asked meanwhile.
    billing.hear(result("failed", code="MD07", minute=1))
    assert [held.why for held in billing.held()] == ["deceased"]
    assert next_order(billing) == []


@pytest.mark.parametrize(
    ("first", "then"), [("failed", "failed"), ("returned", "refunded"), ("refunded", "returned")]
)
def test_a_death_is_not_lifted_by_what_is_told_after_it(first: str, then: str) -> None:
    # Given a death that waits for a person,
    billing = office_that_signed("bakkerij")
    billing.hear(result(first, code="MD07"))
    # When something else is told of the same collection, Then the death stands.
    billing.hear(result(then, code="AM04", minute=1))
    assert [held.why for held in billing.held()] == ["deceased"]
    assert mandate(billing).stopped
    assert next_order(billing) == []


def test_when_such_a_death_was_none_king_is_asked_again() -> None:
    billing = office_that_signed("bakkerij")
    billing.hear(result("failed", code="MD07"))
    billing.hear(result("failed", code="AM04", minute=1))
    # When a person finds out that nobody has died, Then nothing of it holds the order up.
    billing.decide("dismiss")
    assert not mandate(billing).refused
    said = billing.pass_days(1)
    assert [event.attempt for event in said.all(CollectionRequested)] == [2]


def test_a_late_failure_over_another_amount_is_held_as_an_odd_return_is() -> None:
    billing = released()
    billing.hear(result("failed", cents=PRICE - 1, code="AM04", minute=1))
    assert [held.why for held in billing.held()] == ["deviating_amount"]


def test_an_odd_failure_before_the_money_came_is_settled_by_it() -> None:
    billing = signed()
    billing.hear(result("failed", cents=PRICE - 1, code="AM04"))
    billing.hear(result("succeeded", minute=1))
    assert billing.held() == []
    assert billing.order().released


def test_whoever_accepts_a_late_failure_has_the_same_end_whichever_was_heard_first() -> None:
    failure = result("failed", cents=PRICE - 1, code="AM04", minute=1)
    ends = set()
    for story in permutations([failure, result("succeeded")]):
        billing = signed()
        for told in story:
            billing.hear(told)
        for held in billing.held():
            billing.decide("accept", held.id)
        ends.add(billing.order().released)
    assert ends == {False}


def test_the_exact_amount_is_what_came_whatever_was_accepted_beside_it() -> None:
    ends = set()
    for story in permutations(
        [result("succeeded", cents=PRICE + 5), result("succeeded", minute=1)]
    ):
        billing = signed()
        for told in story:
            billing.hear(told)
            for held in billing.held():
                billing.decide("accept", held.id)
        ends.add(
            (
                billing.order().released,
                to_pay_back_cents(billing.collections(FIRST), withdrawn=False),
            )
        )
    assert ends == {(True, 0)}
