"""Mails and texts on their way: sent once, retried, given up, decided about by a person."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from infra.operations.dead_letters import letters, decisions
from shared.notifications.kinds import NotificationKind
from shared.notifications.rendering.jobs import RenderJob
from shared.notifications.senders.outgoing import OutgoingMessage
from shared.notifications.senders.protocol import SendFailed, Undeliverable
from shared.notifications.tables import FAILED, SENT, WAITING, Notification
from tests.integration.processing.tally import Replica, release


class Post:
    """A mail service that does as it is told."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)
        self.sent: list[OutgoingMessage] = []

    def send(self, letter: OutgoingMessage) -> str:
        if self.troubles:
            raise self.troubles.pop(0)
        self.sent.append(letter)
        return f"provider-{len(self.sent)}"


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    made = Replica(f"sqlite:///{tmp_path}/tally.db", tmp_path)
    made.make_tables()
    yield made
    made.database.close()


def with_post(replica: Replica, post: Post) -> Post:
    replica.runtime.sender._senders = post  # type: ignore[assignment]
    return post


def mail(replica: Replica) -> Notification:
    with replica.database.read() as session:
        return session.execute(select(Notification)).scalar_one()


def deliver(replica: Replica, after: timedelta = timedelta()) -> int:
    replica.now += after
    return replica.runtime.sender.deliver_due()


def test_a_mail_leaves_after_the_transaction_and_is_marked_with_its_receipt(
    replica: Replica,
) -> None:
    # Given a handler that returned a mail, When its transaction has committed,
    post = with_post(replica, Post())
    replica.take(release("bakkerij", "mail-1"))
    assert mail(replica).status == WAITING
    # Then the postman sends it, once.
    assert deliver(replica) == 1
    assert (mail(replica).status, mail(replica).provider_id) == (SENT, "provider-1")
    assert deliver(replica, timedelta(days=1)) == 0
    assert len(post.sent) == 1


def test_a_passing_trouble_is_tried_again_at_once(replica: Replica) -> None:
    post = with_post(replica, Post(SendFailed("Throttling"), SendFailed("Throttling")))
    replica.take(release("bakkerij", "mail-1"))
    deliver(replica)
    assert mail(replica).status == SENT
    assert len(post.sent) == 1


def test_a_lasting_trouble_is_tried_later_and_in_the_end_given_up(replica: Replica) -> None:
    # Given a mail that cannot be written, When time goes by,
    def plan(*_: object) -> RenderJob:
        raise KeyError("no such order")

    with_post(replica, Post())
    replica.runtime.sender._notices = {"greeting": NotificationKind(plan=plan)}
    replica.take(release("bakkerij", "mail-1"))
    tries = 0
    while deliver(replica, timedelta(hours=7) if tries else timedelta()):
        tries += 1
    # Then it was tried six times, with pauses, and stays with its reason.
    assert (tries, mail(replica).status) == (6, FAILED)
    assert "no such order" in (mail(replica).error or "")


def test_a_refused_mail_is_given_up_at_once_and_a_person_decides(replica: Replica) -> None:
    # Given a mail that the service refuses, When it is sent,
    post = with_post(replica, Post(Undeliverable("MessageRejected: no such mailbox")))
    replica.take(release("bakkerij", "mail-1"))
    deliver(replica)
    # Then it is among the dead letters, with the reason;
    (letter,) = letters.find({"tally": replica.database})
    assert (letter.kind, letter.error) == ("notification", "MessageRejected: no such mailbox")
    # retried by somebody, it leaves, and who did it is on record.
    reader = replica.runtime.engine.decoder
    decisions.retry(replica.database, reader, letter.id, by="anna", why="address mended")
    assert deliver(replica, timedelta(days=400)) == 1
    assert mail(replica).status == SENT
    assert (mail(replica).decided_by, mail(replica).decision) == ("anna", "retry: address mended")
    assert len(post.sent) == 1


class LastRound(Post):
    """A mail service during whose first letter the process is asked to stop."""

    def __init__(self, replica: Replica) -> None:
        super().__init__()
        self._replica = replica

    def send(self, letter: OutgoingMessage) -> str:
        self._replica.runtime.interrupt()
        return super().send(letter)


def test_who_is_asked_to_stop_sends_what_is_in_hand_and_gives_the_others_back(
    replica: Replica,
) -> None:
    # Given a postman with three mails, who is asked to stop while the first one leaves
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(3)))
    post = with_post(replica, LastRound(replica))
    # When the round is over,
    assert deliver(replica) == 1
    # Then that one is sent, and the others are due at once, as if nobody had claimed them.
    with replica.database.read() as session:
        rows = session.execute(select(Notification)).scalars().all()
    assert len(post.sent) == 1
    assert sorted(one.status for one in rows) == [SENT, WAITING, WAITING]
    waiting = [one for one in rows if one.status == WAITING]
    assert all(one.attempts == 0 and one.due_at == replica.now for one in waiting)


def test_two_postmen_send_one_mail(replica: Replica, tmp_path: Path) -> None:
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(10)))
    other = Replica(replica.database.url, tmp_path)
    posts = [with_post(one, Post()) for one in (replica, other)]
    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(one.runtime.sender.deliver_due) for one in (replica, other)]
        assert sum(one.result(60) for one in done) == 10
    sent = [one for post in posts for one in post.sent]
    assert len({one.message_key for one in sent}) == len(sent) == 10
    other.database.close()


def test_a_postman_who_died_on_his_way_is_followed_by_another(replica: Replica) -> None:
    # Given a process that died between claiming and sending,
    class Died(BaseException):
        pass

    post = with_post(replica, Post(Died()))  # type: ignore[arg-type]
    replica.take(release("bakkerij", "mail-1"))
    with pytest.raises(Died):
        deliver(replica)
    # When its lease is over, Then the mail is sent.
    assert deliver(replica, timedelta(minutes=4)) == 0
    assert deliver(replica, timedelta(minutes=2)) == 1
    assert len(post.sent) == 1
