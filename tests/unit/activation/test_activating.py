"""ACTIVEREN: who may be sent credentials, once, and what makes them void."""

from datetime import timedelta

import pytest

from services.activation.commands import ActivateCustomer, ResendCredentials
from services.activation.models import SENDING
from shared.base.errors import Conflict, NotFound
from shared.events import CustomerReleaseWithdrawn, OnboardingWithdrawn
from shared.events.event import Event
from shared.processing.testing import MONDAY
from tests.unit.activation.harness import (
    BY_MAIL,
    BY_TEXT,
    CUSTOMER,
    ORDER,
    SET_UP,
    WAY,
    ActivationHarness,
    mails,
    way_of,
)

TAKEN_BACK = CustomerReleaseWithdrawn(
    order_reference=ORDER, revision=3, reason_code="AM04", cause="teruggeboekt"
)


def test_the_office_is_told_when_a_customer_may_be_activated() -> None:
    # Given all but the release, When the release is heard,
    service = ActivationHarness(*WAY[:-1])
    effects = service.hear(WAY[-1])
    # Then the office gets a mail, and a second release changes nothing.
    assert mails(effects) == [("customer_released", "kantoor@voorbeeld.example")]
    assert service.hear(WAY[-1]) == []


@pytest.mark.parametrize(
    ("command", "to"),
    [(BY_MAIL, "klant@bakkerij.example"), (BY_TEXT, "+31612345678")],
)
def test_activating_orders_one_message(command: ActivateCustomer, to: str) -> None:
    # Given a customer who is released and set up, When staff activate them,
    service = ActivationHarness(*WAY)
    effects = service.ask(command)
    # Then one message is ordered, to them, with a login name of their own and no password.
    assert mails(effects) == [("credentials", to)]
    assert service.customer().login_name == "bakkerij.voorbeeld"
    assert service.customer().state == SENDING
    assert "password" not in str(effects)


def test_the_second_of_two_staff_is_told_who_was_first() -> None:
    # Given that somebody activates, When another does too,
    service = ActivationHarness(*WAY)
    service.ask(BY_MAIL)
    with pytest.raises(Conflict) as refusal:
        service.ask(ActivateCustomer(channel="sms", by="/staff/bram"))
    # Then they are refused, with the name of the first.
    assert refusal.value.code == "already_sent"
    assert "/staff/anna" in str(refusal.value)


@pytest.mark.parametrize("missing", [SET_UP, WAY[-1]])
def test_who_is_not_ready_is_refused_with_the_blockers(missing: Event) -> None:
    service = ActivationHarness(*(event for event in WAY if event is not missing))
    with pytest.raises(Conflict) as refusal:
        service.ask(BY_MAIL)
    assert refusal.value.code == "not_ready"
    assert refusal.value.extra["blockers"]


@pytest.mark.parametrize(
    "event", [TAKEN_BACK, OnboardingWithdrawn(reason="ziet ervan af", by="kantoor")]
)
def test_who_is_released_no_longer_is_refused(event: Event) -> None:
    service = ActivationHarness(*WAY, event)
    with pytest.raises(Conflict):
        service.ask(BY_MAIL)


def test_nobody_is_texted_who_gave_no_mobile_number() -> None:
    customer = CUSTOMER.model_copy(update={"mobile": None})
    service = ActivationHarness(*way_of(customer))
    with pytest.raises(Conflict) as refusal:
        service.ask(BY_TEXT)
    assert refusal.value.code == "no_address"


def test_an_unknown_customer_cannot_be_activated() -> None:
    with pytest.raises(NotFound):
        ActivationHarness().ask(BY_MAIL)


def test_resending_makes_what_was_sent_before_worthless() -> None:
    # Given credentials that were sent, When staff send them again,
    service = ActivationHarness(*WAY)
    service.ask(BY_MAIL)
    service.send_credentials()
    effects = service.ask(ResendCredentials(by="/staff/bram"))
    # Then the former password is void, the name stays, and one more message is ordered.
    assert service.customer().one_time_hash is None
    assert service.customer().login_name == "bakkerij.voorbeeld"
    assert mails(effects) == [("credentials", "klant@bakkerij.example")]


def test_nothing_is_resent_that_was_never_sent() -> None:
    with pytest.raises(Conflict) as refusal:
        ActivationHarness(*WAY).ask(ResendCredentials(by="/staff/anna"))
    assert refusal.value.code == "never_sent"


def test_money_that_goes_back_suspends_who_was_activated() -> None:
    # Given a customer with credentials, When the bank takes the money back,
    service = ActivationHarness(*WAY)
    service.ask(BY_MAIL)
    service.send_credentials()
    service.hear(TAKEN_BACK)
    # Then they are suspended; released again, they are so no longer.
    assert service.customer().suspended
    assert service.status("ACTIVEREN") == "failed"
    service.hear(WAY[-1].model_copy(update={"revision": 4}))
    assert not service.customer().suspended


def test_a_right_password_counts_once_as_the_first() -> None:
    customer = ActivationHarness(*WAY).customer()
    assert customer.record_login(MONDAY)
    assert not customer.record_login(MONDAY + timedelta(days=1))
    assert customer.first_login_at == MONDAY


def test_of_all_passwords_the_one_that_is_sent_last_is_the_valid_one() -> None:
    # Given a customer who has chosen a password of their own, When they are sent another,
    service = ActivationHarness(*WAY)
    service.ask(BY_MAIL)
    service.send_credentials()
    service.customer().record_login(service.now)
    service.customer().choose("own")
    service.ask(ResendCredentials(by="/staff/anna"))
    assert service.customer().own_hash == "own"
    service.send_credentials()
    # Then their own is void, and they have still logged in before.
    assert service.customer().own_hash is None
    assert service.customer().one_time_hash == "hash"
    assert service.status("INLOGGEN") == "done"


def test_choosing_a_password_ends_the_one_time_one() -> None:
    customer = ActivationHarness(*WAY).customer()
    customer.equip("hash", MONDAY + timedelta(hours=72))
    customer.choose("own")
    assert customer.one_time_hash is None
