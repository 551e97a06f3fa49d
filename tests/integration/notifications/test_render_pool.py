"""Messages rendered beside the work: in processes of their own, and in batches."""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog.testing

from shared.notifications.rendering import pool as render_pool
from shared.notifications.rendering.jobs import (
    AttachmentJob,
    Rendered,
    RenderingFailed,
    RenderJob,
)
from shared.notifications.rendering.pool import INLINE_LIMIT, RenderPool
from shared.notifications.rendering.renderer import Renderer
from shared.notifications.senders import Attachment, Email

MANY = INLINE_LIMIT + 5
TEMPLATE = "{% block subject %}Dag{% endblock %}{% block body %}Dag {{ name }}{% endblock %}"


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

    content: Callable[[], bytes] = lambda: b""

    def attachment(self) -> Attachment:
        return Attachment("here.txt", "text/plain", self.content())


def job(
    number: int,
    *,
    kind: str = "greeting",
    deadly: bool = False,
    attachment: AttachmentJob | None = None,
) -> RenderJob:
    params = {"name": f"klant {number}"}
    attachments = (attachment or Signature(deadly),)
    return RenderJob(kind, "email", "nl", params, "a@b.example", key_of(number), attachments)


def jobs(numbers: Sequence[int] = range(MANY)) -> list[RenderJob]:
    return [job(number) for number in numbers]


def key_of(number: int) -> str:
    return f"key-{number}"


def keys(rendered: Sequence[Rendered]) -> list[str]:
    return [message.message_key for message in rendered if not isinstance(message, RenderingFailed)]


def process_of(message: Rendered) -> int:
    assert isinstance(message, Email)
    return int(message.attachments[0].content)


@pytest.fixture
def renderer(tmp_path: Path) -> Renderer:
    (tmp_path / "greeting").mkdir()
    (tmp_path / "greeting" / "nl.md").write_text(TEMPLATE)
    return Renderer(tmp_path)


@pytest.fixture
def pool() -> Iterator[RenderPool]:
    pool = RenderPool("Stappenplan <a@b.example>", processes=2)
    yield pool
    pool.close()


def test_few_messages_start_no_process_and_many_are_rendered_elsewhere(
    pool: RenderPool, renderer: Renderer
) -> None:
    # Given few jobs, and many, When they are rendered,
    few = pool.render(jobs(range(INLINE_LIMIT)), renderer)
    many = pool.render(jobs(), renderer)
    # Then few are rendered here, and many by two other processes,
    assert {process_of(message) for message in few} == {os.getpid()}
    assert len({process_of(message) for message in many} - {os.getpid()}) == 2
    # each in its place, ready to travel.
    assert keys(many) == [key_of(number) for number in range(MANY)]
    for message in many:
        assert isinstance(message, Email)
        assert message.wire is not None
        assert b"klant" in message.wire


def test_a_message_that_takes_its_process_with_it_costs_only_itself(
    pool: RenderPool, renderer: Renderer
) -> None:
    # Given a batch in which one kills the process that renders it, and one has no template
    batch = jobs()
    batch[3], batch[7] = job(3, deadly=True), job(7, kind="unheard_of")
    # When it is rendered, Then all others are, and of those two the reason is told,
    with structlog.testing.capture_logs() as logs:
        rendered = pool.render(batch, renderer)
    assert keys(rendered) == [key_of(number) for number in range(MANY) if number not in (3, 7)]
    assert "ended" in str(rendered[3])
    assert "TemplateNotFound" in str(rendered[7])
    # and whoever reads the log learns of the process, once.
    assert [entry["event"] for entry in logs] == ["render_worker_lost"]


@pytest.mark.parametrize("attachment", [TornOnTheWayBack(), NeverLeaves()])
def test_a_message_that_cannot_travel_costs_only_itself(
    attachment: AttachmentJob, pool: RenderPool, renderer: Renderer
) -> None:
    # Given a batch in which one cannot be sent to who renders it, or not be read when it is back
    batch = jobs()
    batch[2] = job(2, attachment=attachment)
    # When it is rendered, Then all others are, each in its place.
    rendered = pool.render(batch, renderer)
    assert isinstance(rendered[2], RenderingFailed)
    assert keys(rendered) == [key_of(number) for number in range(MANY) if number != 2]


@pytest.mark.parametrize("started", [0, 1])
def test_a_process_that_cannot_be_started_costs_no_message(
    started: int, pool: RenderPool, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a machine that lets us start one process, or none
    start, permits = render_pool._start_worker, iter(range(started))

    def scarce() -> render_pool._Worker:
        if next(permits, None) is None:
            raise OSError(errno.EMFILE, "Too many open files")
        return start()

    monkeypatch.setattr(render_pool, "_start_worker", scarce)
    # When a batch is rendered, Then whoever is there renders all of it,
    with structlog.testing.capture_logs() as logs:
        rendered = pool.render(jobs(), renderer)
    assert keys(rendered) == [key_of(number) for number in range(MANY)]
    processes = {process_of(message) for message in rendered}
    assert len(processes) == 1
    assert (processes == {os.getpid()}) is (started == 0)
    # and each that could not be started is logged.
    assert [entry["event"] for entry in logs] == ["render_worker_not_started"] * (2 - started)


def test_whoever_breaks_off_leaves_no_message_for_the_next(
    pool: RenderPool, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a batch that breaks off when one process has its share and the other has not
    def break_off(_request: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(pool._slots[1], "send", break_off)
        with pytest.raises(MemoryError):
            pool.render(jobs(), renderer)
    # When another batch is rendered, Then it gets its own messages.
    others = range(100, 100 + MANY)
    assert keys(pool.render(jobs(others), renderer)) == [key_of(number) for number in others]


def test_a_reply_to_another_request_is_none(pool: RenderPool, renderer: Renderer) -> None:
    # Given a process whose reply was never fetched
    pool.render(jobs(), renderer)
    pool._slots[0].send((renderer.templates, renderer.brand, "a@b.example", jobs(range(6))))
    # When it is given a share of another batch, Then nobody takes the old messages for the new.
    others = range(100, 100 + MANY)
    assert keys(pool.render(jobs(others), renderer)) == [key_of(number) for number in others]


def test_processes_end_when_nobody_asks_any_more(pool: RenderPool, renderer: Renderer) -> None:
    # Given processes at work
    rendered = pool.render(jobs(), renderer)
    assert os.getpid() not in {process_of(message) for message in rendered}
    workers = [slot._worker for slot in pool._slots if slot._worker is not None]
    assert len(workers) == 2
    # When the connection to them is gone, as when this process is killed,
    for worker in workers:
        worker.connection.close()
    # Then they end by themselves.
    assert [worker.process.wait(20) for worker in workers] == [0, 0]


def test_a_closed_pool_has_ended_its_processes(pool: RenderPool, renderer: Renderer) -> None:
    # Given processes at work
    pool.render(jobs(), renderer)
    processes = [slot._worker.process for slot in pool._slots if slot._worker is not None]
    # When the pool is closed, Then each has ended before that returns.
    pool.close()
    assert len(processes) == 2
    assert all(process.returncode is not None for process in processes)
