"""Any order and any duplication of one customer's events ends in the same state.

The signature is asked by a person, not heard: it can only follow the registration, and a
withdrawn order cannot be signed, so these three keep their order. All else comes as it likes.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.billing.collections import REQUESTED, TAKEN_BACK, WEIGHTS, Collection
from shared.events import (
    CollectionRequested,
    CollectionResult,
    CustomerReleased,
    CustomerReleaseWithdrawn,
    RegistrationCompleted,
)
from shared.events.event import Event
from tests.unit.billing.builders import FIRST, PRICE, registration, result, signature, withdrawal
from tests.unit.billing.world import World

ONE_MINUTE = timedelta(minutes=1)
REGISTRATION, SIGNATURE, WITHDRAWAL = "registration", "signature", "withdrawal"
LIFE = (REGISTRATION, SIGNATURE, WITHDRAWAL)

thoroughly = settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class History:
    """What happened to one customer, and two ways in which it may be heard."""

    happened: dict[str, Event | None]
    heard: Sequence[str]
    otherwise: Sequence[str]

    @property
    def results(self) -> list[CollectionResult]:
        """What KING reported."""
        return [one for one in self.happened.values() if isinstance(one, CollectionResult)]


@st.composite
def reports(draw: st.DrawFn) -> CollectionResult:
    """Something that KING says of one of three attempts, or of one that nobody asked for."""
    attempt = draw(st.integers(1, 3))
    own = draw(st.sampled_from((True, True, True, False)))
    status = draw(st.sampled_from(("submitted", "succeeded", "succeeded", "failed", *TAKEN_BACK)))
    troubled = status in ("failed", *TAKEN_BACK)
    cents, currency = draw(
        st.sampled_from(((PRICE, "EUR"), (PRICE, "EUR"), (PRICE - 1, "EUR"), (PRICE, "USD")))
    )
    return result(
        status,
        attempt=attempt if own else 1,
        end_to_end_id=None if own else "KING-77",
        cents=cents,
        currency=currency,
        code=draw(st.sampled_from(("AM04", "MD06", "XX99", None))) if troubled else None,
        minute=draw(st.integers(0, 5)),
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A customer's history, and two orders in which its messages arrive, some twice."""
    happened: dict[str, Event | None] = {REGISTRATION: registration()}
    if draw(st.booleans()):
        happened[SIGNATURE] = None
    if draw(st.integers(0, 3)) == 0:
        happened[WITHDRAWAL] = withdrawal()
    for number, report in enumerate(draw(st.lists(reports(), max_size=6))):
        happened[f"result {number}"] = report
    return History(happened, draw(_arrivals(happened)), draw(_arrivals(happened)))


@st.composite
def _arrivals(draw: st.DrawFn, happened: dict[str, Event | None]) -> list[str]:
    names = list(happened)
    twice = draw(st.lists(st.sampled_from(names), max_size=4))
    arrivals = list(draw(st.permutations([*names, *twice])))
    if SIGNATURE not in happened:
        return arrivals
    first = sorted(arrivals.index(name) for name in LIFE if name in happened)
    for place, name in zip(first, [one for one in LIFE if one in happened], strict=True):
        arrivals[place] = name
    signature = arrivals.index(SIGNATURE)
    return [
        name
        for place, name in enumerate(arrivals)
        if name != WITHDRAWAL or place > signature  # Nor does a repeat of it come before.
    ]


def live(
    history: History,
    arrivals: Sequence[str],
    check: Callable[[World], object],
    weeks: Set[int] = frozenset(),
) -> World:
    """Let one customer's messages arrive, each repeat under the id that it had before.

    After those whose places are in `weeks` a week goes by.
    """
    world = World()
    for place, name in enumerate(arrivals):
        event = history.happened[name]
        if event is None:
            world.ask(signature())
        else:
            world.hear(event, message=name)
        check(world)
        if place in weeks:
            world.pass_days(7)
            check(world)
    return world


def ending(world: World) -> dict[str, Any]:
    """What holds in the end. What was asked of KING and not answered is no state but history."""
    order = world.order()
    collections: list[Collection] = world.tables[Collection]
    return {
        "order": order.model_dump(exclude={"received_at"}),
        "collections": {
            one.end_to_end_id: {
                "attempt": one.attempt,
                "status": one.status if one.status in WEIGHTS else "open",
                "reason": one.reason_code,
                "held": one.held,
                "results": sorted(one.results, key=str),
            }
            for one in collections
            if one.results
        },
        "strays": world.strays(),
    }


def nothing(_world: World) -> None:
    """Look at the end alone."""


@thoroughly
@given(histories())
def test_any_order_and_duplication_of_events_ends_in_the_same_state(history: History) -> None:
    # Given a customer's history, heard in one order,
    one = live(history, history.heard, nothing)
    # When it is heard in another order, with other duplicates,
    other = live(history, history.otherwise, nothing)
    # Then order, collections and standing are the same, to the revision.
    assert ending(one) == ending(other)


def deserves_release(history: History) -> bool:
    """The rule of the house, straight from the history: signed, collected in full, still there."""
    if SIGNATURE not in history.happened or WITHDRAWAL in history.happened:
        return False
    exact = [one for one in history.results if (one.amount_cents, one.currency) == (PRICE, "EUR")]
    for attempt in {one.end_to_end_id for one in exact}:
        mine = [one for one in exact if one.end_to_end_id == attempt]
        paid = [one.occurred_at for one in mine if one.status == "succeeded"]
        failed = [one.occurred_at for one in mine if one.status == "failed"]
        went_back = any(one.status in TAKEN_BACK for one in mine)
        if paid and not went_back and max(paid) > max(failed, default=min(paid) - ONE_MINUTE):
            return True
    return False


@thoroughly
@given(histories())
def test_a_customer_is_released_only_when_signed_and_collected_in_full(history: History) -> None:
    # Given any history, when it was heard in any order,
    world = live(history, history.heard, nothing)
    # Then the customer is released exactly when he signed, the full amount came and stayed,
    # and he did not withdraw.
    assert world.order().released == deserves_release(history)


@thoroughly
@given(histories())
def test_whoever_heeds_the_highest_revision_knows_who_is_released(history: History) -> None:
    # Given any history, when it was heard in any order,
    world = live(history, history.heard, nothing)
    # Then of all that was said about the release, the highest revision tells the truth,
    told = [
        one for one in world.said if isinstance(one, CustomerReleased | CustomerReleaseWithdrawn)
    ]
    last = max(told, key=lambda one: one.revision, default=None)
    assert isinstance(last, CustomerReleased) == world.order().released
    # and no two of them bear the same revision.
    assert len({one.revision for one in told}) == len(told)


@thoroughly
@given(histories(), st.sets(st.integers(0, 9)))
def test_king_is_never_asked_too_early_or_for_two_at_once(
    history: History, weeks: Set[int]
) -> None:
    # Given any history, heard in any order, with weeks between that go by,
    asked = 0

    def look(world: World) -> None:
        nonlocal asked
        known: list[Collection] = world.tables[Collection]
        # Then KING is left with no request once the money is there;
        if any(one.succeeded for one in known):
            assert not any(one.status == REQUESTED for one in known)
        requests = [one for one in world.said if isinstance(one, CollectionRequested)]
        if len(requests) == asked:
            return
        asked += 1
        # and when it is asked to collect,
        order = world.order()
        assert len(requests) == asked
        # the order is signed and still wanted, the whole amount is asked for,
        assert order.signed
        assert not order.withdrawn
        assert (requests[-1].order_reference, requests[-1].amount_cents) == (FIRST, PRICE)
        # and nothing else is under way or has brought the money.
        busy = [one.end_to_end_id for one in known if one.under_way or one.succeeded]
        assert busy == [requests[-1].end_to_end_id]

    live(history, history.heard, look, weeks)


def test_the_histories_hold_what_they_should() -> None:
    # Given many histories,
    seen: set[str] = set()

    @settings(max_examples=300, derandomize=True, deadline=None, database=None)
    @given(histories())
    def gather(history: History) -> None:
        world = live(history, history.heard, nothing)
        seen.add(world.order().standing)
        seen.update("held" for one in world.tables[Collection] if one.held)
        seen.update(one.status for one in world.tables[Collection])
        if not isinstance(history.happened[history.heard[0]], RegistrationCompleted):
            seen.add("something before the registration")

    # When they are lived through,
    gather()
    # Then every end is among them, so that the properties above are not empty.
    assert seen >= {"open", "released", "taken_back", "held", "something before the registration"}
    assert seen >= {"requested", "unasked", "cancelled", *WEIGHTS}
