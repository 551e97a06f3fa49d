"""KING collects from the account on the signed paper, and from another when that one fails."""

from datetime import date

import pytest

from shared.base.errors import Conflict
from shared.events import CollectionRequested
from shared.processing.testing import Heard
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
from tests.unit.billing.harness import BillingHarness

SECOND = "O-2026-000002"
OTHER_IBAN = "NL02ABNA0123456789"
LATER = date(2026, 11, 24)


def failed(code: str = "AC01") -> BillingHarness:
    """A signed order whose account turned out to be dead."""
    billing = signed()
    billing.hear(result("failed", code=code))
    billing.pass_days(1)
    return billing


def office_with_two_accounts() -> BillingHarness:
    """An office that pays for two, and gave another account with each."""
    billing = BillingHarness()
    first = registration(payer="office", iban=IBAN, holder="Kantoor, kas")
    billing.hear(first, about="bakkerij")
    second = registration(payer="office", iban=OFFICE_IBAN, holder="Kantoor, bank")
    billing.hear(second, about="bloemist")
    return billing


def test_king_collects_from_the_account_that_is_printed_on_the_signed_paper() -> None:
    # Given an office that gave another account with its second order,
    billing = office_with_two_accounts()
    # When the second confirmation comes back, signed,
    said = billing.ask(signature(SECOND))
    # Then all is collected from the account that stands on it, under its holder's name.
    accounts = {(event.mandate.iban, event.mandate.account_holder) for event in _asked(said)}
    assert accounts == {(OFFICE_IBAN, "Kantoor, bank")}


def test_an_account_that_is_filled_in_by_hand_has_whoever_signed_as_its_holder() -> None:
    # Given an office that gave an account with its order,
    billing = office_with_two_accounts()
    # When it strikes that out and fills in another,
    said = billing.ask(signature(FIRST, iban=OTHER_IBAN))
    # Then the holder of the first is not taken for that of the other.
    accounts = {(event.mandate.iban, event.mandate.account_holder) for event in _asked(said)}
    assert accounts == {(OTHER_IBAN, "A. Voorbeeld")}


def test_after_a_dead_account_the_next_attempt_is_made_on_the_one_that_is_signed_for() -> None:
    # Given a collection that failed since the account is closed,
    billing = failed("AC04")
    # When the payer signs for another account,
    said = billing.ask(signature(signed_on=LATER, iban=OTHER_IBAN))
    # Then KING is asked for the next attempt, from that account, under the same mandate.
    (asked,) = _asked(said)
    assert (asked.attempt, asked.end_to_end_id) == (2, f"{FIRST}-2")
    assert (asked.mandate.iban, asked.mandate.signed_on) == (OTHER_IBAN, LATER)
    assert asked.mandate.reference == "M-2026-000001"
    # The same by fax is no news; the first paper, when it turns up again, is not what holds.
    assert billing.ask(signature(signed_on=LATER, iban=OTHER_IBAN, method="fax")) == []
    with pytest.raises(Conflict) as refused:
        billing.ask(signature(iban=IBAN))
    assert refused.value.code == "already_signed"
    assert refused.value.extra["recorded"]["iban_ends_with"] == OTHER_IBAN[-4:]


def test_a_customer_whose_money_went_back_is_collected_from_another_account() -> None:
    # Given a released customer whose payer took the money back,
    billing = released()
    billing.hear(result("refunded", code="MD06", minute=1))
    billing.pass_days(1)
    # When they sign for another account, then KING is asked again.
    assert _asked(billing.ask(signature(signed_on=LATER, iban=OTHER_IBAN)))


@pytest.mark.parametrize("status", [None, "submitted", "succeeded"])
def test_no_account_is_changed_under_money_that_is_there_or_on_its_way(status: str | None) -> None:
    # Given a collection that KING was asked for, has submitted, or has made,
    billing = signed()
    if status is not None:
        billing.hear(result(status))
    billing.pass_days(1)
    # When the payer signs for another account,
    with pytest.raises(Conflict) as refused:
        billing.ask(signature(signed_on=LATER, iban=OTHER_IBAN))
    # Then whoever sends it in is told what holds, rather than that all is well;
    assert refused.value.code == "already_signed"
    assert refused.value.extra["recorded"]["iban_ends_with"] == IBAN[-4:]
    # and the same paper once more is harmless.
    assert billing.ask(signature(iban=IBAN)) == []


def test_a_withdrawn_customer_is_not_collected_from_anywhere() -> None:
    # Given a failure, after which the customer withdrew,
    billing = failed()
    billing.hear(withdrawal())
    # When the payer signs for another account all the same, then it is refused.
    with pytest.raises(Conflict, match="signed already"):
        billing.ask(signature(signed_on=LATER, iban=OTHER_IBAN))


def test_the_other_orders_of_an_office_follow_upon_their_own_signature() -> None:
    # Given an office whose account failed for both of its customers,
    billing = office_with_two_accounts()
    billing.ask(signature(FIRST))
    for order in (FIRST, SECOND):
        billing.hear(result("failed", order=order, code="AC04"))
    # When it signs anew for one, a day later, and then for the other,
    billing.pass_days(1)
    signed_on = billing.now.date()
    asked = [
        *_asked(billing.ask(signature(FIRST, signed_on=signed_on, iban=OTHER_IBAN))),
        *_asked(billing.ask(signature(SECOND, signed_on=signed_on, iban=OTHER_IBAN))),
    ]
    # Then each is collected from the new account.
    assert [event.order_reference for event in asked] == [FIRST, SECOND]
    assert {event.mandate.iban for event in asked} == {OTHER_IBAN}


def _asked(said: Heard) -> list[CollectionRequested]:
    return said.all(CollectionRequested)
