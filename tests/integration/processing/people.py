"""What people decide about dead letters."""

import json
from typing import Any

from infra.operations.dead_letters import decisions
from shared.processing import Person
from tests.integration.processing.tally import Replica


def retry(replica: Replica, letter_id: str, correction: Any = None, by: str = "anna") -> str:
    """Retry a letter, with a correction or as it is; returns its id from now on."""
    body = None if correction is None else json.dumps(correction).encode()
    decoder = replica.runtime.engine.decoder
    return decisions.retry(
        replica.database, decoder, letter_id, by=Person(by), why="mended", correction=body
    )
