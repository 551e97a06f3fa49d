"""A mandate that the bank refused for good, or that nobody used for long, takes no new order."""

from datetime import date

import pytest

from services.billing.models import Mandate
from services.billing.models.mandate import life_before
from shared.base.errors import Invalid
from shared.events import (
    CollectionBooked,
    CollectionCancelled,
    CollectionRequested,
    OrderConfirmationSigned,
)
from tests.unit.billing.builders import (
    FIRST,
    IBAN,
    OFFICE_IBAN,
    registration,
    result,
    signature,
    signed,
)
from tests.unit.billing.harness import BillingHarness, mails

SECOND, THIRD = "O-2026-000002", "O-2026-000003"
REFUSED = ("AC01", "AC04", "AC06", "AC13", "AG01", "MD01", "MD02", "MD07", "MS02", " ac04 ")
TEMPORARY = ("AM04", "MS03", "SL01", "MD06", "TM01", "XX99", None)


def office_that_signed(*customers: str) -> BillingHarness:
    """An office that has signed, and pays for these customers."""
    billing = BillingHarness()
    for customer in customers:
        billing.hear(registration(payer="office", iban=OFFICE_IBAN), about=customer)
    billing.ask(signature(FIRST))
    return billing


def next_order(billing: BillingHarness) -> list[CollectionRequested]:
    """What KING is asked for when the office pays for one customer more."""
    said = billing.hear(registration(payer="office", iban=None), about="slager")
    return said.all(CollectionRequested)


@pytest.mark.parametrize("status", ["failed", "returned", "refunded"])
@pytest.mark.parametrize("code", REFUSED)
def test_after_a_refusal_for_good_the_next_order_needs_a_new_signature(
    code: str, status: str
) -> None:
    # Given an office whose mandate the bank has refused,
    billing = office_that_signed("bakkerij")
    billing.hear(result(status, code=code))
    # When it pays for one customer more, then nothing is collected, and its paper is to be signed;
    assert next_order(billing) == []
    assert not billing.order("slager").signed
    assert billing.order("slager").covered_since is None
    # the refused account is not taken for granted when it comes back.
    with pytest.raises(Invalid) as refusal:
        billing.ask(signature(SECOND))
    assert [error.field for error in refusal.value.errors] == ["iban"]
    said = billing.ask(signature(SECOND, iban=IBAN))
    assert said.one(CollectionRequested).mandate.iban == IBAN
    # From then on the mandate is good again.
    more = billing.hear(registration(payer="office", iban=None), about="bloemist")
    assert more.one(OrderConfirmationSigned).method == "standing_mandate"


@pytest.mark.parametrize("code", TEMPORARY)
def test_what_may_pass_blocks_nobody(code: str | None) -> None:
    # Given an office of which one collection failed for want of money, or the like,
    billing = office_that_signed("bakkerij")
    billing.hear(result("failed", code=code))
    # When it pays for one customer more, then that is collected at once.
    assert next_order(billing)


def test_nothing_is_tried_again_under_a_mandate_that_another_order_saw_refused() -> None:
    # Given an office that lacked the money for one order, which is to be tried again,
    billing = office_that_signed("bakkerij", "bloemist")
    billing.hear(result("failed", code="AM04"))
    # When another order shows that the account is closed,
    billing.hear(result("failed", order=SECOND, code="AC04"))
    # Then the first is not collected from it either.
    assert billing.pass_days(60).all(CollectionRequested) == []


def test_a_refusal_that_is_heard_after_the_new_signature_is_about_the_former_one() -> None:
    # Given an office whose account was closed under two orders, of which one is heard,
    billing = office_that_signed("bakkerij", "bloemist")
    billing.hear(result("failed", code="AC04"))
    billing.pass_days(1)
    billing.ask(signature(FIRST, signed_on=billing.now.date(), iban=IBAN))
    # When the other is heard after it signed for another account,
    billing.hear(result("failed", order=SECOND, code="AC04", minute=5))
    # Then the new mandate stays good.
    assert next_order(billing)


def test_a_refusal_that_a_person_finds_wrong_is_none() -> None:
    # Given a success that contradicts a refusal, when a person accepts it,
    billing = office_that_signed("bakkerij")
    billing.hear(result("failed", code="AC04"))
    billing.hear(result("succeeded", minute=1))
    billing.decide("accept")
    # Then the mandate is good.
    assert next_order(billing)


def test_the_death_of_a_payer_stops_everything_and_asks_a_person() -> None:
    # Given an office, kept by one person, that pays for two customers,
    billing = office_that_signed("bakkerij", "bloemist")
    # When the bank reports their death,
    said = billing.hear(result("failed", code="md07"))
    # Then a person is asked, and the payer is not written to;
    assert said.one(CollectionBooked).held
    assert [held.why for held in billing.held()] == ["deceased"]
    assert "collection_failed" not in [kind for kind, _ in mails(said)]
    # what is under way for the other customer is called off,
    later = billing.pass_days(1)
    assert [e.end_to_end_id for e in later.all(CollectionCancelled)] == [f"{SECOND}-1"]
    # and a new order is neither collected nor reminded of.
    assert next_order(billing) == []
    assert mails(billing.pass_days(60)) == []
    assert not billing.order("slager").signed


def test_a_death_that_was_reported_by_mistake_is_dismissed() -> None:
    # Given a payer who is said to have died, when a person dismisses that,
    billing = office_that_signed("bakkerij")
    billing.hear(result("failed", code="MD07"))
    said = billing.decide("dismiss")
    # Then nothing is held, the collection has failed all the same, and the mandate is good.
    booked = said.one(CollectionBooked)
    assert (booked.status, booked.held) == ("failed", False)
    assert next_order(billing)


def test_what_was_called_off_for_a_death_that_was_none_is_collected_again() -> None:
    # Given a death, upon which all that an office pays for was called off,
    billing = office_that_signed("bakkerij", "bloemist")
    billing.hear(result("failed", code="MD07"))
    billing.pass_days(1)
    next_order(billing)
    billing.pass_days(10)
    # When a person finds that nobody has died,
    billing.decide("dismiss")
    # Then KING is asked again for both, once, and the order that came meanwhile is reminded of.
    said = billing.pass_days(30)
    asked = [event.end_to_end_id for event in said.all(CollectionRequested)]
    assert asked == [f"{FIRST}-2", f"{SECOND}-2"]
    assert "order_reminder" in [kind for kind, _ in mails(said)]


def test_nothing_is_collected_again_while_it_is_not_known_whether_somebody_died() -> None:
    # Given a death that is reported with two orders, when it is dismissed with one,
    billing = office_that_signed("bakkerij", "bloemist")
    billing.hear(result("failed", code="MD07"))
    billing.hear(result("failed", order=SECOND, code="MD07"))
    billing.decide("dismiss")
    # Then the other still stops everything.
    assert billing.pass_days(30).all(CollectionRequested) == []


@pytest.mark.parametrize(("days", "collected"), [(3 * 365, True), (3 * 365 + 40, False)])
def test_a_mandate_that_was_not_used_for_36_months_has_lapsed(days: int, collected: bool) -> None:
    # Given an office that signed, and for which KING was last asked two weeks later,
    billing = office_that_signed("bakkerij")
    billing.hear(result("succeeded"))
    # When it pays for another customer after so long,
    billing.pass_days(days)
    # Then its mandate is good while 36 months have not gone by, and its paper is wanted after.
    assert bool(next_order(billing)) == collected


def test_each_use_keeps_a_mandate_alive() -> None:
    # Given an office that pays for a customer every other year,
    billing = office_that_signed("bakkerij")
    for year in range(4):
        billing.pass_days(2 * 365)
        said = billing.hear(registration(payer="office", iban=None), about=f"klant {year}")
        # Then each is collected under the one signature.
        assert said.all(CollectionRequested)


@pytest.mark.parametrize(
    ("day", "before"),
    [(date(2026, 11, 23), date(2023, 11, 23)), (date(2028, 2, 29), date(2025, 2, 28))],
)
def test_36_months_are_counted_by_the_calendar(day: date, before: date) -> None:
    assert life_before(day) == before


def test_a_new_signature_for_the_same_account_is_collected_under() -> None:
    # Given a payer whose bank knew of no mandate,
    billing = signed()
    billing.hear(result("failed", code="MD01"))
    billing.pass_days(1)
    # When they register it and sign anew, for the same account,
    said = billing.ask(signature(signed_on=billing.now.date(), iban=IBAN))
    # Then KING is asked again.
    assert said.one(CollectionRequested).attempt == 2
    assert [mandate.refused for mandate in billing.rows(Mandate)] == [False]
