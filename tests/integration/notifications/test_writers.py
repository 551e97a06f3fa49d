"""Letters written beside the work: in processes of their own, and in batches."""

import errno
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session

from shared.errors import InfrastructureDown
from shared.notifications import postman
from shared.notifications import writers as writing
from shared.notifications.drafts import Draft, Enclosure, WritingFailed, Written
from shared.notifications.letters import Attachment, Email, Letter
from shared.notifications.model import CANCELLED, FAILED, SENT, WAITING, Notification
from shared.notifications.notices import Notice, plan
from shared.notifications.rendering import Renderer
from shared.notifications.writers import FEW, Writers
from tests.integration.notifications.test_sending import Post, deliver, with_post
from tests.integration.processing.tally import Replica, release, service
from tests.servers.premises import wait_until

MANY = FEW + 5


@dataclass(frozen=True)
class Signature:
    """Tells by which process it was made; or takes that process with it."""

    deadly: bool = False

    def attachment(self) -> Attachment:
        if self.deadly:
            os._exit(1)
        return Attachment("process.txt", "text/plain", str(os.getpid()).encode())


def tear() -> bytes:
    raise ValueError("torn on its way")


class Torn(bytes):
    """Can be sent by a process, and not be read by the other."""

    def __reduce__(self) -> tuple[Callable[[], bytes], tuple[()]]:
        return tear, ()


@dataclass(frozen=True)
class TornOnTheWayBack:
    def attachment(self) -> Attachment:
        return Attachment("torn.txt", "text/plain", Torn(b"torn"))


@dataclass(frozen=True)
class NeverLeaves:
    """Cannot be sent to another process at all."""

    what: Callable[[], bytes] = lambda: b""

    def attachment(self) -> Attachment:
        return Attachment("here.txt", "text/plain", self.what())


def draft(
    number: int, *, kind: str = "greeting", deadly: bool = False, enclosure: Enclosure | None = None
) -> Draft:
    name = {"name": f"klant {number}"}
    enclosed = (enclosure or Signature(deadly),)
    return Draft(kind, "email", "nl", name, "a@b.example", f"key-{number}", enclosed)


def keys(written: Sequence[Written]) -> list[str]:
    return [one.message_key for one in written if not isinstance(one, WritingFailed)]


def key_of(number: int) -> str:
    return f"key-{number}"


def made_by(letter: object) -> int:
    assert isinstance(letter, Email)
    return int(letter.attachments[0].content)


@pytest.fixture
def renderer(tmp_path: Path) -> Renderer:
    return Renderer(service(tmp_path).templates)


@pytest.fixture
def writers() -> Iterator[Writers]:
    made = Writers("Stappenplan <a@b.example>", processes=2)
    yield made
    made.close()


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    made = Replica(f"sqlite:///{tmp_path}/tally.db", tmp_path)
    made.make_tables()
    yield made
    made.runtime.postman._writers.close()
    made.database.close()


def mails(replica: Replica) -> list[Notification]:
    with replica.database.read() as session:
        return list(session.execute(select(Notification)).scalars())


def states(replica: Replica) -> list[str]:
    return sorted(one.status for one in mails(replica))


def test_few_letters_start_no_process_and_many_are_written_elsewhere(
    writers: Writers, renderer: Renderer
) -> None:
    # Given few drafts, and many
    few = writers.write([draft(number) for number in range(FEW)], renderer)
    many = writers.write([draft(number) for number in range(MANY)], renderer)
    # When they are written, Then few are written here, and many by two other processes
    assert {made_by(one) for one in few} == {os.getpid()}
    assert len({made_by(one) for one in many} - {os.getpid()}) == 2
    # each in its place, ready to travel.
    assert [one.message_key for one in many if isinstance(one, Email)] == [
        f"key-{number}" for number in range(MANY)
    ]
    assert all(isinstance(one, Email) and one.wire and b"klant" in one.wire for one in many)


def test_a_letter_that_takes_its_writer_with_it_costs_only_itself(
    writers: Writers, renderer: Renderer
) -> None:
    # Given a batch in which one kills the process that writes it, and one has no template
    drafts = [draft(number, deadly=number == 3) for number in range(MANY)]
    drafts[7] = draft(7, kind="unheard_of")
    # When it is written, Then all others are, and of those two the reason is told
    written = writers.write(drafts, renderer)
    failed = {number for number, one in enumerate(written) if isinstance(one, WritingFailed)}
    assert failed == {3, 7}
    assert "ended" in str(written[3])
    assert "TemplateNotFound" in str(written[7])


@pytest.mark.parametrize("enclosure", [TornOnTheWayBack(), NeverLeaves()])
def test_a_letter_that_cannot_travel_costs_only_itself(
    enclosure: Enclosure, writers: Writers, renderer: Renderer
) -> None:
    # Given a batch in which one cannot be sent to who writes it, or not be read when it is back
    drafts = [draft(number) for number in range(MANY)]
    drafts[2] = draft(2, enclosure=enclosure)
    # When it is written, Then all others are, each in its place
    written = writers.write(drafts, renderer)
    assert isinstance(written[2], WritingFailed)
    assert keys(written) == [key_of(number) for number in range(MANY) if number != 2]


@pytest.mark.parametrize("started", [0, 1])
def test_a_writer_that_cannot_be_started_costs_no_letter(
    started: int, writers: Writers, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a machine that lets us start one process, or none
    start, allowed = writing._start, iter(range(started))

    def scarce() -> tuple["subprocess.Popen[bytes]", Connection]:
        if next(allowed, None) is None:
            raise OSError(errno.EMFILE, "Too many open files")
        return start()

    monkeypatch.setattr(writing, "_start", scarce)
    # When a batch is written, Then whoever is there writes all of it.
    written = writers.write([draft(number) for number in range(MANY)], renderer)
    assert keys(written) == [key_of(number) for number in range(MANY)]
    assert len({made_by(one) for one in written}) == 1
    assert ({made_by(one) for one in written} == {os.getpid()}) is (started == 0)


def test_whoever_breaks_off_leaves_no_letter_for_the_next(
    writers: Writers, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a batch that breaks off when one writer has its share and the other has not
    def break_off(_task: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(writers._desks[1], "ask", break_off)
        with pytest.raises(MemoryError):
            writers.write([draft(number) for number in range(MANY)], renderer)
    # When another batch is written, Then it gets its own letters.
    another = range(100, 100 + MANY)
    written = writers.write([draft(number) for number in another], renderer)
    assert keys(written) == [key_of(number) for number in another]


def test_an_answer_to_another_question_is_none(writers: Writers, renderer: Renderer) -> None:
    # Given a writer whose answer was never fetched
    writers.write([draft(number) for number in range(MANY)], renderer)
    ours = renderer.templates, renderer.brand, "a@b.example"
    writers._desks[0].ask((*ours, [draft(number) for number in range(6)]))
    # When it is given a share of another batch, Then nobody takes the old letters for the new.
    another = range(100, 100 + MANY)
    written = writers.write([draft(number) for number in another], renderer)
    assert keys(written) == [key_of(number) for number in another]


def test_writers_end_when_nobody_asks_any_more(writers: Writers, renderer: Renderer) -> None:
    # Given writers at work
    written = writers.write([draft(number) for number in range(MANY)], renderer)
    pids = {made_by(one) for one in written}
    # When the line to them is gone, as when this process is killed
    for desk in writers._desks:
        assert desk._at_work is not None
        desk._at_work[1].close()
    # Then they end by themselves
    for desk in writers._desks:
        assert desk._at_work is not None
        assert desk._at_work[0].wait(20) == 0
    assert os.getpid() not in pids


class Pen(Writers):
    """Writes when it is allowed to."""

    def __init__(self) -> None:
        super().__init__("a@b.example")
        self.taken_up, self.allowed = threading.Event(), threading.Event()

    def write(self, drafts: object, renderer: Renderer) -> list[Letter | WritingFailed]:
        self.taken_up.set()
        assert self.allowed.wait(60)
        return super().write(drafts, renderer)  # type: ignore[arg-type]


def test_messages_are_handled_while_letters_are_being_written(replica: Replica) -> None:
    # Given a batch of mails whose writing takes as long as we like
    post, pen = with_post(replica, Post()), Pen()
    replica.runtime.postman._writers = pen
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(3)))
    sending = threading.Thread(target=replica.runtime.postman.deliver_due)
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
    mark = postman.Postman._mark

    def counting(self: postman.Postman, tasks: list[object], **more: bool) -> None:
        marked.append(len(tasks))
        mark(self, tasks, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(postman.Postman, "_mark", counting)
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
    mark = postman.Postman._mark

    def down(*_: object, **__: object) -> None:
        raise InfrastructureDown("away")

    monkeypatch.setattr(postman.Postman, "_mark", down)
    with pytest.raises(InfrastructureDown):
        deliver(replica)
    # When it is back, Then the mails are marked, and were sent once
    monkeypatch.setattr(postman.Postman, "_mark", mark)
    assert deliver(replica) == MANY
    assert states(replica) == [SENT] * MANY
    assert len(post.sent) == MANY


def test_a_claim_whose_answer_is_lost_is_found_again_and_not_left_to_its_lease(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a claim that the database commits, while its answer is lost on the way
    post = with_post(replica, Post())
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(MANY)))
    transactions = replica.runtime.transactions
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
    replica.take(*(release(f"klant {number}", "mail-1") for number in range(postman.BATCH + 6)))
    with monkeypatch.context() as patched:
        patched.setattr(postman.Postman, "_mark", die)
        with pytest.raises(Died):
            deliver(replica)
    assert len(post.sent) == postman.BATCH
    # When another goes on, now and after the lease
    deliver(replica)
    assert len(post.sent) == postman.BATCH + 6
    deliver(replica, timedelta(minutes=6))
    # Then every mail has left, and only those of that batch twice
    assert states(replica) == [SENT] * (postman.BATCH + 6)
    assert len(post.sent) == 2 * postman.BATCH + 6
    assert len({one.message_key for one in post.sent}) == postman.BATCH + 6


def test_a_slow_mail_service_never_holds_a_batch_beyond_its_lease(replica: Replica) -> None:
    # Given a mail service that takes a minute for each mail
    class Slow(Post):
        def send(self, letter: Letter) -> str:
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

    def planned(session: object, one: Notification) -> Draft | None:
        if one.id == faulty:
            raise KeyError("no such order")
        return None if one.id == unwanted else plan(session, one)  # type: ignore[arg-type]

    def said(_session: object, one: Notification, *_: object) -> list[object]:
        if one.id == speechless:
            raise ValueError("nothing can be said")
        return []

    post = with_post(replica, Post())
    replica.runtime.postman._notices = {"greeting": Notice(plan=planned, sent=said)}  # type: ignore[arg-type]
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
    desks = replica.runtime.postman._writers._desks
    processes = [desk._at_work[0] for desk in desks if desk._at_work is not None]
    assert processes
    # When it stops, Then they are gone
    replica.runtime.stop()
    wait_until(lambda: all(one.poll() is not None for one in processes), "they ended", 20)
