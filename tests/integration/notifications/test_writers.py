"""Letters written beside the work: in processes of their own, and in batches."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from shared.notifications import writers as writing
from shared.notifications.drafts import Draft, Enclosure, WritingFailed, Written
from shared.notifications.letters import Attachment, Email
from shared.notifications.rendering import Renderer
from shared.notifications.writers import FEW, Writers
from tests.integration.processing.tally import service

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
