"""Who is told that a customer is shut out because of money, and is let in again."""

from datetime import timedelta

import pytest

from services.activation.commands import ActivateCustomer
from shared.events import CustomerReleased, CustomerReleaseWithdrawn, OnboardingWithdrawn
from shared.notifications.messages import Mail
from tests.unit.activation.harness import ORDER, WAY, ActivationHarness, mails

CUSTOMER, OFFICE = "klant@bakkerij.example", "kantoor@voorbeeld.example"
LEFT = OnboardingWithdrawn(reason="ziet ervan af", by="klant")


def taken_back(revision: int = 3, code: str = "MD06") -> CustomerReleaseWithdrawn:
    return CustomerReleaseWithdrawn(
        order_reference=ORDER, revision=revision, reason_code=code, cause="disputed_authorised"
    )


def released(revision: int = 4) -> CustomerReleased:
    return CustomerReleased(order_reference=ORDER, revision=revision)


def activated() -> ActivationHarness:
    """A customer who was sent their credentials."""
    service = ActivationHarness(*WAY)
    service.ask(ActivateCustomer(channel="email", by="anna"))
    service.send_credentials()
    return service


def test_a_customer_whose_money_went_back_is_told_once_that_they_are_suspended() -> None:
    # Given a customer who was let in, When their release is taken back, and that is heard twice,
    service = activated()
    effects = [*service.hear(taken_back()), *service.hear(taken_back())]
    # Then they are told, once.
    assert mails(effects) == [("access_suspended", CUSTOMER)]


def test_a_customer_who_is_released_again_is_told_that_they_can_log_in() -> None:
    # Given a customer who is suspended, with a password that is still good,
    service = activated()
    service.hear(taken_back())
    # When they are released again, Then they are told so, and that their password is good.
    (mail,) = service.hear(released()).all(Mail)
    assert (mail.kind, mail.to) == ("access_restored", CUSTOMER)
    assert mail.params["can_log_in"]


def test_of_a_password_that_ended_meanwhile_the_office_hears_too() -> None:
    # Given a customer whose one-time password ended while they were suspended,
    service = activated()
    service.hear(taken_back())
    service.now += timedelta(days=7)
    # When they are released again, Then office and customer know that another must be sent.
    effects = service.hear(released())
    assert mails(effects) == [("access_restored", CUSTOMER), ("credentials_expired", OFFICE)]
    assert not effects.all(Mail)[0].params["can_log_in"]


@pytest.mark.parametrize("first", [LEFT, taken_back(code="WITHDRAWN")])
def test_who_has_left_is_not_told_that_they_are_suspended(first: OnboardingWithdrawn) -> None:
    # Given a customer who was let in, When they leave, and billing says so in whichever order,
    service = activated()
    second = taken_back(code="WITHDRAWN") if first is LEFT else LEFT
    # Then they hear of it from where they left, and nothing from here.
    assert mails([*service.hear(first), *service.hear(second)]) == []


def test_who_never_got_in_is_not_told_that_they_are_out() -> None:
    service = ActivationHarness(*WAY)
    assert mails(service.hear(taken_back())) == []
    # Released again, they are the office's to activate.
    assert mails(service.hear(released())) == [("customer_released", OFFICE)]


def test_a_password_that_ends_unused_is_told_to_the_office_once() -> None:
    # Given a customer who never used the password that they were sent,
    service = activated()
    # When it ends, Then first they are reminded, and then the office is told, once.
    assert mails(service.pass_days(10)) == [
        ("credentials_expiring", CUSTOMER),
        ("credentials_expired", OFFICE),
    ]
