"""Where the customer is mailed when their address has changed."""

from datetime import timedelta

import pytest

from services.billing.models import Order
from shared.events import CustomerContactChanged
from tests.unit.billing.builders import placed, registration
from tests.unit.billing.harness import BillingHarness, mails

NEW = CustomerContactChanged(email="nieuw@bakkerij.example")


def reminded_at(billing: BillingHarness) -> set[str]:
    """Where the reminder of a week later goes."""
    return {to for kind, to in mails(billing.pass_days(8)) if kind == "order_reminder"}


def test_a_reminder_goes_where_the_customer_is_reached_now() -> None:
    # Given an order that its customer pays, When they are reached elsewhere,
    billing = placed()
    billing.hear(NEW)
    # Then the reminder goes there, and the confirmation keeps what was agreed.
    assert reminded_at(billing) == {NEW.email}
    assert billing.order().registration().customer.email != NEW.email


def test_a_contact_that_is_heard_before_the_order_counts() -> None:
    billing = BillingHarness()
    billing.hear(NEW)
    said = billing.hear(registration())
    assert ("order_confirmation", NEW.email) in mails(said)


def test_a_registration_that_is_told_again_is_the_same_for_all_that() -> None:
    billing = placed()
    billing.hear(NEW)
    assert not billing.hear(registration())


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_changes_the_later_holds(turned: bool) -> None:
    # Given an earlier and a later change, When they arrive in either order,
    billing = placed()
    changes = [
        (CustomerContactChanged(email="eerst@bakkerij.example"), billing.now),
        (NEW, billing.now + timedelta(hours=1)),
    ]
    for event, time in reversed(changes) if turned else changes:
        billing.hear(event, time=time)
    # Then the later one holds.
    assert reminded_at(billing) == {NEW.email}


def test_a_changed_number_changes_no_address() -> None:
    billing = BillingHarness()
    billing.hear(CustomerContactChanged(mobile="+31612345678"))
    assert billing.rows(Order) == []
