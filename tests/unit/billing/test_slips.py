"""A clerk's slips with signed papers: wrong days, wrong data, the wrong order."""

from datetime import timedelta
from typing import Any

import pytest

from services.billing.commands import RemindUnsigned, WithdrawSignature
from services.billing.models import Mandate
from shared.base.errors import Conflict, Invalid
from shared.events import (
    CollectionBooked,
    CollectionCancelled,
    CollectionRequested,
    CustomerReleased,
    OrderConfirmationSigned,
    OrderSignatureWithdrawn,
)
from shared.processing import EventFor
from shared.processing.testing import MONDAY, Heard, onboarding
from tests.unit.billing.builders import (
    FIRST,
    IBAN,
    OFFICE_IBAN,
    placed,
    registration,
    result,
    signature,
    signed,
    withdrawal,
)
from tests.unit.billing.harness import BillingHarness, mails

SECOND, THIRD = "O-2026-000002", "O-2026-000003"
TODAY = MONDAY.date()


def take_back(billing: BillingHarness, order: str = FIRST) -> Heard:
    """The signature of this order is taken back."""
    return billing.ask(WithdrawSignature(order_reference=order, reason="verkeerde order"))


@pytest.mark.parametrize(
    ("days", "code"), [(1, "in_the_future"), (-1, "before_the_order"), (-1200, "lapsed")]
)
def test_nobody_signed_on_a_day_that_cannot_be(days: int, code: str) -> None:
    # Given an order of today, when it is said to be signed on another day,
    billing = placed()
    with pytest.raises(Invalid) as refusal:
        billing.ask(signature(signed_on=TODAY + timedelta(days=days)))
    # Then the field is named, and nothing is recorded.
    assert [(e.field, e.code) for e in refusal.value.errors] == [("signed_on", code)]
    assert not billing.order().signed


def test_a_paper_of_more_than_36_months_ago_is_no_mandate_any_more() -> None:
    # Given an order of long ago, when the paper of that day comes back,
    billing = placed()
    billing.pass_days(3 * 366)
    with pytest.raises(Invalid) as refusal:
        billing.ask(signature(signed_on=TODAY))
    # Then it is refused.
    assert refusal.value.errors[0].code == "lapsed"


@pytest.mark.parametrize(
    "changes",
    [{"signed_by": "B. Anders"}, {"iban": OFFICE_IBAN}, {"account_holder": "B. Anders"}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_second_signature_with_other_data_is_refused_with_what_is_recorded(
    changes: dict[str, Any],
) -> None:
    # Given a signed order,
    billing = signed()
    before = billing.order().model_dump()
    # When a signature with other data is recorded,
    with pytest.raises(Conflict) as refusal:
        billing.ask(signature(**changes))
    # Then it is told what stands there, and that stays; of the account no more than its end.
    assert refusal.value.code == "already_signed"
    recorded = refusal.value.extra["recorded"]
    assert (recorded["signed_by"], recorded["amount_cents"]) == ("A. Voorbeeld", 21780)
    assert (recorded["company"], recorded["iban_ends_with"]) == ("Bakkerij Voorbeeld", "4567")
    assert IBAN not in str(refusal.value.extra)
    assert billing.order().model_dump() == before


def test_a_signature_that_is_taken_back_is_as_if_it_never_was() -> None:
    # Given an order that was signed, by mistake, for another account,
    billing = placed()
    billing.ask(signature(iban=OFFICE_IBAN, signed_by="B. Anders"))
    # When that is taken back,
    said = take_back(billing)
    # Then it is told, under a higher revision, and KING need not collect;
    withdrawn = said.one(OrderSignatureWithdrawn)
    assert (withdrawn.order_reference, withdrawn.reason) == (FIRST, "verkeerde order")
    assert withdrawn.revision == billing.order().revision
    cancelled = said.one(CollectionCancelled)
    assert (cancelled.end_to_end_id, cancelled.reason) == (f"{FIRST}-1", "signature_withdrawn")
    # the account of the slip is forgotten, and the payer is reminded as ever;
    (mandate,) = billing.rows(Mandate)
    assert (mandate.signed_on, mandate.iban) == (None, IBAN)
    assert mails(billing.pass_days(7)) == [("order_reminder", "klant@bakkerij.example")]
    # the right signature has KING collect under an id that it has not heard.
    said = billing.ask(signature())
    assert said.one(CollectionRequested).end_to_end_id == f"{FIRST}-2"
    assert said.one(CollectionRequested).mandate.iban == IBAN
    assert said.one(OrderConfirmationSigned).revision == billing.order().revision
    assert billing.hear(result("succeeded", attempt=2)).all(CustomerReleased)


def test_what_was_not_signed_cannot_be_taken_back() -> None:
    for billing in (placed(), signed()):
        if billing.order().signed:
            take_back(billing)
        with pytest.raises(Conflict) as refusal:
            take_back(billing)
        assert refusal.value.code == "not_signed"


@pytest.mark.parametrize("status", ["submitted", "succeeded", "failed", "returned"])
def test_a_signature_that_king_has_acted_upon_stays(status: str) -> None:
    # Given a collection of which KING has reported anything,
    billing = signed()
    billing.hear(result(status))
    # When the signature is to be taken back, then it stays.
    with pytest.raises(Conflict) as refusal:
        take_back(billing)
    assert refusal.value.code == "already_reported"
    assert billing.order().signed


def test_orders_that_the_same_mandate_covered_are_unsigned_with_it() -> None:
    # Given an office that signed once for two, and paid for a third since,
    billing = BillingHarness()
    for customer in ("bakkerij", "bloemist"):
        billing.hear(registration(payer="office", iban=OFFICE_IBAN), about=customer)
    billing.ask(signature(FIRST))
    billing.hear(registration(payer="office", iban=None), about="slager")
    # When a covered order's signature is to be taken back, then it is told where the paper is;
    with pytest.raises(Conflict, match=FIRST):
        take_back(billing, SECOND)
    # when it is taken back there,
    said = take_back(billing)
    # Then all three are unsigned, each for its own customer, and nothing is collected.
    unsigned = {event.order_reference for event in said.all(OrderSignatureWithdrawn)}
    assert unsigned == {FIRST, SECOND, THIRD}
    assert len(said.all(CollectionCancelled)) == 3
    about = {e.subject for e in said.all(EventFor) if isinstance(e.event, OrderSignatureWithdrawn)}
    assert about == {onboarding(name) for name in ("bakkerij", "bloemist", "slager")}
    # The next signature signs them all again.
    again = billing.ask(signature(SECOND))
    assert len(again.all(OrderConfirmationSigned)) == len(again.all(CollectionRequested)) == 3


def test_a_result_of_one_covered_order_keeps_the_signature_of_all() -> None:
    # Given an office that signed once for two, of which KING has reported on the second,
    billing = BillingHarness()
    for customer in ("bakkerij", "bloemist"):
        billing.hear(registration(payer="office", iban=OFFICE_IBAN), about=customer)
    billing.ask(signature(FIRST))
    billing.hear(result("submitted", order=SECOND))
    # When the signature is to be taken back, then it stays, and why is said.
    with pytest.raises(Conflict, match=SECOND):
        take_back(billing)
    assert billing.order("bakkerij").signed


@pytest.mark.parametrize("withdrawn_first", [True, False])
def test_a_withdrawal_and_a_slip_end_the_same_in_either_order(withdrawn_first: bool) -> None:
    # Given a signed order whose customer leaves, and whose signature is taken back,
    billing = signed()
    if withdrawn_first:
        billing.hear(withdrawal())
    take_back(billing)
    if not withdrawn_first:
        billing.hear(withdrawal())
    # Then it is withdrawn and unsigned, under the same revision, and KING collects nothing.
    order = billing.order()
    assert (order.stage, order.signed, order.revision) == ("withdrawn", False, 3)
    assert billing.collection(f"{FIRST}-1").status == "cancelled"


def test_king_is_told_again_when_it_goes_on_with_what_was_called_off() -> None:
    # Given a signature that was taken back,
    billing = signed()
    take_back(billing)
    # When KING's report that it was submitted crosses that, then KING is told again;
    said = billing.hear(result("submitted"))
    assert said.one(CollectionCancelled).end_to_end_id == f"{FIRST}-1"
    # a failure of it alarms nobody,
    assert mails(billing.hear(result("failed", code="AC04", minute=1))) == []
    assert billing.pass_days(1).all(CollectionRequested) == []


def test_money_of_a_collection_that_was_called_off_and_of_the_next_is_seen_by_a_person() -> None:
    # Given a collection that was called off, and the next,
    billing = signed()
    take_back(billing)
    billing.ask(signature())
    # When both bring the money,
    billing.hear(result("succeeded", attempt=2))
    said = billing.hear(result("succeeded", attempt=1, minute=1))
    # Then the customer is released, and what came second must go back.
    assert billing.order().released
    assert [(e.end_to_end_id, e.held) for e in said.all(CollectionBooked)] == [(f"{FIRST}-1", True)]


def test_a_slip_under_a_standing_mandate_brings_back_the_signature_that_it_replaced() -> None:
    # Given an office whose mandate the bank refused with one order while KING collects another,
    billing = BillingHarness()
    billing.hear(registration(payer="office", iban=None), about="bakkerij")
    billing.ask(signature(FIRST, iban=IBAN))
    billing.hear(registration(payer="office", iban=None), about="bloemist")
    billing.hear(result("failed", order=SECOND, code="MD01"))
    billing.hear(registration(payer="office", iban=None), about="slager")
    (mandate,) = billing.rows(Mandate)
    before = mandate.model_dump()
    # When the next order is signed, and that was a slip,
    billing.pass_days(1)
    billing.ask(signature(THIRD, iban=OFFICE_IBAN, signed_on=billing.now.date()))
    take_back(billing, THIRD)
    # Then the mandate is as it was, refused, and KING can see under what it collects.
    assert mandate.model_dump(exclude={"used_on"}) == {
        name: value for name, value in before.items() if name != "used_on"
    }
    assert mandate.refused
    assert mandate.details("NL00").iban == IBAN


@pytest.mark.parametrize(("signed_after", "taken_back_after"), [(0, 0), (3, 1), (3, 7), (16, 10)])
def test_after_a_slip_the_payer_is_reminded_for_three_weeks_whenever_it_was(
    signed_after: int, taken_back_after: int
) -> None:
    # Given an order for which the paper of another was recorded, and taken back some time later,
    billing = placed()
    billing.pass_days(signed_after)
    billing.ask(signature())
    billing.pass_days(taken_back_after)
    take_back(billing)
    # When the weeks go by, Then the payer is reminded after one, two and three, and no more often.
    reminded = [len(mails(billing.pass_days(7))) for _week in range(6)]
    assert reminded == [1, 1, 1, 0, 0, 0]


def test_a_reminder_that_an_earlier_version_planned_after_a_slip_is_not_lost() -> None:
    # Given an order whose signature was taken back under a version that did not count that,
    billing = signed()
    take_back(billing)
    billing.scheduled.clear()
    billing.ask(RemindUnsigned(order_reference=FIRST, times=1))
    # When the weeks go by, Then the payer is reminded as ever.
    reminded = [len(mails(billing.pass_days(7))) for _week in range(4)]
    assert reminded == [1, 1, 1, 0]


def test_a_version_that_knows_of_no_slips_can_take_a_reminder_of_an_order_without_any() -> None:
    plain = RemindUnsigned(order_reference=FIRST, times=1)
    assert plain.model_dump(mode="json") == {"order_reference": FIRST, "times": 1}
