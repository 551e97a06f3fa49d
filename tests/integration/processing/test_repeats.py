"""A message that comes again is known, whatever has become of what it was about."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.base.errors import Reject
from shared.events import CustomerReleased
from shared.host.service import Service
from shared.processing import Entities, Load, Message, on
from shared.processing.store.tables import DEAD, DONE
from tests.integration.processing import tally as tallies
from tests.integration.processing.conftest import MakeReplica
from tests.integration.processing.tally import Tally, customer, release


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Customers of whom can be told no more which row is theirs."""
    gone: set[str] = set()
    usual = tallies.service

    def key(message: Message, _entities: Entities) -> str:
        if message.envelope.subject in gone:
            raise Reject("nobody knows this customer any more")
        return message.envelope.subject

    def service(folder: Path) -> Service:
        line = on(CustomerReleased, tallies.tally, loads=[Load(Tally, "onboarding_id", key)])
        whole = usual(folder)
        return replace(whole, subscriptions=[line, *whole.subscriptions[1:]])

    monkeypatch.setattr(tallies, "service", service)
    return gone


def test_a_repeat_is_no_dead_letter_when_its_row_can_be_told_no_more(
    make_replica: MakeReplica, gone: set[str]
) -> None:
    # Given a message that had its effect, about a customer whose row can be told no more,
    replica = make_replica()
    replica.take(release("bakkerij"))
    gone.add(customer("bakkerij"))
    # When it comes again, alone and in company, Then it is known, and the company is served.
    replica.take(release("bakkerij"))
    replica.take(release("bakkerij"), release("kapper"))
    assert [row.status for row in replica.inbox().values()] == [DONE, DONE]
    assert replica.tallies() == {customer("bakkerij"): 1, customer("kapper"): 1}


def test_a_new_message_whose_row_cannot_be_told_is_one(
    make_replica: MakeReplica, gone: set[str]
) -> None:
    replica = make_replica()
    gone.add(customer("bakkerij"))
    replica.take(release("bakkerij"), release("kapper"))
    assert sorted(row.status for row in replica.inbox().values()) == [DEAD, DONE]
