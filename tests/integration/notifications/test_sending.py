"""Mails and texts on their way: sent once, retried, given up, decided about by a person."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from infra.operations.dead_letters import decisions, letters
from shared.base.errors import Conflict, Reject, Unavailable
from shared.notifications.delivery import claims
from shared.notifications.kinds import NotificationKind
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.senders.protocol import SendFailed, Undeliverable
from shared.notifications.tables import FAILED, SENT, WAITING
from shared.processing import Person
from tests.integration.notifications.mailroom import Mailroom, MakeMailroom, Provider, names


def test_a_mail_leaves_after_the_transaction_and_is_marked_with_the_provider_s_id(
    mailroom: Mailroom,
) -> None:
    # Given a handler that returned a mail, When its transaction has committed,
    mailroom.greet("bakkerij")
    assert mailroom.row().status == WAITING
    # Then it is sent, once.
    assert mailroom.deliver() == 1
    assert (mailroom.row().status, mailroom.row().provider_id) == (SENT, "provider-1")
    assert mailroom.deliver(timedelta(days=1)) == 0
    assert len(mailroom.provider.sent) == 1


def test_a_provider_that_fails_twice_is_tried_again_at_once(mailroom: Mailroom) -> None:
    # Given a provider that fails twice, When a mail is sent,
    mailroom.provider = Provider(SendFailed("Throttling"), SendFailed("Throttling"))
    mailroom.put("mail")
    mailroom.deliver()
    # Then it has left all the same.
    assert mailroom.row().status == SENT
    assert mailroom.provider.keys == ["mail"]


def test_a_mail_that_cannot_be_described_is_tried_later_and_fails_in_the_end(
    mailroom: Mailroom,
) -> None:
    # Given a mail that cannot be described, When time goes by,
    def describe(*_: object) -> RenderJob:
        raise KeyError("no such order")

    mailroom.kinds["greeting"] = NotificationKind(describe=describe)
    mailroom.put("mail")
    tries = 0
    while mailroom.deliver(timedelta(hours=7) if tries else timedelta()):
        tries += 1
    # Then it was tried six times, with pauses, and stays with its reason.
    assert (tries, mailroom.row().status) == (6, FAILED)
    assert "no such order" in (mailroom.row().error or "")


@pytest.mark.parametrize(
    "reason", [Conflict("withdrawn", "The customer has left."), Reject("The customer has left.")]
)
@pytest.mark.parametrize("hook", ["compose", "describe", "read_together"])
def test_what_can_never_be_made_fails_at_once_in_its_own_words(
    hook: str, reason: Exception, mailroom: Mailroom
) -> None:
    # Given a mail that a rule of the trade forbids,
    def forbid(*_: object) -> Any:
        raise reason

    mailroom.kinds["greeting"] = NotificationKind(**{hook: forbid})
    mailroom.put("mail")
    # When it is due, Then it fails at its first try, and a person reads why.
    mailroom.deliver()
    row = mailroom.row()
    assert (row.status, row.attempts, row.error) == (FAILED, 1, "The customer has left.")


@pytest.mark.parametrize("hook", ["compose", "describe", "read_together"])
def test_what_cannot_be_made_for_the_moment_is_tried_again(hook: str, mailroom: Mailroom) -> None:
    # Given a mail for which something is away that it needs,
    def be_away(*_: object) -> Any:
        raise Unavailable("register_away", "The register does not answer.")

    mailroom.kinds["greeting"] = NotificationKind(**{hook: be_away})
    mailroom.put("mail")
    mailroom.deliver()
    assert mailroom.row().status == WAITING
    # When that is back, Then the mail leaves.
    del mailroom.kinds["greeting"]
    mailroom.deliver(timedelta(seconds=30))
    assert mailroom.row().status == SENT


def test_a_mail_that_is_undeliverable_fails_at_once_and_a_person_decides(
    mailroom: Mailroom,
) -> None:
    # Given a mail that the provider refuses, When it is sent,
    mailroom.provider = Provider(Undeliverable("MessageRejected: no such mailbox"))
    mailroom.put("mail")
    mailroom.deliver()
    # Then it is among the dead letters, with the reason;
    (letter,) = letters.find({"mailroom": mailroom.database})
    assert (letter.kind, letter.error) == ("notification", "MessageRejected: no such mailbox")
    # retried by somebody, it leaves, and who did it is on record.
    decoder = mailroom.runtime.engine.decoder
    decisions.retry(
        mailroom.database,
        decoder,
        letter.id,
        by=Person("anna"),
        why="address mended",
        at=mailroom.now,
    )
    assert mailroom.deliver() == 1
    row = mailroom.row()
    assert row.status == SENT
    assert (row.decided_by, row.decision) == ("anna", "retry: address mended")
    assert len(mailroom.provider.sent) == 1


class AsksToStop(Provider):
    """A provider during whose first message the process is asked to stop."""

    def __init__(self, mailroom: Mailroom) -> None:
        super().__init__()
        self._mailroom = mailroom

    def send(self, message: OutgoingMessage) -> str:
        self._mailroom.runtime.interrupt()
        return super().send(message)


def test_who_is_asked_to_stop_sends_what_is_in_hand_and_gives_the_others_back(
    mailroom: Mailroom,
) -> None:
    # Given a process with three mails, which is asked to stop while the first one leaves,
    mailroom.put(*names(3))
    mailroom.provider = AsksToStop(mailroom)
    # When the round is over,
    assert mailroom.deliver() == 1
    # Then that one is sent, and the others are due at once, as if nobody had claimed them.
    assert len(mailroom.provider.sent) == 1
    assert mailroom.states() == [SENT, WAITING, WAITING]
    waiting = [row for row in mailroom.rows().values() if row.status == WAITING]
    assert all(row.attempts == 0 and row.due_at == mailroom.now for row in waiting)


@pytest.mark.parametrize("make_mailroom", ["sqlite", "postgresql"], indirect=True)
def test_two_processes_send_each_mail_once(
    make_mailroom: MakeMailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given ten mails and two processes, When both claim what is due at the same moment,
    both = [make_mailroom(), make_mailroom()]
    both[0].put(*names(10))
    together = Barrier(2)

    def wait_for_the_other(_point: str) -> None:
        # Where the rows are locked as they should be, the other never comes so far.
        with suppress(BrokenBarrierError):
            together.wait(1)

    monkeypatch.setattr(claims, "reached", wait_for_the_other)
    with ThreadPoolExecutor(2) as threads:
        rounds = [threads.submit(mailroom.deliver) for mailroom in both]
        # Then each mail was sent by one of them.
        assert sum(tried.result(60) for tried in rounds) == 10
    keys = [key for mailroom in both for key in mailroom.provider.keys]
    assert sorted(keys) == names(10)


def test_a_process_that_died_while_sending_is_followed_by_another(mailroom: Mailroom) -> None:
    # Given a process that died between claiming and sending,
    class Died(BaseException):
        pass

    mailroom.provider = Provider(Died())
    mailroom.put("mail")
    with pytest.raises(Died):
        mailroom.deliver()
    # When its lease is over, Then the mail is sent.
    assert mailroom.deliver(timedelta(minutes=4)) == 0
    assert mailroom.deliver(timedelta(minutes=2)) == 1
    assert mailroom.provider.keys == ["mail"]
