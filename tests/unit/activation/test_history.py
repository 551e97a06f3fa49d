"""Any order and any duplication of one customer's events ends in the same knowledge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.activation.history import HeardFact
from shared.base.errors import FieldError
from shared.events import (
    AdministrationFailed,
    CustomerReleased,
    CustomerReleaseWithdrawn,
    OnboardingWithdrawn,
    OrderSignatureWithdrawn,
    RegistrationDeclined,
    SignupRejected,
)
from shared.events.event import Event
from shared.processing.testing import MONDAY
from tests.unit.activation.harness import (
    CONFIRMATION_SENT,
    ORDER,
    REGISTERED,
    SET_UP,
    SIGNED,
    ActivationHarness,
    booked,
    flagged,
    mails,
    signed_up,
)

thoroughly = settings(max_examples=100, derandomize=True, deadline=None)
WRONG = FieldError(field="customer.kvk", code="kvk", message="Een KvK-nummer heeft 8 cijfers.")
TAKEN_BACK = {"reason_code": "AM04", "cause": "teruggeboekt"}


@dataclass(frozen=True)
class Said:
    """An event as it was said: when, and by which message."""

    event: Event
    minute: int
    message: str


@dataclass(frozen=True)
class History:
    """What was said of one customer, and two ways in which it may be heard."""

    said: Sequence[Said]
    heard: Sequence[int]
    otherwise: Sequence[int]


def releases(revision: int, *, back: bool) -> Event:
    if back:
        return CustomerReleaseWithdrawn(order_reference=ORDER, revision=revision, **TAKEN_BACK)
    return CustomerReleased(order_reference=ORDER, revision=revision)


events: st.SearchStrategy[Event] = st.one_of(
    st.sampled_from(
        (
            signed_up(),
            flagged(),
            SignupRejected(office_code="0042", company="Bakkerij", errors=(WRONG,)),
            REGISTERED,
            RegistrationDeclined(reason="al klant"),
            SET_UP,
            SET_UP.model_copy(update={"access_granted": False}),
            AdministrationFailed(reason="de basisadministratie bestaat niet"),
            CONFIRMATION_SENT,
            SIGNED,
            SIGNED.model_copy(update={"revision": 2}),
            OrderSignatureWithdrawn(order_reference=ORDER, reason="vergissing", revision=3),
            SIGNED.model_copy(update={"revision": 4}),
            OnboardingWithdrawn(reason="ziet ervan af", by="kantoor"),
        )
    ),
    st.builds(
        booked,
        st.sampled_from(("submitted", "succeeded", "failed", "returned")),
        attempt=st.integers(1, 2),
        held=st.booleans(),
        revision=st.integers(1, 6),
    ),
    st.builds(releases, st.integers(1, 6), back=st.booleans()),
)


NEEDED = (signed_up(), SET_UP, releases(6, back=False))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A customer's events at moments that may coincide, heard in two orders, some twice.

    Every other customer has all that they need among them: by chance alone hardly any would.
    """
    needed = draw(st.sampled_from(((), NEEDED)))
    chosen = [*draw(st.lists(events, min_size=1, max_size=10)), *needed]
    said = [Said(event, draw(st.integers(0, 5)), f"e{n}") for n, event in enumerate(chosen)]
    return History(said, draw(_arrivals(len(said))), draw(_arrivals(len(said))))


@st.composite
def _arrivals(draw: st.DrawFn, number: int) -> list[int]:
    twice = draw(st.lists(st.integers(0, number - 1), max_size=4))
    return list(draw(st.permutations([*range(number), *twice])))


def live(
    history: History, arrivals: Sequence[int]
) -> tuple[ActivationHarness, list[tuple[str, str]]]:
    """Hear the history; what comes again comes after the inbox has forgotten it."""
    service, sent = ActivationHarness(), []
    for number in arrivals:
        said = history.said[number]
        time = MONDAY + timedelta(minutes=said.minute)
        service.forget_messages()
        sent += mails(service.hear(said.event, message=said.message, time=time))
    return service, sent


def ending(service: ActivationHarness) -> dict[str, Any]:
    where = service.checklist()
    return {
        "known": service.customer().model_dump(),
        "steps": where.steps,
        "blockers": where.blockers,
        "next": where.next_actor,
    }


@thoroughly
@given(histories())
def test_any_order_and_duplication_of_events_ends_in_the_same_checklist(history: History) -> None:
    # Given a customer's events, heard in one order,
    service, _ = live(history, history.heard)
    # When they are heard in another order, with other duplicates,
    other, _ = live(history, history.otherwise)
    # Then all that is known of them and all seven steps are the same.
    assert ending(service) == ending(other)


@thoroughly
@given(histories())
def test_a_customer_is_found_by_the_step_and_the_actor_of_their_checklist(
    history: History,
) -> None:
    # Given any history, When the checklist is asked what stands first in the way,
    service, _ = live(history, history.heard)
    where = service.checklist()
    waiting = [step.step for step in where.steps if step.status in ("current", "failed")]
    stopped = "withdrawn" in service.blockers()
    # Then that, and who must act, is by what the customer is found.
    assert service.customer().actor == where.next_actor
    assert service.customer().step == ("" if stopped or not waiting else waiting[0])


@thoroughly
@given(histories())
def test_a_history_has_each_event_once(history: History) -> None:
    # Given any history, some of it heard twice, When it is told,
    service, _ = live(history, history.heard)
    # Then each event is there once, with its moment.
    told = sorted((fact.type, fact.at) for fact in service.rows(HeardFact))
    said = sorted(
        (line.event.event_type, MONDAY + timedelta(minutes=line.minute)) for line in history.said
    )
    assert told == said


@thoroughly
@given(histories())
def test_a_customer_is_ready_only_when_they_are_released_set_up_and_still_there(
    history: History,
) -> None:
    # Given any history,
    service, _ = live(history, history.heard)
    # When the rule is applied to it directly: of the release the highest revision holds,
    said = [line.event for line in history.said]
    of_release = [
        event for event in said if isinstance(event, CustomerReleased | CustomerReleaseWithdrawn)
    ]
    newest = max((event.revision for event in of_release), default=None)
    latest = [event for event in of_release if event.revision == newest]
    gone = any(isinstance(event, OnboardingWithdrawn) for event in said)
    # Then nobody is ready who lacks one of its parts.
    if service.customer().ready:
        assert not gone
        assert any(isinstance(event, CustomerReleased) for event in latest)
        assert any(event == SET_UP for event in said)
        assert any(getattr(event, "reference", None) for event in said)
    elif not gone and len(latest) == 1 and isinstance(latest[0], CustomerReleased):
        # And who has them all is ready, unless their administration is closed to them: another
        # copy that failed takes nothing from them.
        refused = any(getattr(event, "access_granted", True) is False for event in said)
        complete = SET_UP in said and any(getattr(event, "reference", None) for event in said)
        assert not complete or refused


@thoroughly
@given(histories())
def test_the_office_is_told_once_for_each_time_a_customer_becomes_ready(history: History) -> None:
    # Given any history in which nothing is taken back,
    steady = [
        line
        for line in history.said
        if not isinstance(line.event, CustomerReleaseWithdrawn)
        and getattr(line.event, "access_granted", True)
    ]
    kept = [number for number in history.heard if history.said[number] in steady]
    # When it is heard, some of it twice, Then the office gets one mail at most.
    _, sent = live(history, kept)
    assert len(sent) <= 1
