"""Several events of one request: all of them are taken, or none, and each is an act of its own."""

from typing import Any

import pytest

from shared.base.errors import Conflict, Invalid
from shared.processing import Person
from shared.processing.store import acts
from tests.integration.processing.tally import Replica, customer

ANNA = Person("anna", office="0042", address="192.0.2.7")


def bring(replica: Replica, *orders: tuple[str, str], key: str | None = None) -> None:
    """Anna brings that these customers were released, each with the reference of their order."""
    events: list[tuple[str, dict[str, Any]]] = [
        (customer(name), {"order_reference": reference, "revision": 1})
        for name, reference in orders
    ]
    replica.runtime.handle_events("customer.released.v1", events, source="/test", by=ANNA, key=key)


def acts_about(replica: Replica, name: str) -> list[tuple[str, str]]:
    with replica.database.read() as session:
        return [(act.what, act.who) for act in acts.about(session, customer(name))]


def test_all_of_a_list_is_taken_and_each_is_an_act_about_its_own_customer(
    replica: Replica,
) -> None:
    # When Anna brings two events in one request,
    bring(replica, ("slager", "O-2"), ("bakkerij", "O-1"))
    # Then each has its effect and its act.
    assert replica.tallies() == {customer("bakkerij"): 1, customer("slager"): 1}
    for name in ("bakkerij", "slager"):
        assert acts_about(replica, name) == [("customer.released.v1", "anna")]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_nothing_of_a_list_is_taken_when_one_of_it_is_refused(replica: Replica, place: int) -> None:
    # Given a list of which one can never work, wherever it stands,
    orders = [("bakkerij", "O-1"), ("slager", "O-2")]
    orders.insert(place, ("bloemist", "never-1"))
    # When it is brought, then it is refused, and none has an effect or an act;
    with pytest.raises(Conflict):
        bring(replica, *orders, key="list")
    assert replica.tallies() == {}
    assert acts_about(replica, "bakkerij") == []
    # corrected, it is taken under the same key.
    bring(replica, ("bakkerij", "O-1"), ("slager", "O-2"), key="list")
    assert len(replica.tallies()) == 2


def test_a_list_that_comes_again_under_its_key_has_its_effect_once(replica: Replica) -> None:
    # Given a list that was taken, when it comes again, then nothing changes;
    for _ in range(2):
        bring(replica, ("bakkerij", "O-1"), ("slager", "O-2"), key="list")
    assert replica.tallies() == {customer("bakkerij"): 1, customer("slager"): 1}
    assert len(acts_about(replica, "bakkerij")) == 1
    # with other contents, the key is refused, and nothing of them is taken.
    with pytest.raises(Invalid) as refusal:
        bring(replica, ("bakkerij", "O-1"), ("bloemist", "O-3"), ("kapper", "O-4"), key="list")
    assert refusal.value.code == "idempotency_key_reused"
    assert len(replica.tallies()) == 2
