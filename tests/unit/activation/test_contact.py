"""Where the customer is reached: what a correction voids, who is told, and whose word counts."""

from services.activation.commands import AmendContact
from shared.events import CustomerContactChanged
from shared.notifications.messages import Mail
from tests.unit.activation.harness import (
    BY_MAIL,
    CUSTOMER,
    WAY,
    ActivationHarness,
    mails,
    registered,
    signed_up,
)


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
