"""Batches of mails on their way: rendered, handed over, marked in one commit."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as engine_event
from sqlmodel import Session

from shared.base.errors import InfrastructureDown
from shared.notifications.delivery.sender import BATCH
from shared.notifications.kinds import NotificationKind, describe
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.senders import Attachment
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.tables import CANCELLED, FAILED, SENT, WAITING, Notification
from shared.processing import Effect
from shared.processing.unit_of_work import UnitOfWork
from tests.integration.notifications.mailroom import Mailroom, Provider, names

MANY = 10


class SlowDocument:
    """A document that is made when the test allows it."""

    def __init__(self) -> None:
        self.begun, self.allowed = threading.Event(), threading.Event()

    def attachment(self) -> Attachment:
        self.begun.set()
        assert self.allowed.wait(60)
        return Attachment("order.pdf", "application/pdf", b"%PDF-1.7")


def test_messages_are_handled_while_mails_are_rendered(mailroom: Mailroom) -> None:
    # Given a batch of mails whose document takes as long as we like,
    document = SlowDocument()

    def with_document(session: Session, notification: Notification) -> RenderJob:
        job = describe(session, notification)
        return replace(job, attachments=(document,))

    mailroom.kinds["greeting"] = NotificationKind(describe=with_document)
    mailroom.put(*names(3))
    sending = threading.Thread(target=mailroom.deliver)
    sending.start()
    assert document.begun.wait(30)
    # When messages come meanwhile, Then they are handled: nothing is locked or held up,
    mailroom.greet(*names(10, "customer"))
    assert mailroom.states() == [WAITING] * 13
    assert not mailroom.provider.sent
    # and afterwards the mails leave.
    document.allowed.set()
    sending.join(60)
    assert sorted(mailroom.provider.keys) == names(3)


def test_a_batch_is_marked_in_one_commit(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given many mails, When they are sent,
    mailroom.put(*names(MANY))
    transactions = mailroom.runtime.engine.transactions
    run, states_after_each = transactions.run, []

    def observed(work: Callable[[UnitOfWork], None]) -> None:
        run(work)
        states_after_each.append(mailroom.states())

    monkeypatch.setattr(transactions, "run", observed)
    assert mailroom.deliver() == MANY
    # Then all were marked together.
    assert states_after_each == [[SENT] * MANY]


def test_what_has_left_is_not_sent_again_when_the_database_is_away_for_its_mark(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a batch that left just before the database went away,
    mailroom.put(*names(MANY))

    def down(_work: object) -> None:
        raise InfrastructureDown("away")

    with monkeypatch.context() as patched:
        patched.setattr(mailroom.runtime.engine.transactions, "run", down)
        with pytest.raises(InfrastructureDown):
            mailroom.deliver()
    # When it is back, Then the mails are marked, and were sent once.
    assert mailroom.deliver() == MANY
    assert mailroom.states() == [SENT] * MANY
    assert sorted(mailroom.provider.keys) == names(MANY)


def test_a_claim_whose_answer_is_lost_is_found_again_and_not_left_to_its_lease(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a claim that the database commits, while its answer is lost on the way,
    mailroom.put(*names(MANY))
    transactions = mailroom.runtime.engine.transactions
    internal_transaction = transactions.internal_transaction

    @contextmanager
    def unanswered() -> Iterator[UnitOfWork]:
        with internal_transaction() as work:
            yield work
        raise InfrastructureDown("hung up after the commit")

    with monkeypatch.context() as patched:
        patched.setattr(transactions, "internal_transaction", unanswered)
        with pytest.raises(InfrastructureDown):
            mailroom.deliver()
    assert not mailroom.provider.sent
    # When it can be reached again, Then everything is sent at once, as the first try of each.
    assert mailroom.deliver() == MANY
    assert mailroom.states() == [SENT] * MANY
    assert {row.attempts for row in mailroom.rows().values()} == {1}


def test_a_crash_before_the_mark_repeats_the_batch_in_hand_and_no_more(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given more than one batch, and a process that dies when the first has left,
    class Died(BaseException):
        pass

    def die(_work: object) -> None:
        raise Died

    everyone = names(BATCH + 6)
    mailroom.put(*everyone)
    with monkeypatch.context() as patched:
        patched.setattr(mailroom.runtime.engine.transactions, "run", die)
        with pytest.raises(Died):
            mailroom.deliver()
    assert len(mailroom.provider.sent) == BATCH
    # When another goes on, now and after the lease,
    mailroom.deliver()
    assert len(mailroom.provider.sent) == BATCH + 6
    mailroom.deliver(timedelta(minutes=6))
    # Then every mail has left, and only those of that batch twice.
    assert mailroom.states() == [SENT] * (BATCH + 6)
    assert len(mailroom.provider.sent) == 2 * BATCH + 6
    assert set(mailroom.provider.keys) == set(everyone)


def test_a_slow_provider_never_holds_a_batch_beyond_its_lease(mailroom: Mailroom) -> None:
    # Given a provider that takes a minute for each mail,
    class Slow(Provider):
        def send(self, message: OutgoingMessage) -> str:
            mailroom.now += timedelta(minutes=1)
            return super().send(message)

    mailroom.provider = Slow()
    mailroom.put(*names(8))
    # When the batch is sent, Then it stops in time to mark what has left,
    assert mailroom.deliver() == 3
    assert mailroom.states() == [SENT] * 3 + [WAITING] * 5
    # and the rest leaves later, once.
    for _ in range(2):
        mailroom.deliver(timedelta(minutes=5))
    assert sorted(mailroom.provider.keys) == names(8)


def test_one_mail_at_fault_does_not_hold_up_its_batch(mailroom: Mailroom) -> None:
    # Given a batch: one cannot be described, one has no template, one is no longer wanted, of one
    # nothing can be said,
    def describe_each(session: Session, notification: Notification) -> RenderJob | None:
        if notification.id == "faulty":
            raise KeyError("no such order")
        return None if notification.id == "unwanted" else describe(session, notification)

    def follow(_session: object, notification: Notification, *_: object) -> Sequence[Effect]:
        if notification.id == "speechless":
            raise ValueError("nothing can be said")
        return []

    mailroom.kinds["greeting"] = NotificationKind(describe=describe_each, sent=follow)
    mailroom.put("faulty", "unwanted", "speechless", "sound")
    mailroom.put("untemplated", kind="unheard_of")
    # When it is sent,
    mailroom.deliver()
    # Then each got what it needed, and a person sees what is wrong.
    rows = mailroom.rows()
    assert (rows["faulty"].status, rows["unwanted"].status) == (WAITING, CANCELLED)
    assert "KeyError" in (rows["faulty"].error or "")
    assert rows["untemplated"].status == WAITING
    assert "TemplateNotFound" in (rows["untemplated"].error or "")
    assert rows["speechless"].status == FAILED
    assert "nothing can be said" in (rows["speechless"].error or "")
    assert rows["sound"].status == SENT
    assert sorted(mailroom.provider.keys) == ["sound", "speechless"]


@pytest.mark.parametrize("make_mailroom", ["postgresql"], indirect=True)
def test_a_batch_is_claimed_and_marked_in_as_many_statements_as_one_mail(
    mailroom: Mailroom,
) -> None:
    # Given one mail, and then many, When they are sent,
    asked: list[tuple[str, bool]] = []

    def note(_connection: object, _cursor: object, statement: str, *more: Any) -> None:
        asked.append((statement, more[-1]))

    def asked_for(*ids: str) -> int:
        mailroom.put(*ids)
        asked.clear()
        assert mailroom.deliver() == len(ids)
        return len(asked)

    engine_event.listen(mailroom.database.engine, "before_cursor_execute", note)
    one = asked_for("the first")
    # Then it took as many statements, none of which was sent once for each mail.
    assert asked_for(*names(MANY)) == one
    assert not any(for_each_row for _, for_each_row in asked)
