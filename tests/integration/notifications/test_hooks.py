"""What a kind says once its mail has left, or has failed: with the mark, or not at all."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select

from shared.base.errors import Conflict
from shared.events import CustomerLoggedIn
from shared.notifications.kinds import NotificationKind, Sent
from shared.notifications.senders.protocol import Undeliverable
from shared.notifications.tables import FAILED, SENT
from shared.processing import Effect
from shared.processing.store.tables import Outbox
from shared.processing.testing import MONDAY
from tests.integration.notifications.mailroom import Mailroom, Provider

FACT = CustomerLoggedIn(login_name="bakkerij", first_login_at=MONDAY)

A_FEW_LEASES = timedelta(minutes=30)

on_both_databases = pytest.mark.parametrize(
    "make_mailroom", ["sqlite", "postgresql"], indirect=True
)


def say(*_: object) -> Sequence[Effect]:
    return [FACT]


def conflict(*_: object) -> Sequence[Effect]:
    raise Conflict("state_moved_on", "The customer has left.")


def say_what_no_database_keeps(*_: object) -> Sequence[Effect]:
    raise ValueError("half a character \ud800, and a \0")


def said(mailroom: Mailroom) -> int:
    with mailroom.runtime.reading() as session:
        return len(session.execute(select(Outbox)).all())


def test_what_is_said_of_a_sent_mail_stands_in_the_outbox_with_the_mark(
    mailroom: Mailroom,
) -> None:
    # Given a kind that says something once its mail has left, When it leaves,
    mailroom.kinds["greeting"] = NotificationKind(sent=say)
    mailroom.put("mail")
    mailroom.deliver()
    # Then that is in the outbox, and was published.
    assert mailroom.row().status == SENT
    assert said(mailroom) == 1
    assert [event.type for event in mailroom.bus.published] == [FACT.event_type]


@on_both_databases
@pytest.mark.parametrize("hook", [conflict, say_what_no_database_keeps])
def test_a_mail_of_which_nothing_can_be_said_is_sent_once_and_a_person_reads_why(
    hook: Sent, mailroom: Mailroom
) -> None:
    # Given a kind whose hook fails whenever its mail has left,
    mailroom.kinds["greeting"] = NotificationKind(sent=hook)
    mailroom.put("mail")
    # When lease after lease goes by,
    mailroom.pass_time(A_FEW_LEASES)
    # Then the mail went out once, and has failed with the reason and the provider's id.
    row = mailroom.row()
    assert mailroom.provider.keys == ["mail"]
    assert (row.status, row.attempts, row.provider_id) == (FAILED, 1, "provider-1")
    assert (row.error or "").startswith("tried, but what follows failed: ")
    assert said(mailroom) == 0


def test_a_failed_mail_of_which_nothing_can_be_said_has_failed_once_with_both_reasons(
    mailroom: Mailroom,
) -> None:
    # Given a mail that is undeliverable, and a kind whose hook fails for such,
    mailroom.provider = Provider(Undeliverable("MessageRejected: no such mailbox"))
    mailroom.kinds["greeting"] = NotificationKind(failed=conflict)
    mailroom.put("mail")
    # When lease after lease goes by,
    mailroom.pass_time(A_FEW_LEASES)
    # Then it was tried once, and a person reads both reasons.
    row = mailroom.row()
    assert (row.status, row.attempts, mailroom.provider.keys) == (FAILED, 1, [])
    assert row.error == (
        "tried, but what follows failed: Conflict: The customer has left.; before that: "
        "MessageRejected: no such mailbox"
    )


def test_what_is_said_of_a_failed_mail_stands_in_the_outbox_with_the_mark(
    mailroom: Mailroom,
) -> None:
    # Given a kind that says something when its mail has failed, When it fails,
    mailroom.provider = Provider(Undeliverable("MessageRejected"))
    mailroom.kinds["greeting"] = NotificationKind(failed=say)
    mailroom.put("mail")
    mailroom.deliver()
    # Then that is in the outbox.
    assert (mailroom.row().status, said(mailroom)) == (FAILED, 1)
