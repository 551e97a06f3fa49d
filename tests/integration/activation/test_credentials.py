"""Credentials on their way: which password is good, and what staff see of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from services.activation.commands import AmendContact
from services.activation.models import SENT
from shared.base.errors import Unauthorized
from shared.events import CustomerLoggedIn, CustomerReleaseWithdrawn
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.senders.protocol import SendFailed
from shared.processing.store.tables import Outbox
from tests.integration.activation.conftest import ACTIVATE, ANNA, PASSWORD, RESEND, Practice
from tests.unit.activation.harness import ORDER, RELEASED

OWN = "vier paarden drinken thee"
TAKEN_BACK = CustomerReleaseWithdrawn(
    order_reference=ORDER, revision=3, reason_code="AM04", cause="teruggeboekt"
)


def said(practice: Practice, event_type: str) -> int:
    """How often this was said."""
    with practice.runtime.reading() as session:
        rows = session.execute(select(Outbox).where(Outbox.type == event_type))  # type: ignore[arg-type]
        return len(rows.all())


@pytest.fixture
def login(practice: Practice) -> tuple[str, str]:
    """Login name and one-time password of a customer who has long chosen their own."""
    practice.ask(ACTIVATE)
    name, one_time = practice.credentials()
    practice.log_in(name, one_time)
    practice.change_password(name, one_time, OWN)
    practice.deliver()
    return name, one_time


def test_who_lost_their_own_password_gets_in_with_the_one_that_is_sent_anew(
    practice: Practice, login: tuple[str, str]
) -> None:
    # Given a customer who has chosen a password of their own, and lost it,
    name, _ = login
    assert not practice.log_in(name, OWN).must_change_password
    # When the office sends them another,
    practice.ask(RESEND)
    _, fresh = practice.credentials()
    # Then that one lets them in, and they must choose anew; the one that they lost is dead.
    assert practice.log_in(name, fresh).must_change_password
    with pytest.raises(Unauthorized):
        practice.log_in(name, OWN)
    # They had logged in before: that step stays done, and is not said twice.
    assert [step.status for step in practice.checklist().steps] == ["done"] * 7
    assert said(practice, CustomerLoggedIn.event_type) == 1


def test_messages_with_different_passwords_are_different_messages(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a mail service that takes a message and does not say so,
    taken: list[OutgoingMessage] = []

    def take(message: OutgoingMessage) -> str:
        taken.append(message)
        raise SendFailed("no answer")

    monkeypatch.setattr(practice.post, "send", take)
    # When the quick tries each send a password of their own,
    practice.ask(ACTIVATE)
    practice.deliver()
    # Then no mailbox may take a later one, which alone is good, for a copy of the first.
    assert len(taken) > 1
    assert len({message.message_key for message in taken}) == len(taken)


def test_the_customers_own_password_is_good_until_another_is_on_its_way(
    practice: Practice, login: tuple[str, str]
) -> None:
    # Given a customer with a password of their own, When another is ordered and has not left,
    practice.ask(RESEND)
    # Then their own is still good.
    assert not practice.log_in(login[0], OWN).must_change_password


def test_a_corrected_contact_calls_off_what_would_go_to_the_old_one(
    practice: Practice, login: tuple[str, str]
) -> None:
    # Given a customer with a password of their own, for whom another is ordered,
    practice.ask(RESEND)
    # When their address is corrected before it leaves,
    practice.ask(AmendContact(email="goed@bakkerij.example", by=ANNA))
    # Then no credentials go to the old one, which is told why; their own password stays good.
    assert practice.deliver() == ["contact_changed", "contact_confirmed"]
    assert not practice.log_in(login[0], OWN).must_change_password


def test_who_is_released_no_longer_when_the_mail_is_due_can_be_activated_after_the_next_release(
    practice: Practice,
) -> None:
    # Given a customer whose credentials are ordered, and whose release is taken back meanwhile,
    practice.ask(ACTIVATE)
    practice.hear(TAKEN_BACK)
    # When they are due, Then nothing leaves.
    assert practice.deliver() == []
    # Released again, their office is told so once more; it sees that they wait for it,
    practice.hear(RELEASED.model_copy(update={"revision": 4}))
    assert practice.deliver() == ["customer_released"]
    assert practice.customer().ready
    assert practice.checklist().next_actor == "office"
    # and activates them.
    practice.ask(ACTIVATE)
    assert practice.log_in(*practice.credentials()).must_change_password


def test_list_and_page_say_who_must_act_once_the_password_has_expired(practice: Practice) -> None:
    # Given credentials that nobody used, When 72 hours have passed,
    practice.ask(ACTIVATE)
    practice.credentials()
    practice.now += timedelta(hours=72)
    # Then whoever looks sees that the office must send them anew, and the customer is refused.
    (listed,) = practice.get("/api/onboardings")
    assert listed["next_actor"] == "office"
    assert [blocker["code"] for blocker in listed["blockers"]] == ["credentials_expired"]
    assert practice.get(f"/api/onboardings/{listed['onboarding_id']}") == listed
    with pytest.raises(Unauthorized):
        practice.log_in(listed["login_name"], PASSWORD.findall(practice.post.sent[-1].text)[0])
    # Sent anew, it is their turn.
    practice.ask(RESEND)
    assert practice.log_in(*practice.credentials()).must_change_password


def test_a_mail_that_was_replaced_changes_nothing_when_it_is_due(practice: Practice) -> None:
    # Given credentials that were ordered twice before anything was sent, When they are due,
    practice.ask(ACTIVATE)
    practice.ask(RESEND)
    # Then the second leave, alone, and are good.
    assert practice.deliver() == ["credentials"]
    assert practice.customer().state == SENT
