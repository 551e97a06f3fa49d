"""A claim of which nobody heard the end is taken for nothing: neither for new nor for handled."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.persistence.statements import Statement
from shared.persistence.trips import Trips
from shared.processing.handlers.messages import Message
from shared.processing.store import inbox
from shared.processing.store.tables import DONE
from tests.integration.processing.tally import (
    START,
    Remind,
    Replica,
    Tally,
    customer,
    message_id,
    release,
)


class Stumble:
    """What is found of a table cannot be read, the first time: there is no memory for it."""

    def __init__(self) -> None:
        self.came = False

    def over(self, text: str) -> None:
        if "FROM tally" in text and not self.came:
            self.came = True
            raise MemoryError


@pytest.fixture
def stumble(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> Stumble:
    stumble = Stumble()
    replica.take(release("slager"))  # Whatever is made once is made.
    if replica.database.is_sqlite:
        find = Statement.find

        def found(self: Statement, connection: Any, values: Any) -> Sequence[Any]:
            rows = find(self, connection, values)
            stumble.over(str(self._clause))
            return rows

        monkeypatch.setattr(Statement, "find", found)
    else:
        rows_of = Trips._rows_of

        def read(self: Trips, call: Any) -> list[Any]:
            stumble.over(call.sql.decode())
            return rows_of(self, call)

        monkeypatch.setattr(Trips, "_rows_of", read)
    return stumble


def assert_done_with_effect(replica: Replica, *names: str) -> None:
    """Whoever counts as done has had an effect, and nobody else."""
    for name in names:
        is_done = replica.inbox()[message_id(name)].status == DONE
        assert is_done == (replica.tallies().get(customer(name)) == 1)


def reminder() -> Message:
    """What a person asks for."""
    return Message.from_command(
        Remind(),
        subject=customer("slager"),
        message_id=customer("asked"),
        source="/test",
        time=START,
    )


def test_messages_whose_claim_broke_off_have_their_effect(
    replica: Replica, stumble: Stumble
) -> None:
    # Given a service that cannot read what it finds, just as it has claimed two messages,
    replica.take(release("bakkerij"), release("kapper"))
    assert stumble.came
    # Then each has its effect, or waits for it.
    assert_done_with_effect(replica, "bakkerij", "kapper")


def test_nor_is_one_whose_claim_was_heard_and_not_noted(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a service that fails between hearing what it has claimed and noting it,
    def fail(point: str) -> None:
        if point == "inbox_claim.after":
            monkeypatch.undo()
            raise MemoryError

    monkeypatch.setattr(inbox, "reached", fail)
    replica.take(release("bakkerij"), release("kapper"))
    # Then each has its effect, or waits for it.
    assert_done_with_effect(replica, "bakkerij", "kapper")


def test_nobody_is_told_of_a_failure_once_it_is_committed(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given something that fails behind the commit of what a person asked for,
    replica.take(release("slager"))

    def fail(*_given: object, **_named: object) -> None:
        raise MemoryError

    monkeypatch.setattr(replica.runtime.engine.publisher, "publish", fail)
    # When they ask, Then they hear that it was done.
    command = reminder()
    assert replica.runtime.engine.execute(command) is not None


def test_nobody_is_told_that_something_was_done_which_was_not(
    replica: Replica, stumble: Stumble
) -> None:
    # Given a person who asks for something just then,
    command = reminder()
    with pytest.raises(MemoryError):
        replica.runtime.engine.execute(command)
    # When they ask again, Then it is done, and was not before.
    assert replica.runtime.engine.execute(command) is not None
    with replica.database.read() as session:
        assert session.get_one(Tally, customer("slager")).reminders == 1
