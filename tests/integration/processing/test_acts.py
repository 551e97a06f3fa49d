"""Every request of a person leaves an act: who, for which office, what, about whom, from where."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from shared.base.errors import Conflict, Problem
from shared.events import CustomerReleased
from shared.host.tasks import LONGEST_MAIL_REST
from shared.processing import Effect, Person
from shared.processing.store import acts
from shared.processing.store.tables import Outbox
from tests.integration.processing.tally import Remind, Replica, customer, release

ANNA = Person("anna", office="0042", address="192.0.2.7")
RELEASED = CustomerReleased(order_reference="O-2026-000001", revision=1)


def acts_about(replica: Replica, name: str) -> list[tuple[str, str, str | None, str]]:
    """What is on record about a customer."""
    with replica.database.read() as session:
        rows = acts.about(session, customer(name))
    return [(act.what, act.who, act.office, act.address) for act in rows]


def actors_said(replica: Replica) -> list[Any]:
    """Who the events that were said bear as the person behind them."""
    with replica.database.read() as session:
        bodies = session.exec(select(Outbox.body)).all()
    return [json.loads(body).get("actor") for body in bodies]


def says_released(*_: object) -> Sequence[Effect]:
    """A handler that leads to an event."""
    return [RELEASED]


def test_what_a_person_asked_for_is_on_record(replica: Replica) -> None:
    replica.handlers[Remind.command_type] = says_released
    # When Anna, of office 0042, asks for it
    replica.runtime.handle(Remind(), subject=customer("bakkerij"), by=ANNA)
    # Then her act stands in the same database, and the event bears her name
    assert acts_about(replica, "bakkerij") == [(Remind.command_type, "anna", "0042", "192.0.2.7")]
    assert actors_said(replica) == ["anna"]


def test_what_was_refused_leaves_no_act(replica: Replica) -> None:
    def refuse(*_: object) -> Sequence[Effect]:
        raise Conflict("order_closed", "The order is closed.")

    replica.handlers[Remind.command_type] = refuse
    with pytest.raises(Problem):
        replica.runtime.handle(Remind(), subject=customer("bakkerij"), by=ANNA)
    assert acts_about(replica, "bakkerij") == []


def test_a_repeat_under_one_key_is_one_act(replica: Replica) -> None:
    replica.handlers[Remind.command_type] = says_released
    for _ in range(2):
        replica.runtime.handle(Remind(), subject=customer("bakkerij"), by=ANNA, key="once")
    assert len(acts_about(replica, "bakkerij")) == 1


def test_one_key_is_another_request_for_another_office_person_or_subject(replica: Replica) -> None:
    replica.handlers[Remind.command_type] = says_released
    # Given a key that four requests bear, of which no two are by one person about one customer,
    for name, by in (
        ("bakkerij", ANNA),
        ("slager", ANNA),
        ("bakkerij", replace(ANNA, office="0077")),
        ("bakkerij", replace(ANNA, name="bram")),
    ):
        replica.runtime.handle(Remind(), subject=customer(name), by=by, key="once")
    # Then each was done.
    assert len(acts_about(replica, "bakkerij")) == 3
    assert len(acts_about(replica, "slager")) == 1


def test_acts_are_not_forgotten(replica: Replica) -> None:
    replica.handlers[Remind.command_type] = says_released
    replica.runtime.handle(Remind(), subject=customer("bakkerij"), by=ANNA)
    # When so long has gone by that the inbox has forgotten it, Then the act is there.
    replica.live(days=31)
    assert replica.inbox() == {}
    assert len(acts_about(replica, "bakkerij")) == 1


def test_an_event_of_the_broker_is_nobodys_act(replica: Replica) -> None:
    # When an event comes that bears whose request led to it
    message = release("bakkerij")
    document = json.loads(message.body) | {"actor": "anna"}
    replica.take(replace(message, body=json.dumps(document).encode()))
    # Then what it leads to is nobody's: her word was for that very transaction
    assert acts_about(replica, "bakkerij") == []
    assert actors_said(replica) == [None]


def test_mails_leave_the_machine_to_whoever_waits_for_an_answer(replica: Replica) -> None:
    # Given a service that has mails to send, and nobody who asks for anything,
    replica.handlers[Remind.command_type] = says_released
    mails = replica.runtime.tasks.notifications
    assert mails._rest(0.1) == 0
    # When somebody does, Then mails leave most of the time to those who wait;
    replica.runtime.handle(Remind(), subject=customer("bakkerij"), by=ANNA)
    assert mails._rest(0.1) > 0.1
    # And one that a slow provider took long for is no reason to be idle as long.
    assert mails._rest(60.0) <= LONGEST_MAIL_REST
