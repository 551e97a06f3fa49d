"""Which links of a customer hold, and when they are sent a new one."""

from datetime import timedelta

import pytest

from services.signup.commands import PutOffice, SendWithdrawLink, Withdraw
from services.signup.models import Office
from shared.base.errors import Conflict
from shared.events import CustomerContactChanged
from tests.unit.signup.harness import SignupHarness, changed, example, mails

CUSTOMER = "info@korenaar.example"


@pytest.fixture
def signup() -> SignupHarness:
    """Signup with a customer on their way."""
    harness = SignupHarness()
    harness.submit(example())
    return harness


def links_sent(signup: SignupHarness) -> list[str]:
    """To whom a new link goes when somebody asks for one."""
    sent = mails(signup.ask(SendWithdrawLink()))
    return [to for kind, to in sent if kind == "withdraw_link"]


def test_a_new_link_is_sent_once_in_ten_minutes(signup: SignupHarness) -> None:
    # Given a customer whose link is over, When they ask again and again
    first, again = links_sent(signup), links_sent(signup)
    signup.now += timedelta(minutes=10)
    # Then one mail leaves, and another when ten minutes have passed.
    assert (first, again) == ([CUSTOMER], [])
    assert links_sent(signup) == [CUSTOMER]


def test_a_new_link_goes_to_the_address_that_is_known_by_now(signup: SignupHarness) -> None:
    signup.hear(CustomerContactChanged(email="anna@korenaar.example"))
    assert links_sent(signup) == ["anna@korenaar.example"]


def test_nobody_is_sent_a_link_to_what_has_stopped(signup: SignupHarness) -> None:
    signup.ask(Withdraw(by="customer"))
    assert links_sent(signup) == []
    assert mails(signup.ask(SendWithdrawLink(), about="nobody")) == []


def test_a_stranger_is_sent_no_link(signup: SignupHarness) -> None:
    # Given a sign-up whose texts may be somebody's bad joke on a stranger
    service = SignupHarness()
    service.submit(changed(customer__company="Kijk op www.winkel.nl"))
    # When its sender asks for link after link, Then the stranger hears nothing.
    assert links_sent(service) == []


def test_a_changed_address_and_a_withdrawal_void_the_links_of_before(
    signup: SignupHarness,
) -> None:
    # Given links of before and after a change of address
    changed_at = signup.now + timedelta(days=1)
    signup.hear(CustomerContactChanged(mobile="+31612345699"), time=changed_at)
    assert signup.signup().links_from == changed_at
    # When an earlier change is heard late, Then the later one still counts
    signup.hear(CustomerContactChanged(email="x@korenaar.example"), time=signup.now)
    assert signup.signup().links_from == changed_at
    # And a withdrawal voids all that was issued until then.
    signup.now += timedelta(days=2)
    signup.ask(Withdraw(by="customer"))
    assert signup.signup().links_from == signup.now


def test_an_office_that_is_to_be_new_takes_nobodys_place(signup: SignupHarness) -> None:
    office = PutOffice(code="0042", name="Kaper", email="k@kaper.example", is_new=True)
    with pytest.raises(Conflict):
        signup.ask(office)
    assert signup.row(Office, code="0042").name == "De Linde"
    signup.ask(office.model_copy(update={"code": "0099"}))
    assert signup.row(Office, code="0099").name == "Kaper"
