"""Mail services that hang or fail as a whole: no letter is blamed, and the other way is free."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.base.errors import InfrastructureDown
from shared.notifications.delivery.sender import BATCH, NotificationSender
from shared.notifications.kinds import NotificationKind
from shared.notifications.messages import Mail, Text
from shared.notifications.queue import enqueue
from shared.notifications.senders.outgoing import Email, OutgoingMessage, Sms
from shared.notifications.senders.protocol import ProviderUnavailable, SendFailed
from shared.notifications.tables import FAILED, SENT, WAITING, Notification
from tests.integration.notifications.test_sending import Post, deliver, with_post
from tests.integration.processing.tally import Replica
from tests.servers.postgres import MakeDatabase

HANGS = timedelta(seconds=20)
"""What a try takes at a service that does not answer."""
SLOW = timedelta(minutes=1)
"""What a letter takes at a service that answers, and takes its time."""
A_WHILE = timedelta(minutes=5)
MANY = 12


@pytest.fixture
def replica(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Replica]:
    url = f"sqlite:///{tmp_path}/tally.db"
    if getattr(request, "param", "sqlite") == "postgresql":
        make: MakeDatabase = request.getfixturevalue("make_database")
        url = make("tally")
    made = Replica(url, tmp_path)
    made.make_tables()
    (tmp_path / "templates" / "greeting" / "nl.sms.txt").write_text("Dag {{ name }}")
    yield made
    made.runtime.sender._writers.close()
    made.database.close()


class Services(Post):
    """One for mails and one for text messages: hanging for some letters, slow for others."""

    def __init__(self, replica: Replica) -> None:
        super().__init__()
        self._replica = replica
        self.hangs: Callable[[OutgoingMessage], bool] = lambda _: False
        self.trouble: Exception = SendFailed("ReadTimeoutError")
        self.slow: Callable[[OutgoingMessage], bool] = lambda _: False
        self.tries: list[str] = []

    def send(self, letter: OutgoingMessage) -> str:
        self.tries.append(letter.message_key)
        if self.hangs(letter):
            self._replica.now += HANGS
            raise self.trouble
        if self.slow(letter):
            self._replica.now += SLOW
        return super().send(letter)


on_both_databases = pytest.mark.parametrize("replica", ["sqlite", "postgresql"], indirect=True)


def is_mail(letter: OutgoingMessage) -> bool:
    return isinstance(letter, Email)


def put(replica: Replica, name: str, *, text: bool = False, kind: str = "greeting") -> None:
    """Somebody is to be written to."""
    to = "+31612345678" if text else "klant@bakkerij.example"
    message = (Text if text else Mail)(kind, to, "nl", {"name": name})
    with replica.database.begin() as session:
        enqueue(session, [(name, "bakkerij", message)], replica.now)


def put_mails(replica: Replica, count: int) -> None:
    for number in range(count):
        put(replica, f"mail {number}")


def rows(replica: Replica) -> dict[str, Notification]:
    with replica.database.read() as session:
        return {one.id: one for one in session.execute(select(Notification)).scalars()}


def states(replica: Replica) -> set[str]:
    return {one.status for one in rows(replica).values()}


def next_due(replica: Replica, otherwise: datetime = datetime.max) -> datetime:
    waiting = [one.due_at for one in rows(replica).values() if one.status == WAITING]
    return min((one for one in waiting if one is not None), default=otherwise)


def time_goes_by(replica: Replica, lasts: timedelta) -> None:
    """The postman looks when something is due, and after a while when he could not have it."""
    end = replica.now + lasts
    while replica.now < end:
        if not deliver(replica):
            replica.now = min(end, max(next_due(replica, end), replica.now + A_WHILE))


@on_both_databases
def test_what_was_not_tried_is_given_back_as_if_nobody_had_claimed_it(replica: Replica) -> None:
    # Given a batch of mails, and a mail service that hangs
    services = with_post(replica, Services(replica))
    services.hangs = is_mail
    put_mails(replica, MANY)
    # When the postman goes out, Then he finds out by one of them
    began = replica.now
    deliver(replica)
    assert len(set(services.tries)) == 1
    assert replica.now - began <= 3 * HANGS
    # and the others wait for the service, not for a lease to end, with no attempt counted.
    untried = [one for one in rows(replica).values() if one.id not in services.tries]
    assert {one.attempts for one in untried} == {0}
    assert replica.now < next_due(replica) < replica.now + timedelta(minutes=1)


def test_no_letter_is_given_up_for_an_outage_of_the_service(replica: Replica) -> None:
    # Given a mail service that is away for longer than any letter is tried for its own sake
    services = with_post(replica, Services(replica))
    services.hangs = is_mail
    put_mails(replica, MANY)
    # When time goes by, Then it is asked more and more seldom, and no letter is blamed
    time_goes_by(replica, timedelta(hours=1))
    assert len(services.tries) < 20
    time_goes_by(replica, timedelta(hours=8))
    assert states(replica) == {WAITING}
    assert sum(one.attempts for one in rows(replica).values()) == 1
    # and when it is back, every mail leaves within minutes, once.
    services.hangs = lambda _: False
    time_goes_by(replica, timedelta(minutes=20))
    assert states(replica) == {SENT}
    assert len(services.sent) == MANY


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (SendFailed("ReadTimeoutError"), (FAILED, 6, "ReadTimeoutError")),
        (ProviderUnavailable("Throttling"), (WAITING, 0, "Throttling")),
    ],
)
def test_a_letter_is_given_up_that_the_service_fails_for_alone_unless_it_sent_it_away(
    trouble: Exception, outcome: tuple[str, int, str], replica: Replica
) -> None:
    # Given a mail that its service has trouble with, while it works for all others
    services = with_post(replica, Services(replica))
    services.trouble = trouble
    services.hangs = lambda letter: letter.message_key == "a stone"
    put(replica, "a stone")
    # When time goes by, with a mail every other hour, Then those leave
    for number in range(9):
        put(replica, f"mail {number}")
        time_goes_by(replica, timedelta(hours=2))
    assert len(services.sent) == 9
    # and that one was tried six times and stays with its reason, or has a try for each time left.
    stone = rows(replica)["a stone"]
    assert (stone.status, stone.attempts, stone.error) == outcome


def test_a_secret_goes_before_the_mails_of_its_batch(replica: Replica) -> None:
    # Given mails, and after them a secret by text message, while the mail service hangs
    services = with_post(replica, Services(replica))
    services.hangs = is_mail
    put_mails(replica, MANY)
    put(replica, "a secret", text=True, kind="secret")
    secret = NotificationKind(compose=lambda _session, one, *_: Sms(one.recipient, "geheim", one.id))
    replica.runtime.sender._notices = {"secret": secret}
    # When the postman goes out, Then the secret has left before anything can hang.
    began = replica.now
    deliver(replica)
    assert services.tries[0] == "a secret"
    assert rows(replica)["a secret"].sent_at == began


@pytest.mark.parametrize("trouble", ["hangs", "slow"])
def test_one_service_in_trouble_does_not_keep_letters_from_the_other(
    trouble: str, replica: Replica
) -> None:
    # Given a backlog of mails for a service in trouble, and a text message that comes last
    services = with_post(replica, Services(replica))
    setattr(services, trouble, is_mail)
    put_mails(replica, 3 * BATCH)
    replica.now += timedelta(seconds=1)
    put(replica, "a text", text=True)
    # When the postman goes out twice, Then the text has left.
    deliver(replica)
    deliver(replica)
    assert rows(replica)["a text"].status == SENT


def test_a_round_that_nothing_was_prepared_for_costs_no_attempt(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given something that goes wrong before the first letter is tried
    services = with_post(replica, Services(replica))
    put_mails(replica, MANY)

    def go_wrong(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(replica.runtime.sender._writers, "write", go_wrong)
        # When the postman breaks off, Then the letters are due again: soon, and not at once
        with pytest.raises(MemoryError):
            deliver(replica)
    assert {one.attempts for one in rows(replica).values()} == {0}
    assert deliver(replica) == 0
    # and leave as if nothing had been.
    assert deliver(replica, timedelta(seconds=30)) == MANY
    assert len(services.sent) == MANY


def test_what_cannot_be_given_back_stays_in_hand(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a round that ran out of time, and a database that is away when it is over
    services = with_post(replica, Services(replica))
    services.slow = is_mail
    put_mails(replica, MANY)

    def down(*_: object) -> None:
        raise InfrastructureDown("away")

    with monkeypatch.context() as patched:
        patched.setattr(replica.runtime.sender._claims, "give_back", down)
        with pytest.raises(InfrastructureDown):
            deliver(replica)
    sent = len(services.sent)
    assert 0 < sent < MANY
    # When it is back, Then the rest is given back, and what has left is not sent again.
    deliver(replica)
    untried = [one for one in rows(replica).values() if one.status == WAITING]
    assert len(untried) == MANY - sent
    assert {one.attempts for one in untried} == {0}
    time_goes_by(replica, timedelta(hours=1))
    assert states(replica) == {SENT}
    assert len(services.sent) == MANY


@on_both_databases
def test_whoever_marks_twice_takes_nothing_from_who_has_claimed_it_since(
    replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a failed try that was written down, while the database's answer got lost
    services = with_post(replica, Services(replica))
    services.hangs = is_mail
    put(replica, "mail")
    mark = NotificationSender._mark

    def unanswered(self: NotificationSender, tasks: list[object], **more: bool) -> None:
        mark(self, tasks, **more)  # type: ignore[arg-type]
        raise InfrastructureDown("hung up after the commit")

    with monkeypatch.context() as patched:
        patched.setattr(NotificationSender, "_mark", unanswered)
        with pytest.raises(InfrastructureDown):
            deliver(replica)
    # When another has it in hand by the time that it is to be written down again,
    other = Replica(replica.database.url, tmp_path)
    other.now = replica.now + timedelta(seconds=40)
    (in_hand,) = other.runtime.sender._claims.take(BATCH)
    lease = in_hand.due_at
    deliver(replica, timedelta(seconds=41))
    # Then it stays in that one's hands.
    assert rows(replica)["mail"].due_at == lease
    other.database.close()
