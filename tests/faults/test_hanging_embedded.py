"""On the embedded default, too, a handler that hangs ends in bounded time, with its reason."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.demo.simulators.website import signups
from shared.host.settings import Settings
from tests.crashes.ledger import audit
from tests.faults.books import Books
from tests.faults.conftest import Note
from tests.faults.stage import within
from tests.faults.test_killing_message import DEAD
from tests.scopes import token_for
from tests.servers.premises import LOOPBACK, free_ports

ENDS = 60.0
"""Seconds for a process to end by itself: 3 until it is broken off, 22 for an orderly end."""
THROUGH = 90.0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], "subprocess.Popen[bytes]"]]:
    """Starts the embedded default, in which one customer's message hangs in registration."""
    (port,) = free_ports(1)
    started: list[subprocess.Popen[bytes]] = []

    def process(subject: str) -> "subprocess.Popen[bytes]":
        environment = {
            "STAPPENPLAN_DATA_DIR": str(tmp_path),
            "STAPPENPLAN_HTTP_PORT": str(port),
            "STAPPENPLAN_TESTS_DEED": "hang",
            "STAPPENPLAN_TESTS_DEADLY": subject,
        }
        with (tmp_path / "log").open("ab") as log:
            command = [sys.executable, "-m", "tests.faults.deadly", "run"]
            made = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        made.address = f"http://{LOOPBACK}:{port}"  # type: ignore[attr-defined]
        started.append(made)
        return made

    yield process
    for running in started:
        running.kill()
        running.wait()


def emit(address: str, key: str, document: dict[str, Any]) -> bool:
    """Whether the process took it."""
    token = token_for(key, "events:emit", name="website")
    headers = {"Authorization": f"Bearer {token}"}
    try:
        answer = httpx.post(f"{address}/api/events", json=document, headers=headers, timeout=30)
    except httpx.TransportError:
        return False
    return answer.status_code == 202


@pytest.mark.faults
def test_the_process_ends_by_itself_and_the_next_ones_go_on(
    start: Callable[[str], Any], tmp_path: Path, note: Note
) -> None:
    # Given the embedded default at work, and a sign-up that hangs among good ones
    documents = list(signups(40, seed=7))[-11:]
    hanging = documents[5]
    submitted = {document["id"]: document["subject"] for document in documents}
    process = start(hanging["subject"])
    made = Settings(data_dir=tmp_path)
    address = process.address
    for document in documents:
        within(THROUGH, lambda: emit(address, made.signing_key(), document), "it is taken")  # noqa: B023
    # When it is its turn, Then the process ends by itself, and says so.
    assert process.wait(ENDS) == 1
    books = Books(made)
    ends = 0

    def through() -> bool:
        nonlocal process, ends
        if process.poll() is not None:
            ends += 1
            process = start(hanging["subject"])
        dead = books.rows("registration", DEAD, id=hanging["subject"])
        return bool(dead) and audit(made, submitted).settled

    # And whoever starts it again finds all the good ones through, and that one dead in the end.
    seconds = within(2 * THROUGH, through, "the good ones are through and the bad one is dead")
    ((error, attempts),) = books.rows("registration", DEAD, id=hanging["subject"])
    assert "took longer than 3 seconds" in error
    assert (attempts, ends <= 3) == (3, True)
    ledger = audit(made, submitted)
    note("a handler that hangs, on the embedded default", ledger, seconds, dead=1)
    books.close()
