"""What people decide about dead letters."""

import json
from dataclasses import replace
from typing import Any

from infra.operations.dead_letters import decisions
from shared.messaging.bus import Incoming
from shared.processing import Person
from shared.processing.store import inbox
from tests.integration.processing.tally import Replica


def retry(replica: Replica, letter_id: str, correction: Any = None, by: str = "anna") -> str:
    """Retry a letter, with a correction or as it is; returns its id from now on."""
    body = None if correction is None else json.dumps(correction).encode()
    decoder = replica.runtime.engine.decoder
    return decisions.retry(
        replica.database,
        decoder,
        letter_id,
        by=Person(by),
        why="mended",
        at=replica.now,
        correction=body,
    )


def lay_dead(replica: Replica, message: Incoming) -> None:
    """Have a message dead under its own id, as one that killed three processes; it is not run."""
    replica.take(replace(message, dead_lettered="it was delivered again and again"))
    engine = replica.runtime.engine
    with engine.transactions.internal_transaction() as work:
        row = inbox.lock_waiting(work.session, engine.decoder.decode(message).envelope.id)
        assert row is not None
        engine.dead_letters.crash_loop(work, row)
