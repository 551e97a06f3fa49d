"""What a payer returns by themselves: the letter, the code, and links that end."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.billing.commands import MailCode, NotePosted, PrepareSigning, SignOnline
from services.billing.models import OnlineSigning
from services.billing.models.returned import MAX_TRIES
from services.billing.signing.codes import code_of, fingerprint_of, new_code
from services.billing.signing.handlers import CODES_PER_DAY, RESEND_PAUSE
from shared.base.errors import Conflict, Invalid, NotFound
from shared.events import CollectionRequested, CustomerContactChanged, OrderConfirmationSigned
from shared.notifications.messages import Mail
from tests.unit.billing.builders import (
    FIRST,
    IBAN,
    placed,
    registration,
    result,
    signature,
    signed,
    withdrawal,
)
from tests.unit.billing.harness import SETTINGS, BillingHarness, kinds, mails

SIGNING = "11111111-1111-1111-1111-111111111111"
OTHER_SIGNING = "22222222-2222-2222-2222-222222222222"
CODE = "123456"
HASH = "f" * 64


def prepare(signing_id: str = SIGNING, **changes: Any) -> PrepareSigning:
    """What the payer filled in."""
    fields: dict[str, Any] = {
        "order_reference": FIRST,
        "signing_id": signing_id,
        "name": "J. Voorbeeld",
        "place": "Utrecht",
        "consent": "Door ondertekening …",
        "document_sha256": "0" * 64,
    }
    return PrepareSigning(**fields | changes)


def enter(signing_id: str = SIGNING, code_hash: str = HASH) -> SignOnline:
    """A code that the payer typed in."""
    return SignOnline(
        order_reference=FIRST,
        signing_id=signing_id,
        code_hash=code_hash,
        address="192.0.2.7",
        user_agent="Browser",
    )


def prepared(**registered: Any) -> BillingHarness:
    """Billing with one order whose payer has a code in hand."""
    billing = placed(**registered)
    billing.ask(prepare())
    signing(billing).equip(HASH, billing.now)
    return billing


def signing(billing: BillingHarness, signing_id: str = SIGNING) -> OnlineSigning:
    return billing.row(OnlineSigning, id=signing_id)


# The letter.


def test_a_reminder_rests_for_a_week_after_the_letter_was_posted() -> None:
    # Given a payer who has posted the letter on the sixth day
    billing = placed()
    billing.pass_days(6)
    billing.ask(NotePosted(order_reference=FIRST, posted_on=date(2026, 11, 29)))
    # When the first reminder is due, Then nobody is reminded
    assert kinds(billing.pass_days(2)) == []
    # Until it has been under way for a week, and then the reminder says since when.
    (reminder,) = billing.pass_days(5).all(Mail)
    assert reminder.kind == "order_reminder"
    assert reminder.params["posted_on"] == "2026-11-29"
    # And the others follow as ever.
    assert kinds(billing.pass_days(15)) == ["order_reminder", "order_reminder"]


def test_who_posts_it_once_more_is_left_alone_once_more() -> None:
    billing = placed()
    for day in (29, 30):
        billing.pass_days(6 if day == 29 else 5)
        today = billing.now.date()
        billing.ask(NotePosted(order_reference=FIRST, posted_on=today))
    # Given letters of the sixth and the eleventh day, Then the reminder comes on the eighteenth.
    assert kinds(billing.pass_days(6)) == []
    assert kinds(billing.pass_days(1.5)) == ["order_reminder"]


def test_a_letter_is_of_no_use_once_it_is_signed_or_withdrawn() -> None:
    posted = NotePosted(order_reference=FIRST, posted_on=date(2026, 11, 23))
    with pytest.raises(Conflict, match="signed already"):
        signed().ask(posted)
    billing = placed()
    billing.hear(withdrawal())
    with pytest.raises(Conflict, match="withdrawn"):
        billing.ask(posted)


@pytest.mark.parametrize("day", [date(2026, 11, 22), date(2026, 11, 24)])
def test_nobody_posts_it_before_the_order_or_tomorrow(day: date) -> None:
    with pytest.raises(Invalid) as refusal:
        placed().ask(NotePosted(order_reference=FIRST, posted_on=day))
    assert [error.field for error in refusal.value.errors] == ["posted_on"]


# The code.


def test_a_code_goes_to_the_payers_own_address() -> None:
    billing = placed(payer="other", payer_email="geld@holding.example")
    assert mails(billing.ask(prepare())) == [("signing_code", "geld@holding.example")]
    assert signing(billing).sent_to == "geld@holding.example"


def test_the_right_code_signs_by_the_rule_of_the_paper() -> None:
    billing = prepared()
    said = billing.ask(enter())
    event = said.one(OrderConfirmationSigned)
    assert (event.method, event.signed_on) == ("online", date(2026, 11, 23))
    assert said.one(CollectionRequested).mandate.iban == IBAN
    kept = signing(billing)
    assert (kept.signed_at, kept.address, kept.user_agent) == (
        billing.now,
        "192.0.2.7",
        "Browser",
    )


def test_a_wrong_code_counts_and_the_last_try_ends_it() -> None:
    billing = prepared()
    for _ in range(MAX_TRIES):
        assert billing.ask(enter(code_hash="0" * 64)) == []
    assert signing(billing).tries == MAX_TRIES
    assert billing.ask(enter()) == []
    assert not billing.order().signed


def test_a_code_that_was_never_made_is_no_empty_code() -> None:
    billing = placed()
    billing.ask(prepare())
    assert billing.ask(enter(code_hash="")) == []
    assert not billing.order().signed


def test_a_second_signature_voids_the_first() -> None:
    billing = prepared()
    billing.now += RESEND_PAUSE
    billing.ask(prepare(OTHER_SIGNING))
    assert billing.ask(enter()) == []
    assert not billing.order().signed


def test_codes_come_with_a_pause_and_not_for_ever() -> None:
    billing = placed()
    billing.ask(prepare())
    again = MailCode(order_reference=FIRST, signing_id=SIGNING)
    with pytest.raises(Conflict, match="just now"):
        billing.ask(again)
    for _ in range(CODES_PER_DAY - 1):
        billing.now += RESEND_PAUSE
        assert kinds(billing.ask(again)) == ["signing_code"]
    billing.now += RESEND_PAUSE
    with pytest.raises(Conflict, match="Too many codes"):
        billing.ask(again)
    billing.now += timedelta(days=1)
    assert kinds(billing.ask(again)) == ["signing_code"]


def test_a_new_code_voids_the_former_before_it_is_sent() -> None:
    billing = prepared()
    billing.now += RESEND_PAUSE
    billing.ask(MailCode(order_reference=FIRST, signing_id=SIGNING))
    assert billing.ask(enter()) == []


def test_what_cannot_be_signed_gets_no_code() -> None:
    with pytest.raises(Conflict, match="signed already"):
        signed().ask(prepare())
    withdrawn = placed()
    withdrawn.hear(withdrawal())
    with pytest.raises(Conflict, match="withdrawn"):
        withdrawn.ask(prepare())
    with pytest.raises(Invalid, match="No IBAN"):
        placed(iban=None).ask(prepare())
    dead = signed()
    dead.hear(result("failed", code="MD07"))
    with pytest.raises(Conflict, match="call us"):
        dead.ask(prepare(iban=IBAN))


def test_the_signature_of_one_order_signs_no_other() -> None:
    billing = prepared()
    billing.hear(registration(company="Slagerij"), about="slagerij")
    other = billing.order("slagerij").reference or ""
    wrong = enter().model_copy(update={"order_reference": other})
    with pytest.raises(NotFound):
        billing.ask(wrong, about="slagerij")


def test_a_code_that_comes_after_the_paper_changes_nothing() -> None:
    billing = prepared()
    billing.ask(signature(signed_by="A. Ander"))
    with pytest.raises(Conflict, match="with other data"):
        billing.ask(enter())
    assert signing(billing).signed_at is None


def test_the_fingerprint_of_a_code_is_of_no_use_elsewhere() -> None:
    settings = SETTINGS.model_copy(update={"seal_key": "s" * 40})
    other = settings.model_copy(update={"seal_key": "t" * 40})
    kept = fingerprint_of(CODE, SIGNING, settings)
    assert kept == fingerprint_of(CODE, SIGNING, settings)
    others = {fingerprint_of(CODE, OTHER_SIGNING, settings), fingerprint_of(CODE, SIGNING, other)}
    assert kept not in others
    assert CODE not in kept


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        *((typed, CODE) for typed in ("123456", " 123 456 ", "123-456", "123\u00a0456")),
        *((typed, None) for typed in ("12345", "1234567", "", "12345a", "１２３４５６", None)),
    ],
)
def test_a_code_is_read_however_it_is_typed(typed: str | None, code: str | None) -> None:
    assert code_of(typed) == code


def test_a_code_has_six_digits_and_its_zeros() -> None:
    codes = {new_code() for _ in range(2000)}
    assert all(code_of(code) == code for code in codes)
    assert any(code.startswith("0") for code in codes)


# Links.


def contact(email: str) -> CustomerContactChanged:
    return CustomerContactChanged(email=email)


def test_a_changed_address_voids_the_links_of_whoever_is_mailed_there() -> None:
    billing = placed()
    billing.hear(contact("nieuw@bakkerij.example"))
    assert billing.order().links_not_before == billing.now


def test_an_address_that_the_payer_does_not_have_voids_nothing() -> None:
    billing = placed(payer="other", payer_email="geld@holding.example")
    billing.hear(contact("nieuw@bakkerij.example"))
    same = placed()
    same.hear(contact("klant@bakkerij.example"))
    early = BillingHarness()
    early.hear(contact("nieuw@bakkerij.example"))
    early.hear(registration())
    orders = (billing.order(), same.order(), early.order())
    assert [order.links_not_before for order in orders] == [None] * 3


def test_a_withdrawal_voids_the_links() -> None:
    billing = placed()
    billing.hear(withdrawal())
    assert billing.order().links_not_before == billing.now
