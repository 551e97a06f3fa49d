"""Any order and any duplication of one customer's events ends in the same state.

The signature is asked by a person, not heard: it can only follow the registration, and a
withdrawn order cannot be signed, so these three keep their order. Nor can it be taken back once
KING has reported. All else comes as it likes.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.billing.commands import WithdrawSignature
from services.billing.models.collection import Collection
from services.billing.models.results import TAKEN_BACK, WEIGHTS
from shared.events import CollectionResult, RegistrationCompleted
from shared.events.event import Event
from tests.unit.billing.builders import (
    FIRST,
    OFFICE_IBAN,
    PRICE,
    registration,
    result,
    signature,
    withdrawal,
)
from tests.unit.billing.harness import BillingHarness

REGISTRATION, SIGNATURE, WITHDRAWAL = "registration", "signature", "withdrawal"
SLIP = "slip"
LIFE = (REGISTRATION, SLIP, SIGNATURE, WITHDRAWAL)
"""What keeps its order; a slip is a signature for another account that is taken back at once."""
CODES = ("AM04", " am04", "MD06", "AC04", "MD07", "XX99", None)
FOREIGN = ("KING-77", "NOTPROVIDED", "KING/77")
"""End-to-end ids that we did not give out: under one of them each success is other money."""

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
        return [event for event in self.happened.values() if isinstance(event, CollectionResult)]


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
        attempt=attempt,
        end_to_end_id=None if own else draw(st.sampled_from(FOREIGN)),
        cents=cents,
        currency=currency,
        code=draw(st.sampled_from(CODES)) if troubled else None,
        minute=draw(st.integers(0, 5)),
    )


@st.composite
def second_thoughts(draw: st.DrawFn) -> list[CollectionResult]:
    """What KING takes back: an attempt that failed and succeeded after all, or money paid twice."""
    attempt = draw(st.integers(1, 2))
    again = result("succeeded", attempt=attempt, minute=5)
    if draw(st.booleans()):
        return [result("failed", attempt=attempt, code="AM04", minute=1), again]
    return [again, result("succeeded", attempt=attempt + 1, minute=6)]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A customer's history, and two orders in which its messages arrive, some twice."""
    happened: dict[str, Event | None] = {REGISTRATION: registration()}
    if draw(st.booleans()):
        happened[SIGNATURE] = None
        if draw(st.integers(0, 2)) == 0:
            happened[SLIP] = None
    if draw(st.integers(0, 3)) == 0:
        happened[WITHDRAWAL] = withdrawal()
    # Left to chance these would hardly ever come about.
    reported = draw(second_thoughts()) if draw(st.integers(0, 3)) == 0 else []
    reported += draw(st.lists(reports(), max_size=6 - len(reported)))
    for number, report in enumerate(reported):
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
    for place, name in zip(first, [name for name in LIFE if name in happened], strict=True):
        arrivals[place] = name
    signature = arrivals.index(SIGNATURE)
    arrivals = [name for name in arrivals if name != SLIP]
    if SLIP in happened:
        # Before the signature, and before anything that KING says.
        arrivals.insert(0, SLIP)
        arrivals.remove(REGISTRATION)
        arrivals.insert(0, REGISTRATION)
    signature = arrivals.index(SIGNATURE)
    return [
        name
        for place, name in enumerate(arrivals)
        if name != WITHDRAWAL or place > signature  # Nor does a repeat of it come before.
    ]


def live(
    history: History,
    arrivals: Sequence[str],
    check: Callable[[BillingHarness], object],
    weeks: Set[int] = frozenset(),
) -> BillingHarness:
    """Let one customer's messages arrive, each repeat under the id that it had before.

    After those whose places are in `weeks` a week goes by.
    """
    billing = BillingHarness()
    for place, name in enumerate(arrivals):
        event = history.happened[name]
        if name == SLIP:
            billing.ask(signature(signed_on=billing.order().placed_on, iban=OFFICE_IBAN))
            check(billing)
            billing.ask(WithdrawSignature(order_reference=FIRST, reason="another order's paper"))
        elif event is None:
            billing.ask(signature(signed_on=billing.order().placed_on))
        else:
            billing.hear(event, message=name)
        check(billing)
        if place in weeks:
            billing.pass_days(7)
            check(billing)
    return billing


def ending(billing: BillingHarness) -> dict[str, Any]:
    """What holds in the end. What was asked of KING and not answered is no state but history."""
    order = billing.order()
    return {
        "order": order.model_dump(exclude={"received_at"}),
        "held": sorted((held.id, held.why) for held in billing.held()),
        "collections": {
            row.end_to_end_id: {
                "attempt": row.attempt,
                "status": row.status if row.status in WEIGHTS else "open",
                "reason": row.reason_code,
                "held": row.held,
                "results": sorted(row.results, key=str),
            }
            for row in billing.rows(Collection)
            if row.results
        },
        "unmatched": billing.unmatched(),
    }


def nothing(_billing: BillingHarness) -> None:
    """Look at the end alone."""


@thoroughly
@given(histories())
def test_any_order_and_duplication_of_events_ends_in_the_same_state(history: History) -> None:
    # Given a customer's history, heard in one order,
    first = live(history, history.heard, nothing)
    # When it is heard in another order, with other duplicates,
    second = live(history, history.otherwise, nothing)
    # Then order, collections and standing are the same, to the revision.
    assert ending(first) == ending(second)


def test_the_histories_hold_what_they_should() -> None:
    # Given many histories,
    seen: set[str] = set()

    @settings(max_examples=300, derandomize=True, deadline=None, database=None)
    @given(histories())
    def gather(history: History) -> None:
        billing = live(history, history.heard, nothing)
        seen.add(billing.order().standing)
        seen.update("held" for row in billing.rows(Collection) if row.held)
        seen.update(held.why for held in billing.held())
        seen.update(row.status for row in billing.rows(Collection))
        if not isinstance(history.happened[history.heard[0]], RegistrationCompleted):
            seen.add("something before the registration")

    # When they are lived through,
    gather()
    # Then every end is among them, so that the properties above are not empty.
    assert seen >= {"open", "released", "taken_back", "held", "something before the registration"}
    assert seen >= {"requested", "unasked", "cancelled", *WEIGHTS}
    assert seen >= {"deviating_amount", "after_failure", "paid_twice", "withdrawn", "deceased"}
