"""What happens by itself, and when: foretold from what is known of one customer."""

import inspect
import re
from datetime import date, datetime, timedelta

import pytest

from services.activation import steps
from services.activation.commands import ActivateCustomer, ResendCredentials
from services.activation.upcoming import FORETOLD, upcoming
from shared.base.errors import Conflict
from shared.events import CustomerReleaseWithdrawn, OnboardingWithdrawn, OrderSignatureWithdrawn
from shared.processing.testing import MONDAY
from tests.unit.activation.harness import (
    CONFIRMATION_SENT,
    ORDER,
    REGISTERED,
    SET_UP,
    SETTINGS,
    SIGNED,
    WAY,
    ActivationHarness,
    booked,
    flagged,
    signed_up,
)

UNSIGNED = (signed_up(), REGISTERED, SET_UP, CONFIRMATION_SENT)
WEEK = timedelta(days=7)


def days(practice: ActivationHarness) -> list[date | None]:
    """The days of what is foretold, None for what has no day."""
    told = upcoming(practice.customer(), practice.now, SETTINGS)
    return [entry.at.date() if isinstance(entry.at, datetime) else entry.at for entry in told]


def told(practice: ActivationHarness) -> str:
    """What is foretold, in English."""
    entries = upcoming(practice.customer(), practice.now, SETTINGS)
    return " ".join(entry.words.en for entry in entries)


def test_the_payer_is_reminded_three_times_a_week_apart() -> None:
    # Given an order that was placed on a Monday and has not come back
    practice = ActivationHarness(*UNSIGNED)
    reminders: list[date | None] = [MONDAY.date() + times * WEEK for times in (1, 2, 3)]
    # When nobody acts, Then three reminders are foretold, and fewer as time passes.
    assert days(practice) == [*reminders, None]
    practice.now += timedelta(days=8)
    assert days(practice) == [*reminders[1:], None]
    practice.now += timedelta(days=20)
    assert days(practice) == [None]
    assert "nothing more happens by itself" in told(practice)


def test_reminders_begin_anew_when_a_signature_is_taken_back() -> None:
    practice = ActivationHarness(*UNSIGNED, SIGNED)
    practice.now += timedelta(days=10)
    back = OrderSignatureWithdrawn(order_reference=ORDER, reason="vergissing", revision=9)
    practice.hear(back)
    assert days(practice)[0] == practice.now.date() + WEEK


def test_a_signed_order_is_collected_after_its_pre_notification() -> None:
    practice = ActivationHarness(*UNSIGNED, SIGNED)
    # Fourteen days after a Monday is a Monday, on which banks settle.
    assert days(practice) == [MONDAY.date() + 2 * WEEK, None]


@pytest.mark.parametrize(
    ("status", "attempt", "again"),
    [("failed", 1, True), ("failed", 3, False), ("refunded", 1, False)],
)
def test_another_attempt_is_foretold_only_where_billing_makes_one(
    status: str, attempt: int, again: bool
) -> None:
    practice = ActivationHarness(*UNSIGNED, SIGNED, booked(status, attempt=attempt))
    assert (days(practice)[0] == MONDAY.date() + WEEK) is again
    assert ("not collected again by itself" in told(practice)) is not again


def test_a_password_expires_and_the_customer_is_reminded_a_day_before() -> None:
    # Given a customer who was sent a password that is good for three days
    practice = ActivationHarness(*WAY)
    practice.ask(ActivateCustomer(channel="email", by="anna"))
    practice.send_credentials()
    sent = practice.now.date()
    # When they do not log in, Then they are reminded after two of them, and it ends after three.
    assert days(practice) == [sent + timedelta(days=2), sent + timedelta(days=3)]
    practice.now += timedelta(days=2, hours=1)
    assert days(practice) == [sent + timedelta(days=3)]
    practice.now += timedelta(days=1)
    assert "No new password is sent by itself" in told(practice)


def test_what_waits_for_a_person_is_said_to_wait() -> None:
    assert "the office must check" in told(ActivationHarness(flagged()))
    assert "must send the login details" in told(ActivationHarness(*WAY))
    held = ActivationHarness(*UNSIGNED, SIGNED, booked("succeeded", held=True))
    assert "KING must decide" in told(held)


def test_whoever_has_left_is_promised_nothing() -> None:
    practice = ActivationHarness(*WAY, OnboardingWithdrawn(reason="toch niet", by="klant"))
    assert upcoming(practice.customer(), practice.now, SETTINGS) == []


def test_everything_that_can_be_waited_for_is_foretold_or_has_ended() -> None:
    # Given the codes of what customers wait for, as the steps say them
    source = inspect.getsource(steps)
    codes = set(re.findall(r'\b(?:current|failed)\(\s*(?:[\w.]+, )?"(\w+)"', source))
    # Then each has its word, but for those of a way that has not begun or has come to its end.
    assert codes - FORETOLD.keys() == {"signup_expected", "signup_rejected", "declined"}
    assert FORETOLD.keys() - codes == set()


def test_whoever_waits_says_since_when_and_in_both_languages() -> None:
    # Given customers at every step of their way, and those for whom something went wrong
    back = CustomerReleaseWithdrawn(
        order_reference=ORDER, revision=3, reason_code="MD06", cause="x"
    )
    unsigned = OrderSignatureWithdrawn(order_reference=ORDER, reason="vergissing", revision=9)
    wrong = (back, unsigned, booked("failed"), booked("succeeded", held=True))
    ways = [WAY[:count] for count in range(1, len(WAY) + 1)]
    for way in [*ways, (*WAY, back), *((*WAY[:5], event) for event in wrong)]:
        practice = ActivationHarness(*way)
        # When they wait for somebody
        for blocker in practice.checklist().blockers:
            # Then it is said in both languages, and since when.
            assert blocker.words.nl != blocker.words.en
            assert blocker.since is not None, blocker.code
            assert blocker.since <= practice.now
        first = practice.checklist().blockers[0]
        assert (practice.customer().blocker, practice.customer().since) == (
            first.code,
            first.since,
        )


def test_who_is_patient_does_not_send_again_at_once() -> None:
    # Given credentials that were just ordered
    practice = ActivationHarness(*WAY)
    practice.ask(ActivateCustomer(channel="email", by="anna"))
    # When somebody sends them again from the page, within two minutes
    with pytest.raises(Conflict) as refused:
        practice.ask(ResendCredentials(by="bram", patient=True))
    # Then they are told to wait; a program may, and after the pause everybody may.
    assert refused.value.code == "just_sent"
    practice.ask(ResendCredentials(by="programma"))
    practice.now += timedelta(minutes=2, seconds=1)
    practice.ask(ResendCredentials(by="bram", patient=True))
    assert practice.customer().attempt == 3
