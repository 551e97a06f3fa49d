"""Providers that hang or fail as a whole: no message is blamed, and the other channel is free."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.base.errors import InfrastructureDown
from shared.notifications.delivery.sender import BATCH
from shared.notifications.kinds import NotificationKind
from shared.notifications.senders.outgoing import Email, OutgoingMessage, Sms
from shared.notifications.senders.protocol import ProviderUnavailable, SendFailed
from shared.notifications.tables import FAILED, SENT, WAITING
from shared.processing.unit_of_work import UnitOfWork
from tests.integration.notifications.mailroom import Mailroom, MakeMailroom, Provider, names

HANGS = timedelta(seconds=20)
"""What a try takes at a provider that does not answer."""
SLOW = timedelta(minutes=1)
"""What a message takes at a provider that answers, and takes its time."""
MANY = 12


class Providers(Provider):
    """One for mails and one for texts: hanging for some messages, slow for others."""

    def __init__(self, mailroom: Mailroom) -> None:
        super().__init__()
        mailroom.provider = self
        self._mailroom = mailroom
        self.hangs: Callable[[OutgoingMessage], bool] = nothing
        self.slow: Callable[[OutgoingMessage], bool] = nothing
        self.failure: Exception = SendFailed("ReadTimeoutError")
        self.tries: list[str] = []

    def send(self, message: OutgoingMessage) -> str:
        self.tries.append(message.message_key)
        if self.hangs(message):
            self._mailroom.now += HANGS
            raise self.failure
        if self.slow(message):
            self._mailroom.now += SLOW
        return super().send(message)


def is_mail(message: OutgoingMessage) -> bool:
    return isinstance(message, Email)


def nothing(_message: OutgoingMessage) -> bool:
    return False


on_both_databases = pytest.mark.parametrize(
    "make_mailroom", ["sqlite", "postgresql"], indirect=True
)


@on_both_databases
def test_what_was_not_tried_is_given_back_as_if_nobody_had_claimed_it(mailroom: Mailroom) -> None:
    # Given a batch of mails, and a provider that hangs,
    providers = Providers(mailroom)
    providers.hangs = is_mail
    mailroom.put(*names(MANY))
    # When they are due, Then one of them shows it,
    began = mailroom.now
    mailroom.deliver()
    assert len(set(providers.tries)) == 1
    assert mailroom.now - began <= 3 * HANGS
    # and the others wait for the provider, not for a lease to end, with no attempt counted.
    untried = [row for row in mailroom.rows().values() if row.id not in providers.tries]
    assert {row.attempts for row in untried} == {0}
    assert mailroom.now < mailroom.next_due() < mailroom.now + timedelta(minutes=1)


def test_no_mail_fails_for_an_outage_of_its_provider(mailroom: Mailroom) -> None:
    # Given a provider that is away for longer than any mail is tried for its own sake,
    providers = Providers(mailroom)
    providers.hangs = is_mail
    mailroom.put(*names(MANY))
    # When time goes by, Then it is asked more and more seldom, and no mail is blamed,
    mailroom.pass_time(timedelta(hours=1))
    assert len(providers.tries) < 20
    mailroom.pass_time(timedelta(hours=8))
    assert mailroom.states() == [WAITING] * MANY
    assert sum(row.attempts for row in mailroom.rows().values()) == 1
    # and when it is back, every mail leaves within minutes, once.
    providers.hangs = nothing
    mailroom.pass_time(timedelta(minutes=20))
    assert mailroom.states() == [SENT] * MANY
    assert sorted(providers.keys) == sorted(names(MANY))


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (SendFailed("ReadTimeoutError"), (FAILED, 6, "ReadTimeoutError")),
        (ProviderUnavailable("Throttling"), (WAITING, 0, "Throttling")),
    ],
)
def test_a_mail_that_its_provider_fails_for_alone_fails_unless_the_provider_blames_itself(
    failure: Exception, outcome: tuple[str, int, str], mailroom: Mailroom
) -> None:
    # Given a mail that its provider has trouble with, while it works for all others,
    providers = Providers(mailroom)
    providers.failure = failure
    providers.hangs = lambda message: message.message_key == "a stone"
    mailroom.put("a stone")
    # When time goes by, with a mail every other hour, Then those leave,
    for name in names(9):
        mailroom.put(name)
        mailroom.pass_time(timedelta(hours=2))
    assert providers.keys == names(9)
    # and that one was tried six times and stays with its reason, or has a try for each time left.
    stone = mailroom.rows()["a stone"]
    assert (stone.status, stone.attempts, stone.error) == outcome


def test_a_secret_goes_before_the_mails_of_its_batch(mailroom: Mailroom) -> None:
    # Given mails, and after them a secret by text message, while the provider of mails hangs,
    providers = Providers(mailroom)
    providers.hangs = is_mail
    mailroom.put(*names(MANY))
    mailroom.put("a secret", text=True, kind="secret")
    mailroom.kinds["secret"] = NotificationKind(
        compose=lambda _session, row, *_: Sms(row.recipient, "geheim", row.id)
    )
    # When they are due, Then the secret has left before anything can hang.
    began = mailroom.now
    mailroom.deliver()
    assert providers.tries[0] == "a secret"
    assert mailroom.rows()["a secret"].sent_at == began


@pytest.mark.parametrize("trouble", ["hangs", "slow"])
def test_one_provider_in_trouble_does_not_keep_messages_from_the_other(
    trouble: str, mailroom: Mailroom
) -> None:
    # Given a backlog of mails for a provider in trouble, and a text message that comes last,
    providers = Providers(mailroom)
    setattr(providers, trouble, is_mail)
    mailroom.put(*names(3 * BATCH))
    mailroom.now += timedelta(seconds=1)
    mailroom.put("a text", text=True)
    # When two rounds are over, Then the text has left.
    mailroom.deliver()
    mailroom.deliver()
    assert mailroom.rows()["a text"].status == SENT


def test_a_round_that_nothing_was_prepared_for_costs_no_attempt(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given something that goes wrong before the first mail is tried,
    mailroom.put(*names(MANY))

    def go_wrong() -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(mailroom.runtime.engine.transactions, "reading", go_wrong)
        # When the round breaks off, Then the mails are due again: soon, and not at once,
        with pytest.raises(MemoryError):
            mailroom.deliver()
    assert {row.attempts for row in mailroom.rows().values()} == {0}
    assert mailroom.deliver() == 0
    # and leave as if nothing had been.
    assert mailroom.deliver(timedelta(seconds=30)) == MANY
    assert len(mailroom.provider.sent) == MANY


def test_what_cannot_be_given_back_stays_in_hand(
    mailroom: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a round that runs out of time, and a database that is away when it is over,
    providers = Providers(mailroom)
    providers.slow = is_mail
    mailroom.put(*names(MANY))
    transactions = mailroom.runtime.engine.transactions
    internal_transaction = transactions.internal_transaction

    def down_once_something_has_left() -> object:
        if providers.sent:
            raise InfrastructureDown("away")
        return internal_transaction()

    with monkeypatch.context() as patched:
        patched.setattr(transactions, "internal_transaction", down_once_something_has_left)
        with pytest.raises(InfrastructureDown):
            mailroom.deliver()
    sent = len(providers.sent)
    assert 0 < sent < MANY
    # When it is back, Then the rest is given back, and what has left is not sent again.
    mailroom.deliver()
    untried = [row for row in mailroom.rows().values() if row.status == WAITING]
    assert len(untried) == MANY - sent
    assert {row.attempts for row in untried} == {0}
    mailroom.pass_time(timedelta(hours=1))
    assert mailroom.states() == [SENT] * MANY
    assert len(providers.sent) == MANY


@on_both_databases
def test_whoever_marks_twice_takes_nothing_from_who_has_claimed_it_since(
    make_mailroom: MakeMailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a failed try that was written down, while the database's answer got lost,
    mailroom = make_mailroom()
    Providers(mailroom).hangs = is_mail
    mailroom.put("mail")
    transactions = mailroom.runtime.engine.transactions
    run = transactions.run

    def unanswered(work: Callable[[UnitOfWork], None]) -> None:
        run(work)
        raise InfrastructureDown("hung up after the commit")

    with monkeypatch.context() as patched:
        patched.setattr(transactions, "run", unanswered)
        with pytest.raises(InfrastructureDown):
            mailroom.deliver()

    # When another has it in hand by the time that it is to be written down again,
    class InHand(Provider):
        def send(self, message: OutgoingMessage) -> str:
            self.lease = mailroom.row().due_at
            mailroom.deliver(timedelta(seconds=41))
            # Then it stays in that one's hands.
            assert mailroom.row().due_at == self.lease
            return super().send(message)

    other = make_mailroom()
    other.now = mailroom.now + timedelta(seconds=40)
    other.provider = InHand()
    assert other.deliver() == 1
    assert mailroom.row().status == SENT
