"""Who is told of a signature, of money that did not come, and of an order that lapsed."""

from datetime import date

import pytest

from shared.events import CollectionRequested
from shared.notifications.messages import Mail
from tests.unit.billing import builders
from tests.unit.billing.builders import FIRST, OFFICE_IBAN, PRICE, registration, result, signature
from tests.unit.billing.harness import BillingHarness, mails

CUSTOMER, OFFICE, PAYER = "klant@bakkerij.example", "0042@kantoor.example", "oma@holding.example"


def test_a_customer_who_does_not_pay_hears_who_does() -> None:
    # Given a customer whose grandmother pays, When they are registered,
    said = BillingHarness().hear(registration(payer="other", payer_email=PAYER))
    # Then they hear that it is with her, and nothing of amounts or accounts is in the text.
    assert mails(said) == [
        ("order_confirmation", PAYER),
        ("order_confirmation_copy", OFFICE),
        ("order_with_payer", CUSTOMER),
    ]


def test_a_customer_who_pays_is_told_once() -> None:
    said = BillingHarness().hear(registration())
    assert mails(said) == [("order_confirmation", CUSTOMER), ("order_confirmation_copy", OFFICE)]


def test_of_a_signature_payer_and_office_hear_when_money_is_collected() -> None:
    # Given an order, When its confirmation comes back signed,
    billing = builders.placed()
    said = billing.ask(signature())
    # Then payer and office hear on which day KING collects at the earliest,
    assert mails(said) == [("signature_received", CUSTOMER), ("signature_received_office", OFFICE)]
    collect_on = said.one(CollectionRequested).collect_on
    assert {mail.params["collect_on"] for mail in said.all(Mail)} == {collect_on.isoformat()}
    # and the same paper by fax tells them nothing new.
    assert mails(billing.ask(signature(method="fax"))) == []


def test_a_signature_for_several_orders_is_told_once_and_names_them() -> None:
    # Given an office with two orders that it pays, When it signs for one,
    billing = BillingHarness()
    billing.hear(registration(payer="office", iban=OFFICE_IBAN))
    billing.hear(registration(company="Slager", payer="office", iban=None), "slager")
    said = billing.ask(signature())
    # Then it hears of that one, as payer and as office at once, and that it covers the other.
    assert mails(said) == [("signature_received", OFFICE)]
    assert said.one(Mail).params["covers"] == ["O-2026-000002"]


def test_a_signature_whose_money_is_there_already_announces_no_collection() -> None:
    # Given money that KING collected by itself, When the signature comes,
    billing = builders.placed()
    billing.hear(result("succeeded"))
    said = billing.ask(signature())
    # Then nobody is told to expect another.
    assert {mail.params["collect_on"] for mail in said.all(Mail)} == {None}


def test_a_new_signature_for_another_account_is_told_like_the_first() -> None:
    billing = builders.signed()
    billing.hear(result("failed", code="AC04"))
    said = billing.ask(signature(iban=OFFICE_IBAN, signed_on=date(2026, 11, 23)))
    assert [kind for kind, _ in mails(said)] == ["signature_received", "signature_received_office"]


def test_a_failed_attempt_names_the_day_and_the_amount_of_the_next() -> None:
    # Given an attempt that fails for want of money, When payer and office are told,
    billing = builders.signed()
    said = billing.hear(result("failed", code="AM04"))
    told = {(mail.params["again_on"], mail.params["next_cents"]) for mail in said.all(Mail)}
    # Then both are told the very day, and the amount, for which KING is asked a week later.
    asked = billing.pass_days(7).one(CollectionRequested)
    assert told == {(asked.collect_on.isoformat(), PRICE)}
    assert (asked.attempt, asked.amount_cents) == (2, PRICE)


def test_a_failure_that_no_time_heals_promises_nothing() -> None:
    billing = builders.signed()
    said = billing.hear(result("failed", code="AC04"))
    assert {mail.params["again_on"] for mail in said.all(Mail)} == {None}


@pytest.mark.parametrize(
    ("payer", "email", "told"),
    [("customer", None, []), ("office", None, []), ("other", PAYER, [("order_withdrawn", PAYER)])],
)
def test_a_payer_whom_nobody_else_tells_hears_that_the_order_lapsed(
    payer: str, email: str | None, told: list[tuple[str, str]]
) -> None:
    # Given an order, When its customer leaves, Then a payer who is neither customer nor office
    # is told by billing: the others hear it from where the customer signed up.
    billing = builders.placed(payer=payer, payer_email=email)
    assert billing.order().reference == FIRST
    assert mails(billing.hear(builders.withdrawal())) == told


def test_who_left_before_there_was_an_order_leaves_nobody_to_tell() -> None:
    assert mails(BillingHarness().hear(builders.withdrawal())) == []
