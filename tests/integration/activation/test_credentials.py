"""Credentials on their way: which password is good, and what staff see of it."""

import pytest
from sqlalchemy import select

from services.activation.requests import AmendContact
from shared.errors import Unauthorized
from shared.events import CustomerLoggedIn
from shared.processing.model import Outbox
from tests.integration.activation.conftest import ACTIVATE, ANNA, RESEND, Practice

OWN = "vier paarden drinken thee"


def said(practice: Practice, event_type: str) -> int:
    """How often this was said."""
    with practice.runtime.reading() as session:
        rows = session.execute(select(Outbox).where(Outbox.type == event_type))  # type: ignore[arg-type]
        return len(rows.all())


@pytest.fixture
def settled(practice: Practice) -> tuple[str, str]:
    """Login name and one-time password of a customer who has long chosen his own."""
    practice.ask(ACTIVATE)
    name, one_time = practice.credentials()
    practice.log_in(name, one_time)
    practice.change_password(name, one_time, OWN)
    return name, one_time


def test_who_lost_his_own_password_gets_in_with_the_one_that_is_sent_anew(
    practice: Practice, settled: tuple[str, str]
) -> None:
    # Given a customer who has chosen a password of his own, and lost it,
    name, _ = settled
    assert not practice.log_in(name, OWN).must_change_password
    # When the office sends him another,
    practice.ask(RESEND)
    _, fresh = practice.credentials()
    # Then that one lets him in, and he must choose anew; the one that he lost is dead.
    assert practice.log_in(name, fresh).must_change_password
    with pytest.raises(Unauthorized):
        practice.log_in(name, OWN)
    # He had logged in before: that step stays done, and is not said twice.
    assert [one.status for one in practice.checklist().steps] == ["done"] * 7
    assert said(practice, CustomerLoggedIn.event_type) == 1


def test_his_own_password_is_good_until_another_is_on_its_way(
    practice: Practice, settled: tuple[str, str]
) -> None:
    # Given a customer with a password of his own, When another is ordered and has not left,
    practice.ask(RESEND)
    # Then his own is still good.
    assert not practice.log_in(settled[0], OWN).must_change_password


def test_a_corrected_contact_calls_off_what_would_go_to_the_old_one(
    practice: Practice, settled: tuple[str, str]
) -> None:
    # Given a customer with a password of his own, for whom another is ordered,
    practice.ask(RESEND)
    # When his address is corrected before it leaves,
    practice.ask(AmendContact(email="goed@bakkerij.example", by=ANNA))
    # Then nothing goes to the old one, and his own password stays good.
    assert practice.deliver() == []
    assert not practice.log_in(settled[0], OWN).must_change_password
