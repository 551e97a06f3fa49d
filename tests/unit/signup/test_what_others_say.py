"""What the office has corrected and where the customer is reached: in any order, one end."""

from itertools import permutations
from typing import Any

import pytest

from services.signup.models import Signup
from shared.events import CustomerContactChanged, RegistrationCompleted, SignupAccepted
from shared.events.event import Event
from tests.unit.signup.harness import SignupHarness, accepted, changed


def registered(event: SignupAccepted, **corrections: Any) -> RegistrationCompleted:
    """The sign-up as the office has registered it."""
    customer = event.customer.model_copy(update=corrections)
    return RegistrationCompleted(
        customer_number="K-100001",
        office=event.office,
        customer=customer,
        package=event.package.model_copy(update={"code": "compleet"}),
        payer=event.payer,
    )


def test_what_the_office_corrected_is_what_signup_knows() -> None:
    # Given a sign-up, When its office registers it with another name, number and package,
    service = SignupHarness()
    event = accepted(service.submit(changed()))
    service.hear(registered(event, company="Bakkerij De Halm", kvk="87654321"))
    # Then those are what is known, and what a second sign-up is compared with.
    signup = service.signup()
    assert signup.acceptance().customer.company == "Bakkerij De Halm"
    assert (signup.kvk, signup.package_code) == ("87654321", "compleet")
    again = changed(customer__kvk="87654321", package__code="compleet")
    warnings = accepted(service.submit(again, "tweede")).warnings
    assert "likely_duplicate" in {warning.code for warning in warnings}


CHANGES: list[Event] = [
    CustomerContactChanged(email="eerst@korenaar.example"),
    CustomerContactChanged(email="laatst@korenaar.example", mobile="+31612345699"),
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_facts_about_one_customer_end_the_same_in_every_order(order: tuple[int, ...]) -> None:
    # Given a registration and two changes of contact, the second said after the first,
    service = SignupHarness()
    facts = [registered(accepted(service.submit(changed()))), *CHANGES]
    said_at = [service.now.replace(hour=hour) for hour in (10, 11, 12)]
    # When they are heard in any order,
    for position in order:
        service.now = said_at[position]
        service.hear(facts[position])
    # Then the customer is reached where they said last.
    customer = service.signup().acceptance().customer
    assert (customer.email, customer.mobile) == ("laatst@korenaar.example", "+31612345699")
    assert service.signup().package_code == "compleet"


def test_facts_that_are_heard_before_the_signup_wait_for_it() -> None:
    service = SignupHarness()
    service.hear(CHANGES[1])
    accepted(service.submit(changed()))
    assert service.signup().acceptance().customer.email == "laatst@korenaar.example"


def test_a_rejected_signup_keeps_its_office() -> None:
    # Given a form that was rejected, When another office submits under its id,
    service = SignupHarness()
    service.submit(changed(customer__kvk="1"))
    assert service.row(Signup).office_code == "0042"
    with pytest.raises(Exception, match="another office"):
        service.submit(changed(office_code="0077"))
    # Then it is refused, and the customer's own correction is taken.
    assert accepted(service.submit(changed())).office.code == "0042"


@pytest.mark.parametrize("source", ["/website/0042", "/website/0077"])
def test_a_signup_that_is_refused_whole_leaves_no_citizen_number_behind(source: str) -> None:
    # Given a customer, and under their id another form with a citizen number,
    service = SignupHarness()
    service.submit(changed())
    # When it comes, Then it is not refused, since what is refused is kept whole.
    assert service.submit(changed(remarks="bsn 111222333"), source=source) == []
    assert "111222333" not in repr(service.rows(Signup))
