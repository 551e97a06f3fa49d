"""A batch costs as many trips to the database as one message: each kind of row goes in one go."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.integration.processing.tally import Replica, customer, release

NAMES = [f"bakkerij {number}" for number in range(20)]


@contextmanager
def inserts(replica: Replica) -> Iterator[list[str]]:
    """The INSERTs of this replica while this is entered, each of them with its table."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT"):
            seen.append(" ".join(statement.split()[:3]))

    engine = replica.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("what", ["later", "soon", "mail"])
def test_twenty_customers_take_no_more_statements_than_one(replica: Replica, what: str) -> None:
    # Given one customer whose release leads to something later, or to a mail,
    with inserts(replica) as for_one:
        replica.take(release("first", f"{what}-1"))
    # When twenty such releases come as one batch,
    with inserts(replica) as for_twenty:
        replica.take(*(release(name, f"{what}-1") for name in NAMES))
    # Then they take as many statements as the one did, and none of them is left out.
    assert for_twenty == for_one
    assert set(replica.tallies()) == {customer(name) for name in ["first", *NAMES]}
