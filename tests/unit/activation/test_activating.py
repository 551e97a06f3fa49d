"""ACTIVEREN: who may be sent credentials, once, and what makes them void."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.activation.commands import (
    ActivateCustomer,
    AmendContact,
    RemindOfExpiry,
    ResendCredentials,
)
from services.activation.login.names import MAX_LENGTH
from services.activation.models import SENDING, Activation
from shared.base.errors import Conflict, NotFound
from shared.events import (
    CustomerContactChanged,
    CustomerReleaseWithdrawn,
    OnboardingWithdrawn,
)
from shared.events.event import Event
from shared.notifications.messages import Mail
from shared.processing.testing import MONDAY
from tests.unit.activation.harness import (
    CUSTOMER,
    ORDER,
    SET_UP,
    WAY,
    ActivationHarness,
    mails,
    registered,
    signed_up,
    way_of,
)

BY_MAIL = ActivateCustomer(channel="email", by="/staff/anna")
BY_TEXT = ActivateCustomer(channel="sms", by="/staff/anna")
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


def test_a_corrected_address_voids_what_went_to_the_old_one() -> None:
    # Given credentials that went to a wrong address, When the contact is corrected,
    service = ActivationHarness(*WAY)
    service.ask(BY_MAIL)
    service.send_credentials()
    service.ask(AmendContact(email="goed@bakkerij.example", by="/staff/anna"))
    # Then they are void, and may be sent to the right one;
    assert service.customer().one_time_hash is None
    assert mails(service.ask(BY_MAIL)) == [("credentials", "goed@bakkerij.example")]
    # a sign-up that is heard again does not bring the old address back.
    service.hear(WAY[0])
    assert service.customer().email == "goed@bakkerij.example"


def test_the_customer_is_told_at_the_old_address_that_they_are_reached_elsewhere() -> None:
    # Given a customer, When their address is corrected,
    service = ActivationHarness(*WAY)
    effects = service.ask(AmendContact(email="goed@bakkerij.example", by="anna"))
    # Then whoever knew the old one is told what has changed, and only that,
    assert effects.one(CustomerContactChanged) == CustomerContactChanged(
        email="goed@bakkerij.example"
    )
    # and a mail goes to the old address, without the new one in it; another to the new one.
    former, new = effects.all(Mail)
    assert (former.kind, former.to) == ("contact_changed", "klant@bakkerij.example")
    assert "goed@bakkerij.example" not in str(former.params)
    assert (new.kind, new.to) == ("contact_confirmed", "goed@bakkerij.example")


def test_a_contact_that_was_like_that_before_voids_nothing() -> None:
    # Given credentials that were sent, When the contact is "corrected" to what it is,
    service = ActivationHarness(*WAY)
    service.ask(BY_MAIL)
    service.send_credentials()
    effects = service.ask(AmendContact(email="klant@bakkerij.example", by="anna"))
    # Then nobody is told anything, and they are as good as before.
    assert effects == []
    assert service.customer().one_time_hash == "hash"


def test_what_the_office_corrected_takes_the_place_of_the_signup() -> None:
    # Given a sign-up, When the office registers the customer with other data,
    corrected = CUSTOMER.model_copy(
        update={"company": "De Korenaar", "email": "k@korenaar.example", "mobile": "+31687654321"}
    )
    events = [signed_up(), registered(customer=corrected)]
    for heard in (events, reversed(events)):
        customer = ActivationHarness(*heard).customer()
        # Then these are what is known, whichever was heard first;
        assert customer.company == "De Korenaar"
        assert (customer.email, customer.mobile) == ("k@korenaar.example", "+31687654321")
    # but a contact that was corrected here in the meantime stays.
    service = ActivationHarness(signed_up())
    service.ask(AmendContact(email="goed@bakkerij.example", by="anna"))
    service.hear(registered(customer=corrected))
    assert service.customer().company == "De Korenaar"
    assert service.customer().email == "goed@bakkerij.example"


def test_a_corrected_number_keeps_no_address_from_being_corrected() -> None:
    # Given a customer whose mobile number was corrected here,
    service = ActivationHarness(signed_up())
    service.ask(AmendContact(mobile="+31611111111", by="anna"))
    # When the office registers them with another address, and an older number,
    service.hear(registered(customer=CUSTOMER.model_copy(update={"email": "k@korenaar.example"})))
    # Then the address is the office's, and the number the one that was corrected.
    customer = service.customer()
    assert (customer.email, customer.mobile) == ("k@korenaar.example", "+31611111111")


def test_a_contact_that_an_earlier_version_amended_stays_whole() -> None:
    # Given a contact that was corrected by a version that did not say which part of it,
    service = ActivationHarness(signed_up())
    service.customer().facts |= {"amended": {}}
    # When the office registers the customer with another address, Then nothing is overwritten.
    service.hear(registered(customer=CUSTOMER.model_copy(update={"email": "k@korenaar.example"})))
    assert service.customer().email == CUSTOMER.email


def test_two_companies_of_one_name_get_different_login_names() -> None:
    service = ActivationHarness(*WAY)
    service.ask(BY_MAIL)
    for event in WAY:
        service.hear(event, "tweede")
    service.ask(BY_MAIL, "tweede")
    assert service.customer("tweede").login_name == "bakkerij.voorbeeld2"


def called(company: str) -> tuple[Event, ...]:
    """All that makes a customer of this name ready."""
    customer = CUSTOMER.model_copy(update={"company": company})
    return way_of(customer)


def test_a_number_that_a_name_was_given_is_not_another_companys_name() -> None:
    # Given two companies called Bakker, and one whose name is what the second of them was given,
    service = ActivationHarness()
    names = []
    for number, company in enumerate(("Bakker", "Bakker", "Bakker2 B.V.", "Bakker2", "Bakker")):
        for event in called(company):
            service.hear(event, f"klant {number}")
        # When each is activated,
        service.ask(BY_MAIL, f"klant {number}")
        names.append(service.customer(f"klant {number}").login_name)
    # Then none gets the name of another.
    assert len(set(names)) == 5
    assert names[:2] == ["bakker", "bakker2"]


def test_a_name_is_free_for_each_of_very_many_companies_of_one_name() -> None:
    # Given very many companies of one name, the longest that there is,
    service = ActivationHarness()
    for number in range(300):
        for event in called("Internationale Scheepvaartmaatschappij"):
            service.hear(event, f"klant {number}")
        # When each is activated,
        service.ask(BY_MAIL, f"klant {number}")
    # Then each has a name of their own that fits into a text message.
    names = {str(customer.login_name) for customer in service.rows(Activation)}
    assert len(names) == 300
    assert max(map(len, names)) <= MAX_LENGTH


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
