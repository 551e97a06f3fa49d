"""AANMELDEN and BEVESTIGEN: the order, its confirmation, the signature, the reminders."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.base.errors import Conflict, Invalid, NotFound, Reject
from shared.events import CollectionRequested, OrderConfirmationSigned
from shared.processing import EventFor
from shared.processing.testing import MONDAY, onboarding
from tests.unit.billing.builders import (
    FIRST,
    IBAN,
    OFFICE_IBAN,
    PRICE,
    placed,
    registration,
    signature,
    signed,
    withdrawal,
)
from tests.unit.billing.harness import BillingHarness, mails


def test_a_registration_becomes_an_order_whose_confirmation_goes_to_the_payer() -> None:
    # Given a customer who pays for themselves,
    billing = BillingHarness()
    # When their registration is heard,
    said = billing.hear(registration())
    # Then there is an order of the catalogue's price, VAT included,
    order = billing.order()
    assert (order.reference, order.amount_cents, order.currency) == (FIRST, PRICE, "EUR")
    assert order.placed_on == MONDAY.date()
    # and its confirmation goes to them, with a copy to their office.
    assert mails(said) == [
        ("order_confirmation", "klant@bakkerij.example"),
        ("order_confirmation_copy", "0042@kantoor.example"),
    ]


def test_nothing_is_collected_before_the_confirmation_is_signed() -> None:
    # Given an order whose payer already gave their IBAN,
    billing = placed(iban=IBAN)
    # When four weeks go by without a signature,
    billing.pass_days(28)
    # Then KING was asked for nothing.
    assert billing.said == []


@pytest.mark.parametrize(
    ("payer", "its_own_address", "goes_to"),
    [
        ("customer", None, "klant@bakkerij.example"),
        ("customer", "boekhouding@bakkerij.example", "boekhouding@bakkerij.example"),
        ("office", None, "0042@kantoor.example"),
        ("other", "moeder@holding.example", "moeder@holding.example"),
        ("other", None, "klant@bakkerij.example"),
    ],
)
def test_the_confirmation_goes_to_whoever_pays(
    payer: str, its_own_address: str | None, goes_to: str
) -> None:
    # Given a customer for whom this payer pays, when their registration is heard,
    said = BillingHarness().hear(registration(payer=payer, payer_email=its_own_address))
    # Then the confirmation goes to that payer.
    assert mails(said)[0] == ("order_confirmation", goes_to)


def test_hearing_the_registration_again_changes_nothing() -> None:
    # Given an order,
    billing = placed()
    before = billing.order().model_dump()
    # When the same registration is told again, under another id,
    said = billing.hear(registration())
    # Then nobody gets a second confirmation, and the order is what it was.
    assert said == []
    assert billing.order().model_dump() == before


def test_a_registration_of_other_contents_is_refused() -> None:
    # Given an order,
    billing = placed(package="basis")
    # When a registration for the same customer speaks of another package,
    # Then it is refused with the order's number, and the healthy order stays as it was.
    with pytest.raises(Reject, match=FIRST):
        billing.hear(registration(package="compleet"))
    assert billing.order().amount_cents == PRICE


def test_a_package_that_is_no_longer_sold_is_refused_with_its_name() -> None:
    # Given a catalogue without the package, when the registration is heard, then it is refused.
    with pytest.raises(Reject, match="gouden"):
        BillingHarness().hear(registration(package="gouden"))


def test_the_year_of_an_order_is_the_year_in_the_netherlands() -> None:
    # Given a New Year's Eve that is over in Amsterdam, but not yet in Greenwich,
    billing = BillingHarness()
    billing.now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    # When an order is placed,
    billing.hear(registration())
    # Then it bears the new year.
    assert billing.order().reference == "O-2027-000001"
    assert billing.order().placed_on == date(2027, 1, 1)


def test_the_signature_has_king_collect_the_exact_amount_after_the_prenotification() -> None:
    # Given an order,
    billing = placed(iban=IBAN)
    # When its confirmation comes back, signed,
    said = billing.ask(signature(signed_on=date(2026, 11, 23), signed_by="A. Voorbeeld"))
    # Then the signature is told,
    confirmed = said.one(OrderConfirmationSigned)
    assert (confirmed.order_reference, confirmed.method) == (FIRST, "post")
    assert (confirmed.signed_on, confirmed.received_at) == (date(2026, 11, 23), MONDAY)
    # and KING is asked for the order's amount, two weeks from now at the earliest,
    asked = said.one(CollectionRequested)
    assert (asked.end_to_end_id, asked.attempt) == (f"{FIRST}-1", 1)
    assert (asked.amount_cents, asked.currency) == (PRICE, "EUR")
    assert asked.collect_on == MONDAY.date() + timedelta(days=14)
    # under the mandate that was signed.
    mandate = asked.mandate
    assert (mandate.reference, mandate.scheme) == ("M-2026-000001", "CORE")
    assert (mandate.iban, mandate.account_holder) == (IBAN, "A. Voorbeeld")
    assert mandate.creditor_id == "NL69ZZZ123456780000"
    # All of it is about this customer.
    assert {effect.subject for effect in said.all(EventFor)} == {onboarding("bakkerij")}


def test_a_confirmation_that_comes_by_post_and_by_fax_counts_once() -> None:
    # Given a signed order,
    billing = signed()
    before = billing.order().model_dump()
    # When the same confirmation comes again by fax,
    said = billing.ask(signature(method="fax"))
    # Then nothing is said or collected again.
    assert said == []
    assert billing.order().model_dump() == before


@pytest.mark.parametrize(("first", "second"), [("post", "online"), ("online", "scan")])
def test_a_paper_and_a_signature_given_online_are_two(first: str, second: str) -> None:
    # Given an order that was signed in one of the two ways,
    billing = placed()
    billing.ask(signature(method=first))
    # When it is said to be signed in the other, on that very day and by the same person,
    with pytest.raises(Conflict) as refusal:
        billing.ask(signature(method=second))
    # Then that is not what is on record, and is told so.
    assert refusal.value.code == "already_signed"
    assert refusal.value.extra["recorded"]["method"] == first
    # The same once more is harmless.
    assert billing.ask(signature(method=first)) == []


def test_a_signature_without_any_iban_says_which_field_is_missing() -> None:
    # Given an order whose payer gave no IBAN,
    billing = placed(iban=None)
    # When the confirmation is recorded without one,
    with pytest.raises(Invalid) as refusal:
        billing.ask(signature())
    # Then the field is named, and the order is not signed.
    assert [error.field for error in refusal.value.errors] == ["iban"]
    assert not billing.order().signed
    # When the IBAN is taken over from the paper,
    said = billing.ask(signature(iban=IBAN, account_holder="Bakkerij Voorbeeld"))
    # Then KING collects from that account.
    mandate = said.one(CollectionRequested).mandate
    assert (mandate.iban, mandate.account_holder) == (IBAN, "Bakkerij Voorbeeld")


def test_the_account_on_the_signed_paper_is_the_one_that_counts() -> None:
    # Given an order with the IBAN of the sign-up,
    billing = placed(iban=IBAN)
    # When another account stands on the signed confirmation,
    said = billing.ask(signature(iban=OFFICE_IBAN))
    # Then KING collects from the account that was signed for.
    assert said.one(CollectionRequested).mandate.iban == OFFICE_IBAN


def test_a_signature_for_an_unknown_order_finds_nothing() -> None:
    with pytest.raises(NotFound):
        BillingHarness().ask(signature("O-2026-999999"))


def test_the_payer_is_reminded_after_one_two_and_three_weeks_and_no_more() -> None:
    # Given an order that nobody signs,
    billing = placed()
    # When the weeks go by,
    reminded = [len(mails(billing.pass_days(7))) for _week in range(6)]
    # Then the payer is reminded three times.
    assert reminded == [1, 1, 1, 0, 0, 0]


def test_a_reminder_goes_to_the_payer() -> None:
    # Given an order for which somebody else pays, when a week goes by,
    said = placed(payer="other", payer_email="moeder@holding.example").pass_days(7)
    # Then that payer is the one who is reminded.
    assert mails(said) == [("order_reminder", "moeder@holding.example")]


def test_whoever_signed_is_not_reminded() -> None:
    # Given an order that is signed, when a month goes by,
    said = signed().pass_days(28)
    # Then nobody is reminded.
    assert mails(said) == []


def test_whoever_withdrew_is_not_reminded() -> None:
    # Given an order,
    billing = placed()
    # When its customer withdraws and a month goes by,
    billing.hear(withdrawal())
    # Then nobody is reminded.
    assert mails(billing.pass_days(28)) == []


def test_a_withdrawn_order_cannot_be_signed() -> None:
    # Given an order whose customer withdrew,
    billing = placed()
    billing.hear(withdrawal())
    # When its confirmation comes in all the same,
    # Then the person who records it is told so, and nothing is collected.
    with pytest.raises(Conflict) as refusal:
        billing.ask(signature())
    assert refusal.value.code == "order_withdrawn"
    assert billing.said == []


def test_a_withdrawal_that_is_heard_before_the_order_is_kept() -> None:
    # Given a customer who withdrew, which is the first thing heard of them,
    billing = BillingHarness()
    billing.hear(withdrawal())
    # When their registration is heard,
    said = billing.hear(registration())
    # Then there is an order, for the books, but nobody is asked to sign or to pay.
    assert billing.order().placed
    assert billing.order().withdrawn
    assert said == []
    assert billing.pass_days(28) == []
