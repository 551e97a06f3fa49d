"""An office that pays for many of its clients signs one mandate once."""

from datetime import date

import pytest

from services.billing.models import Mandate, Order
from shared.events import CollectionRequested, OrderConfirmationSigned, RegistrationCompleted
from shared.processing import EventFor
from tests.unit.billing.builders import (
    FIRST,
    OFFICE_IBAN,
    registration,
    signature,
    withdrawal,
)
from tests.unit.billing.world import World, onboarding

SECOND = "O-2026-000002"


def office_with_two_orders() -> World:
    """An office that pays for a bakery and a florist."""
    world = World()
    world.hear(registration(payer="office", iban=OFFICE_IBAN), about="bakkerij")
    world.hear(registration(payer="office", iban=None), about="bloemist")
    return world


def test_an_office_that_pays_for_many_signs_once() -> None:
    # Given an office that pays for two customers,
    world = office_with_two_orders()
    # When it signs for the first,
    said = world.ask(signature(FIRST))
    # Then the other order is signed as well, by the standing mandate,
    methods = {one.order_reference: one.method for one in said.all(OrderConfirmationSigned)}
    assert methods == {FIRST: "post", SECOND: "standing_mandate"}
    # and KING collects both under one mandate, each for its own customer.
    asked = said.all(CollectionRequested)
    assert {one.order_reference for one in asked} == {FIRST, SECOND}
    assert {one.mandate.reference for one in asked} == {"M-2026-000001"}
    assert {one.mandate.iban for one in asked} == {OFFICE_IBAN}
    about = [one for one in said.events if isinstance(one, EventFor)]
    assert {one.subject for one in about} == {onboarding("bakkerij"), onboarding("bloemist")}


def test_an_order_under_a_standing_mandate_needs_no_signature() -> None:
    # Given an office that has signed,
    world = office_with_two_orders()
    world.ask(signature(FIRST))
    # When it pays for one customer more,
    said = world.hear(registration(payer="office", iban=None), about="slager")
    # Then that order is signed by the standing mandate and collected at once,
    confirmed = said.one(OrderConfirmationSigned)
    assert (confirmed.method, confirmed.signed_on) == ("standing_mandate", date(2026, 11, 20))
    assert said.one(CollectionRequested).mandate.reference == "M-2026-000001"
    # the confirmation is sent all the same, and nobody is reminded.
    assert [kind for kind, _ in said.mails] == ["order_confirmation", "order_confirmation_copy"]
    assert said.later == []


def test_an_office_may_sign_for_a_later_order_first() -> None:
    # Given an office that pays for two customers,
    world = office_with_two_orders()
    # When it signs for the second,
    world.ask(signature(SECOND))
    # Then both are signed, and the other confirmation coming in later is no news.
    assert [one.signed for one in world.tables[Order]] == [True, True]
    assert world.ask(signature(FIRST)) == []


@pytest.mark.parametrize(
    "other",
    [
        registration(payer="office", office="0077"),
        registration(payer="customer"),
        registration(payer="other"),
    ],
    ids=["another office", "a customer who pays himself", "somebody else who pays"],
)
def test_a_mandate_covers_nobody_else(other: RegistrationCompleted) -> None:
    # Given an office that has signed,
    world = office_with_two_orders()
    world.ask(signature(FIRST))
    # When an order of another payer is placed,
    world.hear(other, about="slager")
    # Then that payer must sign for himself.
    assert not world.order("slager").signed
    mandates: list[Mandate] = world.tables[Mandate]
    assert [one.active for one in mandates] == [True, False]


def test_a_withdrawn_order_is_not_signed_along_with_the_others() -> None:
    # Given an office that pays for two, one of whom withdrew,
    world = office_with_two_orders()
    world.hear(withdrawal(), about="bloemist")
    # When it signs for the other,
    said = world.ask(signature(FIRST))
    # Then only that one is signed and collected.
    assert [one.order_reference for one in said.all(CollectionRequested)] == [FIRST]
    assert not world.order("bloemist").signed


@pytest.mark.parametrize("first", ["registration", "withdrawal"])
def test_under_a_standing_mandate_a_withdrawn_customer_is_not_collected_from(first: str) -> None:
    # Given an office that has signed,
    world = office_with_two_orders()
    world.ask(signature(FIRST))
    # When one of its customers registers and withdraws, heard in either order,
    events = [registration(payer="office", iban=None), withdrawal()]
    for event in events if first == "registration" else reversed(events):
        world.hear(event, about="slager")
    # Then he is not released, and nothing remains to be collected from him.
    order = world.order("slager")
    assert (order.withdrawn, order.released, order.standing) == (True, False, "open")
    assert not [one for one in world.collections(order.reference) if one.under_way]
