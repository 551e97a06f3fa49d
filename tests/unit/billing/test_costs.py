"""What it costs to book what KING reports, counted in what is compared and worked out."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import SQLModel

from services.billing.commands import MatchResults
from services.billing.handlers import SUBSCRIPTIONS
from services.billing.models import Mandate, Order, UnmatchedResult, collection
from services.billing.models.collection import Collection
from services.billing.models.results import Fact, outcome_of
from shared.events import CollectionBooked
from shared.events.envelope import Envelope
from shared.messaging.bus import Incoming
from shared.processing import Entities, Load, Message, Now
from shared.processing.testing import MONDAY, onboarding
from tests.unit.billing.builders import FIRST, PRICE, registration, result, signature
from tests.unit.billing.harness import BillingHarness

MANY = 200


class CountedFact(Fact):
    """A result that counts how often it is compared with another, and how often it is read."""

    compared = read = 0

    __hash__ = None  # As of any dict.

    def __eq__(self, other: object) -> bool:
        CountedFact.compared += 1
        return super().__eq__(other)

    def __getitem__(self, name: str) -> Any:
        CountedFact.read += 1
        return super().__getitem__(name)


@pytest.fixture
def facts() -> list[CountedFact]:
    """Many results of one id: failures and successes in turn, every third over another amount."""
    reported = [
        result(("failed", "succeeded")[n % 2], cents=PRICE - (n % 3 == 0), minute=n)
        for n in range(MANY)
    ]
    CountedFact.compared = CountedFact.read = 0
    return [CountedFact(one.model_dump(mode="json", exclude_none=True)) for one in reported]


@pytest.mark.parametrize("one_collection", [True, False])
def test_many_results_of_one_id_are_each_read_a_few_times(
    facts: list[CountedFact], one_collection: bool
) -> None:
    # When it is worked out what they amount to,
    outcome = outcome_of(facts, (PRICE, "EUR"), one_collection=one_collection)
    # Then most are doubtful, and the work grew with their number, not with its square.
    assert len(outcome.doubtful) > MANY // 4
    assert CountedFact.compared + CountedFact.read < 30 * MANY


def test_a_result_is_worked_out_once_however_many_orders_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given customers whose confirmations are back,
    billing, times = BillingHarness(), 20
    orders = [f"O-2026-{number:06}" for number in range(1, times + 1)]
    for order in orders:
        billing.hear(registration(), about=order)
        billing.ask(signature(order), about=order)
    counted: Counter[str] = Counter()

    def counting(*arguments: Any, **options: Any) -> Any:
        counted["worked out"] += 1
        return outcome_of(*arguments, **options)

    monkeypatch.setattr(collection, "outcome_of", counting)
    # When KING reports the money of each,
    for order in orders:
        billing.hear(result("succeeded", order=order), about=order)
    # Then all are released, and each collection was worked out before its result and after it.
    assert all(billing.order(order).released for order in orders)
    assert counted["worked out"] <= 2 * times


def test_only_a_result_without_an_order_is_looked_for_among_the_unmatched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given an order that billing knows,
    billing = BillingHarness()
    billing.hear(registration())
    loaded: list[type[SQLModel]] = []
    fetch = billing._fetch

    def noting(load: Load, keys: set[Any]) -> Iterable[SQLModel]:
        loaded.append(load.model)
        return fetch(load, keys)

    monkeypatch.setattr(billing, "_fetch", noting)
    # When KING reports about it, then nothing is looked for among what has no order:
    billing.hear(result("succeeded"))
    assert loaded == [Order, Mandate, Collection]
    # when KING reports about another, then its own is, since the very same may be there already.
    loaded.clear()
    billing.hear(result("succeeded", order="O-2026-000002"), about="slager")
    assert loaded == [Order, Collection, UnmatchedResult]


@pytest.mark.parametrize(
    ("moment", "placed"),
    [("2026-12-31T22:59:59Z", "O-2026-000001"), ("2026-12-31T23:00:00Z", "O-2027-000001")],
)
def test_a_registration_loads_what_waits_for_its_own_order_alone(
    moment: str, placed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given results of many orders that are not known, on the last day of a year,
    billing = BillingHarness()
    billing.now = datetime.fromisoformat(moment)
    for number in range(1, MANY + 1):
        for year in (2026, 2027):
            billing.hear(result("succeeded", order=f"O-{year}-{number:06}"))
    found: list[str] = []
    fetch = billing._fetch

    def noting(load: Load, keys: set[Any]) -> Iterable[SQLModel]:
        rows = list(fetch(load, keys))
        found.extend(row.order_reference for row in rows if isinstance(row, UnmatchedResult))
        return rows

    monkeypatch.setattr(billing, "_fetch", noting)
    # When the first of these orders is placed,
    said = billing.hear(registration())
    # Then what waited for it is booked, and at most the same number of the other year was loaded.
    assert said.one(CollectionBooked).order_reference == placed
    assert {placed} <= set(found) <= {"O-2026-000001", "O-2027-000001"}
    # When the registration comes again, nothing is looked for.
    found.clear()
    assert billing.hear(registration()) == []
    assert found == []


def test_looking_for_one_order_loads_the_results_of_that_order_alone() -> None:
    # Given results of many orders that are not known,
    billing = BillingHarness()
    for number in range(1, MANY + 1):
        billing.hear(result("succeeded", order=f"O-2026-{number:06}"))
    rows = billing.rows(UnmatchedResult)
    assert len(rows) == MANY
    # When billing looks again for one of them,
    loads = next(line.loads for line in SUBSCRIPTIONS if line.content is MatchResults)
    command = MatchResults(order_reference=FIRST, times=1)
    envelope = Envelope("1", "/test", command.command_type, onboarding("bakkerij"), MONDAY)
    message = Message(envelope, command, Incoming(b"", command.command_type))
    (load,) = [load for load in loads if load.model is UnmatchedResult]
    keys = load.keys(message, Entities({}, Now(MONDAY)))
    # Then it loads, and so locks, what is about this order and nothing else.
    assert [row.order_reference for row in rows if load.matches(row, keys)] == [FIRST]
