"""Events as large as an event may be: what is in hand is bounded by bytes, not by their number."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.composition import topology
from infra.demo.simulators.website import signups
from shared.host.settings import Settings
from shared.messaging.bus import PublishResult
from shared.messaging.topology.declare import apply
from tests.crashes.ledger import Ledger
from tests.faults.conftest import Note
from tests.faults.load import EXAMPLES, outgoing
from tests.faults.stage import OFFICE, STAPPENPLAN, Stage, within

LARGE = 900_000
COUNT, AT_A_TIME = 600, 15
MEMORY_LIMIT = 384 * 1024 * 1024
"""What a container of the service may be given."""

DONE = "SELECT count(*) FROM inbox WHERE type = 'signup.submitted.v1' AND status = :status"


@pytest.mark.faults
def test_six_hundred_large_sign_ups_in_a_small_container(ground: Settings, note: Note) -> None:
    # Given 600 valid sign-ups of 900 kB each, and a signup that has not begun
    with one_service(ground) as stage:
        (port,) = stage.processes
        stage.kill()
        documents = list(signups(EXAMPLES + COUNT, seed=9))[EXAMPLES:]
        for first in range(0, COUNT, AT_A_TIME):
            batch = [outgoing(large(document)) for document in documents[first:][:AT_A_TIME]]
            assert set(stage.line.publish(batch).result(60)) == {PublishResult.CONFIRMED}
        # When it starts, Then it takes them all in,
        began = time.monotonic()
        stage.start_process(port)
        within(300, lambda: number(stage, "done") >= COUNT, "all are done")
        seconds = time.monotonic() - began
        # none is dead, it never died, and it never took more memory than it may have.
        process = stage.processes[port]
        assert process.poll() is None
        peak = peak_memory(process.pid)
        print(f"peak: {peak / 1024 / 1024:.0f} MiB; {COUNT / seconds:.0f} a second")  # noqa: T201
        assert peak < MEMORY_LIMIT
        assert number(stage, "dead") == 0
        note("600 sign-ups of 900 kB to one small process", Ledger(COUNT), seconds)


@contextmanager
def one_service(ground: Settings) -> Iterator[Stage]:
    """Signup alone, on queues for all; the others do not run."""
    apply(topology(ground), ground.broker_url)
    stage = Stage(ground, {}, [["signup"]], 1, (STAPPENPLAN,))
    try:
        stage.start()
        assert stage.ask("/api/offices/0042", method="PUT", json=OFFICE).status_code == 200
        yield stage
        stage.stop()
    finally:
        stage.abandon()
        print(stage.tail())  # noqa: T201 - pytest shows it with a failure alone.


def large(document: dict[str, Any]) -> dict[str, Any]:
    """The same sign-up with a member that nobody asked for: who reads it passes that over."""
    return document | {"data": document["data"] | {"attachment": "x" * LARGE}}


def number(stage: Stage, status: str) -> int:
    """How many sign-ups have this status."""
    rows = stage.books.rows("signup", DONE, status=status)
    return int(rows[0][0]) if rows else 0


def peak_memory(pid: int) -> int:
    """The most that a process ever held in memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024
