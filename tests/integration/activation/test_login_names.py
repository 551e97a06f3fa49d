"""Login names: everybody gets one of their own, whoever else is being activated meanwhile."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, local
from typing import Any

import pytest

from services.activation import handlers
from services.activation.login.names import MAX_LENGTH
from shared.events.event import Event
from shared.processing import Effect
from tests.integration.activation.conftest import ACTIVATE, MakePractice, Practice
from tests.unit.activation.harness import CUSTOMER, way_of

PEOPLE = 10


def called(company: str) -> tuple[Event, ...]:
    """All that makes a customer of this name ready."""
    return way_of(CUSTOMER.model_copy(update={"company": company}))


def names(practice: Practice, customers: Sequence[str]) -> list[str]:
    return [str(practice.customer(customer).login_name) for customer in customers]


def test_a_number_that_a_name_was_given_is_not_another_companys_name(
    make_practice: MakePractice,
) -> None:
    # Given two companies called Bakker, and one whose name is what the second of them was given,
    practice, customers = make_practice(), ["eerste", "tweede", "derde"]
    for customer, company in zip(customers, ("Bakker", "Bakker", "Bakker2 B.V."), strict=True):
        practice.hear(*called(company), about=customer)
    # When all are activated, Then each has a name of their own.
    for customer in customers:
        practice.ask(ACTIVATE, customer)
    assert names(practice, customers)[:2] == ["bakker", "bakker2"]
    assert len(set(names(practice, customers))) == 3


def test_all_get_a_name_who_are_activated_at_the_same_moment(
    make_practice: MakePractice, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given two replicas, and many customers of one name,
    replicas = [make_practice(), make_practice()]
    customers = [f"klant {number}" for number in range(PEOPLE)]
    for customer in customers:
        replicas[0].hear(*called("Bakker"), about=customer)
    # When as many people activate one each, and each has looked before another has chosen,
    # as PostgreSQL lets them (SQLite takes one after the other),
    one_by_one = replicas[0].runtime.database.is_sqlite
    together, own = Barrier(1 if one_by_one else PEOPLE), local()
    order = handlers._order_credentials

    def once_all_have_looked(*given: Any) -> Sequence[Effect]:
        if not hasattr(own, "looked"):
            own.looked = True
            together.wait(30)
        return order(*given)

    monkeypatch.setattr(handlers, "_order_credentials", once_all_have_looked)
    with ThreadPoolExecutor(PEOPLE) as people:
        list(people.map(lambda n: replicas[n % 2].ask(ACTIVATE, customers[n]), range(PEOPLE)))
    # Then all succeed, and each customer has a name of their own.
    chosen = names(replicas[0], customers)
    assert len(set(chosen)) == PEOPLE
    assert all(name.startswith("bakker") and len(name) <= MAX_LENGTH for name in chosen)
