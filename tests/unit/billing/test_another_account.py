"""KING collects from the account on the signed paper, and from another when that one fails."""

from datetime import date

import pytest

from shared.base.errors import Conflict
from shared.events import CollectionRequested
from tests.unit.billing.builders import (
    FIRST,
    IBAN,
    OFFICE_IBAN,
    registration,
    released,
    result,
    signature,
    signed,
    withdrawal,
)
from tests.unit.billing.world import Heard, World

SECOND = "O-2026-000002"
OTHER_IBAN = "NL02ABNA0123456789"
LATER = date(2026, 11, 23)


def failed(code: str = "AC01") -> World:
    """A signed order whose account turned out to be dead."""
    world = signed()
    world.hear(result("failed", code=code))
    return world


def office_with_two_accounts() -> World:
    """An office that pays for two, and gave another account with each."""
    world = World()
    first = registration(payer="office", iban=IBAN, holder="Kantoor, kas")
    world.hear(first, about="bakkerij")
    second = registration(payer="office", iban=OFFICE_IBAN, holder="Kantoor, bank")
    world.hear(second, about="bloemist")
    return world


def test_king_collects_from_the_account_that_is_printed_on_the_signed_paper() -> None:
    # Given an office that gave another account with its second order,
    world = office_with_two_accounts()
    # When the second confirmation comes back, signed,
    said = world.ask(signature(SECOND))
    # Then all is collected from the account that stands on it, under its holder's name.
    accounts = {(one.mandate.iban, one.mandate.account_holder) for one in _asked(said)}
    assert accounts == {(OFFICE_IBAN, "Kantoor, bank")}


def test_an_account_that_is_filled_in_by_hand_has_whoever_signed_as_its_holder() -> None:
    # Given an office that gave an account with its order,
    world = office_with_two_accounts()
    # When it strikes that out and fills in another,
    said = world.ask(signature(FIRST, iban=OTHER_IBAN))
    # Then the holder of the first is not taken for that of the other.
    accounts = {(one.mandate.iban, one.mandate.account_holder) for one in _asked(said)}
    assert accounts == {(OTHER_IBAN, "A. Voorbeeld")}


def test_after_a_dead_account_the_next_attempt_is_made_on_the_one_that_is_signed_for() -> None:
    # Given a collection that failed since the account is closed,
    world = failed("AC04")
    # When the payer signs for another account,
    said = world.ask(signature(signed_on=LATER, iban=OTHER_IBAN))
    # Then KING is asked for the next attempt, from that account, under the same mandate.
    (asked,) = _asked(said)
    assert (asked.attempt, asked.end_to_end_id) == (2, f"{FIRST}-2")
    assert (asked.mandate.iban, asked.mandate.signed_on) == (OTHER_IBAN, LATER)
    assert asked.mandate.reference == "M-2026-000001"
    # The same by fax is no news, and no more is the first paper when it turns up again.
    assert world.ask(signature(signed_on=LATER, iban=OTHER_IBAN)) == []
    assert world.ask(signature(iban=IBAN)) == []


def test_a_customer_whose_money_went_back_is_collected_from_another_account() -> None:
    # Given a released customer whose payer took the money back,
    world = released()
    world.hear(result("refunded", code="MD06", minute=1))
    # When he signs for another account, then KING is asked again.
    assert _asked(world.ask(signature(signed_on=LATER, iban=OTHER_IBAN)))


@pytest.mark.parametrize("status", [None, "submitted", "succeeded"])
def test_no_account_is_changed_under_money_that_is_there_or_on_its_way(status: str | None) -> None:
    # Given a collection that KING was asked for, has submitted, or has made,
    world = signed()
    if status is not None:
        world.hear(result(status))
    # When the payer signs for another account,
    with pytest.raises(Conflict) as refused:
        world.ask(signature(signed_on=LATER, iban=OTHER_IBAN))
    # Then whoever sends it in is told to wait, rather than that all is well;
    assert refused.value.code == "collection_under_way"
    # and the same paper once more is harmless.
    assert world.ask(signature(iban=IBAN)) == []


def test_a_withdrawn_customer_is_not_collected_from_anywhere() -> None:
    # Given a failure, after which the customer withdrew,
    world = failed()
    world.hear(withdrawal())
    # When the payer signs for another account all the same, then it is refused.
    with pytest.raises(Conflict, match="withdrawn"):
        world.ask(signature(signed_on=LATER, iban=OTHER_IBAN))


def test_the_other_orders_of_an_office_follow_upon_their_own_signature() -> None:
    # Given an office whose account failed for both of its customers,
    world = office_with_two_accounts()
    world.ask(signature(FIRST))
    for order in (FIRST, SECOND):
        world.hear(result("failed", order=order, code="AC04"))
    # When it signs anew for one, a day later, and then for the other,
    world.pass_days(1)
    signed_on = world.now.date()
    asked = [
        *_asked(world.ask(signature(FIRST, signed_on=signed_on, iban=OTHER_IBAN))),
        *_asked(world.ask(signature(SECOND, signed_on=signed_on, iban=OTHER_IBAN))),
    ]
    # Then each is collected from the new account.
    assert [one.order_reference for one in asked] == [FIRST, SECOND]
    assert {one.mandate.iban for one in asked} == {OTHER_IBAN}


def _asked(said: Heard) -> list[CollectionRequested]:
    return said.all(CollectionRequested)
