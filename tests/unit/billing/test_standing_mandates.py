"""An office that pays for many of its clients signs one mandate once."""

from datetime import date

import pytest

from services.billing.models import Mandate, Order
from shared.events import CollectionRequested, OrderConfirmationSigned, RegistrationCompleted
from shared.processing import EventFor
from shared.processing.testing import onboarding
from tests.unit.billing.builders import (
    FIRST,
    OFFICE_IBAN,
    registration,
    signature,
    withdrawal,
)
from tests.unit.billing.harness import BillingHarness, kinds

SECOND = "O-2026-000002"
TODAY = date(2026, 11, 23)


def office_with_two_orders() -> BillingHarness:
    """An office that pays for a bakery and a florist."""
    billing = BillingHarness()
    billing.hear(registration(payer="office", iban=OFFICE_IBAN), about="bakkerij")
    billing.hear(registration(payer="office", iban=None), about="bloemist")
    return billing


def test_an_office_that_pays_for_many_signs_once() -> None:
    # Given an office that pays for two customers,
    billing = office_with_two_orders()
    # When it signs for the first,
    said = billing.ask(signature(FIRST))
    # Then the other order is signed as well, by the standing mandate,
    methods = {event.order_reference: event.method for event in said.all(OrderConfirmationSigned)}
    assert methods == {FIRST: "post", SECOND: "standing_mandate"}
    # and KING collects both under one mandate, each for its own customer.
    asked = said.all(CollectionRequested)
    assert {event.order_reference for event in asked} == {FIRST, SECOND}
    assert {event.mandate.reference for event in asked} == {"M-2026-000001"}
    assert {event.mandate.iban for event in asked} == {OFFICE_IBAN}
    subjects = {effect.subject for effect in said.all(EventFor)}
    assert subjects == {onboarding("bakkerij"), onboarding("bloemist")}


def test_an_order_under_a_standing_mandate_needs_no_signature() -> None:
    # Given an office that has signed,
    billing = office_with_two_orders()
    billing.ask(signature(FIRST))
    # When it pays for one customer more,
    said = billing.hear(registration(payer="office", iban=None), about="slager")
    # Then that order is signed by the standing mandate and collected at once,
    confirmed = said.one(OrderConfirmationSigned)
    assert (confirmed.method, confirmed.signed_on) == ("standing_mandate", date(2026, 11, 23))
    assert said.one(CollectionRequested).mandate.reference == "M-2026-000001"
    # the confirmation is sent all the same, and nobody is reminded.
    assert kinds(said) == ["order_confirmation", "order_confirmation_copy", "order_with_payer"]
    assert said.scheduled == []


def test_an_office_may_sign_for_a_later_order_first() -> None:
    # Given an office that pays for two customers,
    billing = office_with_two_orders()
    # When it signs for the second,
    billing.ask(signature(SECOND))
    # Then both are signed, and the other confirmation coming in later is no news.
    assert [order.signed for order in billing.rows(Order)] == [True, True]
    assert billing.ask(signature(FIRST)) == []


@pytest.mark.parametrize(
    "other",
    [
        registration(payer="office", office="0077"),
        registration(payer="customer"),
        registration(payer="other"),
    ],
    ids=["another office", "a customer who pays themselves", "somebody else who pays"],
)
def test_a_mandate_covers_nobody_else(other: RegistrationCompleted) -> None:
    # Given an office that has signed,
    billing = office_with_two_orders()
    billing.ask(signature(FIRST))
    # When an order of another payer is placed,
    billing.hear(other, about="slager")
    # Then that payer must sign for themselves.
    assert not billing.order("slager").signed
    assert [mandate.active_on(TODAY) for mandate in billing.rows(Mandate)] == [True, False]


def test_a_withdrawn_order_is_not_signed_along_with_the_others() -> None:
    # Given an office that pays for two, one of whom withdrew,
    billing = office_with_two_orders()
    billing.hear(withdrawal(), about="bloemist")
    # When it signs for the other,
    said = billing.ask(signature(FIRST))
    # Then only that one is signed and collected.
    assert [event.order_reference for event in said.all(CollectionRequested)] == [FIRST]
    assert not billing.order("bloemist").signed


@pytest.mark.parametrize("first", ["registration", "withdrawal"])
def test_under_a_standing_mandate_a_withdrawn_customer_is_not_collected_from(first: str) -> None:
    # Given an office that has signed,
    billing = office_with_two_orders()
    billing.ask(signature(FIRST))
    # When one of its customers registers and withdraws, heard in either order,
    events = [registration(payer="office", iban=None), withdrawal()]
    for event in events if first == "registration" else reversed(events):
        billing.hear(event, about="slager")
    # Then they are not released, and nothing remains to be collected from them.
    order = billing.order("slager")
    assert (order.withdrawn, order.released, order.standing) == (True, False, "open")
    assert not [row for row in billing.collections(order.reference) if row.under_way]
