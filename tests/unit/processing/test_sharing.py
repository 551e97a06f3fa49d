"""Requests that come in a crowd: they share a transaction, and nobody pays for another's fault."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime

import pytest

from shared.base.errors import InfrastructureDown
from shared.events.envelope import Envelope
from shared.messaging.bus import Incoming
from shared.processing import Message, Person
from shared.processing.handlers.messages import RawEvent
from shared.processing.sharing import AT_ONCE, MOST, Consequences, SharedTransactions
from shared.processing.unit_of_work import WorkFailed
from tests.servers.premises import wait_until

SOON = 20.0
WEBSITE = Person("website", office="0042")


def signup(name: str, person: Person = WEBSITE, size: int = 0) -> Message:
    """A sign-up by this id."""
    envelope = Envelope(
        name, person.source, "signup", "customer", datetime(2026, 11, 24, tzinfo=UTC)
    )
    incoming = Incoming(b"x" * size, "signup", "application/json")
    return Message(envelope, RawEvent("signup", {}), incoming, person=person)


class Desk:
    """Handles sign-ups, held up until it is opened; notes which of them shared a transaction."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.began: list[list[str]] = []
        self.at_fault: set[str] = set()
        self.away = False
        self.known: set[str] = set()
        self.shared = SharedTransactions(self.alone, self.together)
        self._threads = ThreadPoolExecutor(MOST + 20)

    def alone(self, message: Message) -> Consequences:
        return self.together([message])[0]

    def together(self, messages: Sequence[Message]) -> Sequence[Consequences]:
        names = [message.envelope.id for message in messages]
        self.began.append(names)
        assert self.opened.wait(SOON)
        if self.away:
            raise InfrastructureDown("the database is away")
        if self.at_fault & set(names):
            raise WorkFailed(ValueError("at fault"))
        return [None if name in self.known else () for name in names]

    def send(self, message: Message) -> "Future[Consequences]":
        """In a thread of its own, as a request is; returns once it is under way or waits."""
        before = self.seen()
        future = self._threads.submit(self.shared.execute, message)
        wait_until(lambda: self.seen() > before, "it has come", SOON)
        return future

    def seen(self) -> int:
        return sum(map(len, self.began)) + len(self.shared._waiting)

    def close(self) -> None:
        self.opened.set()
        self._threads.shutdown()


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A desk that is held up."""
    desk = Desk()
    yield desk
    desk.close()


@pytest.fixture
def busy(desk: Desk) -> "list[Future[Consequences]]":
    """So many under way that who comes now waits, the website's among them."""
    callers = [WEBSITE, *(Person(f"caller {number}") for number in range(1, AT_ONCE))]
    return [desk.send(signup(f"early {number}", caller)) for number, caller in enumerate(callers)]


def test_who_comes_alone_begins_at_once(desk: Desk, busy: "list[Future[Consequences]]") -> None:
    # Given nobody, When some come one after the other, Then each has a transaction of its own.
    assert desk.began == [[f"early {number}"] for number in range(AT_ONCE)]


def test_one_of_each_caller_is_under_way(desk: Desk) -> None:
    # Given a website's sign-up under way, When more of its come and another's,
    desk.send(signup("first"))
    late = [desk.send(signup(name)) for name in ("second", "third")]
    desk.send(signup("another's", Person("another website", office="0043")))
    # Then the other's begins at once, and the website's wait to go along with one another.
    assert desk.began == [["first"], ["another's"]]
    desk.opened.set()
    wait(late, SOON)
    assert desk.began[2:] == [["second", "third"]]


def test_who_comes_in_a_crowd_shares_the_next_transaction(
    desk: Desk, busy: "list[Future[Consequences]]"
) -> None:
    # Given that all hands are full, When more come,
    desk.known.add("repeated")
    names = [f"late {number}" for number in range(9)]
    late = [desk.send(signup(name)) for name in [*names, "repeated"]]
    desk.opened.set()
    # Then they are dealt with together, and each hears what became of its own.
    assert [future.result(SOON) for future in (*busy, *late)] == [()] * (AT_ONCE + 9) + [None]
    assert desk.began[AT_ONCE:] == [[*names, "repeated"]]


def test_one_at_fault_costs_the_others_nothing(
    desk: Desk, busy: "list[Future[Consequences]]"
) -> None:
    # Given one in a crowd that cannot be done,
    desk.at_fault.add("bad")
    late = [desk.send(signup(name)) for name in ("good", "bad", "better")]
    # When they are dealt with,
    desk.opened.set()
    # Then it alone fails, after each was tried by itself.
    wait(late, SOON)
    good, bad, better = late
    assert (good.result(), better.result()) == ((), ())
    assert isinstance(bad.exception(), WorkFailed)
    assert sorted(desk.began[AT_ONCE + 1 :]) == [["bad"], ["better"], ["good"]]


def test_nobody_waits_for_a_database_that_is_away(
    desk: Desk, busy: "list[Future[Consequences]]"
) -> None:
    # Given a crowd, When the database goes away,
    late = [desk.send(signup(name)) for name in ("first", "second")]
    desk.away = True
    desk.opened.set()
    # Then all hear of it, and once it is back the next are dealt with.
    wait([*busy, *late], SOON)
    assert {type(future.exception()) for future in (*busy, *late)} == {InfrastructureDown}
    desk.away = False
    assert desk.send(signup("afterwards")).result(SOON) == ()


def test_people_share_with_nobody_else(desk: Desk, busy: "list[Future[Consequences]]") -> None:
    # Given requests of two websites, the same one twice, and more than one transaction may hold,
    theirs = Person("another website", office="0043")
    late = [desk.send(signup("ours")), desk.send(signup("theirs", theirs))]
    late += [desk.send(signup("ours")), desk.send(signup("large", size=5 * 1024 * 1024))]
    # When they are dealt with,
    desk.opened.set()
    wait(late, SOON)
    # Then each shares with its like alone, once, as far as there is room.
    assert sorted(desk.began[AT_ONCE:]) == [["large"], ["ours"], ["ours"], ["theirs"]]


def test_a_crowd_is_dealt_with_in_portions(desk: Desk, busy: "list[Future[Consequences]]") -> None:
    # Given more than may share one transaction,
    late = [desk.send(signup(f"late {number}")) for number in range(MOST + 5)]
    desk.opened.set()
    # When they are dealt with, Then none is forgotten.
    assert [future.result(SOON) for future in late] == [()] * (MOST + 5)
    assert sorted(map(len, desk.began[AT_ONCE:])) == [5, MOST]
