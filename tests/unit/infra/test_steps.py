"""Which service owns which step of the plan, and where its customers wait when something fails."""

import pytest

from infra.composition import build_services
from services.activation.pages.wording import STEPS
from shared.host.service import Service
from shared.host.settings import Settings

SERVICES = build_services(Settings())


def test_every_step_of_the_plan_is_owned_by_one_service() -> None:
    owned = [step for service in SERVICES for step in service.steps]
    assert sorted(owned) == sorted(STEPS)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_what_is_said_to_be_waited_for_is_there_to_fail(service: Service) -> None:
    messages = {line.type for line in service.subscriptions}
    mails = {folder.name for folder in service.templates.iterdir()}
    assert service.waits_at.keys() - messages - mails == set()
    assert set(service.waits_at.values()) <= STEPS.keys()


def test_a_customer_whose_payment_cannot_be_read_waits_for_release() -> None:
    (billing,) = (service for service in SERVICES if service.name == "billing")
    assert billing.step_of("collection.result.v1") == "VRIJGEVEN"
    assert billing.step_of("registration.completed.v1") == "BEVESTIGEN"
