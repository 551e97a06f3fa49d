"""A mail that was handed over whole and never answered for: it may have arrived, so few tries."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.notifications.delivery.sender import BATCH
from shared.notifications.queue import FURTHEST_AHEAD, WAITING_NOTIFICATIONS
from shared.notifications.senders import (
    OutgoingMessage,
    PerhapsTaken,
    ProviderUnavailable,
    RefusedForNow,
    SendFailed,
    make_senders,
)
from shared.notifications.senders import smtp as by_smtp
from shared.notifications.tables import FAILED, SENT, WAITING
from tests.integration.notifications.mailroom import Mailroom, Provider, names
from tests.servers.mail_server import (
    DIES,
    TAKES_AND_DIES,
    TAKES_AND_FALLS_SILENT,
    MailServer,
    at_work,
)

DAY = timedelta(days=1)
FEW = 3
"""How many copies of a mail anybody may receive."""


class Picky(Provider):
    """A provider that has one failure for all messages that it fails for, and works for others."""

    def __init__(self, failure: Exception, fails_for: Callable[[str], bool]) -> None:
        super().__init__()
        self._failure, self._fails_for = failure, fails_for
        self.tried: list[str] = []

    def send(self, message: OutgoingMessage) -> str:
        self.tried.append(message.message_key)
        if self._fails_for(message.message_key):
            raise self._failure
        return super().send(message)


@pytest.fixture
def server(mailroom: Mailroom) -> Iterator[MailServer]:
    """The mail server by which the mailroom's mails go."""
    with at_work(MailServer()) as office:
        mailroom.provider = make_senders(  # type: ignore[assignment]
            mail="smtp",
            data_dir=Path(),
            mail_from="a@stappenplan.example",
            sms_sender="",
            smtp_url=f"smtp://127.0.0.1:{office.port}?starttls=no",
        ).email
        yield office


@pytest.mark.parametrize("ending", [TAKES_AND_DIES, TAKES_AND_FALLS_SILENT])
def test_a_mail_whose_answer_is_lost_arrives_a_few_times_and_not_for_ever(
    ending: str, mailroom: Mailroom, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a quiet service, and a server that takes each mail and tells nobody,
    monkeypatch.setattr(by_smtp, "TAKING_SECONDS", 0.2)
    server.refusals["."] = ending
    mailroom.put("mail")
    # When it is due, Then it is handed over once, and not again before a while has passed,
    mailroom.deliver()
    assert len(server.taken) == 1
    mailroom.pass_time(timedelta(minutes=9))
    assert (len(server.taken), mailroom.row().attempts) == (1, 1)
    # and after few tries an operator reads why it is not tried again.
    mailroom.pass_time(DAY)
    row = mailroom.row()
    assert (len(server.taken), row.attempts, row.status) == (FEW, FEW, FAILED)
    assert "it may have arrived" in (row.error or "")


def test_a_mail_whose_answer_is_lost_once_arrives_with_the_next_try(
    mailroom: Mailroom, server: MailServer
) -> None:
    # Given a server that dies after it took a mail, When it is well again,
    server.refusals["."] = DIES
    mailroom.put("mail")
    mailroom.deliver()
    del server.refusals["."]
    mailroom.pass_time(timedelta(hours=1))
    # Then the mail leaves.
    assert (mailroom.row().status, len(server.taken)) == (SENT, 1)


@pytest.mark.parametrize("at", ["HELO", "MAIL", "RCPT", "DATA"])
def test_a_mail_that_a_server_cannot_have_taken_is_tried_until_the_server_is_well(
    at: str, mailroom: Mailroom, server: MailServer
) -> None:
    # Given a server that dies before it has a mail, for longer than one that perhaps left is tried,
    server.refusals[at] = DIES
    mailroom.put(*names(2))
    mailroom.pass_time(timedelta(hours=2))
    assert mailroom.states() == [WAITING] * 2
    # When it is well again, Then each mail leaves, once.
    server.refusals.clear()
    mailroom.pass_time(timedelta(hours=1))
    assert (mailroom.states(), len(server.taken)) == ([SENT] * 2, 2)


def test_the_rest_of_a_mail_that_may_have_arrived_is_not_taken_for_a_wrong_clocks(
    mailroom: Mailroom,
) -> None:
    # Given a mail that rests, since it may have arrived,
    mailroom.provider = Provider(*[PerhapsTaken("no answer")] * FEW)
    mailroom.put("mail")
    for _ in range(FEW - 1):
        mailroom.deliver(mailroom.next_due() - mailroom.now)
        # When somebody looks for what a wrong clock has put off, Then it is left at rest.
        with mailroom.database.read() as session:
            assert not WAITING_NOTIFICATIONS.are_astray(session, mailroom.now, FURTHEST_AHEAD)
    assert mailroom.row().attempts == FEW - 1


def test_while_answers_are_lost_the_other_mails_wait(mailroom: Mailroom) -> None:
    # Given a provider that takes everything and answers for nothing, and a batch of mails,
    mailroom.provider = picky = Picky(PerhapsTaken("no answer"), lambda _: True)
    mailroom.put(*names(BATCH))
    # When they are due, Then one shows it, and no other is tried or has an attempt counted.
    mailroom.deliver()
    assert len(picky.tried) == 1
    untried = [row for row in mailroom.rows().values() if row.id not in picky.tried]
    assert {row.attempts for row in untried} == {0}
    # However long it lasts, nobody receives any of them more than a few times.
    mailroom.pass_time(DAY)
    assert mailroom.states() == [FAILED] * BATCH
    assert {picky.tried.count(name) for name in names(BATCH)} == {FEW}


def test_a_mail_whose_answer_is_lost_has_as_few_tries_where_other_mails_leave(
    mailroom: Mailroom,
) -> None:
    # Given a mail that its provider never answers for, while all others leave,
    mailroom.provider = picky = Picky(PerhapsTaken("no answer"), lambda key: key == "a stone")
    mailroom.put("a stone")
    # When time goes by, with a mail every hour,
    for name in names(9):
        mailroom.pass_time(timedelta(hours=1))
        mailroom.put(name)
    mailroom.deliver()
    # Then those leave, and that one was tried a few times.
    assert picky.keys == names(9)
    assert picky.tried.count("a stone") == FEW
    assert mailroom.rows()["a stone"].status == FAILED


def test_an_outage_between_two_lost_answers_is_not_counted_and_lets_no_more_copies_through(
    mailroom: Mailroom,
) -> None:
    # Given a mail whose answer is lost whenever its provider is there,
    copies = 0

    class Unsteady(Provider):
        def send(self, message: OutgoingMessage) -> str:
            nonlocal copies
            if mailroom.now.hour % 2:
                raise ProviderUnavailable("away")
            copies += 1
            raise PerhapsTaken("no answer")

    mailroom.provider = Unsteady()
    mailroom.put("mail")
    # When time goes by, Then the outages cost it no try, and it arrives no more often.
    mailroom.pass_time(DAY)
    assert (copies, mailroom.row().attempts, mailroom.row().status) == (FEW, FEW, FAILED)


def test_a_recipient_who_is_refused_for_now_fails_in_the_end_on_a_quiet_service_too(
    mailroom: Mailroom, server: MailServer
) -> None:
    # Given a quiet service, and a server that takes nothing for this recipient yet,
    server.refusals["RCPT"] = "450 4.2.0 greylisted"
    mailroom.put("mail")
    # When time goes by, Then each try counts, by the usual policy, and it fails with the reason.
    mailroom.pass_time(timedelta(hours=2))
    assert (mailroom.row().status, mailroom.row().attempts) == (WAITING, 5)
    mailroom.pass_time(DAY)
    row = mailroom.row()
    assert (row.status, row.attempts) == (FAILED, 6)
    assert row.error == "the mail server replied 450: 4.2.0 greylisted"


def test_a_recipient_who_is_refused_for_now_keeps_no_other_mail_waiting(mailroom: Mailroom) -> None:
    # Given a batch in which the first recipient is refused for now,
    full = names(1)[0]
    mailroom.provider = Picky(RefusedForNow("452"), lambda key: key == full)
    mailroom.put(*names(BATCH))
    # When it is due, Then all others leave in the same round.
    mailroom.deliver()
    assert mailroom.states() == [SENT] * (BATCH - 1) + [WAITING]


def test_a_refused_recipient_does_not_say_that_a_provider_in_trouble_is_well(
    mailroom: Mailroom,
) -> None:
    # Given a provider that failed, and whose pause is over,
    mailroom.provider = Provider(*[SendFailed("500")] * 3)
    mailroom.put("mail")
    mailroom.deliver()
    # When it refuses the next recipient for now, and fails for the one after that,
    mailroom.provider = Provider(RefusedForNow("450"), SendFailed("500"))
    mailroom.put(*names(BATCH))
    mailroom.deliver(timedelta(seconds=2))
    # Then it is still left alone after one try of each, and the others wait uncounted.
    assert mailroom.provider.sent == []
    attempts = sorted(row.attempts for row in mailroom.rows().values())
    assert attempts == [0] * (BATCH - 1) + [1, 1]
