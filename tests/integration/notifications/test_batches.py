"""Batches of letters on their way: written elsewhere, handed over, marked in one commit."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session

from shared.base.errors import InfrastructureDown
from shared.notifications.delivery import sender
from shared.notifications.kinds import NotificationKind, describe
from shared.notifications.rendering.jobs import RenderingFailed, RenderJob
from shared.notifications.rendering.pool import RenderPool
from shared.notifications.rendering.renderer import Renderer
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.tables import CANCELLED, FAILED, SENT, WAITING, Notification
from tests.integration.notifications.test_sending import Post, deliver, with_post
from tests.integration.notifications.test_writers import MANY
from tests.integration.processing.tally import Replica, release
from tests.servers.premises import wait_until


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    made = Replica(f"sqlite:///{tmp_path}/tally.db", tmp_path)
    made.make_tables()
    yield made
    made.runtime.sender._writers.close()
    made.database.close()


def mails(replica: Replica) -> list[Notification]:
    with replica.database.read() as session:
        return list(session.execute(select(Notification)).scalars())


def states(replica: Replica) -> list[str]:
    return sorted(one.status for one in mails(replica))


class Pen(RenderPool):
    """Writes when it is allowed to."""

    def __init__(self) -> None:
        super().__init__("a@b.example")
        self.taken_up, self.allowed = threading.Event(), threading.Event()

    def write(self, drafts: object, renderer: Renderer) -> list[OutgoingMessage | RenderingFailed]:
        self.taken_up.set()
        assert self.allowed.wait(60)
        return super().write(drafts, renderer)  # type: ignore[arg-type]


def test_messages_are_handled_while_letters_are_being_written(replica: Replica) -> None:
    # Given a batch of mails whose writing takes as long as we like
    post, pen = with_post(replica, Post()), Pen()
    replica.runtime.sender._writers = pen
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(3)))
    sending = threading.Thread(target=replica.runtime.sender.deliver_due)
    sending.start()
    assert pen.taken_up.wait(30)
    # When more messages come meanwhile, Then they are handled: nothing is locked or held up
    replica.take(*(release(f"nieuwe klant {number}", "mail-1") for number in range(10)))
    assert len(replica.tallies()) == 13
    assert post.sent == []
    # and afterwards the mails leave.
    pen.allowed.set()
    sending.join(60)
    assert len(post.sent) == 3
    assert states(replica) == [SENT] * 3 + [WAITING] * 10


def test_a_batch_is_marked_in_one_commit(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given more mails than are written here, When they are sent
    with_post(replica, Post())
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(MANY)))
    marked: list[int] = []
    mark = sender.Postman._mark

    def counting(self: sender.Postman, tasks: list[object], **more: bool) -> None:
        marked.append(len(tasks))
        mark(self, tasks, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(sender.Postman, "_mark", counting)
    assert deliver(replica) == MANY
    # Then all were marked together
    assert marked == [MANY]
    assert states(replica) == [SENT] * MANY


def test_what_has_left_is_not_sent_again_when_the_database_is_away_for_its_mark(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a batch that left just before the database went away
    post = with_post(replica, Post())
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(MANY)))
    mark = sender.Postman._mark

    def down(*_: object, **__: object) -> None:
        raise InfrastructureDown("away")

    monkeypatch.setattr(sender.Postman, "_mark", down)
    with pytest.raises(InfrastructureDown):
        deliver(replica)
    # When it is back, Then the mails are marked, and were sent once
    monkeypatch.setattr(sender.Postman, "_mark", mark)
    assert deliver(replica) == MANY
    assert states(replica) == [SENT] * MANY
    assert len(post.sent) == MANY


def test_a_claim_whose_answer_is_lost_is_found_again_and_not_left_to_its_lease(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a claim that the database commits, while its answer is lost on the way
    post = with_post(replica, Post())
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(MANY)))
    transactions = replica.runtime.engine.transactions
    bookkeeping = transactions.bookkeeping

    @contextmanager
    def unanswered() -> Iterator[Session]:
        with bookkeeping() as session:
            yield session
        raise InfrastructureDown("hung up after the commit")

    monkeypatch.setattr(transactions, "bookkeeping", unanswered)
    with pytest.raises(InfrastructureDown):
        deliver(replica)
    assert not post.sent
    # When it can be reached again, Then everything is sent at once, as the first try of each.
    monkeypatch.setattr(transactions, "bookkeeping", bookkeeping)
    assert deliver(replica) == MANY
    assert states(replica) == [SENT] * MANY
    assert {one.attempts for one in mails(replica)} == {1}


def test_a_crash_before_the_mark_repeats_the_batch_in_hand_and_no_more(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given more than one batch, and a process that dies when the first has left
    class Died(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Died

    post = with_post(replica, Post())
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(sender.BATCH + 6)))
    with monkeypatch.context() as patched:
        patched.setattr(sender.Postman, "_mark", die)
        with pytest.raises(Died):
            deliver(replica)
    assert len(post.sent) == sender.BATCH
    # When another goes on, now and after the lease
    deliver(replica)
    assert len(post.sent) == sender.BATCH + 6
    deliver(replica, timedelta(minutes=6))
    # Then every mail has left, and only those of that batch twice
    assert states(replica) == [SENT] * (sender.BATCH + 6)
    assert len(post.sent) == 2 * sender.BATCH + 6
    assert len({one.message_key for one in post.sent}) == sender.BATCH + 6


def test_a_slow_mail_service_never_holds_a_batch_beyond_its_lease(replica: Replica) -> None:
    # Given a mail service that takes a minute for each mail
    class Slow(Post):
        def send(self, letter: OutgoingMessage) -> str:
            replica.now += timedelta(minutes=1)
            return super().send(letter)

    post = with_post(replica, Slow())
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(8)))
    # When the batch is sent, Then it stops in time to mark what has left
    assert deliver(replica) == 3
    assert states(replica) == [SENT] * 3 + [WAITING] * 5
    # and the rest leaves later, once.
    for _ in range(2):
        deliver(replica, timedelta(minutes=5))
    assert len({one.message_key for one in post.sent}) == len(post.sent) == 8


def test_one_mail_at_fault_does_not_hold_up_its_batch(replica: Replica) -> None:
    # Given a batch: one cannot be planned, one is no longer wanted, of one nothing can be said
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(4)))
    faulty, unwanted, speechless, _ = sorted(one.id for one in mails(replica))

    def planned(session: object, one: Notification) -> RenderJob | None:
        if one.id == faulty:
            raise KeyError("no such order")
        return None if one.id == unwanted else describe(session, one)  # type: ignore[arg-type]

    def said(_session: object, one: Notification, *_: object) -> list[object]:
        if one.id == speechless:
            raise ValueError("nothing can be said")
        return []

    post = with_post(replica, Post())
    replica.runtime.sender._notices = {"greeting": NotificationKind(describe=planned, sent=said)}  # type: ignore[arg-type]
    # When it is sent
    deliver(replica)
    # Then each got what it needed, and a person sees what is wrong
    found = {one.id: one for one in mails(replica)}
    assert (found[faulty].status, found[unwanted].status) == (WAITING, CANCELLED)
    assert "KeyError" in (found[faulty].error or "")
    assert found[speechless].status == FAILED
    assert "nothing can be said" in (found[speechless].error or "")
    assert states(replica) == sorted([WAITING, CANCELLED, FAILED, SENT])
    assert len(post.sent) == 2


def test_the_service_ends_its_writers(replica: Replica) -> None:
    # Given a service that has had many letters written
    with_post(replica, Post())
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(MANY)))
    deliver(replica)
    desks = replica.runtime.sender._writers._desks
    processes = [desk._at_work[0] for desk in desks if desk._at_work is not None]
    assert processes
    # When it stops, Then they are gone
    replica.runtime.stop()
    wait_until(lambda: all(one.poll() is not None for one in processes), "they ended", 20)
