"""A message that is the end of its consumer takes none of its neighbours with it.

Whatever its handler does, it ends in bounded time as a dead letter with its reason.
"""

import sys
from collections.abc import Callable

import pytest

from infra.demo.simulators.website import signups
from shared.host.settings import Settings
from tests.faults.conftest import Note
from tests.faults.load import outgoing
from tests.faults.stage import Stage, on_stage, within
from tests.servers.rabbitmq import RabbitMQ

GOOD = 50
THROUGH = 120.0
BURIED = 200.0
"""Seconds, on a busy machine: three times the message begins, and the process is started anew."""

DIED = "the process died"
REASONS = {
    "kill": DIED,
    "exit": DIED,
    "hang": "took longer than 3 seconds",
    "burn": "took longer than 3 seconds",
    "freeze": DIED,
    "hoard": "MemoryError",
}
"""What a handler does (see `deadly`), and what must stand as the reason."""

DEAD = "SELECT error, attempts FROM inbox WHERE status = 'dead' AND subject = :id"


@pytest.mark.faults
@pytest.mark.parametrize("deed", REASONS)
def test_fifty_good_messages_beside_one_that_is_the_end_of_its_consumer(
    rabbitmq: RabbitMQ, ground: Settings, note: Note, deed: str
) -> None:
    # Given a registration that stumbles over one message, and an orchestrator that restarts it
    documents = list(signups(400, seed=5))[-GOOD - 1 :]
    deadly = documents[GOOD // 2]
    reached_by = {"TESTS_DEADLY": deadly["subject"], "TESTS_DEED": deed}
    crew = [["signup", "billing", "activation"], ["registration"]]
    program = [sys.executable, "-m", "tests.faults.deadly"]
    with on_stage(ground, reached_by=reached_by, crew=crew, program=program) as stage:
        # When it is prefetched among fifty good ones
        stage.load.stop()
        stage.line.publish([outgoing(document) for document in documents]).result(60)
        good = [document["subject"] for document in documents if document is not deadly]

        # Then all the good ones get through, whatever becomes of it,
        seconds, ends = with_restarts(
            stage,
            THROUGH,
            lambda: all(stage.books.has_arrived(onboarding_id) for onboarding_id in good),
        )
        # it is dead in the end, with its reason,
        _, more = with_restarts(
            stage,
            BURIED,
            lambda: bool(stage.books.rows("registration", DEAD, id=deadly["subject"])),
        )
        ((error, attempts),) = stage.books.rows("registration", DEAD, id=deadly["subject"])
        assert REASONS[deed] in error
        assert attempts <= 3
        assert ends + more <= 4  # Once among the others, and three times alone.

        # and what comes afterwards goes its way in a process that is well.
        with_restarts(stage, THROUGH, lambda: all(stage.ready(port) for port in stage.processes))
        stage.recovered()
        assert all(stage.alive(port) for port in stage.processes)
        assert stage.restart_the_dead() == 0

        stage.load.submitted |= {document["id"]: document["subject"] for document in documents}
        note(f"a message whose handler does: {deed}", stage.ledger(), seconds, dead=1)


def with_restarts(stage: Stage, seconds: float, ready: Callable[[], bool]) -> tuple[float, int]:
    """Wait until it is so, restarting what ends; how many seconds that took, and how many ends."""
    ends = 0

    def so() -> bool:
        nonlocal ends
        ends += stage.restart_the_dead()
        return ready()

    return within(seconds, so, "it is so in spite of the dead"), ends
