"""Each company gets a login name of its own, however many share a name."""

from services.activation.login.names import MAX_LENGTH
from services.activation.models import Activation
from shared.events.event import Event
from tests.unit.activation.harness import BY_MAIL, CUSTOMER, WAY, ActivationHarness, way_of


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
