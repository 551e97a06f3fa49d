"""A one-time password comes to its end: who is reminded of it, and who must help then."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.activation.commands import RemindOfExpiry
from shared.processing.testing import MONDAY
from tests.unit.activation.harness import BY_MAIL, WAY, ActivationHarness, mails


def test_the_customer_is_reminded_a_day_before_the_password_expires_unless_they_logged_in() -> None:
    # Given credentials that are good for 72 hours, When they are ordered,
    service = ActivationHarness(*WAY)
    (reminder,) = service.ask(BY_MAIL).scheduled
    # Then a reminder is due after 48;
    assert reminder.due - service.now == timedelta(hours=48)
    service.send_credentials()
    assert mails(service.ask(reminder.command)) == [
        ("credentials_expiring", "klant@bakkerij.example")
    ]
    # not for a password that was replaced, and not for who logged in.
    assert service.ask(RemindOfExpiry(attempt=7)) == []
    service.customer().record_login(MONDAY)
    assert mails(service.ask(reminder.command)) == []


def test_whose_password_has_expired_is_found_among_those_whom_the_office_must_help() -> None:
    # Given a customer who was sent a password, and has not logged in,
    service = ActivationHarness(*WAY)
    service.ask(BY_MAIL)
    service.send_credentials()
    assert (service.customer().step, service.customer().actor) == ("INLOGGEN", "customer")
    # When it ends, Then they are found where the checklist says that they are.
    service.pass_days(4)
    assert service.blockers() == ["credentials_expired"]
    assert (service.customer().step, service.customer().actor) == ("ACTIVEREN", "office")


def test_a_message_that_is_long_under_way_is_followed_up_all_the_same() -> None:
    # Given credentials that leave only after the reminder was due,
    service = ActivationHarness(*WAY)
    service.ask(BY_MAIL)
    service.pass_days(2.5)
    service.send_credentials()
    # When their password ends, Then that is seen.
    service.pass_days(4)
    assert service.customer().step == "ACTIVEREN"


def expired(service: ActivationHarness) -> None:
    service.now += timedelta(hours=73)


def changed(service: ActivationHarness) -> None:
    service.customer().choose("own")


@pytest.mark.parametrize("gone", [expired, changed])
def test_nobody_is_reminded_of_a_password_that_is_good_no_longer(
    gone: Callable[[ActivationHarness], None],
) -> None:
    # Given credentials that were sent, and whose password is no longer good,
    service = ActivationHarness(*WAY)
    (reminder,) = service.ask(BY_MAIL).scheduled
    service.send_credentials()
    gone(service)
    # When the reminder is due, Then they are told nothing, and are found where they stand.
    told = [to for _, to in mails(service.ask(reminder.command))]
    assert "klant@bakkerij.example" not in told
    assert service.customer().actor == service.checklist().next_actor
